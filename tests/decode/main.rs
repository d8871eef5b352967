//! Decoding, record by record: against Lambda's own event types, and of records that are wrong.

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

mod laws;
mod malformed;
mod types;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use referee::engine::{Clock, Engine, Outcome};
use referee::store::Memory;
use serde_json::value::RawValue;

/// Time that passes while it is waited for.
struct Patient;

impl Clock for Patient {
    fn now_ms(&self) -> i64 {
        0
    }

    async fn sleep_until_ms(&self, _: i64) {}
}

/// Processes records as a batch.
fn process(engine: &Engine, store: &Memory, records: &[&RawValue]) -> Outcome {
    let mut processing = pin!(engine.process(records, store, &Patient));
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(outcome) = processing.as_mut().poll(&mut context) {
            return outcome.unwrap();
        }
    }
}
