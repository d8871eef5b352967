//! The fault sweep: in every fixture under `events/`, the n-th request fails, for each n, in every
//! way in which a request can fail; and, for every third n, all requests from then on. The engine's
//! answer is checked. Then the fault is fixed and the records set aside are delivered again: the
//! tables must have the content of a run without faults, and everything wrong in them must have been
//! reported.
//!
//! A store retries throttled requests and unprocessed keys itself. Therefore the only partial
//! answer that the engine sees is a short page of a query.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::print_stdout, reason = "a run prints how many faults it tried")]

mod lambda;
mod network;
mod recorded;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kit::fixture::Fixture;
use kit::oracle::{Oracle, Report};
use lambda::{Answer, AppWrite, Lambda, Shared};
use libtest_mimic::Trial;
use network::{End, Failure, Network};
use referee::engine::{Engine, Response};
use referee::replay;
use referee::rules::Rules;
use referee::store::memory::{CallKind, Fault};
use referee::store::{CancellationReason, StoreError};

/// Returns a trial for each case, and a function that prints the totals.
pub(crate) fn trials(fixtures: &[Arc<Fixture>]) -> (Vec<Trial>, impl FnOnce() + use<>) {
    let (cases, faults) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let trial = |fixture: Arc<Fixture>| {
        let (cases, faults) = (Arc::clone(&cases), Arc::clone(&faults));
        Trial::test(format!("sweep::{}", fixture.name), move || {
            let met = sweep(&fixture);
            println!("sweep: {}: {met} faults", fixture.name);
            cases.fetch_add(1, Ordering::Relaxed);
            faults.fetch_add(met, Ordering::Relaxed);
            Ok(())
        })
    };
    let trials = fixtures.iter().cloned().map(trial).collect();
    let print_total = move || {
        let (cases, faults) = (cases.load(Ordering::Relaxed), faults.load(Ordering::Relaxed));
        println!("sweep: {cases} cases, {faults} faults");
    };
    (trials, print_total)
}

/// How the engine must answer a delivery in which a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// A record is returned for redelivery.
    HandedBack,
    /// A record is rejected, or its repair is reported as failed.
    Reported,
    /// The invocation fails.
    Fatal,
    /// The worker died.
    Nothing,
    /// The engine continues.
    Outcome,
}

/// Returns the ways in which a request can fail, and how the engine must answer each failure.
fn failures() -> Vec<(&'static str, Failure, Expected)> {
    use CancellationReason::{Conflict, Invalid, Throttled};
    let retry = || StoreError::Retry("the request timed out".to_owned());
    let rejected = || StoreError::Rejected("ValidationException".to_owned());
    let fatal = || StoreError::Fatal("AccessDeniedException".to_owned());
    let fault = |fault, expected| (Failure::Store(fault), expected);
    let canceled = |reason, end, expected| (Failure::Canceled(reason, end), expected);
    let invalid = || Invalid("the item is too large".to_owned());
    let named = |name, (failure, expected)| (name, failure, expected);
    vec![
        named("fails transiently", fault(Fault::Fail(retry()), Expected::HandedBack)),
        named("is rejected", fault(Fault::Fail(rejected()), Expected::Reported)),
        named("fails permanently", fault(Fault::Fail(fatal()), Expected::Fatal)),
        named("loses its answer", fault(Fault::Lost(retry()), Expected::HandedBack)),
        // The first attempt is executed, and the next one is refused, as if a permission had been
        // revoked between them.
        named(
            "loses its answer, and its retry fails permanently",
            fault(Fault::Lost(fatal()), Expected::Fatal),
        ),
        named("lands late", fault(Fault::Late(retry()), Expected::HandedBack)),
        named("lands late after a permanent failure", fault(Fault::Late(fatal()), Expected::Fatal)),
        named(
            "crashes before it is executed",
            fault(Fault::Crash { applied: false }, Expected::Nothing),
        ),
        named(
            "crashes after it is executed",
            fault(Fault::Crash { applied: true }, Expected::Nothing),
        ),
        named(
            "has a conflict in its first action",
            canceled(Conflict, End::First, Expected::HandedBack),
        ),
        named(
            "has a conflict in its last action",
            canceled(Conflict, End::Last, Expected::HandedBack),
        ),
        named("is throttled", canceled(Throttled, End::Last, Expected::HandedBack)),
        named("has an invalid first action", canceled(invalid(), End::First, Expected::Reported)),
        named("has an invalid last action", canceled(invalid(), End::Last, Expected::Reported)),
        named(
            "is cancelled without a reason",
            canceled(CancellationReason::None, End::Last, Expected::HandedBack),
        ),
        named("is made twice", (Failure::RetriedWrite, Expected::Outcome)),
        named("meets a concurrent delete", (Failure::ConcurrentDelete, Expected::Outcome)),
        named("gets a short page", (Failure::ShortPage, Expected::Outcome)),
    ]
}

