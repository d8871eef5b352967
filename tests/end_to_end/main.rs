//! The Lambda function as it is deployed, on real parts.
//!
//! An application writes to DynamoDB Local; [`mapping`] reads the stream and delivers as an event
//! source mapping does; [`runtime_api`] runs the function's own binary; and what the function asks
//! of DynamoDB goes through [`proxy`], where everything may go wrong.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

mod lambda;
mod mapping;
mod mirrors;
mod proxy;
mod rules;
#[path = "../support/runtime_api.rs"]
mod runtime_api;
mod stage;
#[path = "../support/tables.rs"]
mod tables;

use std::process::ExitCode;

use futures_util::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Trial};

use stage::Place;

/// A scenario, which plays at a place of its own.
type Scenario = fn(Place) -> LocalBoxFuture<'static, ()>;

fn main() -> ExitCode {
    let mut trials = mapping::trials();
    trials.extend(scenarios().into_iter().map(|(name, scenario)| trial(name, scenario)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &'static str, scenario: Scenario) -> Trial {
    let dynamodb = variable("REFEREE_TEST_DYNAMODB");
    let cloudwatch = variable("REFEREE_TEST_CLOUDWATCH");
    let lambda = variable("REFEREE_TEST_LAMBDA")
        .unwrap_or_else(|| env!("CARGO_BIN_EXE_referee-lambda").to_owned());
    let is_skipped = dynamodb.is_none();
    let place = Place { name, dynamodb: dynamodb.unwrap_or_default(), cloudwatch, lambda };
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(scenario(place));
        Ok(())
    };
    Trial::test(name, run).with_ignored_flag(is_skipped)
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the edge of the tests")]
    std::env::var(name).ok()
}

/// Every scenario, by name.
fn scenarios() -> Vec<(&'static str, Scenario)> {
    vec![("memberships_are_mirrored", |place| Box::pin(mirrors::mirrored(place)))]
}
