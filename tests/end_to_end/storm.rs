//! Many clients write while every kind of fault occurs. Then the result is audited.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{join, join_all};
use kit::environment;
use serde_json::Value as Json;
use tokio::time::{Instant, sleep};

use crate::audit::{Deletes, dangling, divergences, unreported};
use crate::faults::drain_with_late_writes;
use crate::mapping::Settings;
use crate::proxy::{ALL, Fault, Proxy, WRITES, When};
use crate::rules;
use crate::stage::{Environment, Key, Stage};

/// The number of changes, unless `CHANGES` sets another.
const CHANGES: usize = 1_000;
const CLIENTS: usize = 8;
const COMPANIES: u64 = 16;
const USERS: u64 = 32;
/// The number of writes that a client makes at a time, and the pause after them. DynamoDB Local is
/// a single process, so the clients must leave some of its capacity to the function.
const BATCH: usize = 10;
const PAUSE_MS: u64 = 50;
const SEED: u64 = 7;
/// How many times each fault is injected, for more of them in few requests.
const FAULTS: usize = 3;
/// The fraction of the function's answers that are lost, so that their batches are redelivered.
const ANSWERS_LOST: f64 = 0.05;

pub(crate) async fn storm(environment: Environment) {
    let began = Instant::now();
    let changes = changes(CHANGES);
    let stage = Stage::new(environment, rules::company).await;
    for _ in 0..FAULTS {
        inject_faults(&stage.proxy, &stage);
    }
    let settings = Settings {
        batch_size: 200,
        parallelization_factor: 2,
        bisect_batch_on_function_error: true,
        ..Settings::default()
    };
    let mapping = stage.mapping_of(&stage.table(), settings).await;
    let mut mapping = mapping.losing_answers(SEED, ANSWERS_LOST);
    let (busy, deletes) = (Cell::new(CLIENTS), Deletes::default());
    let clients = join_all(
        (0..CLIENTS).map(|client| run(&stage, client, changes / CLIENTS, &busy, &deletes)),
    );
    join(clients, mapping.drain_while(|| busy.get() > 0)).await;
    stage.proxy.stop_faults();
    drain_with_late_writes(&stage, &mut mapping).await;

    let rows = stage.rows().await;
    let divergences = divergences(&stage).await;
    let violations = stage.logged("violation");
    let dangling = dangling(&stage).await;
    let lost = unreported(&stage, &dangling, &mapping.records, &deletes);
    let (counts, requests) = (mapping.counts, stage.proxy.requests());
    #[expect(clippy::print_stdout, reason = "these numbers are the purpose of the run")]
    {
        println!(
            "changes {changes}, records {}, invocations {} ({} failed), processes {}, mirrors {}, \
         redeliveries {}, faults {} of {} requests, violations {}, dangling {}, divergences {}, \
         lost {}, in {:.1} s",
            counts.records,
            counts.invocations,
            counts.failures,
            stage.lambda.inits(),
            rows.iter().filter(|row| row.is_marked).count(),
            counts.redelivered,
            stage.proxy.faults(),
            requests.values().sum::<u64>(),
            violations.len(),
            dangling.len(),
            divergences.len(),
            lost.len() + counts.discarded,
            began.elapsed().as_secs_f64(),
        );
    }
    assert_eq!(divergences, Vec::<String>::new());
    assert_eq!(lost, []);
    assert_eq!(counts.discarded, 0);
    assert_eq!(stage.logged("record rejected"), Vec::<Json>::new());
    // Without redeliveries, dangling references and faults, this test would prove nothing.
    assert!(counts.records > changes && counts.redelivered > changes / 20);
    assert!(!dangling.is_empty() && stage.proxy.faults() > 100 && stage.lambda.inits() > 5);
}

/// Injects every kind of fault, each with its own probability.
pub(crate) fn inject_faults(proxy: &Proxy, stage: &Stage) {
    let kill = &stage.lambda.kill;
    for (operations, chance, fault) in [
        (WRITES, 0.0005, Fault::KilledBefore(kill.clone())),
        (WRITES, 0.0005, Fault::KilledAfter(kill.clone())),
        (ALL, 0.01, Fault::Throttled),
        (WRITES, 0.01, Fault::Conflict),
        (ALL, 0.003, Fault::Status(500)),
        (ALL, 0.003, Fault::Status(503)),
        (ALL, 0.003, Fault::CutOff),
        (ALL, 0.003, Fault::Dropped),
        (WRITES, 0.005, Fault::Late(200)),
        (ALL, 0.003, Fault::Slow(100)),
        (ALL, 0.05, Fault::Unprocessed),
    ] {
        proxy.inject(operations, When::Chance(chance), fault);
    }
}

/// Returns the number of changes that a storm makes: `CHANGES`, or this default.
pub(crate) fn changes(default: usize) -> usize {
    environment::number("CHANGES").unwrap_or(default)
}

/// Makes a client's share of the changes.
async fn run(stage: &Stage, client: usize, share: usize, busy: &Cell<usize>, deletes: &Deletes) {
    let mut random = fastrand::Rng::with_seed(SEED + client as u64);
    // A batch contains each item at most once.
    let mut batch = BTreeMap::new();
    for number in 0..share {
        match change(&mut random, &format!("role-{client}-{number}")) {
            Change::Write(key, item) => {
                batch.insert(key, item);
            }
            Change::Delete(key) => {
                batch.remove(&key);
                deletes.delete(stage, key).await;
            }
            Change::Tamper(user, company, role) => {
                stage.set_role_if_exists(&user, &company, &role).await;
            }
        }
        if batch.len() == BATCH || number + 1 == share {
            stage.write_batch(std::mem::take(&mut batch)).await;
            sleep(Duration::from_millis(PAUSE_MS)).await;
        }
    }
    busy.set(busy.get() - 1);
}

/// A change by a client.
enum Change {
    /// An item is put with this role, or deleted.
    Write(Key, Option<String>),
    /// An item that others refer to is deleted.
    Delete(Key),
    /// The role of a mirror is changed, if it exists.
    Tamper(String, String, String),
}

/// Draws a random change: usually of a membership, sometimes of a company, a user or a mirror.
fn change(random: &mut fastrand::Rng, role: &str) -> Change {
    let company = format!("company#{}", random.u64(..COMPANIES));
    let user = format!("user#{}", random.u64(..USERS));
    let role = role.to_owned();
    let put = |pk, sk: &str| Change::Write((pk, sk.to_owned()), Some(role.clone()));
    let delete = |pk, sk: &str| Change::Write((pk, sk.to_owned()), None);
    match random.u8(..100) {
        0..50 => put(company, &user),
        50..65 => delete(company, &user),
        65..73 => put(company, "company#"),
        73..82 => put(user, "user#"),
        82..84 => Change::Delete((company, "company#".to_owned())),
        84..86 => Change::Delete((user, "user#".to_owned())),
        86..91 => Change::Tamper(user, company, role),
        _ => delete(user, &company),
    }
}
