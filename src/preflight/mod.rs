//! Preflight: compares real tables with the rules.

#[cfg(feature = "cli")]
mod indexed;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[cfg(feature = "cli")]
pub use indexed::indexed_mirrors;

use crate::data::KeySchema;
use crate::rules::model::{
    Copied, Find, Mirror, MirrorId, Mode, OnDelete, Table, TableId, TableIndex,
};
use crate::rules::{Code, Diagnostic, Locations, Rules, Span, codes};
use crate::store::description::{ACTIVE, Described, Description, TimeToLive};

/// The stream view type that Referee requires.
pub const STREAM_VIEW: &str = "NEW_AND_OLD_IMAGES";

/// The help text for enabling a table's stream.
#[must_use]
pub fn stream_on(table: &str) -> String {
    format!(
        "enable it: aws dynamodb update-table --table-name {table} --stream-specification \
         StreamEnabled=true,StreamViewType={STREAM_VIEW}"
    )
}

/// The help text for replacing a table's stream by one with the required view type. The view type
/// of an existing stream cannot be changed.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_StreamSpecification.html>
#[must_use]
pub fn stream_off_and_on(table: &str) -> String {
    format!(
        "a stream's view type cannot be changed: disable the stream with aws dynamodb \
         update-table --table-name {table} --stream-specification StreamEnabled=false, and then \
         {}",
        stream_on(table)
    )
}

/// Whether a table or index with this status can be read and written. This is also possible while
/// it is being updated.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html>
fn is_ready(status: &str) -> bool {
    matches!(status, ACTIVE | "UPDATING")
}

/// A difference between a table and the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The kind of problem.
    pub code: &'static Code,
    /// The part of the rule file that differs from the table.
    pub part: TablePart,
    /// The problem.
    pub problem: String,
    /// The problem in a few words, shown at the location in the rule file.
    pub label: String,
    /// How to fix it.
    pub help: String,
}

/// A part of a rule file that describes a real table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TablePart {
    /// A table.
    Table(TableId),
    /// A table's key.
    Key(TableId),
    /// An index, by name.
    Index(TableId, String),
    /// An index's key.
    IndexKey(TableId, String),
    /// A mirror rule.
    Mirror(MirrorId),
}

impl Difference {
    /// Converts the difference to a diagnostic of the rule file.
    #[must_use]
    pub fn diagnostic(&self, rules: &Rules, places: &Locations) -> Diagnostic {
        let alias = |table: TableId| rules[table].alias.as_str();
        let spans: Vec<Span> = match &self.part {
            TablePart::Table(table) => places.table(alias(*table)).into_iter().collect(),
            TablePart::Key(table) => places.key(alias(*table)).into_iter().collect(),
            TablePart::Index(table, index) => places.index(alias(*table), index).collect(),
            TablePart::Mirror(mirror) => places.mirror(&rules[*mirror].name).into_iter().collect(),
            TablePart::IndexKey(table, index) => places.index_key(alias(*table), index).collect(),
        };
        let diagnostic = Diagnostic::new(self.code, &*self.problem).help(&*self.help);
        let also = |diagnostic: Diagnostic, span| diagnostic.at(span, "also used here");
        match spans.split_first() {
            Some((first, others)) => {
                others.iter().copied().fold(diagnostic.at(*first, &*self.label), also)
            }
            None => diagnostic,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}\nhelp: {}", self.problem, self.help)
    }
}

/// The tables that are used by a rule that is not off.
#[must_use]
pub fn tables_in_use(rules: &Rules) -> BTreeSet<TableId> {
    let references = rules.references.iter().filter(|rule| rule.mode != Mode::Off);
    let mirrors = rules.mirrors.iter().filter(|rule| rule.mode != Mode::Off);
    let entities = references
        .flat_map(|rule| [rule.from, rules.declared(rule.to)])
        .chain(mirrors.flat_map(|rule| [rule.source, rule.mirror]));
    entities.map(|entity| rules[entity].table).collect()
}

/// The tables whose streams the rules need.
#[must_use]
pub fn streamed(rules: &Rules) -> BTreeSet<TableId> {
    let mut entities = BTreeSet::new();
    for reference in rules.references.iter().filter(|rule| rule.mode != Mode::Off) {
        entities.insert(reference.from);
        let ignored = OnDelete::Ignore;
        if (reference.on_delete != ignored || reference.on_ttl_delete != ignored)
            && reference.find != Find::None
        {
            entities.insert(rules.declared(reference.to));
        }
    }
    for mirror in rules.mirrors.iter().filter(|rule| rule.mode != Mode::Off) {
        entities.extend([mirror.source, mirror.mirror]);
    }
    entities.into_iter().map(|entity| rules[entity].table).collect()
}

