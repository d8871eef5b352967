//! Excerpts: the attributes of an item that its findings are made from.
//!
//! A suspect is described by its key and the attributes of its references. They are kept while the
//! files are read, in bounded memory, so that no file has to be read twice for a few suspects.
//! Items with long values have no excerpt, and are read again.

use std::io;
use std::path::Path;

use super::fact::{Decoder, Encoder, Location};
use super::raw_item;
use super::spill::{self, Spill};
use super::suspect::group_of;
use crate::data::{Item, Path as AttributePath, Value};
use crate::integrity::index::Projection;
use crate::rules::model::{Mirror, Rules, TableId};

/// The maximum length of an excerpt, in bytes. Items with longer ones are read again.
const BYTES_MAX: usize = 4 * 1024;

/// The names of the attributes in the excerpts of a table's items: those of its key, and those that
/// decide whether and to what an item refers, and where its mirrors are.
pub(super) fn names(rules: &Rules, table: TableId) -> Vec<&str> {
    let of_key = rules[table].key.attributes().map(|attribute| attribute.name.as_str());
    let entities = rules.entities.iter().filter(|entity| entity.table == table);
    let of_conditions =
        entities.flat_map(|entity| entity.conditions.iter().filter_map(|(path, _)| name(path)));
    let references = rules.references.iter().filter(|rule| rules[rule.from].table == table);
    let of_references = references.flat_map(|rule| rule.paths().filter_map(name));
    let mut names: Vec<&str> = Vec::new();
    let mirrors = rules.mirrors.iter().filter(|rule| rules[rule.source].table == table);
    let of_mirrors = mirrors.flat_map(Mirror::key_attributes);
    for name in of_key.chain(of_conditions).chain(of_references).chain(of_mirrors) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// [`names`] for all tables.
pub(super) fn all_names(rules: &Rules) -> Vec<Vec<&str>> {
    (0..rules.tables.len()).map(|table| names(rules, TableId(table))).collect()
}

/// The same attributes, to decode only them.
pub(super) fn projection(rules: &Rules, table: TableId) -> Projection {
    names(rules, table).into_iter().map(str::to_owned).collect()
}

fn name(path: &AttributePath) -> Option<&str> {
    path.names().next()
}

/// An attribute in an excerpt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept<'t> {
    Absent,
    /// The text of a string that contains no escapes.
    Text(&'t [u8]),
    /// Any other value, as JSON with its type tag.
    Json(&'t [u8]),
}

/// The excerpts of all items that may be suspects, in the groups of [`Suspects`](super::join::Suspects).
#[derive(Debug)]
pub(super) struct Excerpts {
    spill: Spill,
    chunks: u32,
}

impl Excerpts {
    /// No excerpts, for a source with this many chunks. Keeps up to this many bytes in memory.
    pub(super) fn new(folder: &Path, memory_bytes_max: usize, chunks: u32) -> Self {
        Self { spill: Spill::new(folder, memory_bytes_max), chunks }
    }

    /// A writer for one thread.
    pub(super) fn writer(&self) -> Writer<'_> {
        Writer { spill: self.spill.writer(), chunks: self.chunks, excerpt: Vec::new() }
    }

    /// Removes the excerpts of a group, and calls `each` with the items at these locations, which
    /// are in ascending order. An item has only the attributes of [`names`].
    pub(super) fn take(
        &self,
        rules: &Rules,
        group: usize,
        locations: &[Location],
        mut each: impl FnMut(Location, TableId, &Item<'_>),
    ) -> io::Result<()> {
        let names = all_names(rules);
        self.spill.take_each(group, |block| {
            let mut bytes = block.as_slice();
            while let Some((at, content)) = next(&mut bytes) {
                if locations.binary_search(&at).is_ok()
                    && let Some((table, item)) = read(content, &names)
                {
                    each(at, table, &item);
                }
            }
            Ok(())
        })
    }
}

/// Writes excerpts.
#[derive(Debug)]
pub(super) struct Writer<'s> {
    spill: spill::Writer<'s>,
    chunks: u32,
    /// The excerpt that is written, which reuses its memory.
    excerpt: Vec<u8>,
}

impl Writer<'_> {
    /// Keeps the excerpt of an item, unless it is too long. The attributes are in the order of
    /// [`names`].
    pub(super) fn add<'t>(
        &mut self,
        at: Location,
        table: TableId,
        attributes: impl Iterator<Item = Kept<'t>>,
    ) -> io::Result<()> {
        let bytes = &mut self.excerpt;
        bytes.clear();
        // The length of what follows.
        bytes.extend_from_slice(&[0; LENGTH_BYTES]);
        Encoder(bytes).at(at).id(table.0);
        for attribute in attributes {
            let (tag, content) = match attribute {
                Kept::Absent => (ABSENT, &[][..]),
                Kept::Text(text) => (TEXT, text),
                Kept::Json(json) => (JSON, json),
            };
            if bytes.len() + content.len() > BYTES_MAX {
                return Ok(());
            }
            bytes.push(tag);
            if tag != ABSENT {
                bytes.extend_from_slice(&length(content.len()));
                bytes.extend_from_slice(content);
            }
        }
        let of_rest = length(bytes.len() - LENGTH_BYTES);
        if let Some(first) = bytes.first_chunk_mut() {
            *first = of_rest;
        }
        self.spill.add_bytes(group_of(at, self.chunks), bytes)
    }

    /// Passes all excerpts on.
    pub(super) fn finish(self) -> io::Result<()> {
        self.spill.finish()
    }
}

/// The length of a length, in bytes.
const LENGTH_BYTES: usize = 2;

/// A length below [`BYTES_MAX`], encoded.
fn length(bytes: usize) -> [u8; LENGTH_BYTES] {
    u16::try_from(bytes).unwrap_or(u16::MAX).to_le_bytes()
}

const ABSENT: u8 = 0;
const TEXT: u8 = 1;
const JSON: u8 = 2;

/// Removes the first excerpt from the bytes of a block: its location and the rest of it.
fn next<'b>(bytes: &mut &'b [u8]) -> Option<(Location, &'b [u8])> {
    let mut content = text(bytes)?;
    Some((Decoder(&mut content).at()?, content))
}

/// The item in an excerpt, without its location.
fn read<'b>(mut bytes: &'b [u8], names: &[Vec<&'b str>]) -> Option<(TableId, Item<'b>)> {
    let table = TableId(Decoder(&mut bytes).id()?);
    let mut attributes = Vec::new();
    for name in names.get(table.0)? {
        let tag = Decoder(&mut bytes).tag()?;
        if tag == ABSENT {
            continue;
        }
        let content = str::from_utf8(text(&mut bytes)?).ok()?;
        let value = if tag == TEXT {
            Value::S(content.into())
        } else {
            raw_item::value(name, content).ok()?
        };
        attributes.push(((*name).into(), value));
    }
    Some((table, attributes.into()))
}

/// Removes a length and as many bytes.
fn text<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    *bytes = rest;
    Some(text)
}
