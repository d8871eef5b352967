//! Hidden references: those that a mirror helps to find, while someone had deleted it.
//!
//! When a referenced item is deleted, the mirrors lead to who refers to it. A source whose mirror
//! is missing just then is not found, so what it refers to is looked up once its mirror is back:
//! whatever is deleted from then on leads to it again.

use std::collections::BTreeSet;

use crate::engine::detect::{Cause, MirrorSuspect};
use crate::engine::report::Report;
use crate::engine::resolve::{Held, HeldItem};
use crate::integrity::finding::ItemName;
use crate::integrity::index::{Plan, found_by};
use crate::integrity::mirror::Pair;
use crate::integrity::reference::{Stance, evaluate};
use crate::rules::model::{ReferenceId, Rules};
use crate::runtime::error::Fatal;
use crate::runtime::reads::{ReadSet, fetch};
use crate::store::Store;

/// A source whose mirror someone deleted, and a reference that the mirror helps to find.
#[derive(Debug, Clone)]
pub(crate) struct Hidden<'h> {
    rule: ReferenceId,
    pair: Pair,
    cause: Cause<'h>,
}

/// The references that these mirrors hide.
pub(crate) fn hidden<'h>(rules: &Rules, suspects: &[MirrorSuspect<'h>]) -> Vec<Hidden<'h>> {
    let mut hidden = Vec::new();
    for suspect in suspects {
        for rule in hidden_by(rules, suspect) {
            hidden.push(Hidden { rule, pair: suspect.pair.clone(), cause: suspect.cause });
        }
    }
    hidden
}

/// The references that a mirror hides, if it was removed.
pub(crate) fn hidden_by(
    rules: &Rules,
    suspect: &MirrorSuspect<'_>,
) -> impl Iterator<Item = ReferenceId> {
    let is_removed = suspect.removed.is_some();
    found_by(rules, suspect.pair.rule).filter(move |_| is_removed)
}

/// The hidden references whose targets do not exist.
pub(crate) async fn confirm_hidden<'h, S: Store>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    mut hidden: Vec<Hidden<'h>>,
    report: &mut Report<'_>,
) -> Result<Vec<HeldItem<'h>>, Fatal> {
    let made = claims(rules, plan, store, &hidden, report).await?;
    let missing = in_vain(rules, plan, store, made, report).await?;
    let key = |held: &Held<'_>| (held.rule, held.item.key.clone(), held.claim.stance.clone());
    let missing: BTreeSet<_> = missing.iter().map(key).collect();
    hidden.retain(|hidden| {
        missing
            .iter()
            .any(|(rule, source, _)| (*rule, source) == (hidden.rule, &hidden.pair.source))
    });
    // A source may have been deleted just before its target, and then it referred to nothing in
    // vain. So it is read once more.
    let still = claims(rules, plan, store, &hidden, report).await?;
    Ok(still.into_iter().filter(|(held, _)| missing.contains(&key(held))).collect())
}

/// Of these claims, the ones whose targets do not exist.
async fn in_vain<'h, S: Store>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    claims: Vec<HeldItem<'h>>,
    report: &mut Report<'_>,
) -> Result<Vec<Held<'h>>, Fatal> {
    let mut reads = ReadSet::default();
    for (claimed, _) in &claims {
        if let Stance::Refers(key) = &claimed.claim.stance {
            let target = rules[claimed.rule].to;
            reads.want(rules[target].table, key, plan.existence(target));
        }
    }
    let targets = fetch(rules, store, reads).await;
    let mut held = Vec::new();
    for (claimed, _) in claims {
        let Stance::Refers(key) = &claimed.claim.stance else { continue };
        match targets.has(rules, rules[claimed.rule].to, key) {
            Ok(true) => {}
            Ok(false) => held.push(claimed),
            Err(error) => report.fail(error, &claimed.cause)?,
        }
    }
    Ok(held)
}

/// What the sources of these mirrors refer to, as they are now.
async fn claims<'h, S: Store>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    hidden: &[Hidden<'h>],
    report: &mut Report<'_>,
) -> Result<Vec<HeldItem<'h>>, Fatal> {
    let mut reads = ReadSet::default();
    for hidden in hidden {
        let table = rules[rules[hidden.rule].from].table;
        reads.want(table, &hidden.pair.source, plan.referencing(hidden.rule));
    }
    let sources = fetch(rules, store, reads).await;
    let mut claims = Vec::new();
    for &Hidden { rule, ref pair, cause } in hidden {
        let reference = &rules[rule];
        let from = &rules[reference.from];
        match sources.item(from.table, &pair.source) {
            Ok(Some(source)) if from.admits(source) => {
                let Some(captures) = from.key.parse(&pair.source) else { continue };
                let item = ItemName { table: from.table, key: pair.source.clone() };
                let said = evaluate(rules, reference, &captures, source);
                claims.extend(said.into_iter().map(|claim| {
                    (Held { rule, claim, item: item.clone(), cause }, source.clone())
                }));
            }
            Ok(_) => {}
            Err(error) => report.fail(error, &cause)?,
        }
    }
    Ok(claims)
}
