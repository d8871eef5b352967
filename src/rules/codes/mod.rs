//! The codes of diagnostics. `referee explain` and the documentation are generated from this list.

mod actions;
mod code;
mod conditions;
mod entities;
mod examples;
mod level;
mod live;
mod mirrors;
mod references;
mod shape;
mod warnings;

pub use actions::*;
pub use code::Code;
pub use conditions::*;
pub use entities::*;
pub use examples::{PRELUDE, complete};
pub use level::Level;
pub use live::*;
pub use mirrors::*;
pub use references::*;
pub use shape::*;
pub use warnings::*;

use super::spelling::did_you_mean;

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
    &WRONG_TYPE,
    &WORD,
    &FORMAT,
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
    &CAPTURE_FORMAT,
    &TABLES,
    &UNBOUND,
    &UNKNOWN_CAPTURE,
    &SOURCE,
    &TYPE_MISMATCH,
    &ELEMENTS,
    &UNION,
    &DISCRIMINATOR,
    &NO_LOOKUP,
    &INDEX_KEY,
    &INDEX_ELEMENTS,
    &MIRROR_LOOKUP,
    &NO_TTL,
    &NEVER_EQUAL,
    &INDEX_CASE,
    &ON_KEY,
    &INDEX_TARGET,
    &RESTRICT,
    &UNSET_KEY,
    &UNSET_REQUIRED,
    &DEFAULT_MISSING,
    &DEFAULT_WRONG,
    &CONFLICT,
    &CYCLE,
    &UNSET_WHERE,
    &UNSET_LIST,
    &NOT_INVERSE,
    &SAME_KEYS,
    &TWO_MIRRORS,
    &MIRROR_OF_MIRROR,
    &COPIED_KEY,
    &FORMER_NAME,
    &MIRROR_WHERE,
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
    &INDEXED_MIRROR,
    &DOLLAR,
    &ABSENT_FLAG,
    &CHANGING_STATUS,
    &OPERATOR_TEXT,
    &MISSING_MIRROR,
];

/// Finds a code by its id, ignoring case.
#[must_use]
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().find(|code| code.id.eq_ignore_ascii_case(id.trim())).copied()
}

/// The help text for an unknown id.
#[must_use]
pub fn suggest(id: &str) -> Option<String> {
    // A list of all codes would be too long to be helpful.
    let suggestion = did_you_mean(id, ALL.iter().map(|code| code.id).collect::<Vec<_>>())?;
    suggestion.starts_with("did you mean").then_some(suggestion)
}
