//! Compares a table with a copy of it, key by key: in another Region, or in another export.
//!
//! # Layout
//!
//! Items → records → suspects → differences:
//!
//! - `content`: what is compared of an item, as a hash.
//! - `records`: the keys of both sides with these hashes, in bounded memory.
//! - [`files`]: compares dumps and exports. They do not change, so that suspects are differences.
//! - [`live`]: compares real tables. Suspects are read again before they count (`confirm`).

mod content;
pub mod files;
pub mod live;
mod records;
#[cfg(test)]
mod tests;

use crate::data::Key;
use crate::rules::model::TableId;

/// One side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The table itself.
    Original,
    /// Its copy.
    Replica,
}

/// A value for each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sides<T> {
    /// The value for the table itself.
    pub original: T,
    /// The value for its copy.
    pub replica: T,
}

impl<T> Sides<T> {
    /// The value for a side.
    #[must_use]
    pub const fn of(&self, side: Side) -> &T {
        match side {
            Side::Original => &self.original,
            Side::Replica => &self.replica,
        }
    }

    /// The value for a side, to be changed.
    pub const fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Original => &mut self.original,
            Side::Replica => &mut self.replica,
        }
    }

    /// Converts both values.
    pub fn map<U>(self, mut convert: impl FnMut(T) -> U) -> Sides<U> {
        Sides { original: convert(self.original), replica: convert(self.replica) }
    }
}

/// Says which keys of which tables are compared.
pub type Concerns<'c> = &'c (dyn Fn(TableId, &Key<'_>) -> bool + Sync);

/// A key whose items are not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: TableId,
    /// The key.
    pub key: Key<'static>,
    /// What differs.
    pub kind: Kind,
}

/// How the items of a key differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The replica has no such item.
    Missing,
    /// Only the replica has the item.
    Extra,
    /// Both have it, with other content.
    Different {
        /// The names of the attributes that differ or that only one of the items has, sorted.
        attributes: Vec<String>,
    },
}

impl Kind {
    /// The name in output.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Different { .. } => "different",
        }
    }
}
