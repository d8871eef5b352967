//! Hidden references: those that a mirror helps to find, while someone had deleted it.
//!
//! When a referenced item is deleted, the mirrors lead to who refers to it. A source whose mirror
//! is missing just then is not found, so what it refers to is looked up once its mirror is back:
//! whatever is deleted from then on leads to it again.

use super::mirror::Pair;
use super::plan::Plan;
use super::process::Fatal;
use super::reads::{ReadSet, fetch};
use super::reference::{Claim, Stance, evaluate};
use super::report::Report;
use super::violation::ItemName;
use super::work::{Cause, MirrorSuspect};
use crate::rules::model::{Find, Mode, ReferenceId, Rules};
use crate::store::Store;

/// A source whose mirror someone deleted, and a reference that the mirror helps to find.
#[derive(Debug, Clone)]
pub(super) struct Hidden<'h> {
    rule: ReferenceId,
    pair: Pair,
    cause: Cause<'h>,
}

/// The references that these mirrors hide.
pub(super) fn hidden<'h>(rules: &Rules, suspects: &[MirrorSuspect<'h>]) -> Vec<Hidden<'h>> {
    let mut hidden = Vec::new();
    for suspect in suspects.iter().filter(|suspect| suspect.removed.is_some()) {
        for (place, reference) in rules.references.iter().enumerate() {
            let is_found_by_it =
                matches!(reference.find, Find::Mirror(id) if id == suspect.pair.rule);
            if is_found_by_it && reference.mode != Mode::Off {
                let (rule, pair) = (ReferenceId(place), suspect.pair.clone());
                hidden.push(Hidden { rule, pair, cause: suspect.cause });
            }
        }
    }
    hidden
}

/// Reports the hidden references whose targets do not exist.
pub(super) async fn confirm_hidden<S: Store>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    hidden: Vec<Hidden<'_>>,
    report: &mut Report<'_>,
) -> Result<(), Fatal> {
    let claims = claims(rules, plan, store, hidden, report).await?;
    let mut reads = ReadSet::default();
    for (hidden, claim) in &claims {
        if let Stance::Refers(key) = &claim.stance {
            let target = rules[hidden.rule].to;
            reads.want(rules[target].table, key, plan.existence(target));
        }
    }
    let targets = fetch(rules, store, reads).await;
    for (Hidden { rule, pair, cause }, claim) in claims {
        let Stance::Refers(key) = &claim.stance else { continue };
        let reference = &rules[rule];
        let to = &rules[reference.to];
        match targets.item(to.table, key) {
            Ok(Some(target)) if to.admits(target) => {}
            Ok(_) => {
                let item = ItemName { table: rules[reference.from].table, key: pair.source };
                report.claim(rule, &claim, item, &cause);
            }
            Err(error) => report.fail(error, &cause)?,
        }
    }
    Ok(())
}

/// What the sources of these mirrors refer to, as they are now.
async fn claims<'h, S: Store>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    hidden: Vec<Hidden<'h>>,
    report: &mut Report<'_>,
) -> Result<Vec<(Hidden<'h>, Claim)>, Fatal> {
    let mut reads = ReadSet::default();
    for hidden in &hidden {
        let table = rules[rules[hidden.rule].from].table;
        reads.want(table, &hidden.pair.source, plan.referencing(hidden.rule));
    }
    let sources = fetch(rules, store, reads).await;
    let mut claims = Vec::new();
    for hidden in hidden {
        let reference = &rules[hidden.rule];
        let from = &rules[reference.from];
        match sources.item(from.table, &hidden.pair.source) {
            Ok(Some(source)) if from.admits(source) => {
                let Some(captures) = from.key.parse(&hidden.pair.source) else { continue };
                let said = evaluate(rules, reference, &captures, source);
                claims.extend(said.into_iter().map(|claim| (hidden.clone(), claim)));
            }
            Ok(_) => {}
            Err(error) => report.fail(error, &hidden.cause)?,
        }
    }
    Ok(claims)
}
