//! Decisions: what the engine reports and writes for a rule file and a history, and what that
//! costs.
//!
//! `UPDATE_EXPECT=1 cargo test --test engine decisions` rewrites the expectations.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

mod accounts;
mod cascades;
mod conditions;
mod contention;
mod deadline;
mod delivery;
mod elements;
mod expiry;
mod fences;
mod formats;
mod grace;
mod in_index;
mod leaving;
mod mirrors;
mod modes;
mod moving;
mod orphans;
mod outcomes;
mod races;
mod reading;
mod rechecks;
mod references;
mod refusals;
mod repair_log;
mod repairs;
mod restoring;
mod tampering;
mod throttling;
mod unmatched;

/// Pads an item so that a page of a query holds three such items.
fn large(item: &str) -> String {
    format!("{item}, note: {}", "x".repeat(390_000))
}
