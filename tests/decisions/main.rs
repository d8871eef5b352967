//! Decisions: for a rule file and a history, what is found and done, and what it costs.
//!
//! `UPDATE_EXPECT=1 cargo test --test decisions` writes the expectations anew.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

#[path = "../support/fixture.rs"]
mod fixture;
#[path = "../support/history.rs"]
mod history;

mod cascades;
mod contention;
mod deadline;
mod elements;
mod grace;
mod leaving;
mod mirrors;
mod modes;
mod orphans;
mod outcomes;
mod races;
mod reading;
mod references;
mod repairs;
mod restoring;
mod tampering;

use expect_test::Expect;
use history::{History, load, outcome};

impl History {
    /// What it comes to under these rules.
    fn under(&self, rules: &str) -> Come {
        Come(outcome(&load(rules), self))
    }
}

/// What a history comes to.
struct Come(String);

impl Come {
    /// It is this.
    #[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is met")]
    fn comes_to(&self, expected: Expect) {
        expected.assert_eq(&self.0);
    }
}
