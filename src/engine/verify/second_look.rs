//! The second look: reads suspects again once their grace period is over. Only those that still
//! look wrong are violations.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::broken::{BrokenMirror, BrokenReference};
use super::mirror_gap::MirrorGap;
use super::question::{Asked, Question};
use super::suspects::{Suspects, gap_references};
use crate::data::Item;
use crate::engine::detect::{DeletedTarget, MirrorSuspect, NewReference};
use crate::engine::event::change::Cause;
use crate::engine::report::Report;
use crate::integrity::finding::{ItemName, Unmet};
use crate::integrity::mirror::{self, Difference};
use crate::integrity::reference::{ReferenceState, states};
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::pass::Pass;
use crate::runtime::reads::{ReadSet, Slot, Snapshot, TargetSlots};
use crate::store::{Store, StoreError};

/// The suspects that were confirmed.
#[derive(Debug)]
pub(crate) struct Confirmed<'h> {
    /// Malformed or incomplete references, and those whose target does not exist.
    pub(crate) references: Vec<BrokenReference<'h>>,
    /// Mirrors that differ from what their sources require.
    pub(crate) mirrors: Vec<BrokenMirror<'h>>,
    /// Sources whose mirrors were missing while items that they refer to may have been deleted.
    pub(crate) gaps: Vec<MirrorGap<'h>>,
    /// Items that are still deleted.
    pub(crate) deleted_targets: Vec<DeletedTarget<'h>>,
}

/// Reads the suspects again.
pub(crate) async fn second_look<'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    suspects: Suspects<'h>,
    report: &mut Report,
) -> Result<Confirmed<'h>, Fatal> {
    let rules = pass.rules;
    let gaps = suspects.mirrors.iter().flat_map(|suspect| {
        let references = gap_references(rules, suspect);
        references.map(|rule| MirrorGap::new(rule, suspect))
    });
    let gaps = gaps.filter(|gap| gap.matters(rules)).collect();
    let mut reads = ReadSet::default();
    let references = Asked::ask(still_broken(suspects.references), pass, &mut reads);
    let mirrors = Asked::ask(suspects.mirrors, pass, &mut reads);
    let deleted_targets = Asked::ask(suspects.deleted_targets, pass, &mut reads);
    let snapshot = reads.fetch(pass).await;

    let references = references.answers(rules, &snapshot, report)?.into_iter();
    let broken = |(still, image): (StillBroken<'h>, Option<_>)| Some(still.into_broken(image?));
    let mirrors = mirrors.answers(rules, &snapshot, report)?.into_iter();
    let deleted_targets = deleted_targets.answers(rules, &snapshot, report)?.into_iter();
    Ok(Confirmed {
        references: references.filter_map(broken).collect(),
        mirrors: mirrors.filter_map(differing).collect(),
        gaps,
        deleted_targets: deleted_targets
            .filter_map(|(target, exists)| (!exists).then_some(target))
            .collect(),
    })
}

/// Reads these mirrors and their sources once more, after something was done about the sources.
pub(crate) async fn look_again<'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    suspects: Vec<MirrorSuspect<'h>>,
    report: &mut Report,
) -> Result<Vec<BrokenMirror<'h>>, Fatal> {
    let mut reads = ReadSet::default();
    let mirrors = Asked::ask(suspects, pass, &mut reads);
    let snapshot = reads.fetch(pass).await;
    let answers = mirrors.answers(pass.rules, &snapshot, report)?.into_iter();
    Ok(answers.filter_map(differing).collect())
}

fn differing(
    (suspect, difference): (MirrorSuspect<'_>, Option<Difference>),
) -> Option<BrokenMirror<'_>> {
    Some(BrokenMirror { suspect, difference: difference? })
}

/// A suspect reference, with the current states of the reference in its item.
pub(super) struct StillBroken<'h> {
    reference: NewReference<'h>,
    /// Shared by all values of one item, so that a long list is evaluated only once.
    states: Rc<OnceCell<BTreeSet<ReferenceState>>>,
}

