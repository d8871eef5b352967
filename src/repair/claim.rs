//! Findings, as an audit printed them: the input of a plan.

use std::borrow::Cow;
use std::io::BufRead;

use serde::{Deserialize, Serialize};

use super::finding_lines::{ClaimError, FindingLines, ItemText};
use crate::data::{Item, JsonItem};
use crate::integrity::finding::{Finding, ItemName, Kind};
use crate::integrity::reference::{alternatives_of, targets};
use crate::rules::model::{EntityId, MirrorId, ReferenceId, Rules, Severity};
use crate::wording::ItemLine;

/// A finding, without the details that only its wording needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The finding's id.
    pub id: String,
    /// The rule's name.
    pub rule: String,
    /// The kind.
    pub kind: Kind,
    /// Whether the rule's findings are warnings.
    pub is_warning: bool,
    /// The referencing item, or the mirror.
    pub referencing: Option<ItemName>,
    /// The referenced item, or the source.
    pub referenced: Option<ItemName>,
    /// The path of the reference in the referencing item.
    pub path: Option<String>,
}

impl Claim {
    /// The claim of a finding at rest.
    #[must_use]
    pub fn of(rules: &Rules, finding: &Finding) -> Self {
        Self {
            id: finding.id(rules, None),
            rule: finding.rule.clone(),
            kind: finding.kind(),
            is_warning: finding.severity == Severity::Warn,
            referencing: finding.referencing.clone(),
            referenced: finding.referenced.clone(),
            path: finding.path.clone(),
        }
    }

    /// The items that the claim is about.
    pub(super) fn items(&self, rules: &Rules) -> Vec<ItemName> {
        let mut items: Vec<_> = self.referencing.iter().chain(&self.referenced).cloned().collect();
        if let Some(item) = &self.referenced {
            for rule in self.alternatives(rules) {
                let targets = targets(rules, rule, &item.key).map(|(rule, key)| {
                    let table = rules.referenced(rule).table;
                    ItemName { table, key }
                });
                items.extend(targets.filter(|target| target != item));
            }
        }
        // The key of an index is not that of an item.
        items.retain(|item| rules.is_declared(item.table));
        items
    }

    /// The alternatives of the rule that may have the finding.
    pub(super) fn alternatives(&self, rules: &Rules) -> Vec<ReferenceId> {
        alternatives_of(rules, &self.rule, self.referencing.as_ref(), self.referenced.as_ref())
    }

    /// The rule that has the finding.
    pub(super) fn rule_id(&self, rules: &Rules) -> Option<RuleId> {
        rule_named(rules, &self.rule, self.referencing.as_ref())
    }

    /// The line of the claim, without its type.
    pub(super) fn line<'l>(&'l self, rules: &'l Rules) -> ClaimLine<'l> {
        let item = |item: &'l Option<ItemName>| item.as_ref().map(|it| ItemLine::new(rules, it));
        ClaimLine {
            id: &self.id,
            rule: &self.rule,
            kind: self.kind.name(),
            severity: if self.is_warning { Severity::Warn } else { Severity::Error }.name(),
            referencing: item(&self.referencing),
            referenced: item(&self.referenced),
            path: self.path.as_deref(),
        }
    }
}

/// A claim, as files contain it.
#[derive(Debug, Serialize)]
pub(super) struct ClaimLine<'l> {
    id: &'l str,
    rule: &'l str,
    kind: &'static str,
    severity: &'static str,
    referencing: Option<ItemLine<'l>>,
    referenced: Option<ItemLine<'l>>,
    path: Option<&'l str>,
}

/// A claim, as it is read.
#[derive(Debug, Deserialize)]
pub(super) struct ClaimText<'l> {
    #[serde(borrow)]
    id: Cow<'l, str>,
    #[serde(borrow)]
    rule: Cow<'l, str>,
    #[serde(borrow)]
    kind: Cow<'l, str>,
    #[serde(borrow)]
    severity: Cow<'l, str>,
    #[serde(borrow)]
    referencing: Option<ItemText<'l>>,
    #[serde(borrow)]
    referenced: Option<ItemText<'l>>,
    #[serde(borrow)]
    path: Option<Cow<'l, str>>,
}

