//! Preflight: real tables against the rules, and where the two disagree.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::data::KeySchema;
use crate::rules::model::{Find, Mode, OnDelete, Table, TableId, TableIndex};
use crate::rules::{Code, Diagnostic, Locations, Rules, Span, codes};
use crate::store::description::{ACTIVE, Described, Description};

/// The view type that Referee needs of a stream.
pub const STREAM_VIEW: &str = "NEW_AND_OLD_IMAGES";

/// How a table's stream is turned on.
#[must_use]
pub fn stream_on(table: &str) -> String {
    format!(
        "turn it on: aws dynamodb update-table --table-name {table} --stream-specification \
         StreamEnabled=true,StreamViewType={STREAM_VIEW}"
    )
}

/// How a table's stream is replaced by one with the right view type, which cannot be changed.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_StreamSpecification.html>
#[must_use]
pub fn stream_off_and_on(table: &str) -> String {
    format!(
        "a stream's view type cannot be changed: turn the stream off, with aws dynamodb \
         update-table --table-name {table} --stream-specification StreamEnabled=false, and then \
         {}",
        stream_on(table)
    )
}

/// Whether what is in this state can be read and written: it can while it is being changed.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html>
fn is_ready(status: &str) -> bool {
    matches!(status, ACTIVE | "UPDATING")
}

/// What of a table does not agree with the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What kind of problem it is.
    pub code: &'static Code,
    /// What the rule file says that is not so.
    pub about: About,
    /// What is wrong.
    pub problem: String,
    /// The same in a few words, for the place in the rule file.
    pub label: String,
    /// How it is put right.
    pub help: String,
}

/// What a rule file says of real tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// That there is a table, which can be used.
    Table(TableId),
    /// A table's key.
    Key(TableId),
    /// That there is an index of this name, which can be used.
    Index(TableId, String),
    /// An index's key.
    IndexKey(TableId, String),
}

