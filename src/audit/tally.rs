//! What an audit has looked at, rule by rule.

use serde::{Deserialize, Serialize};

use crate::rules::model::{EntityId, MirrorId, ReferenceId, Rules};

/// Counts of what was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// The items that were read.
    pub items: u64,
    /// The items that belong to no entity.
    pub unknown: u64,
    /// The items of each entity.
    #[serde(default)]
    pub entities: Vec<u64>,
    /// The values of each reference.
    pub references: Vec<u64>,
    /// The mirrors that each rule requires.
    pub mirrors: Vec<u64>,
}

impl Tally {
    /// Creates a tally in which all counts are zero.
    pub(super) fn new(rules: &Rules) -> Self {
        Self {
            items: 0,
            unknown: 0,
            entities: vec![0; rules.entities.len()],
            references: vec![0; rules.references.len()],
            mirrors: vec![0; rules.mirrors.len()],
        }
    }

    pub(super) fn entity(&mut self, entity: EntityId) {
        if let Some(count) = self.entities.get_mut(entity.0) {
            *count += 1;
        }
    }

    pub(super) fn reference(&mut self, rule: ReferenceId) {
        if let Some(count) = self.references.get_mut(rule.0) {
            *count += 1;
        }
    }

    pub(super) fn mirror(&mut self, rule: MirrorId) {
        if let Some(count) = self.mirrors.get_mut(rule.0) {
            *count += 1;
        }
    }

    /// Adds the counts of another thread.
    pub(super) fn add(&mut self, other: &Self) {
        fn add(counts: &mut Vec<u64>, others: &[u64]) {
            // An interrupted audit of an earlier release has no counts of entities.
            counts.resize(counts.len().max(others.len()), 0);
            counts.iter_mut().zip(others).for_each(|(count, other)| *count += other);
        }
        self.items += other.items;
        self.unknown += other.unknown;
        add(&mut self.entities, &other.entities);
        add(&mut self.references, &other.references);
        add(&mut self.mirrors, &other.mirrors);
    }
}
