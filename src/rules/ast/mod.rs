//! What a rule file says, typed and with its places, before names are resolved.
//!
//! Whatever the shape check complained about is absent here, so that the checks of meaning go on
//! with the rest.

mod read;

use std::time::Duration;

pub(crate) use read::read;

use super::span::Spanned;
use crate::data::{KeyAttribute, Path, Type};
use crate::rules::model::{Matching, Mode, OnMirrorDelete, OnMirrorEdit, Severity};

/// A whole rule file.
#[derive(Debug, Default)]
pub(crate) struct File {
    pub(crate) tables: Vec<Table>,
    pub(crate) entities: Vec<Entity>,
    pub(crate) references: Vec<Reference>,
    pub(crate) mirrors: Vec<Mirror>,
    /// Whether the entities could be read, so that what none of them names is unused.
    pub(crate) has_entities: bool,
    /// Whether there are rules, and all of them could be read.
    pub(crate) has_rules: bool,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) alias: Spanned<String>,
    pub(crate) name: Option<Spanned<String>>,
    /// One or two key attributes, or nothing.
    pub(crate) key: Vec<Spanned<KeyAttribute>>,
    pub(crate) separator: Option<char>,
}

#[derive(Debug)]
pub(crate) struct Entity {
    pub(crate) name: Spanned<String>,
    pub(crate) table: Option<Spanned<String>>,
    /// The place of the key's name, and its templates by attribute.
    pub(crate) key: Option<Spanned<Vec<KeyPart>>>,
    pub(crate) attributes: Vec<(Spanned<Path>, Spanned<Type>)>,
    pub(crate) conditions: Vec<(Spanned<Path>, Spanned<Literal>)>,
}

/// A key attribute, and its template if it is text.
pub(crate) type KeyPart = (Spanned<String>, Option<Spanned<String>>);

/// A scalar of the rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Text(String),
    Number(String),
    Bool(bool),
}

#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) name: Spanned<String>,
    pub(crate) from: Option<Spanned<String>>,
    pub(crate) to: Option<Spanned<String>>,
    /// Captures of the referenced key, and their sources.
    pub(crate) on: Vec<(Spanned<String>, Spanned<String>)>,
    pub(crate) matching: Option<Spanned<Matching>>,
    pub(crate) required: Option<Spanned<bool>>,
    pub(crate) on_missing: Option<Spanned<Action>>,
    pub(crate) on_delete: Option<Spanned<Action>>,
    pub(crate) on_ttl_delete: Option<Spanned<Action>>,
    pub(crate) default: Option<Spanned<Default>>,
    pub(crate) find: Option<Spanned<Find>>,
    pub(crate) grace: Option<Duration>,
    pub(crate) mode: Option<Mode>,
    pub(crate) severity: Option<Severity>,
    pub(crate) fanout_max: Option<Spanned<u64>>,
    pub(crate) depth_max: Option<Spanned<u64>>,
}

/// A referential action, of whichever key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Report,
    Ignore,
    Delete,
    Cascade,
    Unset,
    SetDefault,
    Revert,
    Restore,
}

impl Action {
    /// The word for it in rule files.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Ignore => "ignore",
            Self::Delete => "delete",
            Self::Cascade => "cascade",
            Self::Unset => "unset",
            Self::SetDefault => "set_default",
            Self::Revert => "revert",
            Self::Restore => "restore",
        }
    }

    /// Whether it changes or deletes the referencing item.
    pub(crate) fn changes_referencing(self) -> bool {
        matches!(self, Self::Delete | Self::Cascade | Self::Unset | Self::SetDefault | Self::Revert)
    }
}

/// The value for `set_default`.
#[derive(Debug)]
pub(crate) enum Default {
    One(Literal),
    Each(Vec<(Spanned<String>, Spanned<Literal>)>),
}

/// How referencing items are found.
#[derive(Debug)]
pub(crate) enum Find {
    None,
    Index { index: Option<Spanned<String>>, key: Vec<(Spanned<KeyAttribute>, Spanned<String>)> },
    Mirror(Option<Spanned<String>>),
}

#[derive(Debug)]
pub(crate) struct Mirror {
    pub(crate) name: Spanned<String>,
    pub(crate) source: Option<Spanned<String>>,
    pub(crate) target: Option<Spanned<String>>,
    pub(crate) copy: Copy,
    pub(crate) on_mirror_delete: Option<OnMirrorDelete>,
    pub(crate) on_mirror_edit: Option<Spanned<OnMirrorEdit>>,
    pub(crate) adopt: Option<Spanned<bool>>,
    pub(crate) mode: Option<Mode>,
    pub(crate) severity: Option<Severity>,
}

/// The attributes that a mirror copies.
#[derive(Debug)]
pub(crate) enum Copy {
    All,
    None,
    List(Vec<Spanned<String>>),
}
