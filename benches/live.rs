//! A live audit on DynamoDB Local, compared with a bare parallel scan that drops the items.
//!
//! `REFEREE_TEST_DYNAMODB` is the endpoint, and `REFEREE_BENCH_ITEMS` the number of items.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::stream::{self, StreamExt as _};
use kit::aws::configure;
use kit::environment::{number, variable};
use referee::audit::Options;
use referee::audit::live::rate::Limiter;
use referee::audit::live::run::{LiveAudit, Session};
use referee::replay::schemas;
use referee::rules::model::Rules;
use referee::rules::{RuleSource, load};
use referee::runtime::stop::Stop;
use referee::runtime::system_clock::SystemClock;
use referee::store::DynamoDb;
use tokio::time::Instant;

/// Half of the items refer to the other half.
const RULES: &str = r#"version: 1
tables:
  app: { name: bench-live, key: [pk, sk] }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: profile } }
  task: { table: app, key: { pk: "task#{task}", sk: task }, attributes: { owner: S } }
references:
  task_owner: { from: task, to: user, on: { user: "{owner}" }, find: none }
"#;

const TABLE: &str = "bench-live";
/// The number of segments, all read at the same time.
const SEGMENTS: u32 = 4;
const ROUNDS: usize = 7;

fn main() {
    let Some(endpoint) = variable("REFEREE_TEST_DYNAMODB") else {
        println!("live: skipped, because REFEREE_TEST_DYNAMODB names no endpoint");
        return;
    };
    let items = number("REFEREE_BENCH_ITEMS").unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(compare(&endpoint, items));
}

async fn compare(endpoint: &str, items: usize) {
    let config = configure(endpoint).await;
    let (client, store) = (Client::new(&config), DynamoDb::new(&config));
    let source = RuleSource { name: "rules".to_owned(), text: RULES.to_owned() };
    let rules = load(&source, &|_| None).rules.unwrap();
    fill(&client, &store, &rules, items).await;
    let (mut bare, mut audit) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        assert_eq!(bare_scan(&client).await, items);
        bare.push(start.elapsed());
        let start = Instant::now();
        live_audit(&rules, &store, items).await;
        audit.push(start.elapsed());
    }
    let (bare, audit) = (median(bare), median(audit));
    println!("live: {items} items");
    println!("  a bare parallel scan   {bare:.2?}");
    println!("  scan and join          {audit:.2?}");
    println!("  ratio                  {:.2}", audit.as_secs_f64() / bare.as_secs_f64());
    client.delete_table().table_name(TABLE).send().await.unwrap();
}

/// Scans all segments, and returns the number of items.
async fn bare_scan(client: &Client) -> usize {
    let segments = (0..i32::try_from(SEGMENTS).unwrap()).map(|segment| async move {
        let (mut items, mut start) = (0, None);
        loop {
            let page = client.scan().table_name(TABLE).segment(segment);
            let page = page.total_segments(i32::try_from(SEGMENTS).unwrap());
            let page = page.set_exclusive_start_key(start).send().await.unwrap();
            items += page.items().len();
            start = page.last_evaluated_key;
            if start.is_none() {
                return items;
            }
        }
    });
    let counts: Vec<usize> = stream::iter(segments).buffer_unordered(64).collect().await;
    counts.into_iter().sum()
}

/// Scans the table, and compares what the items say. Nothing is suspect.
async fn live_audit(rules: &Rules, store: &DynamoDb, items: usize) {
    let folder = tempfile::tempdir().unwrap();
    let (clock, stop) = (SystemClock, Stop::default());
    let limiter = Limiter::new(None, &clock);
    let session = Session { store, clock: &clock, limiter: &limiter, stop: &stop };
    let mut live = LiveAudit::begin(rules, folder.path(), 0, |_| SEGMENTS).unwrap();
    live.scan(session, (SEGMENTS, false), &mut |_| {}).await.unwrap();
    let options = Options {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        memory_bytes_max: 96 << 20,
        temporary: std::env::temp_dir(),
        reports_unknown: false,
        now_ms: 0,
    };
    assert_eq!(live.join(&options).unwrap().count(), 0);
    assert_eq!(usize::try_from(live.tally().items), Ok(items));
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Creates the table, with items of about 500 bytes.
async fn fill(client: &Client, store: &DynamoDb, rules: &Rules, items: usize) {
    // If the endpoint keeps running between runs, a table of an earlier run may still exist.
    let _ = client.delete_table().table_name(TABLE).send().await;
    for schema in schemas(rules) {
        store.create(&schema).await.unwrap();
    }
    let numbers: Vec<usize> = (0..items).collect();
    let batches = numbers.chunks(25).map(|numbers| async move {
        let puts = numbers.iter().map(|number| put(*number)).collect();
        client.batch_write_item().request_items(TABLE, puts).send().await.unwrap();
    });
    stream::iter(batches).buffer_unordered(16).collect::<Vec<()>>().await;
}

fn put(number: usize) -> WriteRequest {
    let name = number / 2;
    let texts = if number.is_multiple_of(2) {
        vec![("pk", format!("user#{name}")), ("sk", "profile".to_owned())]
    } else {
        let owner = ("owner", name.to_string());
        vec![("pk", format!("task#{name}")), ("sk", "task".to_owned()), owner]
    };
    let filler = (0..10).map(|index| (format!("attribute{index}"), format!("{number:040}")));
    let texts = texts.into_iter().map(|(name, text)| (name.to_owned(), text)).chain(filler);
    let item: HashMap<_, _> = texts.map(|(name, text)| (name, AttributeValue::S(text))).collect();
    let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
    WriteRequest::builder().put_request(put).build()
}
