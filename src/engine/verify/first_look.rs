//! Deciding: from work and what was read to what is clean, what is put right at once, and what is
//! suspect.

use crate::data::Key;
use crate::engine::detect::{Cause, Doomed, Work};
use crate::engine::report::Report;
use crate::engine::verify::suspects::Suspects;
use crate::integrity::index::Plan;
use crate::integrity::mirror::{self, Fix, Pair, Verdict};
use crate::integrity::reference::Stance;
use crate::rules::model::{MirrorId, Mode, Rules};
use crate::runtime::error::Fatal;
use crate::runtime::reads::{ReadSet, Snapshot};
use crate::store::StoreError;

/// What was decided.
#[derive(Debug)]
pub(crate) struct Decisions<'h> {
    /// Mirrors of ours that are out of date.
    pub(crate) outdated: Vec<Outdated<'h>>,
    /// Items that a cascade marked, each with the target that it refers to in vain, if there is
    /// one.
    pub(crate) doomed: Vec<(Doomed<'h>, Option<Key<'static>>)>,
    /// What looks like a violation.
    pub(crate) suspects: Suspects<'h>,
}

/// A mirror of ours that is out of date: no violation, and put right at once.
#[derive(Debug)]
pub(crate) struct Outdated<'h> {
    pub(crate) pair: Pair,
    pub(crate) fix: Fix,
    pub(crate) cause: Cause<'h>,
}

/// What must be read to decide.
pub(crate) fn reads<'p>(rules: &Rules, plan: &'p Plan, work: &Work<'_>) -> ReadSet<'p> {
    let mut reads = ReadSet::default();
    for made in &work.claims {
        if let Stance::Refers(key) = &made.claim.stance {
            let target = rules[made.rule].to;
            reads.want(rules[target].table, key, plan.existence(target));
        }
    }
    for doomed in &work.doomed {
        let target = rules[doomed.rule].to;
        for key in &doomed.targets {
            reads.want(rules[target].table, key, plan.existence(target));
        }
    }
    for echo in &work.echoes {
        let source = rules[echo.pair.rule].source;
        reads.want(rules[source].table, &echo.pair.source, plan.source(echo.pair.rule));
    }
    reads
}

/// Decides, given what was read and which departures led to anything.
pub(crate) fn decide<'h>(
    rules: &Rules,
    work: Work<'h>,
    snapshot: &Snapshot,
    leads: Vec<Result<bool, StoreError>>,
    report: &mut Report<'_>,
) -> Result<Decisions<'h>, Fatal> {
    let mut suspects = Suspects { mirrors: work.shadowed, ..Suspects::default() };
    let mut outdated = Vec::new();
    for made in work.claims {
        let Stance::Refers(key) = &made.claim.stance else {
            suspects.claims.push(made);
            continue;
        };
        match snapshot.has(rules, rules[made.rule].to, key) {
            Ok(true) => {}
            Ok(false) => suspects.claims.push(made),
            Err(error) => report.fail(error, &made.cause)?,
        }
    }
    for echo in work.echoes {
        let rule: MirrorId = echo.pair.rule;
        let source = match snapshot.item(rules[rules[rule].source].table, &echo.pair.source) {
            Ok(source) => source,
            Err(error) => {
                report.fail(error, &echo.cause)?;
                continue;
            }
        };
        let verdict = mirror::verify(rules, &echo.pair, echo.cause.change, source);
        match verdict {
            Verdict::Clean => {}
            Verdict::Outdated(fix) if rules[rule].mode == Mode::Enforce => {
                outdated.push(Outdated { pair: echo.pair, fix, cause: echo.cause });
            }
            Verdict::Outdated(_) | Verdict::Suspect => {
                suspects.mirrors.push(echo.into_suspect(rules));
            }
        }
    }
    let mut doomed = Vec::with_capacity(work.doomed.len());
    for of in work.doomed {
        match missing_target(rules, &of, snapshot) {
            Ok(target) => doomed.push((of, target)),
            Err(error) => report.fail(error, &of.cause)?,
        }
    }
    for (departure, leads) in work.departures.into_iter().zip(leads) {
        match leads {
            Ok(false) => {}
            Ok(true) => suspects.departures.push(departure),
            Err(error) => report.fail(error, &departure.cause)?,
        }
    }
    Ok(Decisions { outdated, doomed, suspects })
}

/// The first target that a doomed item refers to in vain.
fn missing_target(
    rules: &Rules,
    doomed: &Doomed<'_>,
    snapshot: &Snapshot,
) -> Result<Option<Key<'static>>, StoreError> {
    for key in &doomed.targets {
        if !snapshot.has(rules, rules[doomed.rule].to, key)? {
            return Ok(Some(key.clone()));
        }
    }
    Ok(None)
}
