//! Suspects: apparent violations, which are looked at again after their grace period.

use crate::engine::detect::{DeletedTarget, MirrorSuspect, NewReference};
use crate::engine::event::change::Cause;
use crate::integrity::index::looked_up_by;
use crate::integrity::mirror::MIRROR_GRACE_MS;
use crate::rules::model::{Mode, ReferenceId, Rules};

/// By how much a change may be younger than its record says, in milliseconds: DynamoDB rounds the
/// time of a change down to the second.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html>
const CREATION_RESOLUTION_MS: i64 = 1_000;

/// Apparent violations, by kind.
#[derive(Debug, Default)]
pub(crate) struct Suspects<'h> {
    /// Malformed or incomplete references, and those whose target does not exist.
    pub(crate) references: Vec<NewReference<'h>>,
    /// Mirrors that may differ from what their sources require.
    pub(crate) mirrors: Vec<MirrorSuspect<'h>>,
    /// Deleted items that others may refer to.
    pub(crate) deleted_targets: Vec<DeletedTarget<'h>>,
}

/// An apparent violation.
pub(crate) trait Suspect<'h> {
    /// The cause that revealed it.
    fn cause(&self) -> Cause<'h>;

    /// How old the change must be before the suspect is looked at again, in milliseconds.
    fn grace_ms(&self, rules: &Rules) -> i64;

    /// When the grace period is over, in milliseconds since 1970. A record without a time counts as
    /// new.
    fn due_ms(&self, rules: &Rules, now_ms: i64) -> i64 {
        let created_ms = self.cause().created_ms();
        created_ms
            .map_or(now_ms, |created_ms| created_ms.saturating_add(CREATION_RESOLUTION_MS))
            .min(now_ms.saturating_add(CREATION_RESOLUTION_MS))
            .saturating_add(self.grace_ms(rules))
    }
}

impl<'h> Suspect<'h> for NewReference<'h> {
    fn cause(&self) -> Cause<'h> {
        self.cause
    }

    fn grace_ms(&self, rules: &Rules) -> i64 {
        grace_ms(rules, self.rule)
    }
}

impl<'h> Suspect<'h> for MirrorSuspect<'h> {
    fn cause(&self) -> Cause<'h> {
        self.cause
    }

    /// At least as long as for the references in the mirror's gap. They must be looked at when the
    /// mirror is restored, because no later record would cause another look.
    fn grace_ms(&self, rules: &Rules) -> i64 {
        let references = gap_references(rules, self).map(|rule| grace_ms(rules, rule));
        references.fold(MIRROR_GRACE_MS, i64::max)
    }
}

impl<'h> Suspect<'h> for DeletedTarget<'h> {
    fn cause(&self) -> Cause<'h> {
        self.cause
    }

    fn grace_ms(&self, rules: &Rules) -> i64 {
        grace_ms(rules, self.finder.rule)
    }
}

impl<'h> Suspects<'h> {
    /// When the last grace period is over, in milliseconds since 1970; `None` without suspects.
    pub(crate) fn due_ms(&self, rules: &Rules, now_ms: i64) -> Option<i64> {
        fn due<'h>(suspects: &[impl Suspect<'h>], rules: &Rules, now_ms: i64) -> Option<i64> {
            suspects.iter().map(|suspect| suspect.due_ms(rules, now_ms)).max()
        }
        let references = due(&self.references, rules, now_ms);
        let mirrors = due(&self.mirrors, rules, now_ms);
        references.max(mirrors).max(due(&self.deleted_targets, rules, now_ms))
    }

    /// Removes the suspects whose grace period ends after this time, and returns them.
    pub(crate) fn remove_due_after(&mut self, rules: &Rules, now_ms: i64, time_ms: i64) -> Self {
        let is_late = |due_ms| due_ms > time_ms;
        self.remove(
            |it| is_late(it.due_ms(rules, now_ms)),
            |it| is_late(it.due_ms(rules, now_ms)),
            |it| is_late(it.due_ms(rules, now_ms)),
        )
    }

    /// Removes the suspects whose cause meets this condition, and returns them.
    pub(crate) fn remove_of(&mut self, is_meant: impl Fn(&Cause<'h>) -> bool) -> Self {
        self.remove(|it| is_meant(&it.cause), |it| is_meant(&it.cause), |it| is_meant(&it.cause))
    }

    fn remove(
        &mut self,
        reference: impl Fn(&NewReference<'h>) -> bool,
        mirror: impl Fn(&MirrorSuspect<'h>) -> bool,
        deleted_target: impl Fn(&DeletedTarget<'h>) -> bool,
    ) -> Self {
        Self {
            references: self.references.extract_if(.., |it| reference(it)).collect(),
            mirrors: self.mirrors.extract_if(.., |it| mirror(it)).collect(),
            deleted_targets: self.deleted_targets.extract_if(.., |it| deleted_target(it)).collect(),
        }
    }

    /// Adds the suspects of another collection.
    pub(crate) fn extend(&mut self, other: Self) {
        self.references.extend(other.references);
        self.mirrors.extend(other.mirrors);
        self.deleted_targets.extend(other.deleted_targets);
    }

    /// The number of suspects.
    pub(crate) const fn len(&self) -> usize {
        self.references.len() + self.mirrors.len() + self.deleted_targets.len()
    }

    /// The causes of the suspects.
    pub(crate) fn causes(&self) -> impl Iterator<Item = Cause<'h>> {
        let references = self.references.iter().map(|it| it.cause);
        let mirrors = self.mirrors.iter().map(|it| it.cause);
        references.chain(mirrors).chain(self.deleted_targets.iter().map(|it| it.cause))
    }
}

/// The longest grace period of the rules in use, in milliseconds.
pub(crate) fn longest_grace_ms(rules: &Rules) -> i64 {
    let references = rules.references.iter().enumerate();
    let in_use = references.filter(|(_, reference)| reference.mode != Mode::Off);
    in_use
        .map(|(position, _)| grace_ms(rules, ReferenceId(position)))
        .fold(MIRROR_GRACE_MS, i64::max)
}

fn grace_ms(rules: &Rules, rule: ReferenceId) -> i64 {
    i64::try_from(rules[rule].grace.as_millis()).unwrap_or(i64::MAX)
}

/// Returns the references whose lookups miss the source while its mirror is missing.
pub(crate) fn gap_references(
    rules: &Rules,
    suspect: &MirrorSuspect<'_>,
) -> impl Iterator<Item = ReferenceId> {
    let is_removed = suspect.removal.is_some();
    looked_up_by(rules, suspect.pair.rule).filter(move |_| is_removed)
}
