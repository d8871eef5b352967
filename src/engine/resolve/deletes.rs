//! Departures: what is done about the items that a deleted one leaves behind.

use futures_util::stream::{self, StreamExt as _};

use super::cascade::cascade;
use super::restore::bring_back;
use crate::data::Key;
use crate::engine::detect::Departure;
use crate::engine::report::Report;
use crate::engine::report::outcome::Made;
use crate::integrity::finding::{Kind, Response};
use crate::integrity::index::Plan;
use crate::integrity::reference::Finder;
use crate::integrity::repair::Remedy;
use crate::rules::model::{OnDelete, Reference, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::reads::{CONCURRENCY, ReadSet, Snapshot, fetch};
use crate::runtime::referrers::{Trail, referring};
use crate::runtime::transactions::Fate;
use crate::store::{Store, StoreError};

/// How many of the items left behind are named.
pub(crate) const NAMED_MAX: usize = 10;

/// What was found out and done about one departure.
#[derive(Debug)]
pub(crate) struct Settled {
    /// What was done about the items left behind.
    pub(crate) response: Response,
    /// What was in the way of a repair.
    pub(crate) note: Option<String>,
    /// How many items it was, without those that could not be repaired.
    pub(crate) count: usize,
    /// Whether there may be more of them.
    pub(crate) more: bool,
    /// The first of them.
    pub(crate) named: Vec<Key<'static>>,
    /// Those that could not be repaired.
    pub(crate) left: Vec<(Key<'static>, Fate)>,
    /// Why it went no further than this, if the rule says how far it may.
    pub(crate) limit: Option<(Kind, String)>,
    /// The writes made, or those that would be.
    pub(crate) made: Vec<Made>,
    /// Why it is not done with.
    pub(crate) unfinished: Option<StoreError>,
}

impl Settled {
    /// Nobody was left behind.
    pub(crate) const fn nothing() -> Self {
        Self {
            response: Response::Reported,
            note: None,
            count: 0,
            more: false,
            named: Vec::new(),
            left: Vec::new(),
            limit: None,
            made: Vec::new(),
            unfinished: None,
        }
    }

    /// How many items the delete has touched.
    pub(crate) fn touched(&self) -> usize {
        self.count + self.left.len()
    }

    /// Whether it tells of items that no guarded write has found to refer to the target in vain.
    fn is_unguarded(&self) -> bool {
        let is_impossible = |(_, fate): &(_, Fate)| matches!(fate, Fate::Impossible(_));
        match self.response {
            Response::Repaired => self.left.iter().any(is_impossible),
            Response::Reported | Response::WouldRepair | Response::Failed => self.touched() > 0,
        }
    }

    /// What remains to be told, since the target is back: of the writes that were tried, the ones
    /// that were made and the ones that were refused.
    fn withdraw(mut self) -> Self {
        if self.response != Response::Repaired {
            return Self::nothing();
        }
        self.left.retain(|(_, fate)| matches!(fate, Fate::Failed(_)));
        self.limit = None;
        self
    }

    /// Takes in what became of one of the items.
    pub(crate) fn take(&mut self, key: Key<'static>, fate: Fate) {
        match fate {
            Fate::Repaired(made) => {
                self.count += 1;
                self.made.push(made);
                if self.named.len() < NAMED_MAX {
                    self.named.push(key);
                }
            }
            Fate::Whole => {}
            Fate::Impossible(_) | Fate::Failed(_) => self.left.push((key, fate)),
        }
    }
}

/// Looks again for those who refer to what is gone, reports them, and does what the rules ask for.
pub(crate) async fn settle_departures<S: Store, C: Clock>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    clock: &C,
    departures: Vec<Departure<'_>>,
    snapshot: &Snapshot,
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    let settled: Vec<_> = stream::iter(&departures)
        .map(|departure| settle(rules, plan, store, clock, departure, snapshot))
        .buffered(CONCURRENCY)
        .collect()
        .await;
    for (departure, settled) in departures.iter().zip(settled) {
        match settled {
            Ok(settled) => report.departure(departure, settled)?,
            Err(error) => report.fail(error, &departure.cause)?,
        }
    }
    Ok(())
}

async fn settle<S: Store, C: Clock>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    clock: &C,
    departure: &Departure<'_>,
    snapshot: &Snapshot,
) -> Result<Settled, StoreError> {
    let finder = &departure.finder;
    if snapshot.has(rules, rules[finder.rule].to, &finder.target)? {
        return Ok(Settled::nothing());
    }
    let settled = answer(rules, plan, store, clock, departure).await?;
    // Whoever refers to the target was read after it. Were both written between the two reads, all
    // would be well, and look as if it were not.
    if settled.is_unguarded() && is_back(rules, plan, store, finder).await? {
        return Ok(settled.withdraw());
    }
    Ok(settled)
}

/// Does what the rule asks for about those who refer to the target.
async fn answer<S: Store, C: Clock>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    clock: &C,
    departure: &Departure<'_>,
) -> Result<Settled, StoreError> {
    let reference = &rules[departure.finder.rule];
    let trail = Trail::new(rules, plan, &departure.finder);
    if let Some(remedy) = Remedy::of_delete(departure.action) {
        return cascade(rules, store, clock, departure, remedy, trail).await;
    }
    if departure.action == OnDelete::Restore {
        return bring_back(rules, store, departure, trail).await;
    }
    let leads = referring(store, trail, fanout_max(reference)).await?;
    let (count, more) = (leads.keys.len(), leads.more);
    let named = leads.keys.into_iter().take(NAMED_MAX).collect();
    Ok(Settled { count, more, named, ..Settled::nothing() })
}

/// Whether the target exists, read once more.
async fn is_back<S: Store>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    finder: &Finder,
) -> Result<bool, StoreError> {
    let to = rules[finder.rule].to;
    let mut reads = ReadSet::default();
    reads.want(rules[to].table, &finder.target, plan.existence(to));
    fetch(rules, store, reads).await.has(rules, to, &finder.target)
}

/// How many items one delete may touch.
pub(crate) fn fanout_max(reference: &Reference) -> usize {
    usize::try_from(reference.fanout_max).unwrap_or(usize::MAX)
}