/// Tries every fault in turn. Returns the number of faults.
fn sweep(fixture: &Fixture) -> usize {
    let engine = Engine::new(fixture.rules.clone());
    let files = lambda::read_all(&fixture.rules, &fixture.batches);
    let shared = Shared::default();
    let Clean { expected, kinds } = clean_run(fixture, &engine, &files, &shared);
    let mut met = 0;
    for (name, failure, answer) in failures() {
        for lasts in [false, true] {
            // Until a request fails, a run is the clean run.
            let requests = kinds.iter().filter(|kind| failure.applies_to(**kind)).count();
            // A fault that lasts from the next request on differs little.
            for number in (1..=requests).step_by(if lasts { 3 } else { 1 }) {
                let lasting = if lasts { ", as do all that follow" } else { "" };
                let context = format!("`{}`, request {number} {name}{lasting}", fixture.name);
                let store = fixture.store();
                let network = Network::without_failures(&fixture.rules, &store);
                let network = network.with_failure(failure.clone(), number, lasts);
                let mut lambda = Lambda::new(&engine, &network, &shared, files.clone());
                lambda
                    .run(|found, before| assert_answer(&network, before, found, answer, &context));
                assert!(network.failed_requests() > 0, "{context}: nothing failed");
                met += 1;
                audit(&fixture.rules, &network, &lambda, &context);
                // If an item was deleted and put back, the rules may have changed other items.
                if !matches!(failure, Failure::ConcurrentDelete) {
                    assert_eq!(replay::dump(&store), expected, "{context}");
                }
            }
        }
    }
    met
}

/// A run without faults.
struct Clean {
    /// The content of the tables afterwards.
    expected: String,
    /// The requests until the point at which a run with a fault clears it.
    kinds: Vec<CallKind>,
}

/// Processes the fixture without faults. The content of the tables must equal the content after a
/// replay.
fn clean_run(
    fixture: &Fixture,
    engine: &Engine,
    files: &[Vec<AppWrite>],
    shared: &Shared,
) -> Clean {
    let store = fixture.store();
    let network = Network::without_failures(&fixture.rules, &store);
    let mut lambda = Lambda::new(engine, &network, shared, files.to_vec());
    lambda.run(|answer, _| assert!(matches!(answer, Answer::Outcome(_))));
    audit(&fixture.rules, &network, &lambda, &fixture.name);
    let replayed = fixture.store();
    fixture.replay_with(engine, &replayed);
    let expected = replay::dump(&replayed);
    assert_eq!(replay::dump(&store), expected, "`{}`", fixture.name);
    // What a redelivery of everything does depends only on the content of the tables, which is the
    // same after each fault.
    fixture.replay_with(engine, &store);
    let again = "after redelivery of everything";
    assert_eq!(replay::dump(&store), expected, "`{}`, {again}", fixture.name);
    Clean { expected, kinds: network.into_kinds() }
}

fn audit(rules: &Rules, network: &Network<'_>, lambda: &Lambda<'_>, context: &str) {
    let reports: Vec<Report> = lambda.reported.iter().map(Report::of).collect();
    let oracle = Oracle::new(rules, network.store().dump());
    let unreported = oracle.unreported(&lambda.deletes.borrow(), &reports);
    assert!(unreported.is_empty(), "{context}: not reported: {unreported:#?}");
}

/// Asserts that an answer is as expected if a request failed after the first `before` failures.
fn assert_answer(
    network: &Network<'_>,
    before: usize,
    answer: &Answer,
    expected: Expected,
    context: &str,
) {
    if network.failed_requests() == before {
        assert!(matches!(answer, Answer::Outcome(it) if it.handed_back.is_empty()), "{context}");
        return;
    }
    match (expected, answer) {
        (Expected::Fatal, Answer::Fatal) | (Expected::Nothing, Answer::Nothing) => {}
        (Expected::HandedBack, Answer::Outcome(outcome)) => {
            assert!(!outcome.handed_back.is_empty(), "{context}: {outcome:#?}");
            assert!(outcome.rejected.is_empty(), "{context}: {outcome:#?}");
        }
        (Expected::Reported, Answer::Outcome(outcome)) => {
            let is_failed =
                outcome.violations.iter().any(|it| it.resolution.response == Response::Failed);
            // A transaction with several actions is split into smaller ones.
            let is_reported =
                !outcome.rejected.is_empty() || is_failed || network.had_several_writes(before);
            assert!(is_reported, "{context}: {outcome:#?}");
        }
        (Expected::Outcome, Answer::Outcome(outcome)) => {
            assert!(outcome.rejected.is_empty(), "{context}: {outcome:#?}");
        }
        _ => panic!("{context}: {expected:?}"),
    }
}
