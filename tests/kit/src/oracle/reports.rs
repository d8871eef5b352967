//! Reported violations, read from the engine's results, the log or JSON Lines.

use referee::data::{Item, JsonItem, Key, into_owned};
use referee::engine::{Response, Violation};
use referee::integrity::finding;
use referee::rules::Rules;
use referee::rules::model::View;
use serde_json::Value as Json;

use super::{Audited, Defect, ItemName, Kind};

impl Audited {
    /// Creates an expectation from what an audit found, to compare the two.
    ///
    /// # Panics
    ///
    /// If the finding names no item.
    pub fn of(finding: &finding::Finding) -> Self {
        Self {
            rule: finding.rule.clone(),
            kind: finding.kind().name().to_owned(),
            referencing: name(finding.referencing.as_ref().unwrap()),
            referenced: finding.referenced.as_ref().map(name),
        }
    }
}

/// A reported violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub rule: String,
    /// The name of the violation's kind.
    pub kind: String,
    pub referencing: Option<ItemName>,
    pub referenced: Option<ItemName>,
    /// The orphans of a deleted item that the report names.
    pub orphans: Vec<Key<'static>>,
    /// Whether there are more orphans than the report names.
    pub has_more: bool,
    /// Whether the report says that the violation was repaired.
    pub is_repaired: bool,
    /// The sequence number of the stream record that caused the report.
    pub sequence: String,
}

impl Report {
    /// Creates a report from a violation that the engine found.
    pub fn of(violation: &Violation) -> Self {
        let finding = &violation.finding;
        let (kind, orphans) = (violation.kind(), finding.orphans());
        Self {
            rule: finding.rule.clone(),
            kind: kind.name().to_owned(),
            referencing: finding.referencing.as_ref().map(name),
            referenced: finding.referenced.as_ref().map(name),
            orphans: orphans.map(|orphans| orphans.keys.clone()).unwrap_or_default(),
            has_more: has_more(
                kind.name(),
                orphans.map_or(0, |it| it.count),
                orphans.map_or(0, |it| it.keys.len()),
            ),
            is_repaired: violation.resolution.response == Response::Repaired,
            sequence: violation.occurrence.sequence.clone().unwrap_or_default(),
        }
    }

    /// Reads a report from a line of the log or of JSON Lines.
    pub fn from_line(rules: &Rules, line: &Json) -> Self {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let referencing = item_name(rules, &parsed(&line["referencing"]));
        let keys = parsed(&line["keys"]);
        let keys = keys.as_array().map(Vec::as_slice).unwrap_or_default();
        let key = |key: &Json| key_of(rules, referencing.as_ref().unwrap(), key);
        let count = line["count"].as_u64().map_or(0, |count| usize::try_from(count).unwrap());
        Self {
            rule: text("rule"),
            kind: text("kind"),
            referenced: item_name(rules, &parsed(&line["referenced"])),
            orphans: keys.iter().map(key).collect(),
            has_more: has_more(&text("kind"), count, keys.len()),
            is_repaired: text("action") == Response::Repaired.name(),
            sequence: text("sequence"),
            referencing,
        }
    }

    /// Whether this report covers the defect, and does not say that it was repaired.
    pub fn covers(&self, defect: &Defect) -> bool {
        let is_named = self.referencing.as_ref() == Some(&defect.referencing);
        let is_other = self.referenced.as_ref().is_some_and(|it| defect.others.contains(it));
        let is_referenced = self.referenced == defect.referenced || is_other;
        let is_it = match defect.kind {
            Kind::DanglingReference => {
                let is_orphan = self.orphans.contains(&defect.referencing.key);
                (is_named || is_orphan || self.has_more) && is_referenced
            }
            Kind::MissingReference | Kind::PartialReference | Kind::MalformedReference => {
                self.kind == defect.kind.name() && is_named
            }
            Kind::MirrorMissing
            | Kind::MirrorStale
            | Kind::MirrorExtra
            | Kind::MirrorBlocked
            | Kind::Unowned => self.kind == defect.kind.name() && is_named && is_referenced,
            Kind::MarkLeft => false,
        };
        is_it && self.rule == defect.rule && !self.is_repaired
    }
}

/// Whether there are more orphans than the keys that the report names.
fn has_more(kind: &str, count: usize, keys: usize) -> bool {
    kind == "fanout_exceeded" || count > keys
}

fn name(item: &finding::ItemName) -> ItemName {
    ItemName { table: item.table, key: item.key.clone() }
}

/// Returns a JSON value, which the log contains as text.
fn parsed(value: &Json) -> Json {
    value.as_str().map_or_else(|| value.clone(), |text| serde_json::from_str(text).unwrap())
}

/// The item that a JSON value names. The key is that of its table or, for the target of a reference,
/// of an index.
pub fn item_name(rules: &Rules, item: &Json) -> Option<ItemName> {
    let name = item["table"].as_str()?;
    let key = item_of(&item["key"]);
    let (table, schema) = rules.table_named(name).unwrap();
    if let Ok(key) = schema.key_of(&key) {
        return Some(ItemName { table, key: key.into_owned() });
    }
    let mut views = rules.views.iter().filter(|view| view.table.name == name);
    let in_index =
        |view: &View| Some(ItemName { table: view.entity.table, key: view.key_of(&key)? });
    Some(views.find_map(in_index).unwrap())
}

fn key_of(rules: &Rules, beside: &ItemName, key: &Json) -> Key<'static> {
    rules[beside.table].key.key_of(&item_of(key)).unwrap().into_owned()
}

fn item_of(json: &Json) -> Item<'static> {
    into_owned(serde_json::from_str::<JsonItem<'_>>(&json.to_string()).unwrap().0)
}
