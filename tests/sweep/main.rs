//! The sweep: in every fixture under `events/`, the n-th request goes wrong, for each n, in every
//! way in which one can, once and from then on. It is seen how the engine answers; then the fault
//! is mended, what was put aside is delivered again, and the tables hold what they would have if
//! all had gone well, with nothing wrong that nobody was told of.
//!
//! A store tries again what passes: throttling, and the keys that an answer leaves out. So no
//! partial answer gets as far as the engine, but for a page of a query, which may be short.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::print_stdout, reason = "a run says how much it tried")]

#[path = "../support/audit.rs"]
mod audit;
#[path = "../support/fixture.rs"]
mod fixture;

mod lambda;
mod network;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use audit::Audit;
use fixture::Fixture;
use lambda::{Answer, Lambda};
use libtest_mimic::{Arguments, Trial};
use network::{End, Ill, Network};
use referee::engine::{Engine, Response};
use referee::replay;
use referee::rules::Rules;
use referee::store::memory::Fault;
use referee::store::{CancellationReason, StoreError};

fn main() -> ExitCode {
    let (cases, faults) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let trial = |fixture: Fixture| {
        let (cases, faults) = (Arc::clone(&cases), Arc::clone(&faults));
        Trial::test(fixture.name.clone(), move || {
            let met = sweep(&fixture);
            println!("{}: {met} faults", fixture.name);
            cases.fetch_add(1, Ordering::Relaxed);
            faults.fetch_add(met, Ordering::Relaxed);
            Ok(())
        })
    };
    let trials = Fixture::all().into_iter().map(trial).collect();
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    let (cases, faults) = (cases.load(Ordering::Relaxed), faults.load(Ordering::Relaxed));
    println!("{cases} cases, {faults} faults");
    conclusion.exit_code()
}

/// How the engine must answer a delivery in which a request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// A record is handed back.
    HandedBack,
    /// A record is rejected, or its repair is told to have failed.
    Told,
    /// The invocation fails.
    Fatal,
    /// The worker is dead.
    Nothing,
    /// It goes on.
    Outcome,
}

/// The ways in which a request goes wrong, and how each is to be answered.
fn ills() -> Vec<(&'static str, Ill, Expected)> {
    use CancellationReason::{Conflict, Invalid, Throttled};
    let retry = || StoreError::Retry("the request timed out".to_owned());
    let rejected = || StoreError::Rejected("ValidationException".to_owned());
    let fatal = || StoreError::Fatal("AccessDeniedException".to_owned());
    let fault = |fault, expected| (Ill::Store(fault), expected);
    let canceled = |reason, end, expected| (Ill::Canceled(reason, end), expected);
    let invalid = || Invalid("the item is too large".to_owned());
    let named = |name, (ill, expected)| (name, ill, expected);
    vec![
        named("fails for now", fault(Fault::Fail(retry()), Expected::HandedBack)),
        named("is rejected", fault(Fault::Fail(rejected()), Expected::Told)),
        named("fails for good", fault(Fault::Fail(fatal()), Expected::Fatal)),
        named("is lost", fault(Fault::Lost(retry()), Expected::HandedBack)),
        // The first try is carried out, and the next is refused: a right was taken away meanwhile.
        named("is lost for good", fault(Fault::Lost(fatal()), Expected::Fatal)),
        named("lands late", fault(Fault::Late(retry()), Expected::HandedBack)),
        named("lands late, for good", fault(Fault::Late(fatal()), Expected::Fatal)),
        named("is never made", fault(Fault::Crash { applied: false }, Expected::Nothing)),
        named("is the last", fault(Fault::Crash { applied: true }, Expected::Nothing)),
        named("conflicts first", canceled(Conflict, End::First, Expected::HandedBack)),
        named("conflicts last", canceled(Conflict, End::Last, Expected::HandedBack)),
        named("is throttled", canceled(Throttled, End::Last, Expected::HandedBack)),
        named("is invalid first", canceled(invalid(), End::First, Expected::Told)),
        named("is invalid last", canceled(invalid(), End::Last, Expected::Told)),
        named(
            "is cancelled for no reason",
            canceled(CancellationReason::None, End::Last, Expected::HandedBack),
        ),
        named("is made twice", (Ill::Again, Expected::Outcome)),
        named("meets somebody", (Ill::Meanwhile, Expected::Outcome)),
        named("has a short page", (Ill::ShortPage, Expected::Outcome)),
    ]
}

