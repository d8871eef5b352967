//! Where a rule file says what the real tables have to be like.

use super::file;
use super::span::Span;
use super::{RuleSource, ast};

/// The places of what a real table can contradict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places {
    tables: Vec<TablePlaces>,
    lookups: Vec<LookupPlaces>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TablePlaces {
    alias: String,
    name: Span,
    key: Option<Span>,
}

/// A look-up by an index, in one reference.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LookupPlaces {
    table: String,
    index: String,
    name: Span,
    key: Option<Span>,
}

impl Places {
    /// The places in a rule file; none in one that cannot be read.
    #[must_use]
    pub fn of(source: &RuleSource) -> Self {
        let Ok(root) = file::read(&source.text) else { return Self::default() };
        let file = ast::read(&root.value);
        let tables = file.tables.iter().map(|table| TablePlaces {
            alias: table.alias.value.clone(),
            name: table.name.as_ref().unwrap_or(&table.alias).span,
            key: joined(table.key.iter().map(|attribute| attribute.span)),
        });
        let lookups = file.references.iter().filter_map(|reference| lookup(reference, &file));
        Self { tables: tables.collect(), lookups: lookups.collect() }
    }

    /// Where a table's name in DynamoDB is said.
    #[must_use]
    pub fn table(&self, alias: &str) -> Option<Span> {
        self.tables.iter().find(|table| table.alias == alias).map(|table| table.name)
    }

    /// Where its key is said.
    #[must_use]
    pub fn key(&self, alias: &str) -> Option<Span> {
        self.tables.iter().find(|table| table.alias == alias)?.key
    }

    /// Where references name one of its indexes.
    pub fn index(&self, alias: &str, index: &str) -> impl Iterator<Item = Span> {
        self.lookups_by(alias, index).map(|lookup| lookup.name)
    }

    /// Where they say its key.
    pub fn index_key(&self, alias: &str, index: &str) -> impl Iterator<Item = Span> {
        self.lookups_by(alias, index).filter_map(|lookup| lookup.key)
    }

    fn lookups_by(&self, alias: &str, index: &str) -> impl Iterator<Item = &LookupPlaces> {
        self.lookups.iter().filter(move |lookup| lookup.table == alias && lookup.index == index)
    }
}

fn lookup(reference: &ast::Reference, file: &ast::File) -> Option<LookupPlaces> {
    let ast::Find::Index { index, key } = &reference.find.as_ref()?.value else { return None };
    let (from, index) = (reference.from.as_ref()?, index.as_ref()?);
    let entity = file.entities.iter().find(|entity| entity.name.value == from.value)?;
    Some(LookupPlaces {
        table: entity.table.as_ref()?.value.clone(),
        index: index.value.clone(),
        name: index.span,
        key: joined(key.iter().map(|(attribute, _)| attribute.span)),
    })
}

fn joined(spans: impl Iterator<Item = Span>) -> Option<Span> {
    spans.reduce(Span::join)
}
