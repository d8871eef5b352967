//! Items that an audit reads. Nothing is known about their changes, so every reference and every
//! mirror is checked.

use super::NewReference;
use crate::data::KeyValue;
use crate::engine::event::change::Cause;
use crate::engine::event::decode::Rejected;
use crate::integrity::change::Change;
use crate::integrity::index::{Index, Role};
use crate::integrity::mirror::Pair;
use crate::integrity::reference::evaluate;
use crate::rules::model::{Entity, MirrorId, ReferenceId, Rules};

/// An item as an audit read it.
#[derive(Debug)]
pub(crate) struct ReadItem {
    /// The item, as `after`. Nothing is known about the item before, so `before` is always `None`.
    pub(crate) change: Change<'static>,
    /// The index of its page in the audit.
    pub(crate) page: usize,
}

impl ReadItem {
    /// The item as the cause of some work.
    pub(crate) const fn cause(&self) -> Cause<'_> {
        Cause::Page { index: self.page }
    }
}

/// What the rules require to be checked, by kind.
#[derive(Debug, Default)]
pub(crate) struct Checks<'h> {
    /// References whose targets must exist.
    pub(crate) references: Vec<NewReference<'h>>,
    /// Sources and mirrors that must agree.
    pub(crate) pairs: Vec<PairAtRest<'h>>,
    /// Items that the rules cannot process.
    pub(crate) rejected: Vec<Rejected>,
}

/// A source and its mirror, one of which was read.
#[derive(Debug)]
pub(crate) struct PairAtRest<'h> {
    pub(crate) pair: Pair,
    /// Which of the two was read.
    pub(crate) side: Side,
    /// The one that was read.
    pub(crate) read: &'h Change<'h>,
    pub(crate) cause: Cause<'h>,
}

/// A side of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Mirror,
}

/// Returns what the rules require to be checked in these items.
pub(crate) fn detect_at_rest<'h>(
    rules: &Rules,
    index: &Index,
    items: &'h [ReadItem],
) -> Checks<'h> {
    let mut checks = Checks::default();
    for item in items {
        let Change { table, key, .. } = &item.change;
        for (id, captures) in index.matching(rules, *table, key) {
            let seen = SeenAtRest { rules, entity: &rules[id], captures: &captures, item };
            for role in index.roles(id) {
                seen.detect(*role, &mut checks);
            }
        }
    }
    checks
}

/// An item, interpreted as an item of one entity.
struct SeenAtRest<'s, 'h> {
    rules: &'s Rules,
    entity: &'s Entity,
    captures: &'s [KeyValue<'s>],
    item: &'h ReadItem,
}

impl<'h> SeenAtRest<'_, 'h> {
    /// Adds the checks for a role.
    fn detect(&self, role: Role, checks: &mut Checks<'h>) {
        match role {
            Role::Source(mirror) => self.source(mirror, checks),
            Role::Mirror(mirror) => {
                // The rule ignores keys that no source can produce.
                let pair = Pair::of_mirror(self.rules, mirror, self.captures).ok();
                checks.pairs.extend(pair.map(|pair| self.pair(pair, Side::Mirror)));
            }
            Role::Referencing(reference) => self.references(reference, checks),
            // The items that refer to a missing item are found when they are read themselves.
            Role::Referenced(_) => {}
        }
    }

    fn source(&self, rule: MirrorId, checks: &mut Checks<'h>) {
        if !self.is_admitted() {
            return;
        }
        let image = self.item.change.after.as_ref();
        match Pair::of_source(self.rules, rule, self.captures, image) {
            Ok(pair) => checks.pairs.extend(pair.map(|pair| self.pair(pair, Side::Source))),
            Err(error) => checks.rejected.push(Rejected {
                position: self.item.page,
                sequence: None,
                error: format!("mirror `{}` cannot be written: {error}", self.rules[rule].name),
            }),
        }
    }

    fn references(&self, rule: ReferenceId, checks: &mut Checks<'h>) {
        let image = self.item.change.after.as_ref().filter(|_| self.is_admitted());
        let Some(image) = image else { return };
        let values = evaluate(self.rules, &self.rules[rule], self.captures, image);
        let (change, cause) = (&self.item.change, self.item.cause());
        let reference = |value| NewReference { rule, value, change, cause };
        checks.references.extend(values.into_iter().map(reference));
    }

    fn pair(&self, pair: Pair, side: Side) -> PairAtRest<'h> {
        PairAtRest { pair, side, read: &self.item.change, cause: self.item.cause() }
    }

    fn is_admitted(&self) -> bool {
        self.item.change.after.as_ref().is_some_and(|image| self.entity.admits(image))
    }
}
