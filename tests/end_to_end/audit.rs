//! The audit of a table: does every mirror equal its membership, and is every dangling reference
//! reported?

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::stage::{Key, Row};

/// Whether it is the key of a membership.
fn is_member((pk, sk): &Key) -> bool {
    pk.starts_with("company#") && sk.starts_with("user#")
}

/// Whether it is the key of a mirror.
fn is_mirror((pk, sk): &Key) -> bool {
    pk.starts_with("user#") && sk.starts_with("company#")
}

/// The differences between mirrors and memberships.
pub(crate) fn divergences(rows: &[Row]) -> Vec<String> {
    let by_key: BTreeMap<_, _> = rows.iter().map(|row| (&row.key, row)).collect();
    let mut found = Vec::new();
    for row in rows {
        let (pk, sk) = &row.key;
        let turned = (sk.clone(), pk.clone());
        let other = by_key.get(&turned);
        if is_member(&row.key) {
            match other {
                None => found.push(format!("{pk} / {sk} has no mirror")),
                Some(mirror) if !mirror.is_marked || mirror.attributes != row.attributes => {
                    found.push(format!("{pk} / {sk} differs from its mirror"));
                }
                Some(_) => {}
            }
        } else if is_mirror(&row.key) && other.is_none() {
            found.push(format!("{pk} / {sk} mirrors nothing"));
        }
    }
    found
}

/// A dangling reference: the membership, and the missing company or user.
pub(crate) type Dangling = (Key, Key);

/// The dangling references.
pub(crate) fn dangling(rows: &[Row]) -> BTreeSet<Dangling> {
    let keys: BTreeSet<&Key> = rows.iter().map(|row| &row.key).collect();
    let members = rows.iter().map(|row| &row.key).filter(|key| is_member(key));
    let references = members.flat_map(|key| {
        let (company, user) = key.clone();
        let targets = [(company, "company#".to_owned()), (user, "user#".to_owned())];
        targets.map(|target| (key.clone(), target))
    });
    references.filter(|(_, target)| !keys.contains(target)).collect()
}

/// The dangling references that were not reported.
///
/// A membership that is newer than the delete of its target is reported by itself. The memberships
/// that existed at that delete are reported together, as orphans. All records are in one shard, so
/// their sequence numbers show the order.
pub(crate) fn unreported(
    dangling: &BTreeSet<Dangling>,
    records: &[Box<RawValue>],
    violations: &[Json],
) -> Vec<Dangling> {
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
    let logged: Vec<LoggedViolation> = violations
        .iter()
        .map(|violation| {
            let text = |name: &str| violation[name].as_str().unwrap_or_default().to_owned();
            let item = |name: &str| {
                let item: Json = serde_json::from_str(violation[name].as_str()?).ok()?;
                key_of(&item["key"])
            };
            let keys = violation["keys"].as_str().unwrap_or("[]");
            let keys: Vec<Json> = serde_json::from_str(keys).unwrap();
            LoggedViolation {
                kind: text("kind"),
                referencing: item("referencing"),
                referenced: item("referenced"),
                sequence: text("sequence"),
                has_more: violation["count"].as_u64() > u64::try_from(keys.len()).ok(),
                keys: keys.iter().filter_map(key_of).collect(),
            }
        })
        .collect();
    let is_reported = |(member, target): &&Dangling| {
        let since = &inserted[member];
        let end = last.get(target).filter(|end| *end > since);
        logged.iter().any(|logged| {
            logged.referenced.as_ref() == Some(target)
                && match end {
                    Some(end) => {
                        logged.kind == "orphaned"
                            && (logged.keys.contains(member) || logged.has_more)
                            && logged.sequence >= *end
                    }
                    None => {
                        logged.kind == "dangling_reference"
                            && logged.referencing.as_ref() == Some(member)
                            && logged.sequence >= *since
                    }
                }
        })
    };
    dangling.iter().filter(|reference| !is_reported(reference)).cloned().collect()
}

/// A violation in the log.
struct LoggedViolation {
    kind: String,
    referencing: Option<Key>,
    referenced: Option<Key>,
    sequence: String,
    /// The orphans of a delete, and whether there are more than these.
    keys: Vec<Key>,
    has_more: bool,
}

pub(crate) fn key_of(attributes: &Json) -> Option<Key> {
    let text = |name: &str| Some(attributes[name]["S"].as_str()?.to_owned());
    Some((text("pk")?, text("sk")?))
}
