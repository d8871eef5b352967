//! End-to-end tests of the Lambda function.
//!
//! An application writes to DynamoDB Local. [`mapping`] reads the stream and delivers its records
//! as an event source mapping does. [`runtime_api`] runs the function's own binary. The function's
//! requests to DynamoDB go through [`proxy`], which injects faults.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

mod action_storm;
mod actions;
mod audit;
mod audits;
mod delivery;
mod faults;
mod lambda;
mod mapping;
mod metrics;
mod mirrors;
mod package;
mod proxy;
mod rechecks;
mod rights;
mod rules;
mod silence;
mod soundness;
mod stage;
mod start;
mod state_machine;
mod storm;

use std::process::ExitCode;

use futures_util::future::LocalBoxFuture;
use kit::environment::variable;
use libtest_mimic::{Arguments, Trial};

use stage::Environment;

/// A scenario. Each has its own tables.
type Scenario = fn(Environment) -> LocalBoxFuture<'static, ()>;

fn main() -> ExitCode {
    let mut trials = mapping::trials();
    trials.extend(package::trials());
    trials.extend(scenarios().into_iter().map(|(name, scenario)| trial(name, scenario)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &'static str, scenario: Scenario) -> Trial {
    let dynamodb = variable("REFEREE_TEST_DYNAMODB");
    let cloudwatch = variable("REFEREE_TEST_CLOUDWATCH");
    let lambda = variable("REFEREE_TEST_LAMBDA")
        .unwrap_or_else(|| env!("CARGO_BIN_EXE_referee-lambda").to_owned());
    let step_functions = variable("REFEREE_TEST_STEP_FUNCTIONS");
    let is_skipped = dynamodb.is_none()
        || (name.contains("alarm") || name.contains("on_a_queue")) && cloudwatch.is_none()
        || name.contains("audit") && step_functions.is_none();
    let dynamodb = dynamodb.unwrap_or_default();
    let environment = Environment { name, dynamodb, cloudwatch, lambda, step_functions };
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let dynamodb = environment.dynamodb.clone();
        runtime.block_on(async {
            scenario(environment).await;
            stage::delete_tables(name, &dynamodb).await;
        });
        Ok(())
    };
    Trial::test(name, run).with_ignored_flag(is_skipped)
}

/// Returns every scenario, with its name.
fn scenarios() -> Vec<(&'static str, Scenario)> {
    vec![
        // These take the longest, and so begin first.
        ("thousands_of_changes_converge", |environment| Box::pin(storm::storm(environment))),
        ("repairs_are_sound_under_load_and_faults", |environment| {
            Box::pin(action_storm::storm(environment))
        }),
        ("an_audit_finds_and_repairs_planted_violations", |environment| {
            Box::pin(audits::planted_violations(environment))
        }),
        ("memberships_are_mirrored", |environment| Box::pin(mirrors::mirrored(environment))),
        ("edited_and_deleted_mirrors_are_corrected", |environment| {
            Box::pin(mirrors::tampered(environment))
        }),
        ("deleting_the_mirror_deletes_the_membership", |environment| {
            Box::pin(mirrors::mirror_deleted(environment))
        }),
        ("deletes_cascade", |environment| Box::pin(actions::cascaded(environment))),
        ("dangling_references_are_unset", |environment| Box::pin(actions::unset(environment))),
        ("a_referenced_item_is_restored", |environment| Box::pin(actions::restored(environment))),
        ("writes_with_dangling_references_are_reverted", |environment| {
            Box::pin(actions::undone(environment))
        }),
        ("a_tree_is_deleted_level_by_level", |environment| {
            Box::pin(actions::tree_deleted(environment))
        }),
        ("a_crash_between_two_repairs_loses_nothing", |environment| {
            Box::pin(actions::killed(environment))
        }),
        ("a_cascade_completes_despite_every_fault", |environment| {
            Box::pin(actions::every_fault(environment))
        }),
        ("conflicting_repairs_are_redelivered", |environment| {
            Box::pin(actions::conflict(environment))
        }),
        ("redelivery_changes_nothing", |environment| Box::pin(delivery::redelivered(environment))),
        ("a_poison_record_does_not_block_its_shard", |environment| {
            Box::pin(delivery::poison(environment))
        }),
        ("an_unreadable_record_does_not_block_its_shard", |environment| {
            Box::pin(delivery::unreadable(environment))
        }),
        ("records_not_processed_by_the_deadline_are_redelivered", |environment| {
            Box::pin(delivery::deadline(environment))
        }),
        ("a_timeout_loses_no_record", |environment| {
            Box::pin(delivery::killed_when_late(environment))
        }),
        ("several_tables_feed_one_function", |environment| {
            Box::pin(delivery::several_tables(environment))
        }),
        ("every_setting_of_a_mapping_works", |environment| {
            Box::pin(delivery::every_setting(environment))
        }),
        ("a_record_that_is_given_up_keeps_its_payload", |environment| {
            Box::pin(delivery::given_up(environment))
        }),
        ("a_crash_between_two_writes_loses_nothing", |environment| {
            Box::pin(faults::killed(environment))
        }),
        ("mirrors_converge_despite_every_fault", |environment| {
            Box::pin(faults::every_fault(environment))
        }),
        ("a_late_write_is_corrected", |environment| Box::pin(faults::landed_late(environment))),
        ("an_outage_loses_no_record", |environment| Box::pin(faults::outage(environment))),
        ("conflicting_transactions_are_retried", |environment| {
            Box::pin(faults::conflict(environment))
        }),
        ("bad_rules_fail_the_init", |environment| Box::pin(start::bad_rules(environment))),
        ("tables_that_do_not_fit_the_rules_fail_the_init", |environment| {
            Box::pin(start::tables_that_differ(environment))
        }),
        ("a_keys_only_stream_is_refused", |environment| Box::pin(start::keys_only(environment))),
        ("events_of_another_source_are_refused", |environment| {
            Box::pin(start::other_events(environment))
        }),
        ("the_log_contains_no_items_and_no_credentials", |environment| {
            Box::pin(silence::kept(environment))
        }),
        ("a_violation_raises_the_alarm", |environment| Box::pin(metrics::alarm(environment))),
        ("a_batch_does_not_wait_for_a_silent_cloudwatch", |environment| {
            Box::pin(metrics::unanswered(environment))
        }),
        ("suspects_wait_on_a_queue", |environment| Box::pin(rechecks::waited(environment))),
        ("suspects_wait_in_their_batch_if_the_queue_is_down", |environment| {
            Box::pin(rechecks::down(environment))
        }),
        ("the_policy_allows_exactly_what_is_used", |environment| {
            Box::pin(rights::exact(environment))
        }),
        ("an_audit_continues_until_every_segment_is_done", |environment| {
            Box::pin(audits::loops(environment))
        }),
        ("an_audit_repairs_beside_the_stream", |environment| {
            Box::pin(audits::beside_the_stream(environment))
        }),
        ("an_audit_survives_faults", |environment| Box::pin(audits::faults(environment))),
        ("an_audit_with_a_failed_part_is_incomplete", |environment| {
            Box::pin(audits::incomplete(environment))
        }),
    ]
}
