//! The tables that rules lead from and to, if the entities are in several.

use crate::rules::model::{EntityId, MirrorId, ReferenceId, Rules};
use crate::wording::names;

/// The tables of a rule: one of the referencing items or sources, and in which the other items are.
pub(in crate::cli) type Tables = (String, Vec<String>);

/// The tables of a reference; none if its entities have one table each.
pub(in crate::cli) fn of_reference(rules: &Rules, id: ReferenceId) -> Vec<Tables> {
    let all = rules.references_named(&rules[id].name);
    tables(rules, all.map(|(_, rule)| (rule.from, rules.declared(rule.to))))
}

/// The tables of a mirror rule; none if its entities have one table each.
pub(in crate::cli) fn of_mirror(rules: &Rules, id: MirrorId) -> Vec<Tables> {
    let all = rules.mirrors_named(&rules[id].name);
    tables(rules, all.map(|(_, rule)| (rule.source, rule.mirror)))
}

fn tables(rules: &Rules, ends: impl Iterator<Item = (EntityId, EntityId)>) -> Vec<Tables> {
    let mut tables: Vec<Tables> = Vec::new();
    let mut are_several = false;
    for (from, to) in ends {
        are_several |= rules.has_several_tables(from) || rules.has_several_tables(to);
        let [from, to] = [from, to].map(|id| rules.table_of(id).alias.clone());
        match tables.iter_mut().find(|(known, _)| *known == from) {
            Some((_, others)) if others.contains(&to) => {}
            Some((_, others)) => others.push(to),
            None => tables.push((from, vec![to])),
        }
    }
    tables.retain(|_| are_several);
    tables
}

/// The tables of a reference in sentences.
pub(super) fn sentences_of_reference(rules: &Rules, id: ReferenceId) -> Vec<String> {
    let tables = of_reference(rules, id).into_iter();
    let sentence = |(from, to): Tables| {
        let enough = if to.len() > 1 { ", one of which is enough" } else { "" };
        let to = names(&to, "or");
        format!("An item in the table `{from}` refers to one in {to}{enough}.")
    };
    tables.map(sentence).collect()
}

/// The tables of a mirror rule in sentences.
pub(super) fn sentences_of_mirror(rules: &Rules, id: MirrorId) -> Vec<String> {
    let tables = of_mirror(rules, id).into_iter();
    let sentence = |(from, to): Tables| {
        format!("The mirror of an item in the table `{from}` is in {}.", names(&to, "or"))
    };
    tables.map(sentence).collect()
}
