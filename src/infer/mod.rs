//! Drafts a rule file from the items of tables.
//!
//! # Layout
//!
//! Every stage but the readings of all items is pure, and memory is bounded whatever the tables'
//! sizes:
//!
//! - `sample`: the first reading keeps some items of each kind. `keys` infers keys where nothing
//!   describes a table.
//! - `separator`, `shape`, `likeness`, `entity`, `overlap`, `capture`: splits keys into tokens, and
//!   groups them into entities.
//! - `field`, `path`: what may refer to something: captures, attributes, elements, tokens inside texts.
//! - `probe`: the next readings look sampled values up among the keys of all items.
//! - `candidate`, `composite`, `complete`, `score`, `mirror`, `side`, `choose`: which of the pairs
//!   are references and mirrors; `discriminator`, `alternative`: which references lead to several
//!   entities. `names`, `role` and `form` compare names and values.
//! - `notice`: copies, counts and unique values, for which there are no rules.
//! - `assemble`, `reference`, `formats`, `lookup`: the result as an [`Inference`]. `verify`: the
//!   last reading is an audit with the draft, so that the evidence is exactly what an audit reports.
//! - [`draft`]: the rule file, with the evidence as comments.

mod alternative;
mod assemble;
mod candidate;
mod capture;
mod choose;
mod complete;
mod composite;
mod design;
mod discriminator;
mod draft;
mod entity;
mod field;
mod form;
mod formats;
mod keys;
mod likeness;
mod lookup;
mod mirror;
mod names;
mod notice;
mod overlap;
mod path;
mod probe;
mod reference;
mod role;
mod sample;
mod score;
mod separator;
mod shape;
mod side;
mod verify;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::audit::{Archive, Problem, Stop};
use crate::data::{Item, JsonItem, KeySchema, into_owned};

pub use design::{
    Capture, Discriminator, Entity, Find, Inference, Mirror, Notice, NoticeKind, Reference,
    Table as DraftTable, Verdict,
};
pub use draft::draft;

/// The maximum number of entities of a draft.
const ENTITIES_MAX: usize = 400;

/// A table whose items are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputTable {
    /// Its name in DynamoDB.
    pub name: String,
    /// Its key, if it is known.
    pub key: Option<KeySchema>,
    /// Its global secondary indexes, as far as they are known.
    pub indexes: Vec<(String, KeySchema)>,
    /// Its TTL attribute, if it is known.
    pub ttl: Option<String>,
}

/// The items to infer from. They are read several times. The table of a row is its position in
/// `tables`.
pub struct Input<'i> {
    /// The items.
    pub archive: &'i dyn Archive,
    /// The tables.
    pub tables: Vec<InputTable>,
    /// Whether these are only some of the tables' items.
    pub is_sample: bool,
    /// How the audit of the draft is done.
    pub audit: crate::audit::Options,
    /// The number of items that were read, over all readings. Other threads may look at it.
    pub read: &'i AtomicU64,
}

/// Why nothing can be inferred.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    /// The items could not be read.
    #[error("{0}")]
    Stopped(String),
    /// There are none.
    #[error("there are no items to infer from")]
    Empty,
    /// No attributes identify the items of a table.
    #[error(
        "no key can be inferred for table `{0}`: no attribute, and no pair of them, is in all items \
         and unique\nhelp: name its key attributes with `--key`"
    )]
    Key(String),
}

/// How many rows are counted at once.
const PROGRESS_ROWS: u64 = 4_096;

impl Input<'_> {
    /// Reads every item: its table, its text and its attributes. Rows that are no items are left
    /// out: the audit reports them.
    fn each(&self, each: &mut dyn FnMut(usize, &str, &Item<'_>)) -> Result<(), InferError> {
        self.until(&mut |table, text, item| {
            each(table, text, item);
            true
        })
    }

    /// Reads items until `each` returns false.
    fn until(
        &self,
        each: &mut dyn FnMut(usize, &str, &Item<'_>) -> bool,
    ) -> Result<(), InferError> {
        let mut rows = 0;
        let mut is_done = false;
        for chunk in 0..self.archive.chunks() {
            let mut row = |row: crate::audit::Row<'_>| {
                rows += 1;
                if rows % PROGRESS_ROWS == 0 {
                    self.read.fetch_add(PROGRESS_ROWS, Ordering::Relaxed);
                }
                let Ok(text) = std::str::from_utf8(row.text) else { return Ok(()) };
                if let Ok(JsonItem(item)) = serde_json::from_str::<JsonItem<'_>>(text)
                    && !each(row.table.0, text, &item)
                {
                    is_done = true;
                    return Err(Stop(String::new()));
                }
                Ok(())
            };
            let read = self.archive.read(chunk, &mut row, &mut |_: Problem| {});
            match read {
                _ if is_done => return Ok(()),
                Ok(()) => {}
                Err(stop) => return Err(InferError::Stopped(stop.to_string())),
            }
        }
        Ok(())
    }
}

/// A table whose key and separator are known.
#[derive(Debug, Clone)]
struct Table {
    schema: KeySchema,
    separator: char,
}

