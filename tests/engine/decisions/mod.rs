//! Decisions: for a rule file and a history, what is found and done, and what it costs.
//!
//! `UPDATE_EXPECT=1 cargo test --test decisions` rewrites the expectations.

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
#[path = "../support/jumping.rs"]
mod jumping;

mod cascades;
mod contention;
mod deadline;
mod delivery;
mod elements;
mod grace;
mod leaving;
mod meanwhile;
mod mirrors;
mod modes;
mod orphans;
mod outcomes;
mod races;
mod reading;
mod references;
mod refusals;
mod repairs;
mod restoring;
mod tampering;

use std::borrow::Borrow;

use expect_test::Expect;
use history::{History, load, outcome};

impl History {
    /// The results of this history under these rules.
    fn under(&self, rules: &str) -> Results {
        Results(outcome(&load(rules), self))
    }
}

/// The results of a history: violations, writes and costs, as text.
struct Results(String);

impl Results {
    /// Asserts the whole text.
    fn results_in(&self, expected: impl Borrow<Expect>) {
        expected.borrow().assert_eq(&self.0);
    }

    /// Asserts the violations.
    fn reports(&self, expected: impl Borrow<Expect>) {
        self.has_lines(" -> ", expected.borrow());
    }

    /// Asserts the deliveries and the cost of each.
    fn costs(&self, expected: impl Borrow<Expect>) {
        self.has_lines(" requests, ", expected.borrow());
    }

    fn has_lines(&self, with: &str, expected: &Expect) {
        let lines = self.0.lines().filter(|line| line.contains(with)).map(str::trim_start);
        expected.assert_eq(&lines.collect::<Vec<_>>().join("\n"));
    }
}

/// This item, padded so that a page of a query holds three such items.
fn large(item: &str) -> String {
    format!("{item}, note: {}", "x".repeat(390_000))
}