impl Difference {
    /// The difference as a problem of the rule file.
    #[must_use]
    pub fn diagnostic(&self, rules: &Rules, places: &Locations) -> Diagnostic {
        let alias = |table: TableId| rules[table].alias.as_str();
        let spans: Vec<Span> = match &self.about {
            About::Table(table) => places.table(alias(*table)).into_iter().collect(),
            About::Key(table) => places.key(alias(*table)).into_iter().collect(),
            About::Index(table, index) => places.index(alias(*table), index).collect(),
            About::IndexKey(table, index) => places.index_key(alias(*table), index).collect(),
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

/// The tables whose changes the rules must see.
#[must_use]
pub fn streamed(rules: &Rules) -> BTreeSet<TableId> {
    let mut entities = BTreeSet::new();
    for reference in rules.references.iter().filter(|rule| rule.mode != Mode::Off) {
        entities.insert(reference.from);
        let ignored = OnDelete::Ignore;
        if (reference.on_delete != ignored || reference.on_ttl_delete != ignored)
            && reference.find != Find::None
        {
            entities.insert(reference.to);
        }
    }
    for mirror in rules.mirrors.iter().filter(|rule| rule.mode != Mode::Off) {
        entities.extend([mirror.source, mirror.mirror]);
    }
    entities.into_iter().map(|entity| rules[entity].table).collect()
}

/// The tables of which rules expect deletes made by TTL, each with a rule that answers these in
/// another way than other deletes.
#[must_use]
pub fn expiring(rules: &Rules) -> BTreeMap<TableId, &str> {
    let references = rules.references.iter().rev().filter(|rule| rule.mode != Mode::Off);
    references
        .filter(|reference| reference.on_ttl_delete != reference.on_delete)
        .map(|reference| (rules[reference.to].table, reference.name.as_str()))
        .collect()
}

/// Everything in which the tables do not agree with the rules. The descriptions are in the order
/// of the rules' tables.
#[must_use]
pub fn differences(rules: &Rules, described: &[Described]) -> Vec<Difference> {
    let streamed = streamed(rules);
    let tables = rules.tables.iter().enumerate().zip(described);
    let of_table = |((place, table), described): ((usize, &Table), &Described)| {
        let id = TableId(place);
        match described {
            Described::Hidden(_) => Vec::new(),
            Described::Missing => vec![missing(id, table)],
            Described::Table(described) => {
                let stream = streamed.contains(&id).then(|| stream(id, table, described));
                let indexes = table.indexes.iter();
                let indexes = indexes.filter_map(|wanted| index(id, table, wanted, described));
                let of_itself = [unready(id, table, described), key(id, table, described)];
                of_itself.into_iter().flatten().chain(indexes).chain(stream.flatten()).collect()
            }
        }
    };
    tables.flat_map(of_table).collect()
}

fn missing(id: TableId, table: &Table) -> Difference {
    let Table { alias, name, .. } = table;
    Difference {
        code: &codes::TABLE_MISSING,
        about: About::Table(id),
        problem: format!("there is no table `{name}`"),
        label: "not there".to_owned(),
        help: format!(
            "check the `name` of table `{alias}` in the rule file, the endpoint, the account and \
             the Region"
        ),
    }
}

fn unready(id: TableId, table: &Table, described: &Description) -> Option<Difference> {
    let (name, status) = (&table.name, &described.status);
    (!is_ready(status)).then(|| Difference {
        code: &codes::NOT_READY,
        about: About::Table(id),
        problem: format!("table `{name}` is in the state {status}"),
        label: "not ready".to_owned(),
        help: wait_for(status),
    })
}

fn wait_for(status: &str) -> String {
    match status {
        "CREATING" => format!("wait until it is {ACTIVE}"),
        _ => format!("it has to be {ACTIVE}"),
    }
}

fn key(id: TableId, table: &Table, described: &Description) -> Option<Difference> {
    let Table { alias, name, key, .. } = table;
    let (is, should_be) = (Shown(&described.key), Shown(key));
    (described.key != *key).then(|| Difference {
        code: &codes::TABLE_KEY,
        about: About::Key(id),
        problem: format!("table `{name}` has the key {is}, and in the rule file {should_be}"),
        label: "not the table's key".to_owned(),
        help: format!("correct the `key` of table `{alias}` in the rule file"),
    })
}

fn index(
    id: TableId,
    table: &Table,
    wanted: &TableIndex,
    described: &Description,
) -> Option<Difference> {
    let (name, index) = (&table.name, &wanted.name);
    let correct = || format!("correct the `find` of the references that use index `{index}`");
    let absent = |problem| Difference {
        code: &codes::INDEX_MISSING,
        about: About::Index(id, index.clone()),
        problem,
        label: "not there".to_owned(),
        help: correct(),
    };
    let Some(known) = described.indexes.iter().find(|known| known.name == *index) else {
        let make = format!("make it with the key {}, or {}", Shown(&wanted.key), correct());
        let problem = format!("table `{name}` has no index `{index}`");
        return Some(Difference { help: make, ..absent(problem) });
    };
    if !known.is_global {
        let problem = format!("index `{index}` of table `{name}` is a local one");
        return Some(Difference {
            label: "not a global index".to_owned(),
            help: "name a global secondary index: a local one has the table's own partition key"
                .to_owned(),
            ..absent(problem)
        });
    }
    let serves = known.key.as_ref().is_some_and(|key| serves(key, &wanted.key));
    if !serves {
        let key = known.key.as_ref();
        let is = key.map_or("another key".to_owned(), |key| format!("the key {}", Shown(key)));
        let should_be = Shown(&wanted.key);
        return Some(Difference {
            code: &codes::INDEX_OTHER_KEY,
            about: About::IndexKey(id, index.clone()),
            problem: format!(
                "index `{index}` of table `{name}` has {is}, and in the rule file {should_be}"
            ),
            label: "not the index's key".to_owned(),
            help: correct(),
        });
    }
    let status = &known.status;
    (!is_ready(status)).then(|| Difference {
        code: &codes::NOT_READY,
        about: About::Index(id, index.clone()),
        problem: format!("index `{index}` of table `{name}` is in the state {status}"),
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
                "the stream of table `{name}` has the view type {view}, and Referee needs \
                 {STREAM_VIEW}"
            ),
            format!("its stream has the view type {view}"),
            stream_off_and_on(name),
        ),
        None => (
            format!("table `{name}` has no stream"),
            "rules have to see its changes".to_owned(),
            stream_on(name),
        ),
    };
    Some(Difference { code: &codes::STREAM, about: About::Table(id), problem, label, help })
}

/// Whether an index with this key can be asked as the rules will: they may leave out its sort key.
fn serves(key: &KeySchema, wanted: &KeySchema) -> bool {
    key.partition == wanted.partition && (wanted.sort.is_none() || key.sort == wanted.sort)
}

/// A key for people: "`pk` (S), `sk` (S)".
struct Shown<'k>(&'k KeySchema);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, attribute) in self.0.attributes().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(formatter, "{comma}`{}` ({})", attribute.name, attribute.kind.as_type())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
