//! Writes the mirrors of changed sources, corrects Referee's own outdated mirrors, and reports and
//! corrects mirrors that others changed, as their rules say.

use crate::data::SequenceNumber;
use crate::engine::detect::ChangedSource;
use crate::engine::event::change::Cause;
use crate::engine::report::violation::Response;
use crate::engine::report::{Report, violation_name};
use crate::engine::verify::{BrokenMirror, OutdatedMirror, RefusedWrite, newest};
use crate::integrity::finding::{Defect, Finding};
use crate::integrity::mirror::{self, Mark, Step};
use crate::rules::model::Mode;
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::pass::Pass;
use crate::runtime::repair_log::StartedRepair;
use crate::runtime::writes::{Ending, item_writes, perform_all, perform_while};
use crate::store::{Store, StoreError};

/// Writes the mirrors of changed sources, before anything is read: lookups may use them.
///
/// If there is a deadline, writes start only in the first half of the time before it. Each
/// redelivery of a record repeats its writes. If they used all the time, not even the first record
/// could ever be finished, and the batch would be redelivered for ever.
pub(crate) async fn write_mirrors(
    pass: Pass<'_, impl Store, impl Clock>,
    sources: Vec<ChangedSource<'_>>,
    report: &mut Report,
) -> Result<(), Fatal> {
    let Pass { rules, store, clock, .. } = pass;
    let steps = sources.iter().map(|source| {
        mirror::steps_of_change(rules, &source.pair, source.content.clone(), source.sequence)
    });
    let began_ms = clock.now_ms();
    let last_ms = clock.deadline_ms().map(|deadline_ms| began_ms.midpoint(deadline_ms));
    let has_time = || last_ms.is_none_or(|last_ms| clock.now_ms() <= last_ms);
    let performed = perform_while(has_time, rules, store, steps).await;
    let mut refused = Vec::new();
    for (source, performed) in sources.iter().zip(performed) {
        let rule = &rules[source.pair.rule];
        report.writes(&rule.name, performed.writes, &source.cause);
        match performed.ending {
            Ok(Ending::Refused(Some(current))) => match Mark::of(&current, rule) {
                Some(mark) => refused.extend(RefusedWrite::of(source, &current, mark)),
                None if source.content.is_some() => {
                    let finding = mirror::finding(rules, &source.pair, Defect::MirrorBlocked);
                    report.violation(finding, Response::Reported, &source.cause);
                }
                None => {}
            },
            Ok(Ending::Done | Ending::Refused(None)) => {}
            Err(error) => report.fail(error, &source.cause)?,
        }
    }
    correct_refused(pass, refused, report).await
}

/// Writes the mirrors that were refused because of a fence that does not come from this stream.
///
/// A higher fence is usually that of a newer change of the source, whose record has written the
/// mirror or will do so. But sequence numbers have no order between streams: the mirror may come
/// from a restored or copied table, or from a stream that was switched off and on, or its fence may
/// be forged. If the source is still as this change left it, the change is the newest one, and it
/// replaces the fence that was seen with its own number.
async fn correct_refused(
    pass: Pass<'_, impl Store, impl Clock>,
    refused: Vec<RefusedWrite<'_, '_>>,
    report: &mut Report,
) -> Result<(), Fatal> {
    let Pass { rules, store, clock, .. } = pass;
    let newest = newest(pass, refused, report).await?;
    let steps = newest.iter().map(|RefusedWrite { source, fence }| {
        let ChangedSource { pair, content, sequence, .. } = source;
        mirror::steps_of_replacement(rules, pair, content.clone(), sequence, fence)
    });
    let performed = perform_while(|| clock.has_time(), rules, store, steps).await;
    for (RefusedWrite { source, .. }, performed) in newest.iter().zip(performed) {
        report.writes(&rules[source.pair.rule].name, performed.writes, &source.cause);
        // A mirror that has changed since it was seen has a record of its own.
        if let Err(error) = performed.ending {
            report.fail(error, &source.cause)?;
        }
    }
    Ok(())
}

