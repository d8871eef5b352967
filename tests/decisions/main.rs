//! Decisions: for a rule file and a history, what is found and done, and what it costs.
//!
//! `UPDATE_EXPECT=1 cargo test --test decisions` writes the expectations anew.

#[path = "../support/history.rs"]
mod history;

mod elements;
mod orphans;
mod references;

use expect_test::Expect;
use history::{History, load, outcome};

/// Checks what a history comes to under these rules.
fn check(rules: &str, history: &History, expected: &Expect) {
    expected.assert_eq(&outcome(&load(rules), history));
}
