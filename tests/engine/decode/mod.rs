//! Decoding of records: comparison with `aws_lambda_events`, malformed records, and wrong streams.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod generated;
mod laws;
mod malformed;
mod streams;
mod types;

use kit::clocks::Patient;
use referee::engine::{Engine, Outcome};
use referee::store::Memory;
use serde_json::value::RawValue;

/// Processes records as a batch.
fn process(engine: &Engine, store: &Memory, records: &[&RawValue]) -> Outcome {
    pollster::block_on(engine.process(records, store, &Patient)).unwrap()
}
