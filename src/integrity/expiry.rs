//! Expiry: items that time to live (TTL) will delete.

use crate::data::{Item, Value};
use crate::rules::model::{EntityId, Rules};

/// Whether an item of this entity has expired: TTL will delete it, or has done so. False if the
/// table declares no TTL attribute.
///
/// An item expires at the time in its TTL attribute, a number of seconds since 1970. It may stay
/// readable for days. TTL ignores values of other types.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html>
pub(crate) fn is_expired(rules: &Rules, entity: EntityId, item: &Item<'_>, now_ms: i64) -> bool {
    let ttl = rules.table_of(entity).ttl.as_ref();
    let Some(Value::N(time_s)) = ttl.and_then(|ttl| item.get(ttl.as_str())) else { return false };
    #[expect(clippy::cast_precision_loss, reason = "a time in milliseconds is exact")]
    let time = now_ms as f64;
    time_s.as_str().parse::<f64>().is_ok_and(|time_s| time_s * 1_000.0 <= time)
}
