//! The findings of an audit, as a page contains them.

use std::borrow::Cow;
use std::io::BufRead;

use serde::ser::SerializeTuple;
use serde::{Deserialize, Serialize, Serializer};

use crate::data::{Item, JsonItem, into_owned};
use crate::integrity::finding::Kind;
use crate::repair::{ClaimError, FindingLines, ItemText};
use crate::rules::Rules;

/// Findings, with the names that repeat in tables of their own.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    kinds: Vec<&'static str>,
    tables: Vec<String>,
    rows: Vec<Row>,
    /// Whether the audit read everything; `None` if its output was cut off.
    complete: Option<bool>,
}

/// A finding.
#[derive(Debug)]
struct Row {
    kind: usize,
    /// The rule, by its index among the references and then the mirrors.
    rule: Option<usize>,
    is_warning: bool,
    /// The items: that with the reference, or the mirror; and the referenced item, or the source.
    items: [Option<Named>; 2],
    path: Option<String>,
    detail: String,
    count: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Named(usize, Item<'static>);

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_tuple(8)?;
        row.serialize_element(&self.kind)?;
        row.serialize_element(&self.rule)?;
        row.serialize_element(&u8::from(self.is_warning))?;
        for item in &self.items {
            row.serialize_element(item)?;
        }
        row.serialize_element(&self.path)?;
        row.serialize_element(&self.detail)?;
        row.serialize_element(&self.count)?;
        row.end()
    }
}

#[derive(Deserialize)]
struct Text<'l> {
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
    #[serde(borrow, default)]
    detail: Cow<'l, str>,
    #[serde(default)]
    count: Option<u64>,
}

impl Findings {
    /// The findings in the output of `referee audit --json`. Lines of other types are ignored.
    pub fn read(rules: &Rules, from: impl BufRead) -> Result<Self, ClaimError> {
        let mut findings = Self::default();
        let mut lines = FindingLines::new(from);
        while lines.advance()? {
            findings.add(rules, lines.parse()?).map_err(|error| lines.of_other_rules(error))?;
        }
        findings.complete = lines.is_complete();
        Ok(findings)
    }

    fn add(&mut self, rules: &Rules, text: Text<'_>) -> Result<(), String> {
        let kind = Kind::from_name(&text.kind);
        let kind = kind.ok_or_else(|| format!("the kind `{}` is unknown", text.kind))?;
        let references = rules.reference_rules().map(|(_, rule)| &rule.name);
        let mirrors = rules.mirror_rules().map(|(_, rule)| &rule.name);
        let rule = references.chain(mirrors).position(|name| *name == text.rule);
        if kind != Kind::UnknownItem && rule.is_none() {
            return Err(format!("the rule file has no rule `{}`", text.rule));
        }
        let items = [text.referencing, text.referenced].map(|item| {
            item.map(|ItemText { table, key: JsonItem(key) }| {
                Named(index_of(&mut self.tables, &table), into_owned(key))
            })
        });
        let kind = kind.name();
        let position = self.kinds.iter().position(|known| *known == kind);
        let kind = position.unwrap_or_else(|| {
            self.kinds.push(kind);
            self.kinds.len() - 1
        });
        self.rows.push(Row {
            kind,
            rule,
            is_warning: text.severity == "warn",
            items,
            path: text.path.map(Cow::into_owned),
            detail: text.detail.into_owned(),
            count: text.count,
        });
        Ok(())
    }

    /// The kinds that occur.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.kinds.iter().filter_map(|name| Kind::from_name(name))
    }

    /// Each finding's rule, by its index among the references and then the mirrors, and whether it
    /// is a warning.
    pub fn severities(&self) -> impl Iterator<Item = (usize, bool)> {
        self.rows.iter().filter_map(|row| Some((row.rule?, row.is_warning)))
    }

    /// Whether the audit read everything; `None` if its output was cut off.
    #[must_use]
    pub const fn is_complete(&self) -> Option<bool> {
        self.complete
    }
}

fn index_of(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}
