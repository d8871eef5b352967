//! Measures the engine's pipeline on a batch of 1,000 records with 15 attributes and two images
//! (5.9 MB). Reports the records per second and the allocations for 1, 10 and 1,000 rules, compared
//! with reading the same batch into the types of `aws_lambda_events`.
//!
//! The store answers at once, so that only decoding, matching and deciding are measured. Compare
//! numbers only within one run, not with numbers from another machine.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark whose setup fails cannot measure anything"
)]

#[path = "batch/mod.rs"]
mod batch;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use batch::RECORDS;
use referee::data::Item;
use referee::engine::Engine;
use referee::rules::{RuleSource, load};
use referee::runtime::clock::Clock;
use referee::store::{
    Answer, Page, Query, Read, Store, StoreError, Transacted, Units, Write, Written,
};

/// The number of runs: enough for a stable median.
const RUNS: usize = 21;

#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
fn main() {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::TableStyle::new());
    table.set_header(["", "median", "records per second", "allocations", "ratio"]);
    let event = event(1);
    let own_types = measure(|| {
        let event: aws_lambda_events::event::dynamodb::Event =
            serde_json::from_str(&event).expect("the batch is an event");
        black_box(event);
    });
    let mut row = |name: &str, (median, allocations): (Duration, u64)| {
        let per_second = RECORDS as f64 / median.as_secs_f64();
        let ratio = median.as_secs_f64() / own_types.0.as_secs_f64();
        table.add_row([
            name.to_owned(),
            format!("{:.2} ms", median.as_secs_f64() * 1e3),
            format!("{per_second:.0}"),
            allocations.to_string(),
            format!("{ratio:.2}"),
        ]);
    };
    row("read with aws_lambda_events' types", own_types);
    for rules in [1, 10, 1_000] {
        let event = self::event(rules);
        let engine = engine(rules);
        let run = || {
            let decoded = engine.decode(&event).expect("the batch is an event");
            let outcome = pollster::block_on(engine.process_decoded(decoded, &Answers, &Frozen));
            let outcome = outcome.expect("nothing is fatal");
            assert_eq!((outcome.violations.len(), outcome.rejected.len()), (0, 0));
            assert!(outcome.requests > 0);
        };
        row(&format!("decode, match and decide, {rules} rules"), measure(run));
    }
    let mut text = String::new();
    let _ = writeln!(text, "{RECORDS} records, {:.1} MB", event.len() as f64 / 1e6);
    let _ = writeln!(text, "{}", table.trim_fmt());
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()).expect("stdout is open");
}

/// Returns the median time of a run, and its number of allocations.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn measure(mut run: impl FnMut()) -> (Duration, u64) {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    (times[RUNS / 2], allocation_counter::measure(run).count_total)
}

/// Creates an engine with this many references, each of which connects items of its own entity.
fn engine(rules: usize) -> Engine {
    let mut text = "version: 1\ntables: { app: { key: [pk, sk] } }\nentities:\n".to_owned();
    for rule in 0..rules {
        let _ = writeln!(
            text,
            "  item{rule}: {{ table: app, key: {{ pk: \"item{rule}#{{id}}\", sk: \"item#\" }}, \
             attributes: {{ to: S }} }}"
        );
    }
    text.push_str("references:\n");
    for rule in 0..rules {
        let _ = writeln!(
            text,
            "  rule{rule}: {{ from: item{rule}, to: item{rule}, on: {{ id: \"{{to}}\" }}, find: none }}"
        );
    }
    let loaded = load(&RuleSource { name: "bench".to_owned(), text }, &|_| None);
    Engine::new(loaded.rules.expect("the rules are valid"))
}

/// Creates an event in which each record changes a reference.
fn event(rules: usize) -> String {
    batch::event((0..RECORDS).map(|index| {
        let rule = index % rules;
        let pk = format!("item{rule}#{index}");
        let image = |to: &str| batch::image([&pk, "item#"], &[("to", &format!("{to}{index}"))]);
        batch::record(index, &image("old"), &image("new"))
    }))
}

/// A store in which every item exists and every write succeeds at once.
struct Answers;

impl Store for Answers {
    async fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> Result<Answer<Vec<Option<Item<'static>>>>, StoreError> {
        answer(reads.into_iter().map(|read| Some(read.key)).collect())
    }

    async fn query(&self, _: Query) -> Result<Answer<Page>, StoreError> {
        answer(Page::default())
    }

    async fn write(&self, _: Write) -> Result<Answer<Written>, StoreError> {
        answer(Written::Applied)
    }

    async fn transact(&self, _: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        answer(Transacted::Applied)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a store's answer is a result")]
fn answer<T>(value: T) -> Result<Answer<T>, StoreError> {
    Ok(Answer { value, units: Units::default() })
}

struct Frozen;

impl Clock for Frozen {
    fn now_ms(&self) -> i64 {
        1_763_625_700_000
    }

    async fn sleep_until_ms(&self, _: i64) {}
}
