//! Sources whose mirrors must be written, and mirrors that must be compared with their sources.

use super::{Seen, Work};
use crate::data::{Item, SequenceNumber};
use crate::engine::event::change::{Cause, Origin, StreamChange};
use crate::engine::event::decode::Rejected;
use crate::integrity::change::Change;
use crate::integrity::expiry::is_kept;
use crate::integrity::index::looked_up_by;
use crate::integrity::mirror::{self, Pair, Removal};
use crate::rules::model::{MirrorId, Mode, OnMirrorDelete, Rules};

/// A source that changed.
#[derive(Debug)]
pub(crate) struct ChangedSource<'h> {
    pub(crate) pair: Pair,
    /// The mirror that the source requires, if any.
    pub(crate) content: Option<Item<'static>>,
    /// The sequence number of the change, which becomes the mirror's fence.
    pub(crate) sequence: &'h SequenceNumber<'h>,
    pub(crate) cause: Cause<'h>,
}

/// A mirror that changed.
#[derive(Debug)]
pub(crate) struct ChangedMirror<'h> {
    pub(crate) pair: Pair,
    pub(crate) change: &'h Change<'h>,
    pub(crate) cause: Cause<'h>,
}

impl<'h> ChangedMirror<'h> {
    /// Turns the mirror into a suspect, which is compared with its source again.
    pub(crate) fn into_suspect(self, rules: &Rules) -> MirrorSuspect<'h> {
        let by_ttl = self.cause.origin() == Origin::Ttl;
        let mut removal = mirror::removal(rules, &self.pair, self.change, by_ttl);
        if let Some(removal) = &mut removal {
            removal.sequence = self.cause.sequence().map(SequenceNumber::fence);
        }
        MirrorSuspect { pair: self.pair, removal, cause: self.cause }
    }
}

/// A mirror that may differ from what its source requires.
#[derive(Debug)]
pub(crate) struct MirrorSuspect<'h> {
    pub(crate) pair: Pair,
    /// The removal of the mirror, if someone other than Referee removed it.
    pub(crate) removal: Option<Removal>,
    pub(crate) cause: Cause<'h>,
}

impl MirrorSuspect<'_> {
    /// The suspect, once it is known that an item that its source refers to was deleted with it.
    pub(crate) fn deleted_with_target(mut self) -> Self {
        if let Some(removal) = &mut self.removal {
            removal.with_target = true;
        }
        self
    }
}

/// Adds a source if anything that its mirror copies has changed.
pub(super) fn source<'h>(seen: &Seen<'_, 'h>, rule: MirrorId, work: &mut Work<'h>) {
    let changed = seen.history.steps().rev().find(|step| {
        let Change { before, after, .. } = &step.change;
        !mirror::is_unchanged(seen.rules, rule, before.as_ref(), after.as_ref())
            || is_kept(seen.rules, seen.rules[rule].source, &step.change, step.created_ms)
    });
    let Some(changed) = changed else { return };
    let source = seen.admitted(seen.history.last.change.after.as_ref());
    let current = Pair::of_source(seen.rules, rule, seen.captures, source);
    if let Err(error) = &current {
        work.rejected.push(Rejected {
            position: changed.position,
            sequence: Some(changed.sequence.to_string()),
            error: format!("mirror `{}` cannot be written: {error}", seen.rules[rule].name),
        });
    }
    let mut pairs: Vec<Pair> = current.ok().flatten().into_iter().collect();
    pairs.extend(former_pairs(seen, rule, pairs.first()));
    for pair in pairs {
        let cause = seen.cause(changed);
        if seen.rules[rule].mode == Mode::Observe {
            work.observed_sources.push(MirrorSuspect { pair, removal: None, cause });
        } else {
            let content = mirror::expected(seen.rules, &pair, source);
            let sequence = &changed.sequence;
            work.changed_sources.push(ChangedSource { pair, content, sequence, cause });
        }
    }
}

/// The mirrors at the keys that the source required before, apart from the one that it requires now.
/// There are some only if the mirror's key depends on attributes.
fn former_pairs(seen: &Seen<'_, '_>, rule: MirrorId, current: Option<&Pair>) -> Vec<Pair> {
    let mut former: Vec<Pair> = Vec::new();
    if !seen.rules[rule].depends_on_attributes() {
        return former;
    }
    let images = seen.history.steps().flat_map(|step| [&step.change.before, &step.change.after]);
    let source = seen.rules.source_of(rule);
    for image in images.flatten().filter(|image| source.admits(image)) {
        let pair = Pair::of_source(seen.rules, rule, seen.captures, Some(image)).ok().flatten();
        former.extend(pair.filter(|pair| Some(pair) != current && !former.contains(pair)));
    }
    former
}

/// Returns the mirror's last change, and an earlier delete if it still matters.
pub(super) fn mirror<'h>(seen: &Seen<'_, 'h>, rule: MirrorId) -> Vec<ChangedMirror<'h>> {
    // The rule ignores keys that no source can produce.
    let Ok(pair) = Pair::of_mirror(seen.rules, rule, seen.captures) else { return Vec::new() };
    let last = &seen.history.last;
    // Usually only the last change matters. An earlier delete by someone else still matters in two
    // cases, even if the mirror exists again. First, if the rule deletes the source with its
    // mirror, the source must be deleted although a redelivered change may have written the mirror
    // again. Second, if a reference is looked up through the mirror, the lookups missed that
    // reference while the mirror did not exist.
    let earlier = seen.history.earlier.iter().rev().find(|step| step.change.after.is_none());
    let earlier = earlier.filter(|step| {
        let counts = || {
            seen.rules[rule].on_mirror_delete == OnMirrorDelete::DeleteSource
                || looked_up_by(seen.rules, rule).next().is_some()
        };
        last.change.after.is_some()
            && mirror::removal(seen.rules, &pair, &step.change, false).is_some()
            && counts()
    });
    let steps = earlier.into_iter().chain([last]);
    let of_step = |step: &'h StreamChange<'h>| ChangedMirror {
        pair: pair.clone(),
        change: &step.change,
        cause: seen.cause(step),
    };
    steps.map(of_step).collect()
}
