//! The pipeline, stage after stage:
//! decode → coalesce → match → mirror writes → reads → decide → confirm → repairs → outcome.

use futures_util::stream::{self, StreamExt as _};
use serde_json::value::RawValue;

use crate::engine::detect::{Departure, work};
use crate::engine::event::coalesce::coalesce;
use crate::engine::event::decode::{check_stream, decode};
use crate::engine::report::Report;
use crate::engine::report::outcome::Outcome;
use crate::engine::resolve::settle_doomed;
use crate::engine::verify::first_look::{self as first_look, decide};
use crate::engine::verify::second_look::confirm;
use crate::integrity::index::Plan;
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::meter::Metered;
use crate::runtime::reads::{CONCURRENCY, fetch};
use crate::runtime::referrers::leads_anywhere;
use crate::runtime::writes::{correct, write_mirrors};
use crate::store::{Store, StoreError};

/// The rules, ready to run.
#[derive(Debug)]
pub struct Engine {
    rules: Rules,
    plan: Plan,
}

impl Engine {
    /// Prepares the rules.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let plan = Plan::new(&rules);
        Self { rules, plan }
    }

    /// The rules.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Refuses a batch that is of no stream these rules can work with: of another service, of a
    /// table they do not have or whose key they have otherwise, or without both images.
    ///
    /// To reject its records one by one would be to lose them all. A batch is of one stream, so
    /// the first record that says so tells it for all.
    pub fn check_stream(&self, records: &[&RawValue]) -> Result<(), Fatal> {
        records
            .iter()
            .find_map(|record| check_stream(&self.rules, record))
            .unwrap_or(Ok(()))
            .map_err(Fatal)
    }

    /// Processes one batch of stream records, each still unread.
    pub async fn process<S: Store, C: Clock>(
        &self,
        records: &[&RawValue],
        store: &S,
        clock: &C,
    ) -> Result<Outcome, Fatal> {
        let rules = &self.rules;
        let store = Metered::new(store);
        let mut report = Report::new(rules, records.len());

        let mut changes = Vec::with_capacity(records.len());
        for (position, record) in records.iter().enumerate() {
            match decode(rules, &self.plan, position, record) {
                Ok(change) => changes.extend(change),
                Err(rejected) => report.reject(rejected),
            }
        }
        report.oldest(changes.iter().filter_map(|change| change.created_ms).min());
        let histories = coalesce(changes);
        let mut work = work(rules, &self.plan, &histories);
        work.rejected.drain(..).for_each(|rejected| report.reject(rejected));

        write_mirrors(rules, &store, clock, std::mem::take(&mut work.mirrored), &mut report)
            .await?;
        let snapshot = fetch(rules, &store, first_look::reads(rules, &self.plan, &work)).await;
        let leads = probe(rules, &store, &work.departures).await;
        let mut decisions = decide(rules, work, &snapshot, leads, &mut report)?;

        let outdated = std::mem::take(&mut decisions.outdated);
        correct(rules, &store, outdated, &mut report).await?;
        let doomed = std::mem::take(&mut decisions.doomed);
        settle_doomed(rules, &store, clock, doomed, &mut report).await?;
        confirm(rules, &self.plan, &store, clock, decisions.suspects, &mut report).await?;
        Ok(report.finish(&store))
    }
}

/// For each departure, whether anything may still refer to what is gone.
async fn probe<S: Store>(
    rules: &Rules,
    store: &S,
    departures: &[Departure<'_>],
) -> Vec<Result<bool, StoreError>> {
    stream::iter(departures)
        .map(|departure| async {
            if departure.finder.lags() {
                // What an index does not show yet, it may show after the grace period.
                return Ok(true);
            }
            leads_anywhere(rules, store, &departure.finder).await
        })
        .buffered(CONCURRENCY)
        .collect()
        .await
}
