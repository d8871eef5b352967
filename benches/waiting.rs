//! Measures in virtual time how long a mirror waits for suspects of the same shard: the time from the
//! write of a source to the write of its mirror, with and without a queue for suspects.
//!
//! An application writes 1,000 sources a second. One in a hundred refers to an item that does not
//! exist, and its rule has a grace period of 30 seconds. All records, also those of the mirrors, are
//! in one shard. The times of requests are typical ones, and the result hardly depends on them.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints its results, and one whose setup fails cannot measure anything"
)]

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use referee::data::{Item, Value};
use referee::engine::{Engine, Services};
use referee::replay;
use referee::rules::{RuleSource, load};
use referee::runtime::clock::Clock;
use referee::runtime::queue::Queue;
use referee::store::memory::Memory;
use referee::store::{
    Action, Answer, Page, Query, Read, Store, StoreError, Transacted, Write, Written,
};
use serde_json::value::{RawValue, to_raw_value};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep};

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  company: { table: app, key: { pk: "company#{company}", sk: "-" } }
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" } }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
references:
  member_company: { from: member, to: company, grace: 30s }
mirrors:
  membership: { source: member, mirror: member_of }
"#;

/// How long the application writes.
const WRITES_SECONDS: u64 = 300;
/// The writes before this time are not counted: the shard is not in its usual state yet.
const WARMUP_SECONDS: u64 = 60;
const WRITES_PER_SECOND: u64 = 1_000;
/// One in so many sources is a suspect.
const SUSPECT_EVERY: u64 = 100;
/// The default of the mapping.
const BATCH_SIZE: usize = 100;
/// Lambda polls a shard without records four times a second.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html>
const POLL_MS: u64 = 250;
/// The time of a request to DynamoDB or SQS.
const REQUEST_MS: u64 = 5;
/// The time between two invocations of the function.
const INVOKE_MS: u64 = 5;
/// The time at which the simulation begins, in milliseconds since 1970.
const BEGIN_MS: i64 = 1_700_000_000_000;

/// Virtual time.
#[derive(Clone, Copy)]
struct Time(Instant);

impl Clock for Time {
    fn now_ms(&self) -> i64 {
        BEGIN_MS + i64::try_from(self.0.elapsed().as_millis()).expect("the run is short")
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        let left_ms = u64::try_from(time_ms - self.now_ms()).unwrap_or(0);
        sleep(Duration::from_millis(left_ms)).await;
    }
}

/// The tables, their stream and the queue.
struct World {
    engine: Engine,
    time: Time,
    memory: Memory,
    shard: RefCell<VecDeque<Box<RawValue>>>,
    /// When each source was written, by its user.
    sources: RefCell<HashMap<String, Instant>>,
    /// The times from the writes of sources to the writes of their mirrors.
    waits: RefCell<Vec<Duration>>,
    messages: RefCell<Vec<(Instant, String)>>,
    invocations: Cell<u64>,
    busy: Cell<Duration>,
    violations: Cell<usize>,
}

impl World {
    fn new(time: Time) -> Self {
        let source = RuleSource { name: "rules".to_owned(), text: RULES.to_owned() };
        let rules = load(&source, &|_| None).rules.expect("the rules are valid");
        let memory = replay::store(&rules);
        Self {
            engine: Engine::new(rules),
            time,
            memory,
            shard: RefCell::default(),
            sources: RefCell::default(),
            waits: RefCell::default(),
            messages: RefCell::default(),
            invocations: Cell::default(),
            busy: Cell::default(),
            violations: Cell::default(),
        }
    }

    /// Puts an item, and its record on the shard.
    async fn put(&self, pk: &str, sk: &str) {
        let values = [("pk", pk), ("sk", sk)];
        let item = values.map(|(name, value)| (name.into(), Value::from(value)));
        let item: Item<'static> = item.into_iter().collect();
        let write = Write { table: "app".to_owned(), action: Action::Put(item), condition: None };
        self.apply(write).await.expect("the store has no faults");
    }

    async fn apply(&self, write: Write) -> Result<Answer<Written>, StoreError> {
        self.memory.set_now_ms(self.time.now_ms().unsigned_abs());
        let answer = self.memory.write(write).await;
        let records = self.memory.take_stream();
        let records = records.iter().map(|it| to_raw_value(it).expect("a record is JSON"));
        self.shard.borrow_mut().extend(records);
        answer
    }

    /// The application.
    async fn write(&self) {
        self.put("company#1", "-").await;
        for number in 0..WRITES_SECONDS * WRITES_PER_SECOND {
            let company = if number % SUSPECT_EVERY == 0 { "company#none" } else { "company#1" };
            let user = format!("user#{number}");
            self.put(company, &user).await;
            self.sources.borrow_mut().insert(user, Instant::now());
            sleep(Duration::from_micros(1_000_000 / WRITES_PER_SECOND)).await;
        }
    }

