//! The locations in a rule file of the declarations that are compared with real tables.

use super::ast;
use super::file;
use super::rule_source::RuleSource;
use super::span::{Span, Spanned};

/// The spans of the declarations of tables, keys and indexes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Locations {
    tables: Vec<TableLocation>,
    /// The names of mirror rules.
    mirrors: Vec<Spanned<String>>,
    lookups: Vec<LookupLocation>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TableLocation {
    alias: String,
    name: Span,
    key: Option<Span>,
}

/// The index that one reference names in `find`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LookupLocation {
    table: String,
    index: String,
    name: Span,
    key: Option<Span>,
}

impl Locations {
    /// The locations in a rule file. Empty if the file cannot be parsed.
    #[must_use]
    pub fn of(source: &RuleSource) -> Self {
        let Ok(root) = file::read(&source.text) else { return Self::default() };
        let file = ast::read(&root.value);
        let tables = file.tables.iter().map(|table| TableLocation {
            alias: table.alias.value.clone(),
            name: table.name.as_ref().unwrap_or(&table.alias).span,
            key: joined(table.key.iter().map(|attribute| attribute.span)),
        });
        let lookups = file.references.iter().flat_map(|reference| {
            lookup(reference, &file).into_iter().chain(target(reference, &file))
        });
        let mirrors = file.mirrors.iter().map(|mirror| mirror.name.clone());
        Self { tables: tables.collect(), mirrors: mirrors.collect(), lookups: lookups.collect() }
    }

    /// The location at which the file declares a mirror rule.
    #[must_use]
    pub fn mirror(&self, name: &str) -> Option<Span> {
        self.mirrors.iter().find(|mirror| mirror.value == name).map(|mirror| mirror.span)
    }

    /// The location at which the file declares a table's name in DynamoDB.
    #[must_use]
    pub fn table(&self, alias: &str) -> Option<Span> {
        self.tables.iter().find(|table| table.alias == alias).map(|table| table.name)
    }

    /// The location at which the file declares a table's key.
    #[must_use]
    pub fn key(&self, alias: &str) -> Option<Span> {
        self.tables.iter().find(|table| table.alias == alias)?.key
    }

    /// The locations at which references name an index of a table.
    pub fn index(&self, alias: &str, index: &str) -> impl Iterator<Item = Span> {
        self.lookups_by(alias, index).map(|lookup| lookup.name)
    }

    /// The locations at which references declare the key of an index.
    pub fn index_key(&self, alias: &str, index: &str) -> impl Iterator<Item = Span> {
        self.lookups_by(alias, index).filter_map(|lookup| lookup.key)
    }

    fn lookups_by(&self, alias: &str, index: &str) -> impl Iterator<Item = &LookupLocation> {
        self.lookups.iter().filter(move |lookup| lookup.table == alias && lookup.index == index)
    }
}

fn lookup(reference: &ast::Reference, file: &ast::File) -> Option<LookupLocation> {
    let ast::Find::Index { index, key } = &reference.find.as_ref()?.value else { return None };
    let (from, index) = (reference.from.as_ref()?, index.as_ref()?);
    let entity = file.entity(&from.value, reference.from_at)?;
    Some(LookupLocation {
        table: entity.table.as_ref()?.value.clone(),
        index: index.value.clone(),
        name: index.span,
        key: joined(key.iter().map(|(attribute, _)| attribute.span)),
    })
}

/// The index that a reference names in `to`.
fn target(reference: &ast::Reference, file: &ast::File) -> Option<LookupLocation> {
    let to = reference.targets.each.get(reference.alternative)?;
    let index = to.index.as_ref()?;
    let entity = file.entity(&to.entity.value, to.at)?;
    Some(LookupLocation {
        table: entity.table.as_ref()?.value.clone(),
        index: index.name.value.clone(),
        name: index.name.span,
        key: joined(index.key.iter().map(|(attribute, _)| attribute.span)),
    })
}

fn joined(spans: impl Iterator<Item = Span>) -> Option<Span> {
    spans.reduce(Span::join)
}
