//! Checks that the contenders behave alike. Each processes the same sequence of changes. At the
//! end, the tables' content, the violations and all answers must be equal.
//!
//! If they differ, the benchmark fails before it measures anything.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt as _;
use referee::data::{Item, Value as Attribute};
use referee::store::{Action, Memory, Store as _, Write};
use serde_json::{Value, json};

use crate::INVOCATION_LIMIT;
use crate::contender::Contender;
use crate::database::dump;
use crate::endpoint::Endpoint;
use crate::scene::{item, mark, table};
use kit::runtime_api::Invoked;

/// The age of all changes. It exceeds every grace period, so that no contender has to wait.
const AGE: Duration = Duration::from_secs(10);

/// The maximum number of rounds until a batch causes no further records.
const ROUNDS_MAX: usize = 10;

/// A change of an item.
enum Act {
    /// Puts the item.
    Put(Value),
    /// Sets an attribute of the item.
    Set([&'static str; 2], &'static str, &'static str),
    /// Deletes the item.
    Delete([&'static str; 2]),
}

/// The state after a contender has processed the story.
#[derive(Debug, PartialEq)]
struct Ending {
    items: Vec<String>,
    violations: Vec<String>,
    answers: Vec<Value>,
}

/// Runs the story with every contender, and compares the results.
pub(crate) async fn check(endpoint: &Endpoint, contenders: &[Contender]) {
    let mut first: Option<(&str, Ending)> = None;
    for contender in contenders {
        let ending = live(endpoint, contender).await;
        match &first {
            None => first = Some((&contender.name, ending)),
            Some((name, expected)) => {
                assert_eq!(ending, *expected, "{} and {name} disagree", contender.name);
            }
        }
    }
    if let Some((_, ending)) = first {
        println!(
            "The contenders agree: {} items, {} violations, {} batches.\n",
            ending.items.len(),
            ending.violations.len(),
            ending.answers.len(),
        );
    }
}

async fn live(endpoint: &Endpoint, contender: &Contender) -> Ending {
    let store = table();
    store.set_now_ms(now_ms() - u64::try_from(AGE.as_millis()).expect("the age is small"));
    for item in seed() {
        store.seed("app", item).expect("the seed is valid");
    }
    endpoint.set_store(store);
    let mut function = contender.function();
    let mut answers = Vec::new();
    for acts in story() {
        endpoint.with_store(|store| acts.into_iter().for_each(|act| perform(store, act)));
        for round in 0.. {
            let records = endpoint.with_store(Memory::take_stream);
            if records.is_empty() {
                break;
            }
            assert!(round < ROUNDS_MAX, "{} causes further records without end", contender.name);
            // The application's records are delivered twice, because Lambda may do so.
            for _ in 0..if round == 0 { 2 } else { 1 } {
                let event = json!({ "Records": records }).to_string();
                let invoked = function.invoke(event, INVOCATION_LIMIT).await;
                let Invoked::Answer(answer) = invoked else {
                    panic!("{}: {invoked:?}: {:#?}", contender.name, function.log());
                };
                answers.push(serde_json::from_slice(&answer).expect("the answer is JSON"));
            }
        }
    }
    // Log lines written before the last answer may not have arrived yet.
    tokio::time::sleep(Duration::from_millis(100)).await;
    function.recycle().await;
    let lines = function.log().lines();
    let mut violations: Vec<_> = lines.iter().filter_map(|line| violation(line)).collect();
    violations.sort();
    Ending { items: endpoint.with_store(dump), violations, answers }
}

/// Returns the story: changes by the application and by other clients, in batches.
fn story() -> Vec<Vec<Act>> {
    let ada = ["company#acme", "user#ada@example.com"];
    let ada_mirror = ["user#ada@example.com", "company#acme"];
    let foreign = json!({ "pk": { "S": "user#zoe@example.com" }, "sk": { "S": "company#globex" } });
    let forged = json!({
        "pk": { "S": "user#ada@example.com" },
        "sk": { "S": "company#nowhere" },
        "role": { "S": "owner" },
        "_referee": mark(&"1".repeat(40)),
    });
    let mut story = recorded();
    story.extend([
        // The mirror is edited and then deleted, and a foreign item is put at the key of another
        // mirror.
        vec![Act::Set(ada_mirror, "role", "owner")],
        vec![Act::Delete(ada_mirror)],
        vec![Act::Put(foreign)],
        // A mirror without a source is created.
        vec![Act::Put(forged)],
        // A membership without a company is created, and a foreign item has the mirror's key.
        vec![Act::Put(json!({
            "pk": { "S": "company#globex" },
            "sk": { "S": "user#zoe@example.com" },
            "joinedAt": { "S": "2026-11-20" },
        }))],
        // An item and its mirror change several times in one batch.
        vec![
            Act::Set(ada, "role", "guest"),
            Act::Set(ada, "name", "Ada"),
            Act::Set(ada_mirror, "role", "owner"),
            Act::Set(ada, "role", "admin"),
        ],
        // An attribute that is not copied changes, and an item that no rule uses is created.
        vec![
            Act::Set(ada, "name", "Countess"),
            Act::Put(json!({ "pk": { "S": "x" }, "sk": { "S": "y" } })),
        ],
        vec![Act::Delete(["company#acme", "company#"])],
        vec![Act::Delete(ada)],
    ]);
    story
}

/// Returns the changes in the recorded events of the example.
fn recorded() -> Vec<Vec<Act>> {
    let folder = example().join("stream");
    let mut files: Vec<_> = folder
        .read_dir()
        .expect("the example has events")
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let event: Value = read(file);
            let records = event["Records"].as_array().expect("an event has records");
            records.iter().map(act).collect()
        })
        .collect()
}

fn act(record: &Value) -> Act {
    let change = &record["dynamodb"];
    if change["NewImage"].is_object() {
        return Act::Put(change["NewImage"].clone());
    }
    let text =
        |name: &str| change["Keys"][name]["S"].as_str().expect("keys are strings").to_owned();
    // The story is created once and lives as long as the program.
    Act::Delete([text("pk").leak(), text("sk").leak()])
}

fn seed() -> Vec<Item<'static>> {
    let seed: Value = read(&example().join("seed.json"));
    seed["app"].as_array().expect("the seed has the table").iter().map(item).collect()
}

fn example() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("events/company-user")
}

