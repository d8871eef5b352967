//! The oracle finds defects in tables. It computes them naively, from nothing but the rules and the
//! items.
//!
//! The oracle shares no code with the engine or the integrity core, so that it can judge them. It
//! uses the data model, the loaded rules and their key templates, which have tests of their own. It
//! has its own code to decide which entity an item belongs to, what a reference refers to, and what
//! a mirror contains.
//!
//! # Layout
//!
//! - `tables`: the items of a dump, by table, key and entity.
//! - `conditions`: whether an item meets the conditions of `where`.
//! - [`references`](ReferenceValue): the values of an item's references.
//! - `mirrors`: compares the mirrors that exist with the mirrors that should exist.
//! - `marks`: finds marks that should be gone when all records are processed.
//! - [`reports`](Report): the reported violations, from the engine, the log or JSON Lines.
//! - `at_rest`: finds defects that should have been reported, but were not.
//! - `audit`: what an audit of the tables must report.

mod at_rest;
mod audit;
mod conditions;
mod marks;
pub(crate) mod mirrors;
mod references;
mod reports;
mod tables;

use std::fmt;

use referee::data::Key;
use referee::rules::model::{Mode, Rules, TableId};

pub use at_rest::{DeletedBy, Deletes};
pub use audit::Audited;
pub use references::{ReferenceValue, reference_values};
pub use reports::{Report, item_name};
pub use tables::Dump;

use tables::Tables;

/// The reserved attribute that contains Referee's marks. It is defined again here, because the
/// oracle shares no code with the engine.
pub const MARK: &str = "_referee";

/// An item, named by its table and key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemName {
    pub table: TableId,
    pub key: Key<'static>,
}

/// A violation of a rule in the tables.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// The rule's name.
    pub rule: String,
    pub kind: Kind,
    /// The referencing item, or the mirror.
    pub referencing: ItemName,
    /// The referenced item, or the source. `None` if the defect concerns a single item.
    pub referenced: Option<ItemName>,
    /// The other items of which one would be enough.
    pub others: Vec<ItemName>,
}

/// The kinds of defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An item refers to an item that does not exist.
    DanglingReference,
    /// A required reference is absent.
    MissingReference,
    /// Only some parts of a composite reference are present.
    PartialReference,
    /// A part of a reference has the wrong type, or cannot be part of a key.
    MalformedReference,
    /// A source has no mirror.
    MirrorMissing,
    /// A mirror differs from its source.
    MirrorStale,
    /// A mirror has no source.
    MirrorExtra,
    /// An item without the rule's mark is at the key of an existing source's mirror.
    MirrorBlocked,
    /// An item without the rule's mark is at a mirror's key, and no source exists.
    Unowned,
    /// An item has a mark that announces a delete, or that no rule puts on such an item.
    MarkLeft,
}

impl Kind {
    /// Returns the kind's name in Referee's output. Referee does not report [`Self::MarkLeft`],
    /// whose name is used only in tests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DanglingReference => "dangling_reference",
            Self::MissingReference => "missing_reference",
            Self::PartialReference => "partial_reference",
            Self::MalformedReference => "malformed_reference",
            Self::MirrorMissing => "mirror_missing",
            Self::MirrorStale => "mirror_stale",
            Self::MirrorExtra | Self::Unowned => "mirror_extra",
            Self::MirrorBlocked => "mirror_blocked",
            Self::MarkLeft => "mark_left",
        }
    }

    /// Whether this kind of defect concerns a mirror.
    pub const fn is_of_mirror(self) -> bool {
        matches!(
            self,
            Self::MirrorMissing
                | Self::MirrorStale
                | Self::MirrorExtra
                | Self::MirrorBlocked
                | Self::Unowned
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The rules, and the tables that the oracle checks against them.
pub struct Oracle<'r> {
    rules: &'r Rules,
    tables: Tables<'r>,
}

impl<'r> Oracle<'r> {
    /// Creates an oracle for these rules and items.
    pub fn new(rules: &'r Rules, dump: Dump) -> Self {
        Self { rules, tables: Tables::new(rules, dump) }
    }

    /// Judges the tables at this time, in seconds since 1970; by default, the year 1970 begins.
    #[must_use]
    pub fn at(mut self, now_s: i64) -> Self {
        self.tables.now_s = now_s;
        self
    }

    /// Returns all defects, except defects under rules that are off.
    pub fn defects(&self) -> Vec<Defect> {
        let mut found = Vec::new();
        for mirror in self.rules.mirrors.iter().filter(|mirror| mirror.mode != Mode::Off) {
            mirrors::find(&self.tables, mirror, &mut found);
        }
        for reference in self.rules.references.iter().filter(|it| it.mode != Mode::Off) {
            references::find(&self.tables, reference, &mut found);
        }
        marks::find(&self.tables, &mut found);
        found
    }

    /// Returns the defects that should have been reported, but were not.
    pub fn unreported(&self, deletes: &Deletes, reports: &[Report]) -> Vec<Defect> {
        at_rest::unreported(self.rules, self.defects(), deletes, reports)
    }
}
