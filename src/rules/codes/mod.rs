//! The codes of diagnostics: one table, from which `referee explain`, the documentation and the
//! tests come.

mod actions;
mod entities;
mod examples;
mod live;
mod mirrors;
mod references;
mod shape;
mod warnings;

pub use actions::*;
pub use entities::*;
pub use examples::{PRELUDE, complete};
pub use live::*;
pub use mirrors::*;
pub use references::*;
pub use shape::*;
pub use warnings::*;

use super::diagnostic::Level;
use super::language::did_you_mean;

/// A kind of problem that a rule file can have.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `E` for errors or `W` for warnings, and a number that keeps its meaning for ever.
    pub id: &'static str,
    /// What it is, in a few words.
    pub summary: &'static str,
    /// What it means, why it is a problem and how it is mended.
    pub explanation: &'static str,
    /// A rule file, or the part of it that matters, that has the problem; nothing where the
    /// problem is with the file itself, or with a real table. See [`complete`].
    pub wrong: Option<&'static str>,
    /// The same without the problem.
    pub right: &'static str,
}

impl Code {
    /// How bad it is.
    #[must_use]
    pub fn level(&self) -> Level {
        if self.id.starts_with('W') { Level::Warning } else { Level::Error }
    }
}

/// All codes, in the order of their numbers.
pub static ALL: &[&Code] = &[
    &UNREADABLE,
    &ENCODING,
    &LIMIT,
    &SYNTAX,
    &EMPTY,
    &VERSION,
    &UNKNOWN_KEY,
    &MISSING_KEY,
    &KIND,
    &WORD,
    &FORM,
    &NAME,
    &DUPLICATE,
    &UNDECLARED,
    &UNDECLARED_ATTRIBUTE,
    &SHARED_NAME,
    &TABLE_NAME,
    &VARIABLE,
    &RESERVED,
    &CONTRADICTION,
    &TEMPLATE,
    &KEY_SHAPE,
    &KEY_TYPE,
    &OVERLAP,
    &UNBOUND,
    &UNKNOWN_CAPTURE,
    &SOURCE,
    &TYPE_MISMATCH,
    &ELEMENTS,
    &NO_LOOKUP,
    &INDEX_KEY,
    &INDEX_ELEMENTS,
    &MIRROR_LOOKUP,
    &RESTRICT,
    &UNSET_KEY,
    &UNSET_REQUIRED,
    &DEFAULT_MISSING,
    &DEFAULT_WRONG,
    &FIGHT,
    &CYCLE,
    &UNSET_WHERE,
    &NOT_INVERSE,
    &SAME_KEYS,
    &TWO_MIRRORS,
    &MIRROR_OF_MIRROR,
    &COPIED_KEY,
    &TABLE_MISSING,
    &TABLE_KEY,
    &NOT_READY,
    &STREAM,
    &INDEX_MISSING,
    &INDEX_OTHER_KEY,
    &UNUSED_TABLE,
    &UNUSED_ENTITY,
    &SHADOWED,
    &AUDIT_ONLY,
    &ALWAYS_PRESENT,
    &NO_EFFECT,
    &COMMENT,
    &SEPARATOR,
    &EXPIRED,
    &SHARED_PART,
];

/// The code with this id, in whichever case it is written.
#[must_use]
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().find(|code| code.id.eq_ignore_ascii_case(id.trim())).copied()
}

/// What to say about an id that is none.
#[must_use]
pub fn suggest(id: &str) -> Option<String> {
    // A file lists its codes itself; a list of all of them is no help.
    let suggestion = did_you_mean(id, ALL.iter().map(|code| code.id).collect::<Vec<_>>())?;
    suggestion.starts_with("did").then_some(suggestion)
}