    /// The event source mapping of the stream.
    async fn deliver(&self, has_queue: bool) {
        loop {
            let batch: Vec<Box<RawValue>> = {
                let mut shard = self.shard.borrow_mut();
                let length = shard.len().min(BATCH_SIZE);
                shard.drain(..length).collect()
            };
            if batch.is_empty() {
                sleep(Duration::from_millis(POLL_MS)).await;
                continue;
            }
            sleep(Duration::from_millis(INVOKE_MS)).await;
            let records: Vec<&RawValue> = batch.iter().map(|record| &**record).collect();
            let began = Instant::now();
            let batch = self.engine.decode_records(&records);
            let queue = has_queue.then_some(self);
            let processing =
                self.engine.process_with(batch, Services::new(self, &self.time).with_queue(queue));
            let outcome = processing.await.expect("the store has no faults");
            self.count(began, outcome.violations.len());
        }
    }

    /// The event source mapping of the queue.
    async fn recheck(&self) {
        loop {
            let due = {
                let mut messages = self.messages.borrow_mut();
                let due = messages.iter().position(|(at, _)| *at <= Instant::now());
                due.map(|place| messages.swap_remove(place).1)
            };
            let Some(message) = due else {
                sleep(Duration::from_millis(20)).await;
                continue;
            };
            let began = Instant::now();
            let services = Services::new(self, &self.time).with_queue(Some(self));
            let judging = self.engine.recheck(&message, services);
            let judged = judging.await.expect("a message of ours");
            self.count(began, judged.outcome.violations.len());
        }
    }

    fn count(&self, began: Instant, violations: usize) {
        self.invocations.set(self.invocations.get() + 1);
        self.busy.set(self.busy.get() + began.elapsed());
        self.violations.set(self.violations.get() + violations);
    }
}

impl Store for World {
    async fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> Result<Answer<Vec<Option<Item<'static>>>>, StoreError> {
        sleep(Duration::from_millis(REQUEST_MS)).await;
        self.memory.batch_get(reads).await
    }

    async fn query(&self, query: Query) -> Result<Answer<Page>, StoreError> {
        sleep(Duration::from_millis(REQUEST_MS)).await;
        self.memory.query(query).await
    }

    async fn write(&self, write: Write) -> Result<Answer<Written>, StoreError> {
        sleep(Duration::from_millis(REQUEST_MS)).await;
        if let Action::Put(item) = &write.action
            && let Some(Value::S(user)) = item.get("pk")
            && let Some(written) = self.sources.borrow_mut().remove(&**user)
            && written.duration_since(self.time.0) > Duration::from_secs(WARMUP_SECONDS)
        {
            self.waits.borrow_mut().push(written.elapsed());
        }
        self.apply(write).await
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        sleep(Duration::from_millis(REQUEST_MS)).await;
        self.memory.transact(actions).await
    }
}

impl Queue for World {
    async fn send(&self, message: String, delay_seconds: u32) -> Result<(), String> {
        sleep(Duration::from_millis(REQUEST_MS)).await;
        let at = Instant::now() + Duration::from_secs(delay_seconds.into());
        self.messages.borrow_mut().push((at, message));
        Ok(())
    }
}

/// Runs the simulation, and returns a row of the table.
async fn run(has_queue: bool) -> [String; 6] {
    let world = Rc::new(World::new(Time(Instant::now())));
    let (stream, queue) = (Rc::clone(&world), Rc::clone(&world));
    let stream = spawn_local(async move { stream.deliver(has_queue).await });
    let queue = spawn_local(async move { queue.recheck().await });
    world.write().await;
    sleep(Duration::from_mins(2)).await;
    stream.abort();
    queue.abort();
    let mut waits = world.waits.take();
    waits.sort_unstable();
    let at = |percent: usize| {
        let wait = waits.get((waits.len() - 1) * percent / 100).expect("mirrors were written");
        format!("{:.2} s", wait.as_secs_f64())
    };
    [
        if has_queue { "with a queue" } else { "without a queue" }.to_owned(),
        at(50),
        at(99),
        world.violations.get().to_string(),
        world.invocations.get().to_string(),
        format!("{:.0} s", world.busy.get().as_secs_f64()),
    ]
}

fn main() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime without I/O");
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::TableStyle::new());
    table.set_header(["", "p50", "p99", "violations", "invocations", "time of the function"]);
    for has_queue in [false, true] {
        table.add_row(LocalSet::new().block_on(&runtime, run(has_queue)));
    }
    println!(
        "From the write of a source to that of its mirror, {WRITES_PER_SECOND} sources a second for \
         {WRITES_SECONDS} s, 1 in {SUSPECT_EVERY} suspect, `grace: 30s`:\n{table}"
    );
}
