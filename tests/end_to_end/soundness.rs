//! Audits repairs: goes through the stream's records in order, and checks whether each repair was
//! correct at the time.
//!
//! Every item that a client puts has a unique `id`, which repairs do not change. A record therefore
//! shows whether a client or Referee made the change: a client's put changes the `id`, and the test
//! collects the `id`s of the items that clients delete.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::audit::key_of;
use crate::stage::Key;

/// The result of the audit.
#[derive(Debug, Default)]
pub(crate) struct RepairAudit {
    /// The `id` of each item in the table after the last record.
    pub(crate) left: BTreeMap<Key, String>,
    /// How often Referee made each kind of repair: delete, unset, mark, unmark and restore.
    pub(crate) made: BTreeMap<&'static str, usize>,
    /// Repairs that were not correct.
    pub(crate) wrong: Vec<String>,
}

/// The table at the time of one record.
#[derive(Default)]
struct Moment<'r> {
    items: BTreeMap<Key, &'r Json>,
    /// Every `id` seen so far.
    seen: BTreeSet<&'r str>,
}

/// Audits the repairs in these records, given the `id`s of the items that clients deleted.
pub(crate) fn audit_repairs(records: &[Box<RawValue>], deleted: &BTreeSet<String>) -> RepairAudit {
    let mut records: Vec<Json> =
        records.iter().map(|record| serde_json::from_str(record.get()).unwrap()).collect();
    // All records are in one shard, in which the sequence numbers order the changes of all items.
    records.sort_by_key(|record| format!("{:0>40}", text(&record["dynamodb"], "SequenceNumber")));
    let mut audit = RepairAudit::default();
    let mut moment = Moment::default();
    for record in &records {
        let body = &record["dynamodb"];
        let key = key_of(&body["Keys"]).unwrap();
        let (before, after) = (body.get("OldImage"), body.get("NewImage"));
        if let Some((repair, is_right)) = moment.repair(&key, before, after, deleted) {
            *audit.made.entry(repair).or_default() += 1;
            if !is_right {
                audit.wrong.push(format!("{repair}: {record}"));
            }
        }
        moment.pass(key, after);
    }
    let ids = moment.items.into_iter().map(|(key, item)| (key, id(item).to_owned()));
    RepairAudit { left: ids.collect(), ..audit }
}

impl<'r> Moment<'r> {
    /// Returns the repair that Referee made, and whether it was correct. Returns `None` if a client
    /// made the change.
    fn repair(
        &self,
        key: &Key,
        before: Option<&Json>,
        after: Option<&'r Json>,
        deleted: &BTreeSet<String>,
    ) -> Option<(&'static str, bool)> {
        match (before, after) {
            (Some(before), None) if deleted.contains(id(before)) => None,
            (Some(before), None) => Some(("deleted", self.is_to_be_deleted(key, before))),
            (Some(before), Some(after)) if id(before) != id(after) => None,
            (Some(before), Some(after)) => {
                let is_marked = |item: &Json| item.get("_referee").is_some();
                match (is_marked(before), is_marked(after)) {
                    (false, true) => Some(("marked", self.is_to_be_deleted(key, before))),
                    (true, false) => Some(("unmarked", true)),
                    _ => Some(("unset", self.loses_sponsor(before, after))),
                }
            }
            (None, Some(after)) if !self.seen.contains(id(after)) => None,
            (None, after) => {
                after?;
                let is_needed = |of: &Key| of.0 == key.0 && of.1.starts_with("of#");
                let is_right = key.1 == "plan#" && self.items.keys().any(is_needed);
                Some(("restored", is_right))
            }
        }
    }

    /// Whether an item has a dangling reference whose rule deletes the item.
    fn is_to_be_deleted(&self, (pk, sk): &Key, item: &Json) -> bool {
        if sk.starts_with("member#") {
            return !self.has(pk, "company#");
        }
        let parent = item["parent"]["S"].as_str();
        parent.is_some_and(|parent| !self.has(&format!("node#{parent}"), "node#"))
    }

    /// Whether the change removed a sponsor that does not exist, and nothing else.
    fn loses_sponsor(&self, before: &Json, after: &Json) -> bool {
        let mut expected = before.clone();
        let sponsor = expected.as_object_mut().and_then(|item| item.remove("sponsor"));
        let sponsor = sponsor.as_ref().and_then(|sponsor| sponsor["S"].as_str());
        expected == *after
            && sponsor.is_some_and(|sponsor| !self.has(&format!("user#{sponsor}"), "user#"))
    }

    fn has(&self, pk: &str, sk: &str) -> bool {
        self.items.contains_key(&(pk.to_owned(), sk.to_owned()))
    }

    fn pass(&mut self, key: Key, after: Option<&'r Json>) {
        match after {
            None => {
                self.items.remove(&key);
            }
            Some(after) => {
                self.seen.insert(id(after));
                self.items.insert(key, after);
            }
        }
    }
}

fn id(item: &Json) -> &str {
    text(&item["id"], "S")
}

fn text<'j>(of: &'j Json, name: &str) -> &'j str {
    of[name].as_str().unwrap()
}