/// Lets everything go wrong in turn. How often it did.
fn sweep(fixture: &Fixture) -> usize {
    let engine = Engine::new(fixture.rules.clone());
    let expected = clean_run(fixture, &engine);
    let mut met = 0;
    for (name, ill, answer) in ills() {
        for lasts in [false, true] {
            for number in 1.. {
                let lasting = if lasts { " with all that follow" } else { "" };
                let context = format!("`{}`, request {number} {name}{lasting}", fixture.name);
                let store = fixture.store();
                let network = Network::sound(&fixture.rules, &store);
                let network = network.ill(ill.clone(), number, lasts);
                let mut lambda = Lambda::new(&engine, &network, &fixture.batches);
                lambda
                    .run(|found, before| assert_answer(&network, before, found, answer, &context));
                if network.struck() == 0 {
                    break;
                }
                met += 1;
                audit(&fixture.rules, &network, &lambda, &context);
                // What came and went may leave its traces, as the rules have it.
                if !matches!(ill, Ill::Meanwhile) {
                    assert_eq!(replay::dump(&store), expected, "{context}");
                    fixture.replay_with(&engine, &store);
                    let again = "and all is delivered again";
                    assert_eq!(replay::dump(&store), expected, "{context}, {again}");
                }
            }
        }
    }
    met
}

/// What the tables hold if nothing goes wrong: what a replay makes of it.
fn clean_run(fixture: &Fixture, engine: &Engine) -> String {
    let store = fixture.store();
    let network = Network::sound(&fixture.rules, &store);
    let mut lambda = Lambda::new(engine, &network, &fixture.batches);
    lambda.run(|answer, _| assert!(matches!(answer, Answer::Outcome(_))));
    audit(&fixture.rules, &network, &lambda, &fixture.name);
    let replayed = fixture.store();
    fixture.replay_with(engine, &replayed);
    let expected = replay::dump(&replayed);
    assert_eq!(replay::dump(&store), expected, "`{}`", fixture.name);
    expected
}

fn audit(rules: &Rules, network: &Network<'_>, lambda: &Lambda<'_>, context: &str) {
    let gone = lambda.gone.borrow();
    let findings = Audit::new(rules, network.store(), &gone, &lambda.told).findings();
    assert!(findings.is_empty(), "{context}: {findings:#?}");
}

/// Holds an answer to what is expected where a request has gone wrong since so many had.
fn assert_answer(
    network: &Network<'_>,
    before: usize,
    answer: &Answer,
    expected: Expected,
    context: &str,
) {
    if network.struck() == before {
        assert!(matches!(answer, Answer::Outcome(it) if it.handed_back.is_empty()), "{context}");
        return;
    }
    match (expected, answer) {
        (Expected::Fatal, Answer::Fatal) | (Expected::Nothing, Answer::Nothing) => {}
        (Expected::HandedBack, Answer::Outcome(outcome)) => {
            assert!(!outcome.handed_back.is_empty(), "{context}: {outcome:#?}");
            assert!(outcome.rejected.is_empty(), "{context}: {outcome:#?}");
        }
        (Expected::Told, Answer::Outcome(outcome)) => {
            let is_failed =
                outcome.violations.iter().any(|it| it.resolution.response == Response::Failed);
            // What is too much for one transaction is made in smaller ones.
            let is_told =
                !outcome.rejected.is_empty() || is_failed || network.are_of_several(before);
            assert!(is_told, "{context}: {outcome:#?}");
        }
        (Expected::Outcome, Answer::Outcome(outcome)) => {
            assert!(outcome.rejected.is_empty(), "{context}: {outcome:#?}");
        }
        _ => panic!("{context}: {expected:?}"),
    }
}