/// The tables that an audit reads: those of items that refer to others, are mirrored, or are mirrors.
#[must_use]
pub fn audited(rules: &Rules) -> BTreeSet<TableId> {
    let references = rules.references.iter().filter(|rule| rule.mode != Mode::Off);
    let mirrors = rules.mirrors.iter().filter(|rule| rule.mode != Mode::Off);
    let entities =
        references.map(|rule| rule.from).chain(mirrors.flat_map(|rule| [rule.source, rule.mirror]));
    entities.map(|entity| rules[entity].table).collect()
}

/// The tables for which a rule treats TTL deletes differently from other deletes, each with the
/// name of the first such rule.
#[must_use]
pub fn expiring(rules: &Rules) -> BTreeMap<TableId, &str> {
    let references = rules.references.iter().rev().filter(|rule| rule.mode != Mode::Off);
    references
        .filter(|reference| reference.on_ttl_delete != reference.on_delete)
        .map(|reference| (rules[rules.declared(reference.to)].table, reference.name.as_str()))
        .collect()
}

/// The tables whose setting of TTL matters: a rule treats TTL deletes differently, the rule file
/// declares the TTL attribute, or mirrors of all attributes would copy it.
#[must_use]
pub fn with_ttl(rules: &Rules) -> BTreeSet<TableId> {
    let declared = rules.tables.iter().enumerate().filter(|(_, table)| table.ttl.is_some());
    let declared = declared.map(|(position, _)| TableId(position));
    let copying = copying_all(rules).map(|mirror| rules[mirror.mirror].table);
    expiring(rules).into_keys().chain(declared).chain(copying).collect()
}

/// What to say about a table's setting of TTL.
#[must_use]
pub fn ttl_notes(rules: &Rules, id: TableId, found: &TimeToLive) -> Vec<String> {
    let Table { name, ttl, .. } = &rules[id];
    let mut notes = Vec::new();
    match (found, ttl) {
        (TimeToLive::Off, _) => {
            notes.extend(expiring(rules).get(&id).map(|rule| {
                format!(
                    "TTL is off on table `{name}`, so `on_ttl_delete` of `{rule}` never applies"
                )
            }));
            notes.extend(ttl.as_ref().map(|ttl| {
                format!("TTL is off on table `{name}`, but the rule file says `ttl: {ttl}`")
            }));
        }
        (TimeToLive::On(found), Some(ttl)) if found != ttl => notes.push(format!(
            "the TTL attribute of table `{name}` is `{found}`, but the rule file says `ttl: {ttl}`"
        )),
        (TimeToLive::On(found), None) => {
            let leaves_out = |mirror: &Mirror| match &mirror.copy {
                Copied::Except(names) => names.contains(found),
                Copied::All | Copied::None | Copied::List(_) | Copied::Renamed(_) => false,
            };
            let mut copying =
                copying_all(rules).filter(|it| rules[it.mirror].table == id && !leaves_out(it));
            notes.extend(copying.next().map(|mirror| {
                format!(
                    "the mirrors of `{}` copy `{found}`, the TTL attribute of table `{name}`, and \
                     expire by themselves; `ttl: {found}` of the table prevents that",
                    mirror.name
                )
            }));
        }
        (TimeToLive::On(_), Some(_)) | (TimeToLive::Hidden, _) => {}
    }
    notes
}

fn copying_all(rules: &Rules) -> impl Iterator<Item = &Mirror> {
    let is_copying = |mirror: &&Mirror| {
        mirror.mode != Mode::Off && matches!(mirror.copy, Copied::All | Copied::Except(_))
    };
    rules.mirrors.iter().filter(is_copying)
}

/// All differences between the tables and the rules. The descriptions are in the order of the
/// tables in the rules.
#[must_use]
pub fn differences(rules: &Rules, described: &[Described]) -> Vec<Difference> {
    let streamed = streamed(rules);
    let tables = rules.tables.iter().enumerate().zip(described);
    let of_table = |((position, table), described): ((usize, &Table), &Described)| {
        let id = TableId(position);
        match described {
            Described::Hidden(_) => Vec::new(),
            Described::Missing => vec![missing(id, table)],
            Described::Table(described) => {
                let stream = streamed.contains(&id).then(|| stream(id, table, described));
                let indexes = table.indexes.iter();
                let indexes = indexes.filter_map(|required| index(id, table, required, described));
                let itself = [not_ready(id, table, described), key(id, table, described)];
                itself.into_iter().flatten().chain(indexes).chain(stream.flatten()).collect()
            }
        }
    };
    tables.flat_map(of_table).collect()
}

