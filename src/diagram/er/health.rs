//! What an audit found, as the status of rules and entities.

use std::collections::BTreeMap;

use crate::diagram::Status;
use crate::rules::model::{EntityId, Mode, Rules};

/// The number of findings of each rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    rules: BTreeMap<String, Count>,
}

/// Numbers of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Those with severity `error`.
    pub errors: u64,
    /// Those with severity `warn`.
    pub warnings: u64,
}

impl Count {
    /// All findings.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.errors + self.warnings
    }

    /// The status of something with these findings.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self { errors: 0, warnings: 0 } => Status::Ok,
            Self { errors: 0, .. } => Status::Warning,
            Self { .. } => Status::Broken,
        }
    }

    /// The count in words; empty if there are none.
    #[must_use]
    pub fn words(self) -> String {
        match self.total() {
            0 => String::new(),
            1 => "1 finding".to_owned(),
            total => format!("{total} findings"),
        }
    }
}

impl Health {
    /// Counts a finding.
    pub fn add(&mut self, rule: &str, is_warning: bool) {
        if !self.rules.contains_key(rule) {
            self.rules.insert(rule.to_owned(), Count::default());
        }
        if let Some(count) = self.rules.get_mut(rule) {
            if is_warning {
                count.warnings += 1;
            } else {
                count.errors += 1;
            }
        }
    }

    /// The findings of a rule.
    #[must_use]
    pub fn of_rule(&self, rule: &str) -> Count {
        self.rules.get(rule).copied().unwrap_or_default()
    }

    /// The status of a rule. A rule that is off has not been audited.
    pub(super) fn status(&self, rule: &str, mode: Mode) -> Status {
        if mode == Mode::Off { Status::Plain } else { self.of_rule(rule).status() }
    }

    /// The findings about items of an entity: those that refer to missing items, and mirrors.
    #[must_use]
    pub fn of_entity(&self, rules: &Rules, entity: EntityId) -> Count {
        let references = rules.references.iter();
        let references = references.filter(|rule| rule.from == entity && rule.alternative.is_first);
        let mirrors = rules.mirrors.iter().filter(|rule| rule.mirror == entity);
        let names = references.map(|rule| &rule.name).chain(mirrors.map(|rule| &rule.name));
        names.fold(Count::default(), |sum, rule| {
            let Count { errors, warnings } = self.of_rule(rule);
            Count { errors: sum.errors + errors, warnings: sum.warnings + warnings }
        })
    }
}
