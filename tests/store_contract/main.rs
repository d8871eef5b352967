//! The contract that every store keeps: what DynamoDB documents, case by case.
//!
//! The cases know a store by its trait alone, and are run on each store that there is.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a case fails by panicking")]

#[cfg(feature = "live")]
mod agreement;
#[cfg(feature = "live")]
#[path = "../support/at_endpoint.rs"]
mod at_endpoint;
mod billing;
mod conditions;
#[cfg(feature = "live")]
mod endpoint;
mod harness;
mod items;
mod laws;
mod memory;
mod queries;
mod reads;
mod refusals;
mod streams;
mod transactions;
mod updates;
mod writes;

use std::process::ExitCode;

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Trial};

use harness::Harness;
use memory::InMemory;

/// A case, run on a store of its own.
type Case<H> = fn(H) -> LocalBoxFuture<'static, ()>;

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = cases::<InMemory>()
        .into_iter()
        .map(|(name, case)| Trial::test(format!("memory::{name}"), move || on_memory(case)))
        .collect();
    trials.extend(laws::trials());
    #[cfg(feature = "live")]
    trials.extend(endpoint::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn on_memory(case: Case<InMemory>) -> Result<(), libtest_mimic::Failed> {
    case(InMemory::new()).now_or_never().ok_or_else(|| "the store never answered".into())
}

/// Every case, by name.
fn cases<H: Harness>() -> Vec<(&'static str, Case<H>)> {
    vec![
        ("reads::come_in_the_order_of_the_keys", |h| Box::pin(reads::order(h))),
        ("reads::have_the_wanted_attributes_only", |h| Box::pin(reads::projection(h))),
        ("reads::tell_keys_by_type_and_value", |h| Box::pin(reads::key_types(h))),
        ("queries::follow_the_order_of_strings", |h| Box::pin(queries::strings(h))),
        ("queries::follow_the_order_of_binaries", |h| Box::pin(queries::binaries(h))),
        ("queries::match_the_sort_key", |h| Box::pin(queries::sort(h))),
        ("queries::have_the_wanted_attributes_only", |h| Box::pin(queries::projection(h))),
        ("queries::end_at_the_limit", |h| Box::pin(queries::limit(h))),
        ("queries::end_at_a_megabyte", |h| Box::pin(queries::megabyte(h))),
        ("queries::go_on_after_what_is_gone", |h| Box::pin(queries::start(h))),
        ("queries::of_an_index_follow_its_order", |h| Box::pin(queries::index(h))),
        ("queries::of_an_index_follow_the_table", |h| Box::pin(queries::index_changes(h))),
        ("queries::of_an_index_go_on", |h| Box::pin(queries::index_pages(h))),
        ("writes::put_replaces_the_whole_item", |h| Box::pin(writes::put(h))),
        ("writes::update_sets_paths", |h| Box::pin(writes::update(h))),
        ("writes::update_makes_the_item", |h| Box::pin(writes::upsert(h))),
        ("writes::delete_of_nothing_succeeds", |h| Box::pin(writes::delete(h))),
        ("writes::failed_condition_gives_the_item", |h| Box::pin(writes::condition_failed(h))),
        ("writes::condition_comes_before_the_path", |h| Box::pin(writes::condition_first(h))),
        ("updates::remove_paths", |h| Box::pin(updates::removes(h))),
        ("updates::delete_elements_of_sets", |h| Box::pin(updates::deletes(h))),
        ("updates::set_elements_of_lists", |h| Box::pin(updates::sets_elements(h))),
        ("updates::make_all_clauses_at_once", |h| Box::pin(updates::mixes(h))),
        ("updates::make_what_is_not_there", |h| Box::pin(updates::upserts(h))),
        ("updates::take_nothing_from_nothing", |h| Box::pin(updates::takes_from_nothing(h))),
        ("conditions::hold_as_documented", |h| Box::pin(conditions::hold(h))),
        ("conditions::of_elements_and_parts", |h| Box::pin(conditions::parts(h))),
        ("conditions::hold_or_not_of_nothing", |h| Box::pin(conditions::nothing(h))),
        ("conditions::guard_a_fence", |h| Box::pin(conditions::fence(h))),
        ("transactions::make_all_of_it", |h| Box::pin(transactions::applied(h))),
        ("transactions::make_none_of_it", |h| Box::pin(transactions::canceled(h))),
        ("transactions::check_without_writing", |h| Box::pin(transactions::checks(h))),
        ("transactions::say_what_is_invalid", |h| Box::pin(transactions::invalid(h))),
        ("transactions::change_parts_of_items", |h| Box::pin(transactions::parts(h))),
        ("transactions::say_what_is_in_the_way", |h| Box::pin(transactions::in_the_way(h))),
        ("transactions::have_a_limit_for_what_is_sent", |h| Box::pin(transactions::payload(h))),
        ("transactions::say_which_update_is_invalid", |h| {
            Box::pin(transactions::invalid_update(h))
        }),
        ("refusals::of_reads", |h| Box::pin(refusals::reads(h))),
        ("refusals::of_queries", |h| Box::pin(refusals::queries(h))),
        ("refusals::of_starting_keys", |h| Box::pin(refusals::starting_keys(h))),
        ("refusals::of_keys", |h| Box::pin(refusals::keys(h))),
        ("refusals::of_items", |h| Box::pin(refusals::items(h))),
        ("refusals::of_updates", |h| Box::pin(refusals::updates(h))),
        ("refusals::of_paths", |h| Box::pin(refusals::paths(h))),
        ("refusals::of_clauses", |h| Box::pin(refusals::clauses(h))),
        ("refusals::of_conditions", |h| Box::pin(refusals::conditions(h))),
        ("refusals::of_wrong_actions", |h| Box::pin(refusals::actions(h))),
        ("refusals::of_transactions", |h| Box::pin(refusals::transactions(h))),
        ("refusals::of_what_is_not_set_up", |h| Box::pin(refusals::set_up(h))),
        ("billing::of_reads", |h| Box::pin(billing::reads(h))),
        ("billing::of_queries", |h| Box::pin(billing::queries(h))),
        ("billing::of_writes", |h| Box::pin(billing::writes(h))),
        ("billing::of_indexes", |h| Box::pin(billing::indexes(h))),
        ("billing::of_transactions", |h| Box::pin(billing::transactions(h))),
        ("streams::tell_each_change", |h| Box::pin(streams::changes(h))),
        ("streams::tell_of_parts", |h| Box::pin(streams::parts(h))),
        ("streams::are_silent_about_no_change", |h| Box::pin(streams::silence(h))),
        ("streams::tell_transactions_item_by_item", |h| Box::pin(streams::transactions(h))),
    ]
}
