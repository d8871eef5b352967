//! Mirror gaps: references that a lookup through mirrors missed while a mirror was deleted.
//!
//! When a referenced item is deleted, its referencing items are found through their mirrors. While
//! the mirror of a source is missing, the source is not found. The record of the mirror's delete
//! names the source, so the source's targets are looked up for that record: if one of them is
//! missing, its delete is answered there.

use std::collections::{BTreeMap, BTreeSet};

use super::question::{Asked, Question};
use crate::data::Key;
use crate::engine::detect::{DeletedTarget, MirrorSuspect, action};
use crate::engine::event::change::Cause;
use crate::engine::report::Report;
use crate::integrity::mirror::Pair;
use crate::integrity::reference::{finder, own_keys};
use crate::rules::model::{Mode, OnDelete, OnMirrorDelete, ReferenceId, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::pass::Pass;
use crate::runtime::reads::{ReadSet, Slot, Snapshot, TargetSlots};
use crate::store::{Store, StoreError};

/// A source whose mirror someone deleted, and a reference whose lookups use that mirror.
#[derive(Debug, Clone)]
pub(crate) struct MirrorGap<'h> {
    rule: ReferenceId,
    pair: Pair,
    cause: Cause<'h>,
}

/// A reference in a gap whose target does not exist.
#[derive(Debug, Clone)]
pub(crate) struct MissingInGap<'h> {
    pub(crate) gap: MirrorGap<'h>,
    target: Key<'static>,
}

/// The references in some gaps.
#[derive(Debug, Default)]
pub(crate) struct GapLook<'h> {
    /// The references whose targets do not exist.
    pub(crate) missing: Vec<MissingInGap<'h>>,
    /// The gaps of which something could not be read. Their records are handed back.
    pub(crate) unread: Vec<MirrorGap<'h>>,
}

/// What tells a gap from another one: the reference, the source, and the record.
type GapId<'g> = (ReferenceId, &'g Key<'static>, usize);

impl<'h> MirrorGap<'h> {
    pub(super) fn new(rule: ReferenceId, suspect: &MirrorSuspect<'h>) -> Self {
        Self { rule, pair: suspect.pair.clone(), cause: suspect.cause }
    }

    /// What is done about the source if its target does not exist.
    ///
    /// The record says who deleted the mirror. An application that deletes an item and its mirrors
    /// deletes all of them in the same way.
    fn action(&self, rules: &Rules) -> OnDelete {
        action(&rules[self.rule], self.cause.origin())
    }

    /// Whether it matters at all whether the target exists.
    pub(super) fn matters(&self, rules: &Rules) -> bool {
        self.action(rules) != OnDelete::Ignore || self.deletes_source(rules)
    }

    /// Whether a missing target decides what is done about the mirror: it is not written again if
    /// its source is about to be deleted, and its delete does not delete the source if that was not
    /// the purpose.
    pub(crate) fn decides_mirror(&self, rules: &Rules) -> bool {
        rules[self.rule].mode == Mode::Enforce
            && (self.removes_source(rules) || self.deletes_source(rules))
    }

    /// Whether the rule deletes the source, at once, if its target does not exist.
    pub(crate) fn removes_source(&self, rules: &Rules) -> bool {
        let reference = &rules[self.rule];
        let is_delete = self.action(rules) == OnDelete::Cascade && !reference.is_recursive();
        is_delete && reference.mode == Mode::Enforce
    }

    /// Whether the rule of the mirror deletes the source of a mirror that someone deleted.
    fn deletes_source(&self, rules: &Rules) -> bool {
        rules[self.pair.rule].on_mirror_delete == OnMirrorDelete::DeleteSource
    }

    /// Whether this is the gap of this mirror.
    pub(crate) fn is_of(&self, suspect: &MirrorSuspect<'_>) -> bool {
        self.pair == suspect.pair && self.cause.position() == suspect.cause.position()
    }

    /// Whether this and the other are the same gap.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.id() == other.id()
    }

    const fn id(&self) -> GapId<'_> {
        (self.rule, &self.pair.source, self.cause.position())
    }
}

