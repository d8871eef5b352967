//! Audits a scenario's table: finds the defects with the oracle that the test suites share, and
//! checks that they were reported.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat as Format};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use kit::oracle::{Defect, Dump, Kind, Oracle, Report};
use referee::data::{self, Item, KeyValue, Number, Value};
use referee::runtime::clock::Clock as _;
use referee::runtime::system_clock::SystemClock;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::stage::{Key, Stage, attributes};

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

/// When the clients sent the last delete of each item that deleted something.
#[derive(Debug, Default)]
pub(crate) struct Deletes(RefCell<BTreeMap<Key, DateTime>>);

impl Deletes {
    /// Deletes an item of the scenario's table. Returns its attributes, or none if it did not exist.
    pub(crate) async fn delete(&self, stage: &Stage, key: Key) -> HashMap<String, AttributeValue> {
        let sent = DateTime::from_millis(SystemClock.now_ms());
        let delete = stage.client.delete_item().table_name(stage.table());
        let delete = delete.set_key(Some(attributes(&[("pk", &key.0), ("sk", &key.1)])));
        let deleted = delete.return_values(ReturnValue::AllOld).send().await.unwrap();
        let old = deleted.attributes.unwrap_or_default();
        if !old.is_empty() {
            let mut times = self.0.borrow_mut();
            let last = times.entry(key).or_insert(sent);
            *last = sent.max(*last);
        }
        old
    }

    /// Whether a line was logged after the last delete of an item.
    fn precede(&self, line: &Json, key: &Key) -> bool {
        let logged = line["timestamp"].as_str().unwrap();
        let logged = DateTime::from_str(logged, Format::DateTime).unwrap();
        self.0.borrow().get(key).is_none_or(|sent| logged >= *sent)
    }
}

/// Returns the dangling references that were not reported.
///
/// An item written after the delete of its target is reported on its own. Items that existed when
/// the target was deleted are reported together, as its orphans, unless the record of such an item
/// is processed after the delete, because lanes run in parallel. The item is then reported on its
/// own, later than the delete. All records are in one shard, so their sequence numbers show the
/// order.
pub(crate) fn unreported(
    stage: &Stage,
    dangling: &[Defect],
    records: &[Box<RawValue>],
    deletes: &Deletes,
) -> Vec<Defect> {
    let (mut inserted, mut last) = (BTreeMap::new(), BTreeMap::new());
    for record in records {
        let record: Json = serde_json::from_str(record.get()).unwrap();
        let body = &record["dynamodb"];
        let key = key_of(&body["Keys"]).unwrap();
        let sequence = body["SequenceNumber"].as_str().unwrap().to_owned();
        if record["eventName"] == "INSERT" {
            inserted.insert(key.clone(), sequence.clone());
        }
        last.insert(key, sequence);
    }
    let (rules, violations) = (stage.rules(), stage.logged("violation"));
    let report = |line: Json| (Report::from_line(&rules, &line), line);
    let reports: Vec<_> = violations.into_iter().map(report).collect();
    let is_reported = |defect: &&Defect| {
        let since = &inserted[&row_key(&defect.referencing.key)];
        let target = row_key(&defect.referenced.as_ref().unwrap().key);
        let end = last.get(&target).filter(|end| *end > since);
        reports.iter().filter(|(report, _)| report.covers(defect)).any(|(report, line)| {
            let is_orphan = report.orphans.contains(&defect.referencing.key);
            let is_of_delete = report.kind == "orphaned"
                && (is_orphan || report.has_more)
                && end.is_some_and(|end| report.sequence >= *end);
            let is_of_item = report.kind == "dangling_reference"
                && report.referencing.as_ref() == Some(&defect.referencing)
                && report.sequence >= *since
                && (end.is_none() || deletes.precede(line, &target));
            is_of_delete || is_of_item
        })
    };
    dangling.iter().filter(|defect| !is_reported(defect)).cloned().collect()
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