/// Infers entities, references and mirrors.
pub fn infer(input: &Input<'_>) -> Result<Inference, InferError> {
    let schemas = schemas(input)?;
    let mut samples = sample::sample(input, &schemas)?;
    if samples.iter().all(|sample| sample.rows.is_empty()) {
        return Err(InferError::Empty);
    }
    let names: Vec<&str> = input.tables.iter().map(|table| table.name.as_str()).collect();
    let names = names::of_tables(&names);
    let mut tables = Vec::new();
    let mut entities = Vec::new();
    let mut notes = Vec::new();
    for (id, (sample, schema)) in samples.iter().zip(schemas).enumerate() {
        let is_text: Vec<bool> = schema
            .attributes()
            .map(|attribute| attribute.kind == crate::data::KeyKind::S)
            .collect();
        let name = names.get(id).map_or("", String::as_str);
        let separator =
            separator::separator(&sample.rows, &is_text, entity::type_name(&sample.rows));
        if !sample.rows.is_empty() {
            entities.extend(entity::entities(id, name, sample, &schema, separator));
        }
        tables.push(Table { schema, separator });
    }
    limit(&mut entities, &mut notes);
    assemble::unique_names(&mut entities);
    note_mixtures(&entities, &samples, &mut notes);
    let mut sets = vec![path::Sets::new(); samples.len()];
    let sources: Vec<Vec<field::Source>> = {
        for (sample, sets) in samples.iter_mut().zip(&mut sets) {
            for row in &mut sample.rows {
                path::with_lists(&mut row.item, sets);
            }
        }
        entities
            .iter()
            .map(|entity| {
                let (Some(table), Some(sample), Some(sets)) =
                    (tables.get(entity.table), samples.get(entity.table), sets.get(entity.table))
                else {
                    return Vec::new();
                };
                field::sources(entity, &sample.rows, sets, table.separator, &table.schema)
            })
            .collect()
    };
    let world = candidate::World {
        tables: &tables,
        samples: &samples,
        sets: &sets,
        entities: &entities,
        sources: &sources,
    };
    let mut probe = world.singles();
    let counts = probe::run(input, &tables, &entities, &mut probe)?;
    let candidates = world.candidates(input, &probe, &counts)?;
    let pairs = mirror::pairs(&world, &counts, &candidates);
    let mut chosen = choose::choose(&world, &counts, candidates, &pairs);
    discriminator::replace(&world, &probe, &mut chosen, &pairs);
    alternative::replace(&world, &probe, &mut chosen, &pairs);
    let mut uniques = Vec::new();
    for at in notice::uniques(&world, &chosen).into_iter().rev() {
        uniques.push(chosen.remove(at));
    }
    let mut inference = assemble::assemble(input, &world, &counts, &chosen, &pairs);
    inference.notices = notice::notices(&world, &chosen, &uniques, &pairs, input.is_sample);
    inference.notes.splice(0..0, notes);
    verify::verify(input, &mut inference)?;
    Ok(inference)
}

/// The keys of the tables, inferred where they are not known.
fn schemas(input: &Input<'_>) -> Result<Vec<KeySchema>, InferError> {
    let mut first: Vec<Vec<Item<'static>>> = vec![Vec::new(); input.tables.len()];
    let is_unknown = |table: usize| input.tables.get(table).is_some_and(|it| it.key.is_none());
    if (0..input.tables.len()).any(is_unknown) {
        input.until(&mut |table, _, item| {
            if let Some(items) = first.get_mut(table)
                && is_unknown(table)
                && items.len() < keys::ITEMS_MAX
            {
                items.push(into_owned(item.clone()));
            }
            (0..first.len()).any(|table| {
                is_unknown(table) && first.get(table).is_some_and(|it| it.len() < keys::ITEMS_MAX)
            })
        })?;
    }
    let schema = |(table, items): (&InputTable, &Vec<Item<'static>>)| {
        let known = table.key.clone().or_else(|| keys::infer(&table.name, items));
        // A table without items has no key to infer, and none is needed.
        let none = || items.is_empty().then(keys::of_empty_table);
        known.or_else(none).ok_or_else(|| InferError::Key(table.name.clone()))
    };
    input.tables.iter().zip(&first).map(schema).collect()
}

/// How many attributes an entity can have before it is taken for several kinds of item.
const ATTRIBUTES_MAX: usize = 200;

/// Notes the entities whose items are probably of several kinds that nothing tells apart.
fn note_mixtures(
    entities: &[entity::Entity],
    samples: &[sample::TableSample],
    notes: &mut Vec<String>,
) {
    for entity in entities {
        let Some(sample) = samples.get(entity.table) else { continue };
        let rows = entity.rows.iter().filter_map(|row| sample.rows.get(*row));
        let names: std::collections::BTreeSet<&str> =
            rows.flat_map(|row| row.item.keys().map(AsRef::as_ref)).collect();
        if names.len() > ATTRIBUTES_MAX && names.len() * 2 > entity.rows.len() {
            notes.push(format!(
                "The items of `{}` have {} different attributes, as if they were of many kinds \
                 that neither the words of their keys nor a type attribute tell apart.",
                entity.name,
                names.len()
            ));
        }
    }
}

/// Keeps the entities with the most items, if there are too many.
fn limit(entities: &mut Vec<entity::Entity>, notes: &mut Vec<String>) {
    if entities.len() <= ENTITIES_MAX {
        return;
    }
    let mut sizes: Vec<(usize, usize)> =
        entities.iter().enumerate().map(|(id, entity)| (entity.rows.len(), id)).collect();
    sizes.sort_by(|one, two| two.0.cmp(&one.0).then(one.1.cmp(&two.1)));
    let kept: std::collections::BTreeSet<usize> =
        sizes.iter().take(ENTITIES_MAX).map(|(_, id)| *id).collect();
    notes.push(format!(
        "There are at least {} kinds of item, which is more than a draft can have. It has the {} \
         most frequent ones. If these are not kinds, the keys may not have a separator.",
        entities.len(),
        ENTITIES_MAX
    ));
    let mut id = 0;
    entities.retain(|_| {
        id += 1;
        kept.contains(&(id - 1))
    });
}
