//! Mirror gaps: references that a lookup through mirrors missed while a mirror was deleted.
//!
//! When a referenced item is deleted, its referencing items are found through their mirrors. While
//! the mirror of a source is missing, the source is not found. Its targets are therefore looked up
//! after the mirror has been restored. From then on, every delete finds the source through its
//! mirror again.

use std::collections::BTreeSet;

use super::broken::BrokenReference;
use super::question::{Asked, Question};
use crate::data::Item;
use crate::engine::event::change::Cause;
use crate::engine::report::Report;
use crate::integrity::finding::ItemName;
use crate::integrity::mirror::Pair;
use crate::integrity::reference::evaluate;
use crate::rules::model::{ReferenceId, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::pass::Pass;
use crate::runtime::reads::{ReadSet, Slot, Snapshot};
use crate::store::{Store, StoreError};

/// A source whose mirror someone deleted, and a reference whose lookups use that mirror.
#[derive(Debug, Clone)]
pub(crate) struct MirrorGap<'h> {
    rule: ReferenceId,
    pair: Pair,
    cause: Cause<'h>,
}

impl<'h> MirrorGap<'h> {
    pub(super) fn new(rule: ReferenceId, pair: &Pair, cause: Cause<'h>) -> Self {
        Self { rule, pair: pair.clone(), cause }
    }
}

/// Returns the references in these gaps whose targets do not exist.
pub(crate) async fn references_in_gaps<'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    mut gaps: Vec<MirrorGap<'h>>,
    report: &mut Report,
) -> Result<Vec<BrokenReference<'h>>, Fatal> {
    let references = references(pass, &gaps, report).await?;
    let missing = with_missing_targets(pass, references, report).await?;
    let identity = |reference: &BrokenReference<'_>| {
        (reference.rule, reference.item.key.clone(), reference.value.state.clone())
    };
    let missing: BTreeSet<_> = missing.iter().map(identity).collect();
    gaps.retain(|gap| {
        missing.iter().any(|(rule, source, _)| (*rule, source) == (gap.rule, &gap.pair.source))
    });
    // If a source was deleted just before its target, its reference was never dangling. Therefore,
    // the sources are read once more.
    let still = self::references(pass, &gaps, report).await?;
    Ok(still.into_iter().filter(|reference| missing.contains(&identity(reference))).collect())
}

/// Returns the references that the sources have now.
async fn references<'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    gaps: &[MirrorGap<'h>],
    report: &mut Report,
) -> Result<Vec<BrokenReference<'h>>, Fatal> {
    let mut reads = ReadSet::default();
    let sources = Asked::ask(gaps.iter().cloned(), pass, &mut reads);
    let snapshot = reads.fetch(pass).await;
    let answers = sources.answers(pass.rules, &snapshot, report)?;
    let of_source = |(gap, source): &(MirrorGap<'h>, Option<Item<'static>>)| {
        source.as_ref().map(|source| gap.references(pass.rules, source)).unwrap_or_default()
    };
    Ok(answers.iter().flat_map(of_source).collect())
}

/// Keeps only the references whose targets do not exist.
async fn with_missing_targets<'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    references: Vec<BrokenReference<'h>>,
    report: &mut Report,
) -> Result<Vec<BrokenReference<'h>>, Fatal> {
    let mut reads = ReadSet::default();
    let with_target = references.into_iter().filter(|it| it.value.state.key().is_some());
    let targets = Asked::ask(with_target, pass, &mut reads);
    let snapshot = reads.fetch(pass).await;
    let answers = targets.answers(pass.rules, &snapshot, report)?.into_iter();
    Ok(answers.filter_map(|(reference, exists)| (!exists).then_some(reference)).collect())
}

impl<'h> MirrorGap<'h> {
    fn references(&self, rules: &Rules, source: &Item<'static>) -> Vec<BrokenReference<'h>> {
        let &Self { rule, ref pair, cause } = self;
        let from = rules.referencing(rule);
        let Some(captures) = from.key.parse(&pair.source).filter(|_| from.admits(source)) else {
            return Vec::new();
        };
        let broken = |value| BrokenReference {
            rule,
            value,
            item: ItemName { table: from.table, key: pair.source.clone() },
            image: source.clone(),
            change: None,
            cause,
        };
        evaluate(rules, &rules[rule], &captures, source).into_iter().map(broken).collect()
    }
}

/// What does the source contain now?
impl<'h> Question<'h> for MirrorGap<'h> {
    type Slots = Slot;
    type Answer = Option<Item<'static>>;

    fn cause(&self) -> Cause<'h> {
        self.cause
    }

    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> Slot {
        let table = pass.rules.referencing(self.rule).table;
        reads.want(table, &self.pair.source, pass.index.referencing(self.rule))
    }

    fn answer(
        &self,
        _: &Rules,
        source: &Slot,
        snapshot: &Snapshot,
    ) -> Result<Self::Answer, StoreError> {
        Ok(snapshot.item(*source)?.cloned())
    }
}

/// Does the target exist?
impl<'h> Question<'h> for BrokenReference<'h> {
    type Slots = Option<Slot>;
    type Answer = bool;

    fn cause(&self) -> Cause<'h> {
        self.cause
    }

    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> Option<Slot> {
        let target = self.value.state.key()?;
        Some(reads.want_existence(pass, pass.rules[self.rule].to, target))
    }

    fn answer(
        &self,
        rules: &Rules,
        target: &Option<Slot>,
        snapshot: &Snapshot,
    ) -> Result<bool, StoreError> {
        target.map_or(Ok(false), |target| snapshot.has(rules, rules[self.rule].to, target))
    }
}
