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

mod action_storm;
mod actions;
mod audit;
mod delivery;
mod faults;
mod lambda;
mod mapping;
mod metrics;
mod mirrors;
#[path = "../support/policy.rs"]
mod policy;
mod proxy;
mod rights;
mod rules;
#[path = "../support/runtime_api.rs"]
#[expect(dead_code, reason = "the benchmarks use the rest of it")]
mod runtime_api;
mod silence;
mod soundness;
mod stage;
mod start;
mod storm;
#[path = "../support/stream_setting.rs"]
mod stream_setting;

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
    let is_skipped = dynamodb.is_none() || name.contains("alarm") && cloudwatch.is_none();
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
    vec![
        ("memberships_are_mirrored", |place| Box::pin(mirrors::mirrored(place))),
        ("tampering_with_mirrors_heals", |place| Box::pin(mirrors::tampered(place))),
        ("who_deletes_the_mirror_leaves", |place| Box::pin(mirrors::left(place))),
        ("deletes_cascade", |place| Box::pin(actions::cascaded(place))),
        ("references_are_unset", |place| Box::pin(actions::unset(place))),
        ("what_is_needed_is_restored", |place| Box::pin(actions::restored(place))),
        ("what_leads_nowhere_is_undone", |place| Box::pin(actions::undone(place))),
        ("a_tree_falls_level_by_level", |place| Box::pin(actions::felled(place))),
        ("a_death_between_two_repairs_loses_nothing", |place| Box::pin(actions::killed(place))),
        ("every_fault_in_a_cascade_is_survived", |place| Box::pin(actions::every_fault(place))),
        ("conflicting_repairs_are_handed_back", |place| Box::pin(actions::conflict(place))),
        ("redelivery_changes_nothing", |place| Box::pin(delivery::redelivered(place))),
        ("a_poison_record_blocks_nothing", |place| Box::pin(delivery::poison(place))),
        ("an_unreadable_record_blocks_nothing", |place| Box::pin(delivery::unreadable(place))),
        ("what_outlasts_the_deadline_is_handed_back", |place| Box::pin(delivery::late(place))),
        ("a_timeout_loses_nothing", |place| Box::pin(delivery::killed_when_late(place))),
        ("several_tables_feed_one_function", |place| Box::pin(delivery::several_tables(place))),
        ("every_setting_of_a_mapping_works", |place| Box::pin(delivery::every_setting(place))),
        ("what_is_given_up_keeps_its_payload", |place| Box::pin(delivery::given_up(place))),
        ("a_death_between_two_writes_loses_nothing", |place| Box::pin(faults::killed(place))),
        ("every_fault_is_survived", |place| Box::pin(faults::every_fault(place))),
        ("a_write_that_lands_late_is_undone", |place| Box::pin(faults::landed_late(place))),
        ("an_outage_loses_nothing", |place| Box::pin(faults::outage(place))),
        ("conflicting_transactions_are_tried_again", |place| Box::pin(faults::conflict(place))),
        ("bad_rules_fail_the_init", |place| Box::pin(start::bad_rules(place))),
        ("tables_that_differ_fail_the_init", |place| Box::pin(start::tables_that_differ(place))),
        ("a_stream_of_keys_is_refused", |place| Box::pin(start::keys_only(place))),
        ("events_of_another_kind_are_refused", |place| Box::pin(start::other_events(place))),
        ("the_log_keeps_items_and_credentials_to_itself", |place| Box::pin(silence::kept(place))),
        ("a_violation_raises_the_alarm", |place| Box::pin(metrics::alarm(place))),
        ("actions_are_sound_in_a_storm", |place| Box::pin(action_storm::storm(place))),
        ("the_policy_is_enough_and_not_more", |place| Box::pin(rights::exact(place))),
        ("ten_thousand_changes_converge", |place| Box::pin(storm::storm(place))),
    ]
}
