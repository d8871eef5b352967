//! The contract that every store fulfils: the documented behaviour of DynamoDB, as a list of cases.
//!
//! The cases use only the trait `Store`, and run on every store.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a case fails by panicking")]

#[cfg(feature = "live")]
mod agreement;
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
mod scans;
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

/// A case. It runs on a store that no other case uses.
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

/// Returns every case, with its name.
fn cases<H: Harness>() -> Vec<(&'static str, Case<H>)> {
    vec![
        ("reads::return_items_in_the_order_of_the_keys", |h| Box::pin(reads::order(h))),
        ("reads::return_only_the_requested_attributes", |h| Box::pin(reads::projection(h))),
        ("reads::compare_keys_by_type_and_value", |h| Box::pin(reads::key_types(h))),
        ("queries::return_string_keys_in_order", |h| Box::pin(queries::strings(h))),
        ("queries::return_binary_keys_in_order", |h| Box::pin(queries::binaries(h))),
        ("queries::match_conditions_on_the_sort_key", |h| Box::pin(queries::sort(h))),
        ("queries::return_only_the_requested_attributes", |h| Box::pin(queries::projection(h))),
        ("queries::stop_at_the_limit", |h| Box::pin(queries::limit(h))),
        ("queries::stop_at_one_megabyte", |h| Box::pin(queries::megabyte(h))),
        ("queries::continue_after_a_deleted_item", |h| Box::pin(queries::start(h))),
        ("queries::of_an_index_return_items_in_its_order", |h| Box::pin(queries::index(h))),
        ("queries::of_an_index_reflect_changes_of_the_table", |h| {
            Box::pin(queries::index_changes(h))
        }),
        ("queries::of_an_index_continue_page_by_page", |h| Box::pin(queries::index_pages(h))),
        ("scans::return_every_item_once", |h| Box::pin(scans::everything(h))),
        ("scans::continue_page_by_page", |h| Box::pin(scans::pages(h))),
        ("scans::stop_at_one_megabyte", |h| Box::pin(scans::megabyte(h))),
        ("scans::return_only_the_requested_attributes", |h| Box::pin(scans::projection(h))),
        ("scans::keep_partitions_whole", |h| Box::pin(scans::partitions(h))),
        ("scans::of_an_empty_table_find_nothing", |h| Box::pin(scans::nothing(h))),
        ("scans::that_are_invalid_are_refused", |h| Box::pin(scans::refusals(h))),
        ("writes::put_replaces_the_whole_item", |h| Box::pin(writes::put(h))),
        ("writes::update_sets_paths", |h| Box::pin(writes::update(h))),
        ("writes::update_creates_a_missing_item", |h| Box::pin(writes::upsert(h))),
        ("writes::delete_of_a_missing_item_succeeds", |h| Box::pin(writes::delete(h))),
        ("writes::failed_condition_returns_the_item", |h| Box::pin(writes::condition_failed(h))),
        ("writes::condition_is_checked_before_the_path", |h| Box::pin(writes::condition_first(h))),
        ("updates::remove_paths", |h| Box::pin(updates::removes(h))),
        ("updates::delete_elements_of_sets", |h| Box::pin(updates::deletes(h))),
        ("updates::set_elements_of_lists", |h| Box::pin(updates::sets_elements(h))),
        ("updates::apply_all_clauses_at_once", |h| Box::pin(updates::mixes(h))),
        ("updates::create_a_missing_item", |h| Box::pin(updates::upserts(h))),
        ("updates::that_only_remove_create_no_item", |h| Box::pin(updates::takes_from_nothing(h))),
        ("conditions::hold_as_documented", |h| Box::pin(conditions::hold(h))),
        ("conditions::on_list_elements_and_parts_of_values", |h| Box::pin(conditions::parts(h))),
        ("conditions::on_a_missing_item", |h| Box::pin(conditions::nothing(h))),
        ("conditions::protect_a_newer_fence", |h| Box::pin(conditions::fence(h))),
        ("transactions::apply_all_actions", |h| Box::pin(transactions::applied(h))),
        ("transactions::apply_no_action_if_one_fails", |h| Box::pin(transactions::canceled(h))),
        ("transactions::check_without_writing", |h| Box::pin(transactions::checks(h))),
        ("transactions::report_which_item_is_invalid", |h| Box::pin(transactions::invalid(h))),
        ("transactions::update_parts_of_items", |h| Box::pin(transactions::parts(h))),
        ("transactions::report_which_update_does_not_fit_its_item", |h| {
            Box::pin(transactions::in_the_way(h))
        }),
        ("transactions::limit_the_size_of_the_request", |h| Box::pin(transactions::payload(h))),
        ("transactions::report_which_update_is_invalid", |h| {
            Box::pin(transactions::invalid_update(h))
        }),
        ("refusals::of_invalid_reads", |h| Box::pin(refusals::reads(h))),
        ("refusals::of_invalid_queries", |h| Box::pin(refusals::queries(h))),
        ("refusals::of_invalid_starting_keys", |h| Box::pin(refusals::starting_keys(h))),
        ("refusals::of_invalid_keys", |h| Box::pin(refusals::keys(h))),
        ("refusals::of_invalid_items", |h| Box::pin(refusals::items(h))),
        ("refusals::of_invalid_updates", |h| Box::pin(refusals::updates(h))),
        ("refusals::of_invalid_paths", |h| Box::pin(refusals::paths(h))),
        ("refusals::of_invalid_clauses", |h| Box::pin(refusals::clauses(h))),
        ("refusals::of_invalid_conditions", |h| Box::pin(refusals::conditions(h))),
        ("refusals::of_invalid_actions_in_transactions", |h| Box::pin(refusals::actions(h))),
        ("refusals::of_invalid_transactions", |h| Box::pin(refusals::transactions(h))),
        ("refusals::of_missing_tables_and_indexes", |h| Box::pin(refusals::set_up(h))),
        ("billing::of_reads", |h| Box::pin(billing::reads(h))),
        ("billing::of_queries", |h| Box::pin(billing::queries(h))),
        ("billing::of_scans", |h| Box::pin(billing::scans(h))),
        ("billing::of_writes", |h| Box::pin(billing::writes(h))),
        ("billing::of_indexes", |h| Box::pin(billing::indexes(h))),
        ("billing::of_transactions", |h| Box::pin(billing::transactions(h))),
        ("streams::contain_each_change", |h| Box::pin(streams::changes(h))),
        ("streams::contain_the_whole_images_of_partial_updates", |h| Box::pin(streams::parts(h))),
        ("streams::omit_writes_that_change_nothing", |h| Box::pin(streams::silence(h))),
        ("streams::contain_a_record_for_each_item_of_a_transaction", |h| {
            Box::pin(streams::transactions(h))
        }),
    ]
}
