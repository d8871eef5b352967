//! Which entities a picture shows.

use std::collections::BTreeSet;

use crate::rules::model::{EntityId, Rules};

/// What to show of the rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Only these entities, and what is near them; all if it is `None`.
    pub near: Option<Near>,
    /// Entities to leave out.
    pub exclude: BTreeSet<EntityId>,
    /// Whether to show keys only, without attributes, conditions and indexes.
    pub keys_only: bool,
}

/// Entities, and what is near them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// The entities in the middle.
    pub entities: BTreeSet<EntityId>,
    /// The maximum number of rules between an entity and one of the middle.
    pub distance: usize,
}

impl Selection {
    /// The entities to show, in the order of the rule file.
    #[must_use]
    pub fn entities(&self, rules: &Rules) -> Vec<EntityId> {
        let all = (0..rules.entities.len()).map(EntityId);
        let shown = all.filter(|id| !self.exclude.contains(id));
        match &self.near {
            None => shown.collect(),
            Some(near) => {
                let reached = self.reach(rules, near);
                shown.filter(|id| reached.contains(id)).collect()
            }
        }
    }

    /// Everything within the distance. A path does not lead through an excluded entity.
    fn reach(&self, rules: &Rules, near: &Near) -> BTreeSet<EntityId> {
        let references = rules.references.iter();
        let references = references.map(|rule| (rule.from, rules.declared(rule.to)));
        let mirrors = rules.mirrors.iter().map(|rule| (rule.source, rule.mirror));
        let ends: Vec<(EntityId, EntityId)> = references.chain(mirrors).collect();
        let mut reached = near.entities.clone();
        for _ in 0..near.distance {
            let next = ends.iter().flat_map(|(from, to)| [(from, to), (to, from)]);
            let next = next.filter(|(from, _)| reached.contains(from)).map(|(_, to)| *to);
            let next: Vec<_> = next.filter(|to| !self.exclude.contains(to)).collect();
            let count = reached.len();
            reached.extend(next);
            if reached.len() == count {
                break;
            }
        }
        reached
    }
}
