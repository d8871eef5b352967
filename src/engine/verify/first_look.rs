//! The first look: most items are in order. The others are corrected at once or become suspects.

use futures_util::stream::{self, StreamExt as _};

use super::question::{Asked, Question};
use super::suspects::Suspects;
use crate::data::Key;
use crate::engine::detect::{ChangedMirror, DeletedTarget, MarkedItem, NewReference, Work};
use crate::engine::event::change::{Cause, Origin};
use crate::engine::report::Report;
use crate::integrity::mirror::{self, Correction, Pair, Verdict};
use crate::rules::model::{Mode, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::pass::Pass;
use crate::runtime::reads::{CONCURRENCY, ReadSet, Slot, Snapshot, TargetSlots};
use crate::runtime::referrers;
use crate::store::{Store, StoreError};

/// What the first look found.
#[derive(Debug)]
pub(crate) struct FirstLook<'h> {
    /// Referee's own mirrors that are out of date.
    pub(crate) outdated: Vec<OutdatedMirror<'h>>,
    /// Items that a cascade has marked, each with the missing target that it refers to, if any.
    pub(crate) marked: Vec<(MarkedItem<'h>, Option<Key<'static>>)>,
    /// What looks like a violation.
    pub(crate) suspects: Suspects<'h>,
    /// Deleted items that nothing seems to refer to.
    pub(crate) unreferenced: Vec<DeletedTarget<'h>>,
}

/// A mirror of Referee's own that is out of date. It is not a violation, and is corrected at once.
#[derive(Debug)]
pub(crate) struct OutdatedMirror<'h> {
    pub(crate) pair: Pair,
    pub(crate) correction: Correction,
    pub(crate) cause: Cause<'h>,
}

/// Looks up the targets of new references and marked items, the sources of changed mirrors, and
/// whether anything may refer to deleted items.
pub(crate) async fn first_look<'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    work: Work<'h>,
    report: &mut Report,
) -> Result<FirstLook<'h>, Fatal> {
    let rules = pass.rules;
    let mut reads = ReadSet::default();
    let references = Asked::ask(work.references, pass, &mut reads);
    let mirrors = Asked::ask(work.changed_mirrors, pass, &mut reads);
    let marked = Asked::ask(work.marked_items, pass, &mut reads);
    let snapshot = reads.fetch(pass).await;
    let deleted = may_have_referrers(pass, &work.deleted_targets).await;

    let mut suspects = Suspects { mirrors: work.observed_sources, ..Suspects::default() };
    for (reference, is_broken) in references.answers(rules, &snapshot, report)? {
        suspects.references.extend(is_broken.then_some(reference));
    }
    let mut outdated = Vec::new();
    for (changed, verdict) in mirrors.answers(rules, &snapshot, report)? {
        match verdict {
            Verdict::Clean => {}
            Verdict::Outdated(correction) if rules[changed.pair.rule].mode == Mode::Enforce => {
                let ChangedMirror { pair, cause, .. } = changed;
                outdated.push(OutdatedMirror { pair, correction, cause });
            }
            Verdict::Outdated(_) | Verdict::Suspect => {
                suspects.mirrors.push(changed.into_suspect(rules));
            }
        }
    }
    let marked = marked.answers(rules, &snapshot, report)?;
    let mut unreferenced = Vec::new();
    for (target, may_have_referrers) in work.deleted_targets.into_iter().zip(deleted) {
        match may_have_referrers {
            Ok(true) => suspects.deleted_targets.push(target),
            Ok(false) => unreferenced.push(target),
            Err(error) => report.fail(error, &target.cause)?,
        }
    }
    Ok(FirstLook { outdated, marked, suspects, unreferenced })
}

/// Returns, for each deleted item, whether anything may still refer to it.
async fn may_have_referrers(
    pass: Pass<'_, impl Store, impl Clock>,
    deleted: &[DeletedTarget<'_>],
) -> Vec<Result<bool, StoreError>> {
    stream::iter(deleted)
        .map(|target| async move {
            if target.finder.lags() {
                // The index may lag behind its table, and show a referencing item only later.
                return Ok(true);
            }
            referrers::may_exist(pass, &target.finder).await
        })
        .buffered(CONCURRENCY)
        .collect()
        .await
}

/// Is the reference broken?
impl<'h> Question<'h> for NewReference<'h> {
    type Slots = Option<TargetSlots>;
    type Answer = bool;

    fn cause(&self) -> Cause<'h> {
        self.cause
    }

    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> Option<TargetSlots> {
        let target = self.value.state.key()?;
        Some(reads.want_target(pass, self.rule, target))
    }

    fn answer(
        &self,
        rules: &Rules,
        target: &Option<TargetSlots>,
        snapshot: &Snapshot,
    ) -> Result<bool, StoreError> {
        let target = target.as_ref();
        target.map_or(Ok(true), |target| Ok(!snapshot.has_target(rules, target)?))
    }
}

/// Does the mirror agree with its source?
impl<'h> Question<'h> for ChangedMirror<'h> {
    type Slots = Slot;
    type Answer = Verdict;

    fn cause(&self) -> Cause<'h> {
        self.cause
    }

    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> Slot {
        let rule = self.pair.rule;
        let table = pass.rules.source_of(rule).table;
        reads.want(table, &self.pair.source, pass.index.source(rule))
    }

    fn answer(
        &self,
        rules: &Rules,
        source: &Slot,
        snapshot: &Snapshot,
    ) -> Result<Verdict, StoreError> {
        let source = snapshot.item(*source)?;
        let when = (self.cause.origin() == Origin::Ttl, snapshot.read_ms());
        Ok(mirror::assess(rules, &self.pair, self.change, source, when))
    }
}

/// Which of the item's targets is missing, if any?
impl<'h> Question<'h> for MarkedItem<'h> {
    type Slots = Vec<TargetSlots>;
    type Answer = Option<Key<'static>>;

    fn cause(&self) -> Cause<'h> {
        self.cause
    }

    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> Vec<TargetSlots> {
        self.targets.iter().map(|target| reads.want_target(pass, self.rule, target)).collect()
    }

    fn answer(
        &self,
        rules: &Rules,
        targets: &Vec<TargetSlots>,
        snapshot: &Snapshot,
    ) -> Result<Option<Key<'static>>, StoreError> {
        for (key, slots) in self.targets.iter().zip(targets) {
            if !snapshot.has_target(rules, slots)? {
                return Ok(Some(key.clone()));
            }
        }
        Ok(None)
    }
}