/// Reads the sources of these gaps and the targets that they refer to.
pub(crate) async fn look_in_gaps<'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    gaps: Vec<MirrorGap<'h>>,
    report: &mut Report,
) -> Result<GapLook<'h>, Fatal> {
    let asked: BTreeSet<_> = gaps.iter().map(MirrorGap::id).collect();
    let mut reads = ReadSet::default();
    let sources = Asked::ask(gaps.iter().cloned(), pass, &mut reads);
    let snapshot = reads.fetch(pass).await;
    let sources = sources.answers(pass.rules, &snapshot, report)?;
    let read: BTreeSet<_> = sources.iter().map(|(gap, _)| gap.id()).collect();
    let mut unread = &asked - &read;

    let references: Vec<_> =
        sources.iter().flat_map(|(gap, targets)| gap.references(targets)).collect();
    let mut reads = ReadSet::default();
    let targets = Asked::ask(references.iter().cloned(), pass, &mut reads);
    let snapshot = reads.fetch(pass).await;
    let answers = targets.answers(pass.rules, &snapshot, report)?;
    let answered: BTreeSet<_> = answers.iter().map(|(it, _)| (it.gap.id(), &it.target)).collect();
    let is_unread = |it: &&MissingInGap<'_>| !answered.contains(&(it.gap.id(), &it.target));
    unread.extend(references.iter().filter(is_unread).map(|it| it.gap.id()));
    Ok(GapLook {
        unread: gaps.iter().filter(|gap| unread.contains(&gap.id())).cloned().collect(),
        missing: answers
            .into_iter()
            .filter_map(|(reference, exists)| (!exists).then_some(reference))
            .collect(),
    })
}

/// The deletes of these targets. The sources that refer to the same target are answered together.
///
/// The records of the mirrors do not contain the targets. A target's last image is known only if
/// the record of its own delete is among `known`.
pub(crate) fn deletes_in_gaps<'h>(
    rules: &Rules,
    missing: impl IntoIterator<Item = MissingInGap<'h>>,
    known: &[DeletedTarget<'h>],
) -> Vec<DeletedTarget<'h>> {
    let mut deletes: BTreeMap<(ReferenceId, &str, Key<'static>), DeletedTarget<'h>> =
        BTreeMap::new();
    for MissingInGap { gap, target } in missing {
        let (rule, action) = (gap.rule, gap.action(rules));
        if action == OnDelete::Ignore {
            continue;
        }
        let to = rules.referenced(rule);
        let captures = to.key.parse(&target);
        let Some(finder) = captures.and_then(|captures| finder(rules, rule, &captures)) else {
            continue;
        };
        let own = known.iter().find(|it| it.finder.rule == rule && it.finder.target == target);
        let (depth, image) = own.map_or((0, None), |own| (own.depth, own.image));
        let delete =
            deletes.entry((rule, action.name(), target)).or_insert_with(|| DeletedTarget {
                finder,
                referrers: Some(Vec::new()),
                action,
                depth,
                image,
                cause: gap.cause,
            });
        delete.referrers.get_or_insert_default().push((gap.pair.source, gap.cause));
        // The delete is reported for the first of the records.
        if gap.cause.position() < delete.cause.position() {
            delete.cause = gap.cause;
        }
    }
    deletes.into_values().collect()
}

impl MissingInGap<'_> {
    /// Whether this delete is that of the missing target.
    pub(crate) fn is_answered_by(&self, delete: &DeletedTarget<'_>) -> bool {
        let sources = delete.referrers.as_deref().unwrap_or_default();
        delete.finder.rule == self.gap.rule
            && delete.finder.target == self.target
            && sources.iter().any(|(source, _)| *source == self.gap.pair.source)
    }
}

impl<'h> MirrorGap<'h> {
    fn references(&self, targets: &[Key<'static>]) -> Vec<MissingInGap<'h>> {
        let reference =
            |target: &Key<'static>| MissingInGap { gap: self.clone(), target: target.clone() };
        targets.iter().map(reference).collect()
    }
}

/// What does the source refer to now?
impl<'h> Question<'h> for MirrorGap<'h> {
    type Slots = Slot;
    type Answer = Vec<Key<'static>>;

    fn cause(&self) -> Cause<'h> {
        self.cause
    }

    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> Slot {
        let table = pass.rules.referencing(self.rule).table;
        reads.want(table, &self.pair.source, pass.index.referencing(self.rule))
    }

    fn answer(
        &self,
        rules: &Rules,
        source: &Slot,
        snapshot: &Snapshot,
    ) -> Result<Self::Answer, StoreError> {
        let Some(source) = snapshot.item(*source)? else { return Ok(Vec::new()) };
        let keys = own_keys(rules, &rules[self.rule], &self.pair.source, source);
        Ok(keys.into_iter().collect())
    }
}

/// Does a target exist?
impl<'h> Question<'h> for MissingInGap<'h> {
    type Slots = TargetSlots;
    type Answer = bool;

    fn cause(&self) -> Cause<'h> {
        self.gap.cause
    }

    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> TargetSlots {
        reads.want_target(pass, self.gap.rule, &self.target)
    }

    fn answer(
        &self,
        rules: &Rules,
        targets: &TargetSlots,
        snapshot: &Snapshot,
    ) -> Result<bool, StoreError> {
        // A target that has expired still has its delete before it. That delete finds the source.
        for (rule, slot) in targets.each() {
            if snapshot.item(slot)?.is_some_and(|target| rules.referenced(rule).admits(target)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
