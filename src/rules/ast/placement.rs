//! The tables of entities: in which of them the other side of a rule is.
//!
//! An entity in several tables is read as one entity for each of them, with the same name. A rule
//! from it is read as one for each of its tables, with the same name, too.

use super::file::Entity;
use crate::rules::language::{ANY, PAIRED, SAME};

/// The value of the key `tables` of a rule: in which table the other side of the rule is, if its
/// entity has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// In the table of the referencing item or the source.
    Same,
    /// In the table at the same position in the list.
    Paired,
    /// In any of the tables.
    Any,
}

impl Placement {
    /// Every placement.
    pub(super) const ALL: [Self; 3] = [Self::Same, Self::Paired, Self::Any];

    /// The name that rule files use.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Same => SAME,
            Self::Paired => PAIRED,
            Self::Any => ANY,
        }
    }
}

/// Why the tables of two entities do not belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misplaced {
    /// The rule does not say which tables belong together.
    Ambiguous,
    /// The other entity is not in the same table.
    Elsewhere,
    /// The two lists have different lengths.
    Unpaired,
}

/// The tables of each entity, in the order of the file.
#[derive(Clone, Copy)]
pub(crate) struct Tables<'f>(pub(crate) &'f [Entity]);

impl<'f> Tables<'f> {
    /// The tables of the entity with this name, each by its name in the file.
    pub(crate) fn of(self, entity: &'f str) -> impl Iterator<Item = &'f str> + Clone {
        let named = self.0.iter().filter(move |it| it.name.value == entity);
        named.map(|it| it.table.as_ref().map_or("", |table| table.value.as_str()))
    }

    /// How many tables the entity with this name has. At least 1, even if there is no such entity.
    pub(crate) fn count(self, entity: &'f str) -> usize {
        self.of(entity).count().max(1)
    }

    /// The positions of the tables of `to` that belong to the table of `from` at this position.
    pub(crate) fn positions(
        self,
        placement: Option<Placement>,
        (from, from_at): (&'f str, usize),
        to: &'f str,
    ) -> Result<Vec<usize>, Misplaced> {
        let count = self.count(to);
        if count == 1 {
            return Ok(vec![0]);
        }
        let own = self.of(from).nth(from_at);
        let is_in = |table: &str, entity: &'f str| self.of(entity).any(|other| other == table);
        let are_same =
            self.of(from).all(|table| is_in(table, to)) && self.of(to).all(|it| is_in(it, from));
        match placement {
            None if !are_same => Err(Misplaced::Ambiguous),
            None | Some(Placement::Same) => {
                let found = self.of(to).position(|table| Some(table) == own);
                found.map(|position| vec![position]).ok_or(Misplaced::Elsewhere)
            }
            Some(Placement::Paired) if self.count(from) == count => Ok(vec![from_at]),
            Some(Placement::Paired) => Err(Misplaced::Unpaired),
            Some(Placement::Any) => Ok((0..count).collect()),
        }
    }
}
