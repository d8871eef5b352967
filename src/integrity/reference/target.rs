//! Whether an item is there for a reference: whether it belongs to the referenced entity, and, if the
//! rule asks, has not expired.

use crate::data::Item;
use crate::integrity::expiry::{has_expired, has_passed};
use crate::integrity::finding::{Shown, Unmet};
use crate::integrity::presence;
use crate::rules::model::{Expired, Reference, ReferenceId, Rules};
use crate::store::Condition;

/// The TTL attribute of the referenced items, if the rule looks at it.
pub(crate) fn ttl<'r>(rules: &'r Rules, reference: &Reference) -> Option<&'r str> {
    let ttl = rules.table_of(reference.to).ttl.as_deref();
    ttl.filter(|_| reference.expired == Expired::Absent)
}

/// Whether the item, which is at a referenced key, counts as existing.
pub(crate) fn is_target(rules: &Rules, rule: ReferenceId, item: &Item<'_>, now_ms: i64) -> bool {
    rules.referenced(rule).admits(item) && !is_expired_target(rules, rule, item, now_ms)
}

/// Whether the rule treats the item as absent because of the time: because it has expired, or does
/// not meet a condition on the time.
pub(crate) fn is_expired_target(
    rules: &Rules,
    rule: ReferenceId,
    item: &Item<'_>,
    now_ms: i64,
) -> bool {
    let value = ttl(rules, &rules[rule]).and_then(|ttl| item.get(ttl));
    value.is_some_and(|value| has_passed(value, now_ms))
        || !rules.referenced(rule).is_current(item, now_ms)
}

/// Requires that an item that counts as existing is at the referenced key.
pub(crate) fn is_there(rules: &Rules, rule: ReferenceId, now_ms: i64) -> Condition {
    let to = rules[rule].to;
    let conditions = presence::is_one(rules, to).chain(presence::is_current(rules, to, now_ms));
    let expired = ttl(rules, &rules[rule]).map(|ttl| has_expired(ttl, now_ms));
    let is_not_expired = expired.map(|expired| Condition::Not(Box::new(expired)));
    Condition::All(conditions.chain(is_not_expired).collect())
}

/// Requires that no item that counts as existing is at the referenced key.
pub(crate) fn is_not_there(rules: &Rules, rule: ReferenceId, now_ms: i64) -> Condition {
    let to = rules[rule].to;
    let timed = presence::is_current(rules, to, now_ms);
    let is_not_current = timed.map(|holds| Condition::Not(Box::new(holds)));
    let expired = ttl(rules, &rules[rule]).map(|ttl| has_expired(ttl, now_ms));
    let mut any: Vec<_> = is_not_current.chain(expired).collect();
    let is_absent = presence::is_not_there(rules, to);
    if any.is_empty() {
        return is_absent;
    }
    any.insert(0, is_absent);
    Condition::Any(any)
}

/// Why the item at a referenced key is not one of the referenced entity: the first condition of
/// `where` that it does not meet.
pub(crate) fn unmet(
    rules: &Rules,
    rule: ReferenceId,
    item: &Item<'_>,
    now_ms: i64,
) -> Option<Unmet> {
    let mut conditions = rules.referenced(rule).conditions.iter();
    let (path, _) = conditions.find(|(path, test)| !test.holds_at(path.lookup(item), now_ms))?;
    let found = path.lookup(item).map(Shown::of);
    Some(Unmet { path: path.clone(), found })
}
