//! Audits a scenario's table: finds the defects with the oracle that the test suites share, and
//! checks that they were reported.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use kit::oracle::{Defect, Dump, Kind, Oracle, Report};
use referee::data::{self, Item, KeyValue, Number, Value};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::stage::{Key, Stage};

/// Returns all defects except dangling references, as text. Most are differences between mirrors
/// and their sources.
pub(crate) async fn divergences(stage: &Stage) -> Vec<String> {
    let mut defects = defects(stage).await;
    defects.retain(|defect| defect.kind != Kind::DanglingReference);
    let text = |defect: Defect| {
        let of = name(&defect.referencing.key);
        let source = defect.referenced.map(|source| name(&source.key)).unwrap_or_default();
        match defect.kind {
            Kind::MirrorMissing => format!("{source} has no mirror"),
            Kind::MirrorStale | Kind::MirrorBlocked => format!("{source} differs from its mirror"),
            Kind::MirrorExtra | Kind::Unowned => format!("{of} mirrors nothing"),
            Kind::MarkLeft => format!("{of} is still marked"),
            kind @ (Kind::DanglingReference
            | Kind::MissingReference
            | Kind::PartialReference
            | Kind::MalformedReference) => format!("{of} has a {kind}"),
        }
    };
    defects.into_iter().map(text).collect()
}

/// Returns the dangling references.
pub(crate) async fn dangling(stage: &Stage) -> Vec<Defect> {
    let mut defects = defects(stage).await;
    defects.retain(|defect| defect.kind == Kind::DanglingReference);
    defects
}

async fn defects(stage: &Stage) -> Vec<Defect> {
    let items = stage.scan(&stage.table()).await;
    let dump = Dump::from([(stage.table(), items.iter().map(item).collect())]);
    Oracle::new(&stage.rules(), dump).defects()
}

/// The records of a stream, by item: the sequence number of each, and whether the item exists after it.
type History = BTreeMap<Key, Vec<(String, bool)>>;

/// Returns the dangling references that were not reported.
///
/// An item written after the delete of its target is reported on its own. Items that existed when
/// the target was deleted are reported together, as its orphans, unless the records of such an item
/// are processed after the delete: lanes run in parallel. All records are in one shard, so their
/// sequence numbers show the order.
pub(crate) fn unreported(
    stage: &Stage,
    dangling: &[Defect],
    records: &[Box<RawValue>],
) -> Vec<Defect> {
    let (mut inserted, mut history) = (BTreeMap::new(), History::new());
    for record in records {
        let record: Json = serde_json::from_str(record.get()).unwrap();
        let body = &record["dynamodb"];
        let key = key_of(&body["Keys"]).unwrap();
        let sequence = body["SequenceNumber"].as_str().unwrap().to_owned();
        if record["eventName"] == "INSERT" {
            inserted.insert(key.clone(), sequence.clone());
        }
        history.entry(key).or_default().push((sequence, record["eventName"] != "REMOVE"));
    }
    let (rules, violations) = (stage.rules(), stage.logged("violation"));
    let reports: Vec<_> = violations.iter().map(|line| Report::from_line(&rules, line)).collect();
    let is_reported = |defect: &&Defect| {
        let since = &inserted[&row_key(&defect.referencing.key)];
        let target = defect.referenced.as_ref().unwrap();
        let target = history.get(&row_key(&target.key)).map(Vec::as_slice).unwrap_or_default();
        let end = target.last().map(|(end, _)| end).filter(|end| *end > since);
        reports.iter().filter(|report| report.covers(defect)).any(|report| {
            let is_orphan = report.orphans.contains(&defect.referencing.key);
            let is_of_delete = report.kind == "orphaned"
                && (is_orphan || report.has_more)
                && end.is_some_and(|end| report.sequence >= *end);
            let is_of_item = report.kind == "dangling_reference"
                && report.referencing.as_ref() == Some(&defect.referencing)
                && report.sequence >= *since
                && has_seen_last_delete(target, &report.sequence);
            is_of_delete || is_of_item
        })
    };
    dangling.iter().filter(|defect| !is_reported(defect)).cloned().collect()
}

/// Whether a report that an item does not exist must have been made after the item's last delete. The
/// report is of the record with this sequence number, but a record may be processed much later. If
/// the item existed when the record was written, its next delete came before the report.
fn has_seen_last_delete(history: &[(String, bool)], sequence: &str) -> bool {
    let (before, after) =
        history.split_at(history.partition_point(|(changed, _)| changed.as_str() < sequence));
    let existed = before.last().is_some_and(|(_, exists)| *exists);
    let deletes = after.iter().filter(|(_, exists)| !exists).count();
    deletes == 0 || existed && deletes == 1
}

pub(crate) fn key_of(attributes: &Json) -> Option<Key> {
    let text = |name: &str| Some(attributes[name]["S"].as_str()?.to_owned());
    Some((text("pk")?, text("sk")?))
}

pub(crate) fn row_key(key: &data::Key<'_>) -> Key {
    let text = |value: &KeyValue<'_>| {
        let KeyValue::S(text) = value else { panic!("{value:?} is used in no scenario") };
        text.to_string()
    };
    (text(&key.partition), text(key.sort.as_ref().unwrap()))
}

fn name(key: &data::Key<'_>) -> String {
    let (pk, sk) = row_key(key);
    format!("{pk} / {sk}")
}

pub(crate) fn item(attributes: &HashMap<String, AttributeValue>) -> Item<'static> {
    attributes.iter().map(|(name, found)| (name.clone().into(), value(found))).collect()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the SDK's variant for types it does not know is private"
)]
fn value(found: &AttributeValue) -> Value<'static> {
    match found {
        AttributeValue::S(text) => Value::S(text.clone().into()),
        AttributeValue::N(number) => Value::N(Number::parse(number.clone()).unwrap()),
        AttributeValue::B(bytes) => Value::B(bytes.as_ref().to_vec().into()),
        AttributeValue::Bool(flag) => Value::Bool(*flag),
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::L(list) => Value::L(list.iter().map(value).collect()),
        AttributeValue::M(map) => Value::M(item(map)),
        AttributeValue::Ss(set) => {
            let mut set: Vec<_> = set.iter().map(|text| text.clone().into()).collect();
            set.sort_unstable();
            Value::Ss(set)
        }
        AttributeValue::Ns(set) => {
            let mut set: Vec<_> = set.iter().map(|it| Number::parse(it.clone()).unwrap()).collect();
            set.sort_unstable();
            Value::Ns(set)
        }
        AttributeValue::Bs(set) => {
            let mut set: Vec<_> = set.iter().map(|it| it.as_ref().to_vec().into()).collect();
            set.sort_unstable();
            Value::Bs(set)
        }
        _ => panic!("{found:?} is used in no scenario"),
    }
}
