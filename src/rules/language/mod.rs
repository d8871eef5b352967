//! The language of rule files, as data: the shape check and the JSON Schema both come from it, so
//! that they cannot drift apart.

mod format;
mod manual;
mod schema;
mod shape;
mod suggest;
mod table;
mod words;

pub(crate) use format::{parse_duration, parse_key_attribute, parse_path, parse_separator};
pub use manual::manual;
pub use schema::schema;
pub(crate) use shape::check;
pub(crate) use suggest::{closest, did_you_mean};

/// A map with known keys.
pub(crate) struct Record {
    /// What it describes, as in "a reference".
    pub(crate) what: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) keys: &'static [Key],
}

/// A key of a record.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
    /// What it means, in a sentence.
    pub(crate) doc: &'static str,
}

/// Whether a key has to be there.
pub(crate) enum Presence {
    Required,
    Optional,
    /// The value that is meant without it, as JSON.
    Default(&'static str),
}

/// What a value has to be.
pub(crate) enum Kind {
    /// The number of the language's version.
    Version,
    /// `true` or `false`.
    Flag,
    /// An integer of at least 1.
    Count,
    /// A text, number or boolean.
    Literal,
    /// A text.
    Text(&'static Format),
    /// One of these words.
    Choice(&'static [Word]),
    /// A list with this many elements of a kind.
    List { of: &'static Kind, count_min: usize, count_max: usize },
    /// A map with keys of the author's choosing.
    Map { keys: &'static Format, values: &'static Kind, count_max: usize },
    /// A map with known keys.
    Record(&'static Record),
    /// One of these; what the value looks like tells which.
    Either(&'static [Kind]),
}

/// A kind of text.
pub(crate) struct Format {
    /// What it is, as in "a duration".
    pub(crate) what: &'static str,
    /// The regular expression of the JSON Schema, which may accept more.
    pub(crate) pattern: Option<&'static str>,
    pub(crate) accepts: fn(&str) -> bool,
    /// How one is written.
    pub(crate) help: &'static str,
}

/// A word with a meaning.
pub(crate) struct Word {
    pub(crate) text: &'static str,
    pub(crate) doc: &'static str,
    /// What other languages call it, in lower case, to guess what was meant.
    pub(crate) others: &'static [&'static str],
}

/// The most entries that one map of a rule file may have.
pub(crate) const ENTRIES_MAX: usize = 1000;