/// Corrects Referee's own mirrors that are out of date. A refused write needs no response: the
/// mirror has changed since, and that change has a record of its own.
pub(crate) async fn correct_mirrors(
    pass: Pass<'_, impl Store, impl Clock>,
    outdated: Vec<OutdatedMirror<'_>>,
    report: &mut Report,
) -> Result<(), Fatal> {
    let Pass { rules, store, clock, .. } = pass;
    let steps = outdated.iter().map(|OutdatedMirror { pair, correction, cause }| {
        mirror::steps_of_correction(rules, pair, correction.clone(), fix(cause, clock))
    });
    let performed = perform_all(rules, store, steps).await;
    for (outdated, performed) in outdated.iter().zip(performed) {
        report.writes(&rules[outdated.pair.rule].name, performed.writes, &outdated.cause);
        if let Err(error) = performed.ending {
            report.fail(error, &outdated.cause)?;
        }
    }
    Ok(())
}

/// Reports mirrors that differ from their sources, and corrects them as their rules say.
pub(crate) async fn resolve_mirrors(
    pass: Pass<'_, impl Store, impl Clock>,
    broken: Vec<BrokenMirror<'_>>,
    report: &mut Report,
) -> Result<(), Fatal> {
    let Pass { rules, store, clock, .. } = pass;
    let mut corrections: Vec<(BrokenMirror<'_>, Vec<Step>)> = Vec::new();
    for broken in broken {
        let (pair, cause) = (&broken.suspect.pair, &broken.suspect.cause);
        let Some(correction) = broken.difference.correction.clone() else {
            report_mirror(pass, &broken, Response::Reported, report);
            continue;
        };
        let steps = mirror::steps_of_correction(rules, pair, correction, fix(cause, clock));
        let rule = &rules[pair.rule];
        if rule.mode == Mode::Enforce {
            corrections.push((broken, steps));
            continue;
        }
        let writes = steps.iter().flat_map(|step| item_writes(rules, step));
        report.planned(&rule.name, writes, cause);
        report_mirror(pass, &broken, Response::WouldRepair, report);
    }
    // A sequence is built, and so logged, when its turn comes.
    let steps = corrections.iter().map(|(broken, steps)| {
        log(pass, broken, steps);
        steps.clone()
    });
    let performed = perform_all(rules, store, steps).await;
    for ((broken, _), performed) in corrections.iter().zip(performed) {
        let cause = &broken.suspect.cause;
        report.writes(&rules[broken.suspect.pair.rule].name, performed.writes, cause);
        match performed.ending {
            Ok(Ending::Done) => report_mirror(pass, broken, Response::Repaired, report),
            // It changed since it was read, and that change has a record of its own.
            Ok(Ending::Refused(_)) => {}
            Err(error @ StoreError::Rejected(_)) => {
                report_mirror(pass, broken, Response::Failed, report);
                report.fail(error, cause)?;
            }
            Err(error) => report.fail(error, cause)?,
        }
    }
    Ok(())
}

/// The [`fix`](Mark::fix) of a correction: the sequence number of the mirror's change, or the time of
/// an audit, which knows no change. Both differ from the `fix` of every earlier correction.
fn fix(cause: &Cause<'_>, clock: &impl Clock) -> String {
    let now = || SequenceNumber::parse(clock.now_ms().unsigned_abs().to_string());
    let number = cause.sequence().cloned().or_else(|| now().ok());
    number.unwrap_or_default().fence()
}

/// Logs that a mirror is about to be corrected by these steps. Those before the last one prepare it.
fn log<S, C>(pass: Pass<'_, S, C>, broken: &BrokenMirror<'_>, steps: &[Step]) {
    let violation = violation_name(pass.rules, &finding(pass, broken), &broken.suspect.cause);
    let writes = steps.last().map(|step| item_writes(pass.rules, step)).unwrap_or_default();
    let started = writes.into_iter().map(|write| StartedRepair::new(&violation, write));
    pass.repairs.started(&started.collect::<Vec<_>>());
}

fn report_mirror<S, C>(
    pass: Pass<'_, S, C>,
    broken: &BrokenMirror<'_>,
    response: Response,
    report: &mut Report,
) {
    report.violation(finding(pass, broken), response, &broken.suspect.cause);
}

fn finding<S, C>(pass: Pass<'_, S, C>, broken: &BrokenMirror<'_>) -> Finding {
    let BrokenMirror { suspect, difference } = broken;
    mirror::finding(pass.rules, &suspect.pair, difference.defect.clone())
}
