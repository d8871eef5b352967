//! Items that match no entity, and entities and rules that match no item. In either case, a key
//! template or a condition is probably misspelled.

use std::fmt::Write as _;

use serde::Serialize;

use super::names::item_name;
use super::tables::count;
use crate::audit::Tally;
use crate::engine::{Census, Outcome};
use crate::integrity::nearest::Stray;
use crate::rules::model::{EntityId, Mode, Rules};
use crate::wording::StrayLine;

/// What a run has seen of the entities and rules.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    seen: Census,
    /// The number of records or items that match no entity.
    unmatched: u64,
}

/// What matched nothing, as fields of the last line of machine output.
#[derive(Debug, Serialize)]
pub(super) struct CoverageLine<'l> {
    /// The first item that matches no entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    unmatched_example: Option<StrayLine<'l>>,
    /// The entities and rules that matched nothing.
    #[serde(skip_serializing_if = "NeverMatched::is_empty")]
    never_matched: NeverMatched<'l>,
}

/// The entities and rules that matched nothing, in the order of the file.
#[derive(Debug, Default, Serialize)]
struct NeverMatched<'l> {
    entities: Vec<&'l str>,
    rules: Vec<&'l str>,
}

impl NeverMatched<'_> {
    const fn is_empty(&self) -> bool {
        self.entities.is_empty() && self.rules.is_empty()
    }
}

impl Coverage {
    /// What an audit has seen.
    pub(super) fn of_audit(tally: &Tally, stray: Option<Stray>) -> Self {
        let (entities, unmatched) = (tally.entities.clone(), tally.unknown);
        let (references, mirrors) = (tally.references.clone(), tally.mirrors.clone());
        Self { seen: Census { entities, references, mirrors, stray }, unmatched }
    }

    /// Adds a batch. Records that will be delivered again are counted then.
    pub(super) fn add(&mut self, outcome: &Outcome) {
        let end = outcome.checkpoint().map_or(outcome.records, |first| first.position);
        let unmatched = outcome.unmatched.iter().filter(|position| **position < end).count();
        self.unmatched =
            self.unmatched.saturating_add(u64::try_from(unmatched).unwrap_or(u64::MAX));
        if let Some(census) = &outcome.census {
            self.add_census(census);
        }
    }

    /// Adds what items or records are.
    pub(super) fn add_census(&mut self, census: &Census) {
        add(&mut self.seen.entities, &census.entities);
        add(&mut self.seen.references, &census.references);
        add(&mut self.seen.mirrors, &census.mirrors);
        if self.seen.stray.is_none() {
            self.seen.stray.clone_from(&census.stray);
        }
    }

    /// The number of records or items that match no entity.
    pub(super) const fn unmatched(&self) -> u64 {
        self.unmatched
    }

    /// The fields of the last line of machine output.
    pub(super) fn line<'l>(&self, rules: &'l Rules) -> CoverageLine<'l> {
        CoverageLine {
            unmatched_example: self.seen.stray.as_ref().map(|stray| StrayLine::new(rules, stray)),
            never_matched: self.never_matched(rules),
        }
    }

    /// The lines for people about what matches no entity; empty if everything does. `what` is what
    /// was looked at.
    pub(super) fn unmatched_text(&self, rules: &Rules, what: &str) -> String {
        let mut text = String::new();
        if self.unmatched == 0 {
            return text;
        }
        let verb = if self.unmatched == 1 { "matches" } else { "match" };
        let _ = write!(text, "{} {verb} no entity", count(self.unmatched, what));
        if let Some(stray) = &self.seen.stray {
            let name = item_name(rules, stray.table, &stray.key);
            let _ = write!(text, ", for example {name}");
            let line = StrayLine::new(rules, stray);
            if let (Some(nearest), Some(difference)) = (line.nearest, line.difference) {
                let _ = write!(text, "\n  the nearest entity is `{nearest}`: {difference}");
            }
        }
        text.push('\n');
        text
    }

    /// All lines for people; empty if everything matched. `what` is what was looked at.
    pub(super) fn text(&self, rules: &Rules, what: &str) -> String {
        let mut text = self.unmatched_text(rules, what);
        let NeverMatched { entities, rules } = self.never_matched(rules);
        let never = [("entity", "entities", entities), ("rule", "rules", rules)];
        let never = never.into_iter().filter(|(_, _, names)| !names.is_empty());
        let never: Vec<String> = never
            .map(|(one, several, names)| {
                let noun = if names.len() == 1 { one } else { several };
                format!("{noun} `{}`", names.join("`, `"))
            })
            .collect();
        if !never.is_empty() {
            let _ = writeln!(text, "no {what} matched: {}", never.join("; "));
        }
        text
    }

    /// The entities of rules that are on, and these rules, that matched nothing although there was
    /// something to match.
    fn never_matched<'l>(&self, rules: &'l Rules) -> NeverMatched<'l> {
        let seen = &self.seen;
        if self.unmatched == 0 && seen.entities.iter().all(|number| *number == 0) {
            return NeverMatched::default();
        }
        let none = |counts: &[u64], index: usize| counts.get(index) == Some(&0);
        let references = rules.references.iter().filter(|rule| rule.mode != Mode::Off);
        let mirrors = rules.mirrors.iter().filter(|rule| rule.mode != Mode::Off);
        let used: Vec<EntityId> = references
            .flat_map(|rule| [rule.from, rules.declared(rule.to)])
            .chain(mirrors.flat_map(|rule| [rule.source, rule.mirror]))
            .collect();
        // An entity in several tables, or a rule from it, has matched if it has in one of them.
        let is_unseen = |name: &str| {
            rules
                .entities_named(name)
                .all(|(id, _)| used.contains(&id) && none(&seen.entities, id.0))
        };
        let mut entities: Vec<&str> = rules.entities.iter().map(|it| it.name.as_str()).collect();
        entities.dedup();
        entities.retain(|name| is_unseen(name));
        let references = rules.reference_rules().map(|(_, rule)| {
            let mut all = rules.references_named(&rule.name);
            let is_unseen = all.all(|(id, _)| none(&seen.references, id.0));
            (rule.name.as_str(), rule.mode, is_unseen)
        });
        let mirrors = rules.mirror_rules().map(|(_, rule)| {
            let mut all = rules.mirrors_named(&rule.name);
            (rule.name.as_str(), rule.mode, all.all(|(id, _)| none(&seen.mirrors, id.0)))
        });
        NeverMatched {
            entities,
            rules: references
                .chain(mirrors)
                .filter(|(_, mode, is_unseen)| *mode != Mode::Off && *is_unseen)
                .map(|(name, _, _)| name)
                .collect(),
        }
    }
}

fn add(counts: &mut Vec<u64>, others: &[u64]) {
    counts.resize(counts.len().max(others.len()), 0);
    counts.iter_mut().zip(others).for_each(|(count, other)| *count += other);
}
