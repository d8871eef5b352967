//! Expiry: items that time to live (TTL) will delete.

use std::cmp::Ordering;

use super::change::Change;
use crate::data::{Item, Number, Path, Value};
use crate::rules::model::{EntityId, Rules};
use crate::store::{Condition, Operand};

/// The age from which on TTL ignores a time, in seconds: five years.
const IGNORED_AGE_S: i64 = 5 * 365 * 24 * 60 * 60;

/// Whether an item of this entity has expired: TTL will delete it, or has done so. False if the
/// table declares no TTL attribute.
pub(crate) fn is_expired(rules: &Rules, entity: EntityId, item: &Item<'_>, now_ms: i64) -> bool {
    let ttl = rules.table_of(entity).ttl.as_deref();
    ttl.and_then(|ttl| item.get(ttl)).is_some_and(|value| has_passed(value, now_ms))
}

/// Whether an item of this entity had expired before a change at this time, and has not after it.
/// TTL may have deleted what belongs to the item in the meantime.
pub(crate) fn is_kept(
    rules: &Rules,
    entity: EntityId,
    change: &Change<'_>,
    changed_ms: Option<i64>,
) -> bool {
    let Some(changed_ms) = changed_ms else { return false };
    let is_expired = |image: &Option<Item<'_>>| {
        image.as_ref().map(|image| is_expired(rules, entity, image, changed_ms))
    };
    is_expired(&change.before) == Some(true) && is_expired(&change.after) == Some(false)
}

/// Whether an item with this value of the TTL attribute has expired.
///
/// An item expires at the time in its TTL attribute, a number of seconds since 1970. It may stay
/// readable for days. TTL ignores values of other types, and times that are five years old or older.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html>
pub(crate) fn has_passed(value: &Value<'_>, now_ms: i64) -> bool {
    let Value::N(time_s) = value else { return false };
    let [ignored, passed] = limits(now_ms).map(Number::from);
    time_s.cmp(&passed) != Ordering::Greater && *time_s > ignored
}

/// Requires that an item with this TTL attribute has expired.
pub(crate) fn has_expired(ttl: &str, now_ms: i64) -> Condition {
    let [ignored, passed] = limits(now_ms).map(Number::from);
    let until =
        |limit_s| Condition::Compare(Path::attribute(ttl), Operand::LessOrEqual, Value::N(limit_s));
    Condition::All(vec![until(passed), Condition::Not(Box::new(until(ignored)))])
}

/// The newest time that TTL ignores, and the newest time that has passed, in seconds since 1970.
pub(crate) const fn limits(now_ms: i64) -> [i64; 2] {
    let passed = now_ms.div_euclid(1_000);
    [passed.saturating_sub(IGNORED_AGE_S), passed]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_expires_at_a_number_of_the_last_five_years() {
        const NOW_MS: i64 = 1_700_000_000_999;
        let condition = has_expired("expires", NOW_MS);
        for (json, has_expired) in [
            (r#"{"N": "1700000000"}"#, true),
            (r#"{"N": "1700000000.5"}"#, false),
            (r#"{"N": "1699999999.5"}"#, true),
            (r#"{"N": "1700000001"}"#, false),
            (r#"{"N": "1542320001"}"#, true),
            (r#"{"N": "1542320000"}"#, false),
            (r#"{"N": "0"}"#, false),
            (r#"{"N": "-1"}"#, false),
            (r#"{"N": "1700000000000"}"#, false),
            (r#"{"S": "1600000000"}"#, false),
            (r#"{"NULL": true}"#, false),
        ] {
            let value: Value<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(has_passed(&value, NOW_MS), has_expired, "{json}");
            let item = Item::from([("expires".into(), value)]);
            assert_eq!(condition.holds(Some(&item)), has_expired, "{json}");
        }
        assert!(!condition.holds(Some(&Item::new())));
    }
}