/// Prepares references for the second look. The values of one item, which follow each other, share
/// their states.
pub(super) fn still_broken(references: Vec<NewReference<'_>>) -> Vec<StillBroken<'_>> {
    let mut broken: Vec<StillBroken<'_>> = Vec::with_capacity(references.len());
    for reference in references {
        let is_of_same = |last: &&StillBroken<'_>| {
            let (one, other) = (last.reference.change, reference.change);
            last.reference.rule == reference.rule
                && (one.table, &one.key) == (other.table, &other.key)
        };
        let states = broken.last().filter(is_of_same).map(|last| Rc::clone(&last.states));
        broken.push(StillBroken { reference, states: states.unwrap_or_default() });
    }
    broken
}

impl<'h> StillBroken<'h> {
    /// The broken reference of the item as it is now.
    pub(super) fn into_broken(
        self,
        (image, unmet): (Item<'static>, Option<Unmet>),
    ) -> BrokenReference<'h> {
        let NewReference { rule, value, change, cause } = self.reference;
        let item = ItemName { table: change.table, key: change.key.clone().into_owned() };
        BrokenReference { rule, value, item, image, unmet, change: Some(change), cause }
    }
}

/// Does the item still have the broken reference? If so, the answer is the item's current image, and
/// the condition that the item at the referenced key does not meet.
impl<'h> Question<'h> for StillBroken<'h> {
    type Slots = (Slot, Option<TargetSlots>);
    type Answer = Option<(Item<'static>, Option<Unmet>)>;

    fn cause(&self) -> Cause<'h> {
        self.reference.cause
    }

    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> Self::Slots {
        let NewReference { rule, change, .. } = &self.reference;
        let item = reads.want(change.table, &change.key, pass.index.referencing(*rule));
        (item, self.reference.ask(pass, reads))
    }

    fn answer(
        &self,
        rules: &Rules,
        (item, target): &Self::Slots,
        snapshot: &Snapshot,
    ) -> Result<Self::Answer, StoreError> {
        let Some(item) = snapshot.item(*item)? else { return Ok(None) };
        let NewReference { rule, value, change, .. } = &self.reference;
        let states = self.states.get_or_init(|| states(rules, &rules[*rule], &change.key, item));
        let still =
            states.contains(&value.state) && self.reference.answer(rules, target, snapshot)?;
        if !still {
            return Ok(None);
        }
        let unmet = target.as_ref().map(|target| snapshot.unmet(rules, target)).transpose()?;
        Ok(Some((item.clone(), unmet.flatten())))
    }
}

/// How does the mirror differ from what its source requires?
impl<'h> Question<'h> for MirrorSuspect<'h> {
    type Slots = [Slot; 2];
    type Answer = Option<Difference>;

    fn cause(&self) -> Cause<'h> {
        self.cause
    }

    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> [Slot; 2] {
        reads.want_pair(pass, &self.pair)
    }

    fn answer(
        &self,
        rules: &Rules,
        [mirror, source]: &[Slot; 2],
        snapshot: &Snapshot,
    ) -> Result<Option<Difference>, StoreError> {
        let (mirror, source) = (snapshot.item(*mirror)?, snapshot.item(*source)?);
        let removal = self.removal.as_ref();
        Ok(mirror::compare(rules, &self.pair, mirror, source, removal, snapshot.read_ms()))
    }
}

/// Does the item exist again?
impl<'h> Question<'h> for DeletedTarget<'h> {
    type Slots = TargetSlots;
    type Answer = bool;

    fn cause(&self) -> Cause<'h> {
        self.cause
    }

    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> TargetSlots {
        reads.want_target(pass, self.finder.rule, &self.finder.target)
    }

    fn answer(
        &self,
        rules: &Rules,
        target: &TargetSlots,
        snapshot: &Snapshot,
    ) -> Result<bool, StoreError> {
        snapshot.has_target(rules, target)
    }
}
