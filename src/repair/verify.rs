//! Checks the items of a plan again.

use std::io;

use super::claim::Claim;
use super::plan_file::{PlanError, Planned};
use super::reads::read_items;
use super::recheck::recheck;
use super::stopped::Stopped;
use crate::integrity::finding::Finding;
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::Store;

/// How many findings are checked at once. Each needs two items, and a request reads 100.
const CHUNK: usize = 50;

/// Checks every finding of a plan again, with or without a write, and reports what is left, and how
/// many findings are checked so far. Returns whether it came to the end: it ends early on request.
pub async fn verify(
    rules: &Rules,
    (store, clock): (&impl Store, &impl Clock),
    plan: impl IntoIterator<Item = Result<Planned, PlanError>>,
    stop: &Stop,
    mut progress: impl FnMut(u64),
    mut report: impl FnMut(&Finding) -> io::Result<()>,
) -> Result<bool, Stopped> {
    let mut claims: Vec<Claim> = Vec::new();
    let mut checked = 0;
    for entry in plan {
        if stop.is_set() {
            return Ok(false);
        }
        let claim = match entry? {
            Planned::Write(write) => write.claim,
            Planned::NoAction(claim) => *claim,
        };
        // A finding may have two writes, one after the other.
        if claims.last().is_some_and(|last| last.id == claim.id) {
            continue;
        }
        claims.push(claim);
        if claims.len() == CHUNK {
            check(rules, (store, clock.now_ms()), &claims, &mut report).await?;
            checked += claims.len() as u64;
            progress(checked);
            claims.clear();
        }
    }
    check(rules, (store, clock.now_ms()), &claims, &mut report).await?;
    Ok(true)
}

async fn check(
    rules: &Rules,
    (store, now_ms): (&impl Store, i64),
    claims: &[Claim],
    report: &mut impl FnMut(&Finding) -> io::Result<()>,
) -> Result<(), Stopped> {
    let names = claims.iter().flat_map(|claim| claim.items(rules));
    let items = read_items(rules, store, names).await?;
    for claim in claims {
        let item = |name: &_| items.get(name).and_then(Option::as_ref);
        if let Some(finding) = recheck(rules, claim, &item, now_ms) {
            report(&finding)?;
        }
    }
    Ok(())
}
