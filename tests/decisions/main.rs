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
    /// What it comes to under these rules.
    fn under(&self, rules: &str) -> Come {
        Come(outcome(&load(rules), self))
    }
}

/// What a history comes to.
struct Come(String);

impl Come {
    /// It is this.
    fn comes_to(&self, expected: impl Borrow<Expect>) {
        expected.borrow().assert_eq(&self.0);
    }

    /// Its violations are these.
    fn tells(&self, expected: impl Borrow<Expect>) {
        self.has_lines(" -> ", expected.borrow());
    }

    /// Its deliveries, and what each costs, are these.
    fn costs(&self, expected: impl Borrow<Expect>) {
        self.has_lines(" requests, ", expected.borrow());
    }

    fn has_lines(&self, with: &str, expected: &Expect) {
        let lines = self.0.lines().filter(|line| line.contains(with)).map(str::trim_start);
        expected.assert_eq(&lines.collect::<Vec<_>>().join("\n"));
    }
}

/// This item with so much more in it that a page of a query holds three of them.
fn large(item: &str) -> String {
    format!("{item}, note: {}", "x".repeat(390_000))
}