fn missing(id: TableId, table: &Table) -> Difference {
    let Table { alias, name, .. } = table;
    Difference {
        code: &codes::TABLE_MISSING,
        part: TablePart::Table(id),
        problem: format!("table `{name}` does not exist"),
        label: "does not exist".to_owned(),
        help: format!(
            "check the `name` of table `{alias}` in the rule file, the endpoint, the account and \
             the Region"
        ),
    }
}

fn not_ready(id: TableId, table: &Table, described: &Description) -> Option<Difference> {
    let (name, status) = (&table.name, &described.status);
    (!is_ready(status)).then(|| Difference {
        code: &codes::NOT_READY,
        part: TablePart::Table(id),
        problem: format!("table `{name}` has the status {status}"),
        label: "not ready".to_owned(),
        help: wait_for(status),
    })
}

fn wait_for(status: &str) -> String {
    match status {
        "CREATING" => format!("wait until it is {ACTIVE}"),
        _ => format!("it must be {ACTIVE}"),
    }
}

fn key(id: TableId, table: &Table, described: &Description) -> Option<Difference> {
    let Table { alias, name, key, .. } = table;
    let (actual, declared) = (KeyText(&described.key), KeyText(key));
    (described.key != *key).then(|| Difference {
        code: &codes::TABLE_KEY,
        part: TablePart::Key(id),
        problem: format!("table `{name}` has the key {actual}, but the rule file says {declared}"),
        label: "not the table's key".to_owned(),
        help: format!("correct the `key` of table `{alias}` in the rule file"),
    })
}

fn index(
    id: TableId,
    table: &Table,
    required: &TableIndex,
    described: &Description,
) -> Option<Difference> {
    let (name, index) = (&table.name, &required.name);
    let correct = || format!("correct the `find` of the references that use index `{index}`");
    let absent = |problem| Difference {
        code: &codes::INDEX_MISSING,
        part: TablePart::Index(id, index.clone()),
        problem,
        label: "does not exist".to_owned(),
        help: correct(),
    };
    let Some(known) = described.indexes.iter().find(|known| known.name == *index) else {
        let help = format!("create it with the key {}, or {}", KeyText(&required.key), correct());
        let problem = format!("table `{name}` has no index `{index}`");
        return Some(Difference { help, ..absent(problem) });
    };
    if !known.is_global {
        let problem = format!("index `{index}` of table `{name}` is a local secondary index");
        return Some(Difference {
            label: "not a global index".to_owned(),
            help: "use a global secondary index: a local one has the table's own partition key"
                .to_owned(),
            ..absent(problem)
        });
    }
    let serves = known.key.as_ref().is_some_and(|key| serves(key, &required.key));
    if !serves {
        let key = known.key.as_ref();
        let actual =
            key.map_or("another key".to_owned(), |key| format!("the key {}", KeyText(key)));
        let declared = KeyText(&required.key);
        return Some(Difference {
            code: &codes::INDEX_OTHER_KEY,
            part: TablePart::IndexKey(id, index.clone()),
            problem: format!(
                "index `{index}` of table `{name}` has {actual}, but the rule file says {declared}"
            ),
            label: "not the index's key".to_owned(),
            help: correct(),
        });
    }
    let status = &known.status;
    (!is_ready(status)).then(|| Difference {
        code: &codes::NOT_READY,
        part: TablePart::Index(id, index.clone()),
        problem: format!("index `{index}` of table `{name}` has the status {status}"),
        label: "not ready".to_owned(),
        help: wait_for(status),
    })
}

fn stream(id: TableId, table: &Table, described: &Description) -> Option<Difference> {
    let name = &table.name;
    let (problem, label, help) = match described.stream_view.as_deref() {
        Some(STREAM_VIEW) => return None,
        Some(view) => (
            format!(
                "the stream of table `{name}` has the view type {view}; Referee needs \
                 {STREAM_VIEW}"
            ),
            format!("its stream has the view type {view}"),
            stream_off_and_on(name),
        ),
        None => (
            format!("table `{name}` has no stream"),
            "rules need its changes".to_owned(),
            stream_on(name),
        ),
    };
    Some(Difference { code: &codes::STREAM, part: TablePart::Table(id), problem, label, help })
}

/// Whether an index with this key supports the rules' queries. Rules may omit the index's sort key.
fn serves(key: &KeySchema, required: &KeySchema) -> bool {
    key.partition == required.partition && (required.sort.is_none() || key.sort == required.sort)
}

/// A key in messages: "`pk` (S), `sk` (S)".
struct KeyText<'k>(&'k KeySchema);

impl fmt::Display for KeyText<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, attribute) in self.0.attributes().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(formatter, "{comma}`{}` ({})", attribute.name, attribute.kind.as_type())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
