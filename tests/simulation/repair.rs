//! The repair of random tables under random rules, judged by the independent oracle.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use referee::data::{Item, Key};
use referee::repair::{Choice, Entry, NoAction, Options, Outcome};
use referee::replay;
use referee::rules::model::{Rules, TableId};
use referee::store::Memory;

use kit::oracle::{Dump, Oracle};
use kit::planted;
use kit::repairs::{MemoryLog, Plan, undo};

use crate::loaded;

/// The maximum number of items of an entity.
const PER_ENTITY: usize = 12;
/// A deleted item may leave others that refer to it, which the next round repairs.
const ROUNDS_MAX: usize = 50;

/// What was tried.
#[derive(Debug, Default)]
pub(crate) struct Total {
    tables: u64,
    rounds: u64,
    writes: u64,
    without_action: u64,
}

/// Plans and applies repairs until nothing is left to write, and takes them all back. Returns what
/// went wrong.
pub(crate) fn repair(seed: u64, total: &mut Total) -> Result<(), String> {
    let Some((loaded, mut rng)) = loaded::rules(seed) else { return Ok(()) };
    let mut rules = loaded.rules.clone();
    choose(&mut rules, &mut rng);
    let store = store(&rules, &planted::tables(&rules, PER_ENTITY, &mut rng));
    let tables = store.dump();
    let options = Options { adopt: rng.bool(), only_missing: false };
    total.tables += 1;
    check(&rules, &store, &tables, options, total)
        .map_err(|why| format!("seed {seed}: {why}\n{}", loaded.text))
}

/// Chooses actions for some rules, as `--action` does.
fn choose(rules: &mut Rules, rng: &mut Rng) {
    let references = rules.references.iter().map(|rule| &rule.name);
    let names: Vec<String> =
        references.chain(rules.mirrors.iter().map(|rule| &rule.name)).cloned().collect();
    for rule in names {
        let actions = ["delete", "unset", "set_default", "restore", "overwrite", "none"];
        let action = (*rng.choice(&actions).unwrap()).to_owned();
        // Not every action is possible for every rule.
        let _ = referee::repair::choose(rules, &Choice { rule, action });
    }
}

fn check(
    rules: &Rules,
    store: &Memory,
    tables: &Dump,
    options: Options,
    total: &mut Total,
) -> Result<(), String> {
    let mut logs = Vec::new();
    loop {
        let before = items(rules, store);
        let plan = Plan::new(rules, store, options);
        if items(rules, store) != before {
            return Err("a plan wrote something".to_owned());
        }
        let writes = plan.writes(rules);
        if writes.is_empty() {
            total.without_action += plan.entries.len() as u64;
            nothing_is_left(rules, store, &plan)?;
            break;
        }
        if logs.len() == ROUNDS_MAX {
            return Err(format!("there is no end to it: {:?}", plan.entries));
        }
        let mut log = plan.log();
        let mut outcomes = Vec::new();
        let applied = plan.apply_with(rules, store, &mut log, &mut outcomes).unwrap().unwrap();
        if applied.applied != writes.len() as u64 {
            let failed = outcomes.iter().filter(|(_, it)| !matches!(it, Outcome::Applied));
            let write = |number: u64| writes.iter().find(|write| write.number == number);
            let failed = failed.map(|(number, why)| (write(*number), why));
            return Err(format!(
                "{applied:?}, of {}: {:?}",
                writes.len(),
                failed.collect::<Vec<_>>()
            ));
        }
        let mut expected = before;
        for write in &writes {
            let item = write.item().unwrap();
            match write.after.clone() {
                Some(after) => expected.insert((item.table, item.key.clone()), after),
                None => expected.remove(&(item.table, item.key.clone())),
            };
        }
        if items(rules, store) != expected {
            return Err("the tables are not as planned".to_owned());
        }
        // A second time, with the same journal and with another one, it has no effect.
        let again = plan.apply(rules, store, &mut log).unwrap().unwrap();
        let other = plan.apply(rules, store, &mut plan.log()).unwrap().unwrap();
        let is_same = items(rules, store) == expected;
        if again.earlier != applied.applied || other.applied > 0 || !is_same {
            return Err(format!("a second time, it has an effect: {again:?} {other:?}"));
        }
        total.writes += applied.applied;
        total.rounds += 1;
        logs.push(log);
    }
    taken_back(rules, store, tables, logs)
}

/// Checks that everything that is wrong is listed with a reason.
fn nothing_is_left(rules: &Rules, store: &Memory, plan: &Plan) -> Result<(), String> {
    let mut listed = BTreeSet::new();
    for entry in &plan.entries {
        let Entry::NoAction(claim, why) = entry else { continue };
        if matches!(why, NoAction::Resolved | NoAction::Covered { .. }) {
            return Err(format!("an audit just found {claim:?}, and the plan says {why:?}"));
        }
        let name = |item: &referee::integrity::finding::ItemName| (item.table, item.key.clone());
        let referencing = claim.referencing.as_ref().map(name);
        let referenced = claim.referenced.as_ref().map(name);
        listed.insert((claim.rule.clone(), claim.kind.name().to_owned(), referencing, referenced));
    }
    for defect in Oracle::new(rules, store.dump()).audited() {
        let name = |item: kit::oracle::ItemName| (item.table, item.key);
        let (referencing, referenced) =
            (Some(name(defect.referencing)), defect.referenced.map(name));
        let defect = (defect.rule, defect.kind, referencing, referenced);
        if !listed.contains(&defect) {
            return Err(format!("neither repaired nor listed: {defect:?}"));
        }
    }
    Ok(())
}

fn taken_back(
    rules: &Rules,
    store: &Memory,
    tables: &Dump,
    logs: Vec<MemoryLog>,
) -> Result<(), String> {
    for mut log in logs.into_iter().rev() {
        let first = undo(rules, store, &mut log).unwrap().unwrap();
        let second = undo(rules, store, &mut log).unwrap().unwrap();
        if first.kept + first.failed + first.not_made > 0 || second.earlier != first.undone {
            return Err(format!("not all was taken back: {first:?} {second:?}"));
        }
    }
    if store.dump() == *tables { Ok(()) } else { Err("the tables are not as before".to_owned()) }
}

fn store(rules: &Rules, tables: &Dump) -> Memory {
    let store = replay::store(rules);
    for (table, items) in tables {
        for item in items {
            // DynamoDB has no item with a key of the wrong type for an index.
            let _ = store.seed(table, item.clone());
        }
    }
    store
}

fn items(rules: &Rules, store: &Memory) -> BTreeMap<(TableId, Key<'static>), Item<'static>> {
    let mut found = BTreeMap::new();
    for (name, items) in store.dump() {
        let (table, schema) = rules.table_named(&name).unwrap();
        for item in items {
            found.insert((table, schema.key_of(&item).unwrap().into_owned()), item);
        }
    }
    found
}
