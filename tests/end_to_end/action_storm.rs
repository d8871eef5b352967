//! Many clients write under rules that delete, update and restore items, while every kind of fault
//! occurs. Then the repairs are audited.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join, join_all};
use kit::oracle::Defect;
use serde_json::Value as Json;
use tokio::time::Instant;

use crate::audit::{Deletes, dangling, key_of, row_key, unreported};
use crate::faults::drain_with_late_writes;
use crate::mapping::Settings;
use crate::rules;
use crate::soundness::audit_repairs;
use crate::stage::{Environment, Key, Stage};
use crate::storm::{changes, inject_faults};

/// The number of changes, unless `CHANGES` sets another.
const CHANGES: usize = 1_200;
/// The number of changes in a round. After each round, the clients pause until everything is
/// repaired. Without these pauses, there would soon be no item left to delete.
const ROUND: usize = 240;
const CLIENTS: usize = 8;
/// The number of possible items of each kind. It is small, so that the items interact.
const TARGETS: u64 = 8;
const ITEMS: u64 = 12;
const NODES: u64 = 40;
const SEED: u64 = 11;
/// How many times each fault is injected. It is more than once, because this storm makes fewer
/// requests than the storm in `storm.rs`.
const FAULTS: usize = 6;
/// The fraction of the function's answers that are lost, so that their batches are redelivered.
const ANSWERS_LOST: f64 = 0.05;

pub(crate) async fn storm(environment: Environment) {
    let began = Instant::now();
    let changes = changes(CHANGES);
    let stage = Stage::new(environment, rules::tangled).await;
    for _ in 0..FAULTS {
        inject_faults(&stage.proxy, &stage);
    }
    let settings = Settings {
        batch_size: 50,
        parallelization_factor: 4,
        bisect_batch_on_function_error: true,
        ..Settings::default()
    };
    let mapping = stage.mapping_of(&stage.table(), settings).await;
    let mut mapping = mapping.losing_answers(SEED, ANSWERS_LOST);
    let mut random: Vec<fastrand::Rng> =
        (0..CLIENTS as u64).map(|client| fastrand::Rng::with_seed(SEED + client)).collect();
    let (deletes, ids) = (Deletes::default(), RefCell::new(BTreeSet::new()));
    for round in 0..changes / ROUND {
        let busy = Cell::new(CLIENTS);
        let clients = random.iter_mut().enumerate().map(|(client, random)| {
            run(&stage, format!("{client}-{round}"), random, &busy, (&deletes, &ids))
        });
        join(join_all(clients), mapping.drain_while(|| busy.get() > 0)).await;
    }
    stage.proxy.stop_faults();
    drain_with_late_writes(&stage, &mut mapping).await;

    let rows = stage.rows().await;
    let repairs = audit_repairs(&mapping.records, &ids.borrow());
    let violations = stage.logged("violation");
    let dangling = dangling(&stage).await;
    let (subscriptions, others): (Vec<_>, Vec<_>) =
        dangling.iter().cloned().partition(|defect| defect.rule == "subscription_plan");
    let mut lost = unreported(&stage, &subscriptions, &mapping.records, &deletes);
    let is_too_deep = |defect: &Defect| {
        let target = defect.referenced.as_ref().map(|item| row_key(&item.key));
        target.is_some_and(|target| is_too_deep(&target, &violations))
    };
    lost.extend(others.into_iter().filter(|defect| !is_too_deep(defect)));
    #[expect(clippy::print_stdout, reason = "these numbers are the purpose of the run")]
    {
        println!(
            "changes {changes}, records {}, invocations {} ({} failed), processes {}, \
             redeliveries {}, faults {}, repairs {:?}, wrong {}, dangling {}, lost {}, in {:.1} s",
            mapping.counts.records,
            mapping.counts.invocations,
            mapping.counts.failures,
            stage.lambda.inits(),
            mapping.counts.redelivered,
            stage.proxy.faults(),
            repairs.made,
            repairs.wrong.len(),
            dangling.len(),
            lost.len(),
            began.elapsed().as_secs_f64(),
        );
    }
    // The audit saw every change, so its final table equals the real table.
    let left: BTreeMap<Key, String> =
        rows.iter().map(|row| (row.key.clone(), row.attributes["id"].clone())).collect();
    assert_eq!(repairs.left, left);
    assert_eq!(repairs.wrong, Vec::<String>::new());
    assert_eq!(lost, []);
    assert_eq!(rows.iter().find(|row| row.is_marked), None);
    assert_eq!(mapping.counts.discarded, 0);
    assert_eq!(stage.logged("record rejected"), Vec::<Json>::new());
    // Without repairs, this test would prove nothing.
    for repair in ["deleted", "unset", "marked", "restored"] {
        assert!(repairs.made.get(repair).is_some_and(|made| *made > 5), "{repair}");
    }
    assert!(stage.proxy.faults() > 100 && stage.lambda.inits() > 2);
}

/// Makes a client's share of the changes in a round. `name`, which is unique, is part of the ids of
/// the items that the client puts.
async fn run(
    stage: &Stage,
    name: String,
    random: &mut fastrand::Rng,
    busy: &Cell<usize>,
    (deletes, ids): (&Deletes, &RefCell<BTreeSet<String>>),
) {
    for number in 0..ROUND / CLIENTS {
        let ((pk, sk), reference) = item(random);
        if random.u8(..100) < 30 {
            let old = deletes.delete(stage, (pk, sk)).await;
            ids.borrow_mut().extend(old.get("id").map(|id| id.as_s().unwrap().clone()));
        } else {
            let id = format!("{name}-{number}");
            let mut item = vec![("pk", pk.as_str()), ("sk", &sk), ("id", &id)];
            item.extend(reference.as_ref().map(|(name, value)| (*name, value.as_str())));
            stage.put(&item).await;
        }
    }
    busy.set(busy.get() - 1);
}

/// Draws an item to put or delete, and the attribute that contains its reference, if it has one.
fn item(random: &mut fastrand::Rng) -> (Key, Option<(&'static str, String)>) {
    let target = random.u64(..TARGETS);
    let item = random.u64(..ITEMS);
    let key = |pk: &str, sk: &str| (format!("{pk}#{target}"), sk.to_owned());
    match random.u8(..100) {
        0..7 => (key("company", "company#"), None),
        7..15 => (key("user", "user#"), None),
        15..27 => (key("plan", "plan#"), None),
        27..46 => {
            let sponsor = random.bool().then(|| ("sponsor", random.u64(..TARGETS).to_string()));
            (key("company", &format!("member#{item}")), sponsor)
        }
        46..64 => (key("plan", &format!("of#{item}")), None),
        _ => {
            // Most nodes form a tree. Some have a random parent, which may be the node itself.
            let node = random.u64(..NODES);
            let parent = if random.u8(..8) == 0 { random.u64(..NODES) } else { node / 3 };
            let parent = (node > 0).then(|| ("parent", parent.to_string()));
            ((format!("node#{node}"), "node#".to_owned()), parent)
        }
    }
}

/// Whether a violation reports that a cascade stopped at this item because it was too deep.
fn is_too_deep(target: &Key, violations: &[Json]) -> bool {
    violations.iter().any(|violation| {
        let referenced = violation["referenced"].as_str().unwrap_or("{}");
        let referenced: Json = serde_json::from_str(referenced).unwrap();
        violation["kind"] == "depth_exceeded" && key_of(&referenced["key"]).as_ref() == Some(target)
    })
}
