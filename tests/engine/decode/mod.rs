//! Decoding of records: compared with Lambda's own event types, and of malformed records.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "../support/fixture.rs"]
mod fixture;
#[path = "../support/generated.rs"]
mod generated;
#[path = "../support/history.rs"]
mod history;
#[path = "../support/patient.rs"]
mod patient;

mod laws;
mod malformed;
mod types;

use patient::Patient;
use referee::engine::{Engine, Outcome};
use referee::store::Memory;
use serde_json::value::RawValue;

/// Processes records as a batch.
fn process(engine: &Engine, store: &Memory, records: &[&RawValue]) -> Outcome {
    pollster::block_on(engine.process(records, store, &Patient)).unwrap()
}
