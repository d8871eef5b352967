//! Runs the cases on a real endpoint. In all test runs, this is DynamoDB Local.
//!
//! If DynamoDB Local differs from AWS's documentation, the cases follow the documentation.

use std::sync::atomic::{AtomicUsize, Ordering};

use libtest_mimic::{Failed, Trial};
use referee::store::DynamoDb;
use referee::streams::{Position, RECORDS_MAX, Streams};
use serde_json::Value as Json;

use crate::harness::{self, Harness};
use kit::aws::configure;
use kit::endpoint;

use crate::Case;

/// The cases in which DynamoDB Local differs from AWS's documentation.
const DIFFERENT_IN_LOCAL: [&str; 6] = [
    // A read of a missing item is free.
    "billing::of_reads",
    "billing::of_queries",
    // Transactions cost twice as much as documented.
    "billing::of_transactions",
    // An update creates the item even if it only removes attributes.
    "updates::that_only_remove_create_no_item",
    // If an update does not fit its item, the transaction fails as invalid, instead of being
    // cancelled.
    "transactions::report_which_update_does_not_fit_its_item",
    // If an update changes a key, the error is reported for the transaction, not for the action.
    "transactions::report_which_update_is_invalid",
];

/// Returns every case as a trial on the endpoint. A trial is ignored if there is no endpoint, or if
/// DynamoDB Local differs.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, case): (&str, Case<OnEndpoint>)| {
        let trial =
            endpoint::trial(format!("endpoint::{name}"), move |endpoint| run(case, endpoint));
        let is_skipped = trial.has_ignored_flag() || DIFFERENT_IN_LOCAL.contains(&name);
        trial.with_ignored_flag(is_skipped)
    };
    crate::cases().into_iter().map(trial).chain([crate::agreement::trial()]).collect()
}

fn run(case: Case<OnEndpoint>, endpoint: &str) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { case(OnEndpoint::new(endpoint).await).await });
    Ok(())
}

/// The tables of one case, at the endpoint.
pub(crate) struct OnEndpoint {
    store: DynamoDb,
    streams: Streams,
    prefix: String,
}

impl OnEndpoint {
    /// Creates the tables. No other case uses their names.
    pub(crate) async fn new(endpoint: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("contract-{}-{count}-", std::process::id());
        let config = configure(endpoint).await;
        let store = DynamoDb::new(&config);
        for schema in harness::tables(&prefix) {
            store.create(&schema).await.unwrap();
        }
        Self { store, streams: Streams::new(&config), prefix }
    }
}

impl Harness for OnEndpoint {
    type Store = DynamoDb;

    fn store(&self) -> &DynamoDb {
        &self.store
    }

    fn table(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn stream(&self, table: &str) -> Vec<Json> {
        let stream = self.streams.latest(table).await.unwrap();
        let mut records = Vec::new();
        for shard in self.streams.shards(&stream.arn).await.unwrap() {
            let start = Position::TrimHorizon;
            let iterator = self.streams.open(&stream.arn, &shard.id, &start).await.unwrap();
            let page = self.streams.read(&stream.arn, &iterator, RECORDS_MAX).await.unwrap();
            records.extend(page.records);
        }
        records.iter().map(|record| serde_json::from_str(record.json.get()).unwrap()).collect()
    }

    async fn wait_for_indexes(&self) {}
}
