//! Writes of mirrors that were refused although nobody else's item is at the mirror's key.

use super::question::{Asked, Question};
use crate::data::Item;
use crate::engine::detect::ChangedSource;
use crate::engine::event::change::Cause;
use crate::engine::report::Report;
use crate::integrity::mirror::{self, Mark};
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::pass::Pass;
use crate::runtime::reads::{ReadSet, Slot, Snapshot};
use crate::store::{Store, StoreError};

/// A write that was refused because the mirror has a higher fence, and is different.
#[derive(Debug, Clone)]
pub(crate) struct RefusedWrite<'s, 'h> {
    /// The changed source.
    pub(crate) source: &'s ChangedSource<'h>,
    /// The fence that the mirror had.
    pub(crate) fence: String,
}

impl<'s, 'h> RefusedWrite<'s, 'h> {
    /// The refused write, if the mirror that came back is not as it should be after this change.
    ///
    /// A mirror with the fence of this change was written for it. If it is different, someone has
    /// edited it since, which has a record of its own.
    pub(crate) fn of(
        source: &'s ChangedSource<'h>,
        mirror: &Item<'_>,
        mark: Mark<'_>,
    ) -> Option<Self> {
        let is_right =
            source.content.as_ref().is_some_and(|content| mirror::is_same(mirror, content));
        let is_higher = *mark.fence > *source.sequence.fence();
        (is_higher && !is_right).then(|| Self { source, fence: mark.fence.into_owned() })
    }
}

/// Reads the sources, and returns the writes whose change is the newest one of its source.
pub(crate) async fn newest<'s, 'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    refused: Vec<RefusedWrite<'s, 'h>>,
    report: &mut Report,
) -> Result<Vec<RefusedWrite<'s, 'h>>, Fatal> {
    let mut reads = ReadSet::default();
    let sources = Asked::ask(refused, pass, &mut reads);
    let snapshot = reads.fetch(pass).await;
    let answers = sources.answers(pass.rules, &snapshot, report)?.into_iter();
    Ok(answers.filter_map(|(refused, is_newest)| is_newest.then_some(refused)).collect())
}

/// Does the source still require the mirror that this change calls for?
impl<'h> Question<'h> for RefusedWrite<'_, 'h> {
    type Slots = Slot;
    type Answer = bool;

    fn cause(&self) -> Cause<'h> {
        self.source.cause
    }

    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> Slot {
        let pair = &self.source.pair;
        let table = pass.rules.source_of(pair.rule).table;
        reads.want(table, &pair.source, pass.index.source(pair.rule))
    }

    fn answer(
        &self,
        rules: &Rules,
        source: &Slot,
        snapshot: &Snapshot,
    ) -> Result<bool, StoreError> {
        let expected = mirror::expected(rules, &self.source.pair, snapshot.item(*source)?);
        Ok(expected == self.source.content)
    }
}
