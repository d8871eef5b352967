//! Looks values up among the keys of all items.

use std::collections::{BTreeMap, HashMap};

use twox_hash::XxHash3_64;

use super::entity::Entity;
use super::sample::key_texts;
use super::{InferError, Input, Table};
use crate::data::Item;

/// How a value and a capture are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum As {
    /// Both as they are.
    Exact,
    /// The capture without its leading zeros.
    Bare,
    /// The value in lower case.
    Lower,
    /// The value in upper case.
    Upper,
}

impl As {
    pub(super) const ALL: [Self; 4] = [Self::Exact, Self::Bare, Self::Lower, Self::Upper];

    /// The text that is looked up for a value.
    pub(super) fn text(self, value: &str) -> String {
        match self {
            Self::Exact | Self::Bare => value.to_owned(),
            Self::Lower => value.to_lowercase(),
            Self::Upper => value.to_uppercase(),
        }
    }
}

/// A question to the items of an entity: is there one with these values in these captures?
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Column {
    pub(super) entity: usize,
    /// The captures. All of them, if the key is meant.
    pub(super) captures: Vec<usize>,
    /// How each of them is compared.
    pub(super) compared: Vec<As>,
}

/// Values that are looked up in columns, and which were found.
#[derive(Debug, Default)]
pub(super) struct Probe {
    columns: BTreeMap<Column, usize>,
    /// The columns of each entity.
    of_entity: BTreeMap<usize, Vec<(usize, Column)>>,
    /// The hashes that are looked up, and the columns that have them.
    wanted: HashMap<u64, Vec<u32>>,
}

/// What is known about the values of a column in all items.
#[derive(Debug, Clone, Default)]
pub(super) struct Range {
    /// The smallest and the largest whole number.
    pub(super) bounds: Option<(i64, i64)>,
}

fn hash<'t>(texts: impl Iterator<Item = &'t str>) -> u64 {
    let mut all = String::new();
    for text in texts {
        all.push_str(text);
        all.push('\u{1f}');
    }
    XxHash3_64::oneshot(all.as_bytes())
}

impl Probe {
    pub(super) fn column(&mut self, column: Column) {
        if !self.columns.contains_key(&column) {
            let id = self.columns.len();
            self.of_entity.entry(column.entity).or_default().push((id, column.clone()));
            self.columns.insert(column, id);
        }
    }

    /// Adds values to look up, one for each capture of a column.
    pub(super) fn want<'t>(&mut self, values: impl Iterator<Item = &'t str>) {
        self.wanted.entry(hash(values)).or_default();
    }

    /// Whether an item of the column has these values.
    pub(super) fn has<'t>(&self, column: &Column, values: impl Iterator<Item = &'t str>) -> bool {
        let Some(id) = self.columns.get(column) else { return false };
        let found = self.wanted.get(&hash(values));
        found.is_some_and(|found| found.iter().any(|of| *of as usize == *id))
    }

    /// Takes an item of an entity.
    fn add(&mut self, entity: usize, values: &[&str]) {
        for (id, column) in self.of_entity.get(&entity).into_iter().flatten() {
            let texts =
                column.captures.iter().zip(&column.compared).filter_map(|(capture, how)| {
                    let text = values.get(*capture)?;
                    Some(match how {
                        As::Exact | As::Lower | As::Upper => text,
                        As::Bare => bare(text),
                    })
                });
            if let Some(found) = self.wanted.get_mut(&hash(texts)) {
                let Ok(id) = u32::try_from(*id) else { continue };
                if !found.contains(&id) {
                    found.push(id);
                }
            }
        }
    }
}

/// A number without leading zeros.
pub(super) fn bare(text: &str) -> &str {
    let bare = text.trim_start_matches('0');
    if bare.is_empty() && !text.is_empty() { "0" } else { bare }
}

/// What a reading of all items counts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// The items of each entity.
    pub(super) entities: Vec<u64>,
    /// The ranges of each entity's captures.
    pub(super) ranges: Vec<Vec<Range>>,
    /// The items of each table that belong to no entity.
    pub(super) unknown: Vec<u64>,
}

/// Finds the entity of an item by its key.
pub(super) struct Finder<'e> {
    /// For each table, by the number of tokens of each key attribute.
    tables: Vec<BTreeMap<Vec<usize>, Vec<usize>>>,
    entities: &'e [Entity],
    tables_of: &'e [Table],
}

impl<'e> Finder<'e> {
    pub(super) fn new(tables_of: &'e [Table], entities: &'e [Entity]) -> Self {
        let mut tables: Vec<BTreeMap<Vec<usize>, Vec<usize>>> =
            tables_of.iter().map(|_| BTreeMap::new()).collect();
        for (id, entity) in entities.iter().enumerate() {
            let lengths = entity.key.iter().map(|template| template.tokens.len()).collect();
            if let Some(table) = tables.get_mut(entity.table) {
                table.entry(lengths).or_default().push(id);
            }
        }
        Self { tables, entities, tables_of }
    }

    /// The entity of an item, and the values of its captures.
    pub(super) fn find<'k>(
        &self,
        table: usize,
        key: &'k [String],
        item: &Item<'_>,
    ) -> Option<(usize, Vec<&'k str>)> {
        let of_table = self.tables_of.get(table)?;
        let lengths: Vec<usize> = key
            .iter()
            .zip(of_table.schema.attributes())
            .map(|(text, attribute)| {
                if attribute.kind == crate::data::KeyKind::S {
                    text.split(of_table.separator).count()
                } else {
                    1
                }
            })
            .collect();
        self.tables.get(table)?.get(&lengths)?.iter().find_map(|id| {
            let entity = self.entities.get(*id)?;
            let values = entity.parse(of_table.separator, key)?;
            entity.admits(item).then_some((*id, values))
        })
    }
}

/// Reads every item, and looks the values up.
pub(super) fn run(
    input: &Input<'_>,
    tables: &[Table],
    entities: &[Entity],
    probe: &mut Probe,
) -> Result<Counts, InferError> {
    let finder = Finder::new(tables, entities);
    let mut counts = Counts {
        entities: vec![0; entities.len()],
        ranges: entities.iter().map(|it| vec![Range::default(); it.captures.len()]).collect(),
        unknown: vec![0; tables.len()],
    };
    input.each(&mut |table, _, item| {
        let Some(schema) = tables.get(table).map(|table| &table.schema) else { return };
        let Some(key) = key_texts(schema, item) else { return };
        let Some((id, values)) = finder.find(table, &key, item) else {
            if let Some(count) = counts.unknown.get_mut(table) {
                *count += 1;
            }
            return;
        };
        probe.add(id, &values);
        if let Some(count) = counts.entities.get_mut(id) {
            *count += 1;
        }
        let Some(ranges) = counts.ranges.get_mut(id) else { return };
        for (range, value) in ranges.iter_mut().zip(&values) {
            if value.len() < 18
                && let Ok(number) = value.parse::<i64>()
            {
                let (low, high) = range.bounds.unwrap_or((number, number));
                range.bounds = Some((low.min(number), high.max(number)));
            }
        }
    })?;
    Ok(counts)
}
