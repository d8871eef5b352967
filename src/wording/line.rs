//! A violation as one line of output, with the fields that JSON Lines and the log share.

use serde::Serialize;

use crate::data::{Item, Key};
use crate::engine::{Response, Violation};
use crate::integrity::finding::{Finding, ItemName};
use crate::rules::Rules;
use crate::rules::model::TableId;

/// A violation, with the names and the form that output uses.
#[derive(Debug, Serialize)]
pub struct ViolationLine<'l> {
    /// An identifier that stays the same when the record is delivered again.
    pub id: String,
    /// The rule's name.
    pub rule: &'l str,
    /// The kind of violation.
    pub kind: &'static str,
    /// The rule's severity: `error` or `warn`.
    pub severity: &'static str,
    /// The referencing item, or the mirror.
    pub referencing: Option<ItemLine<'l>>,
    /// The referenced item, or the source.
    pub referenced: Option<ItemLine<'l>>,
    /// The path of the reference in the referencing item.
    pub path: Option<&'l str>,
    /// The sequence number of the record that revealed the violation; `None` for a finding at rest.
    pub sequence: Option<&'l str>,
    /// What was done about it.
    pub action: &'static str,
    /// The violation in words.
    pub detail: String,
    /// How many items refer to a deleted one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// The keys of the first of these items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<Item<'static>>>,
}

/// An item, named by its table and key.
#[derive(Debug, Serialize)]
pub struct ItemLine<'l> {
    /// The table's name in DynamoDB.
    pub table: &'l str,
    /// The key in DynamoDB's JSON.
    pub key: Item<'static>,
}

impl<'l> ViolationLine<'l> {
    /// The line of a violation.
    #[must_use]
    pub fn new(rules: &'l Rules, violation: &'l Violation) -> Self {
        let Violation { finding, occurrence, resolution } = violation;
        Self {
            id: violation.id(rules),
            sequence: occurrence.sequence.as_deref(),
            action: resolution.response.name(),
            detail: super::violation(rules, violation),
            ..Self::at_rest(rules, finding)
        }
    }

    /// The line of a finding that no stream record revealed.
    #[must_use]
    pub fn at_rest(rules: &'l Rules, finding: &'l Finding) -> Self {
        let item = |item: &Option<ItemName>| item.as_ref().map(|item| ItemLine::new(rules, item));
        let orphans = finding.orphans();
        let keys = orphans.zip(finding.referencing.as_ref()).map(|(orphans, first)| {
            orphans.keys.iter().map(|key| key_item(rules, first.table, key)).collect()
        });
        Self {
            id: finding.id(rules, None),
            rule: &finding.rule,
            kind: finding.kind().name(),
            severity: finding.severity.name(),
            referencing: item(&finding.referencing),
            referenced: item(&finding.referenced),
            path: finding.path.as_deref(),
            sequence: None,
            action: Response::Reported.name(),
            detail: super::finding(rules, finding),
            count: orphans.map(|orphans| orphans.count),
            keys,
        }
    }
}

impl<'l> ItemLine<'l> {
    /// An item in the form that output uses.
    #[must_use]
    pub fn new(rules: &'l Rules, item: &ItemName) -> Self {
        Self { table: &rules[item.table].name, key: key_item(rules, item.table, &item.key) }
    }
}

fn key_item(rules: &Rules, table: TableId, key: &Key<'_>) -> Item<'static> {
    rules[table].key.item_of(key)
}
