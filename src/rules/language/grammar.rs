//! The types that describe the rule language.

use std::time::Duration;

use serde_json::{Value, json};

use super::format::Format;
use crate::rules::template::Separator;

/// A map with known keys.
pub(super) struct Object {
    /// The object's name in messages, such as "a reference".
    pub(super) what: &'static str,
    /// The meaning, in a sentence.
    pub(super) doc: &'static str,
    pub(super) fields: &'static [Field],
}

/// A key of an object, and its value.
pub(super) struct Field {
    pub(super) name: &'static str,
    /// Another name with the same meaning.
    pub(super) synonym: Option<&'static str>,
    pub(super) shape: Shape,
    pub(super) presence: Presence,
    /// The meaning, in a sentence.
    pub(super) doc: &'static str,
}

impl Field {
    /// Whether a key of a map is this field.
    pub(super) fn is(&self, key: &str) -> bool {
        self.name == key || self.synonym == Some(key)
    }
}

/// Whether a field must be present.
pub(super) enum Presence {
    Required,
    Optional,
    /// The field may be absent. Its value is then this one.
    Default(DefaultValue),
}

/// The value of a field that is absent.
pub(super) enum DefaultValue {
    Flag(bool),
    Count(u64),
    Separator(Separator),
    Word(&'static str),
    Duration(Duration),
}

impl DefaultValue {
    /// The value in JSON.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Flag(flag) => json!(flag),
            Self::Count(count) => json!(count),
            Self::Separator(separator) => json!(separator.as_str()),
            Self::Word(word) => json!(word),
            Self::Duration(duration) if duration.subsec_millis() == 0 => {
                json!(format!("{}s", duration.as_secs()))
            }
            Self::Duration(duration) => json!(format!("{}ms", duration.as_millis())),
        }
    }
}

/// The values that are allowed.
pub(super) enum Shape {
    /// The version number of the rule language.
    Version,
    /// `true` or `false`.
    Flag,
    /// An integer of at least 1.
    Count,
    /// A text, a number or a boolean.
    Literal,
    /// A text of this format.
    Text(&'static Format),
    /// One of these words.
    Choice(&'static [Word]),
    /// A list whose elements have the shape `of`.
    List { of: &'static Shape, count_min: usize, count_max: usize },
    /// A map whose keys are chosen by the author.
    Map { keys: &'static Format, values: &'static Shape, count_max: usize },
    /// A map with known keys.
    Object(&'static Object),
    /// A map with known keys, and others that are chosen by the author.
    Open { known: &'static Object, keys: &'static Format, values: &'static Shape, count_max: usize },
    /// A value of this shape, in which environment variables are inserted first.
    Setting(&'static Shape),
    /// One of these shapes; the value itself determines which.
    Either(&'static [Shape]),
}

/// A word with a meaning.
pub(super) struct Word {
    pub(super) text: &'static str,
    pub(super) doc: &'static str,
    /// Words with the same meaning in other languages, in lower case. If an author uses one of
    /// them, the message suggests this word.
    pub(super) synonyms: &'static [&'static str],
}

/// The maximum number of entries in a map of a rule file.
pub(super) const ENTRIES_MAX: usize = 1000;

/// The maximum number of tables of an entity.
pub(super) const TABLES_MAX: usize = 20;

/// The maximum number of entities that a reference may lead to. A repair checks in one transaction
/// that none of them exists.
pub(super) const ALTERNATIVES_MAX: usize = 20;