fn read(file: &Path) -> Value {
    let text = std::fs::read(file).expect("the example can be read");
    serde_json::from_slice(&text).expect("the example is JSON")
}

fn perform(store: &Memory, act: Act) {
    let key = |[pk, sk]: [&str; 2]| item(&json!({ "pk": { "S": pk }, "sk": { "S": sk } }));
    let action = match act {
        Act::Put(json) => Action::Put(item(&json)),
        Act::Delete(names) => Action::Delete(key(names)),
        Act::Set(names, name, value) => {
            let key = key(names);
            let items = store.dump().into_values().flatten();
            let is_it =
                |item: &Item<'_>| key.iter().all(|(name, value)| item.get(name) == Some(value));
            let mut item = items.into_iter().find(is_it).expect("the changed item exists");
            item.insert(name.into(), Attribute::from(value));
            Action::Put(item)
        }
    };
    let write = Write { table: "app".to_owned(), action, condition: None };
    let written = store.write(write).now_or_never().expect("the store answers at once");
    written.expect("the write is valid");
}

/// Returns the rule and kind of the violation in a log line, if it contains one.
fn violation(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let violation = if line["message"] == "violation" { &line } else { &line["violation"] };
    Some(format!("{} {}", violation["rule"].as_str()?, violation["kind"].as_str()?))
}

fn now_ms() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "records contain the current time")]
    let now = SystemTime::now();
    let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
