//! The results of a history, and assertions on them.

use std::borrow::Borrow;

use expect_test::Expect;

use crate::history::{History, load, outcome};

impl History {
    /// Runs this history under these rules.
    pub fn under(&self, rules: &str) -> Results {
        Results(outcome(&load(rules), self))
    }
}

/// The results of a history: violations, writes and costs, as text.
#[derive(Debug)]
pub struct Results(pub String);

impl Results {
    /// Asserts the complete text.
    pub fn results_in(&self, expected: impl Borrow<Expect>) {
        expected.borrow().assert_eq(&self.0);
    }

    /// Asserts the violations.
    pub fn reports(&self, expected: impl Borrow<Expect>) {
        self.has_lines(" -> ", expected.borrow());
    }

    /// Asserts the deliveries and their costs.
    pub fn costs(&self, expected: impl Borrow<Expect>) {
        self.has_lines(" requests, ", expected.borrow());
    }

    fn has_lines(&self, with: &str, expected: &Expect) {
        let lines = self.0.lines().filter(|line| line.contains(with)).map(str::trim_start);
        expected.assert_eq(&lines.collect::<Vec<_>>().join("\n"));
    }
}