impl ClaimText<'_> {
    /// The claim, if the rules have its rule and tables.
    pub(super) fn claim(self, rules: &Rules) -> Result<Claim, String> {
        let kind = Kind::from_name(&self.kind);
        let kind = kind.ok_or_else(|| format!("the kind `{}` is unknown", self.kind))?;
        let rule = self.rule.into_owned();
        let item = |item: Option<ItemText<'_>>| match item {
            None => Ok(None),
            Some(ItemText { table, key: JsonItem(key) }) => {
                name(rules, &rule, &table, &key).map(Some)
            }
        };
        if kind != Kind::UnknownItem && rule_named(rules, &rule, None).is_none() {
            return Err(format!("the rule file has no rule `{rule}`"));
        }
        Ok(Claim {
            id: self.id.into_owned(),
            referencing: item(self.referencing)?,
            referenced: item(self.referenced)?,
            rule,
            kind,
            is_warning: self.severity == Severity::Warn.name(),
            path: self.path.map(Cow::into_owned),
        })
    }
}

/// The item that a finding of this rule names.
fn name(rules: &Rules, rule: &str, table: &str, key: &Item<'_>) -> Result<ItemName, String> {
    let (id, schema) = rules
        .table_named(table)
        .ok_or_else(|| format!("the rule file has no table `{table}` in DynamoDB"))?;
    match schema.key_of(key) {
        Ok(key) => Ok(ItemName { table: id, key: key.into_owned() }),
        // A referenced item may be known by the key of an index.
        Err(error) => {
            in_index(rules, rule, table, key).ok_or_else(|| format!("table `{table}`: {error}"))
        }
    }
}

fn in_index(rules: &Rules, rule: &str, table: &str, key: &Item<'_>) -> Option<ItemName> {
    let of_rule = rules.references.iter().filter(|reference| reference.name == rule);
    let views = of_rule.filter_map(|reference| rules.view(reference.to));
    let mut views = views.filter(|view| view.table.name == table);
    views.find_map(|view| Some(ItemName { table: view.entity.table, key: view.key_of(key)? }))
}

/// A rule, by its kind and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RuleId {
    Reference(ReferenceId),
    Mirror(MirrorId),
}

/// The rule with this name, for the table of this referencing item or mirror, if one is given.
pub(super) fn rule_named(rules: &Rules, name: &str, item: Option<&ItemName>) -> Option<RuleId> {
    let is_of = |entity: EntityId| item.is_none_or(|item| rules[entity].table == item.table);
    let mut mirrors = rules.mirrors_named(name);
    if let Some((first, mirror)) = mirrors.next() {
        let of_table = std::iter::once((first, mirror)).chain(mirrors);
        let of_table = of_table.filter(|(_, mirror)| is_of(mirror.mirror)).map(|(id, _)| id).next();
        return Some(RuleId::Mirror(of_table.unwrap_or(first)));
    }
    let mut references = rules.references_named(name);
    let (first, reference) = references.next()?;
    let of_table = std::iter::once((first, reference)).chain(references);
    let of_table = of_table.filter(|(_, rule)| is_of(rule.from)).map(|(id, _)| id).next();
    Some(RuleId::Reference(of_table.unwrap_or(first)))
}

/// The findings in the output of `referee audit --json`, one after the other.
#[derive(Debug)]
pub struct Claims<'r, R> {
    rules: &'r Rules,
    lines: FindingLines<R>,
}

impl<'r, R: BufRead> Claims<'r, R> {
    /// The findings in this output.
    pub const fn new(rules: &'r Rules, from: R) -> Self {
        Self { rules, lines: FindingLines::new(from) }
    }

    /// Whether the audit was complete; `None` if no summary was read.
    #[must_use]
    pub const fn is_complete(&self) -> Option<bool> {
        self.lines.is_complete()
    }

    fn read(&mut self) -> Result<Option<Claim>, ClaimError> {
        if !self.lines.advance()? {
            return Ok(None);
        }
        let text: ClaimText<'_> = self.lines.parse()?;
        text.claim(self.rules).map(Some).map_err(|error| self.lines.of_other_rules(error))
    }
}

impl<R: BufRead> Iterator for Claims<'_, R> {
    type Item = Result<Claim, ClaimError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
