//! The entities and rules of a rule file as a picture.
//!
//! A box is an entity, with its key templates, its attributes, its conditions and the indexes in
//! which its items are looked up. An edge is a reference or a mirror rule. A frame is a table.

mod entity;
mod health;
mod rule;
mod select;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use health::{Count, Health};
pub use select::{Near, Selection};

use super::{Group, Picture};
use crate::rules::model::{EntityId, MirrorId, ReferenceId, Rules, TableId};

/// The identifier of an entity's box. An entity in several tables has a box for each of them.
#[must_use]
pub fn entity_id(rules: &Rules, id: EntityId) -> String {
    let (id, name) = (rules.declared(id), &rules[id].name);
    if rules.has_several_tables(id) {
        format!("entity.{name}.{}", rules.table_of(id).alias)
    } else {
        format!("entity.{name}")
    }
}

/// The identifier of a reference's edge.
#[must_use]
pub fn reference_id(name: &str) -> String {
    format!("reference.{name}")
}

/// The identifier of a mirror rule's edge.
#[must_use]
pub fn mirror_id(name: &str) -> String {
    format!("mirror.{name}")
}

/// The picture of rules.
#[must_use]
pub fn picture(rules: &Rules, selection: &Selection, health: Option<&Health>) -> Picture {
    let shown = selection.entities(rules);
    let mut picture = Picture { title: title(rules, shown.len()), ..Picture::default() };
    let groups = groups(rules, &shown, &mut picture);
    let mut nodes = BTreeMap::new();
    for id in shown {
        let group = groups.get(&rules[id].table).copied();
        nodes.insert(id, picture.nodes.len());
        picture.nodes.push(entity::node(rules, id, group, selection.keys_only, health));
    }
    for id in (0..rules.references.len()).map(ReferenceId) {
        let rule = &rules[id];
        if let (Some(from), Some(to)) = (nodes.get(&rule.from), nodes.get(&rules.declared(rule.to)))
        {
            picture.edges.push(rule::reference(rules, id, [*from, *to], &picture.nodes, health));
        }
    }
    for id in (0..rules.mirrors.len()).map(MirrorId) {
        let rule = &rules[id];
        if let (Some(from), Some(to)) = (nodes.get(&rule.source), nodes.get(&rule.mirror)) {
            picture.edges.push(rule::mirror(rules, id, [*from, *to], health));
        }
    }
    picture
}

fn title(rules: &Rules, entities: usize) -> String {
    let rules = rules.reference_rules().count() + rules.mirror_rules().count();
    format!("{entities} entities and {rules} rules")
}

/// Adds a group for each table that has several of these entities.
fn groups(
    rules: &Rules,
    shown: &[crate::rules::model::EntityId],
    picture: &mut Picture,
) -> BTreeMap<TableId, usize> {
    let mut groups = BTreeMap::new();
    for (index, table) in rules.tables.iter().enumerate() {
        let id = TableId(index);
        if shown.iter().filter(|entity| rules[**entity].table == id).count() > 1 {
            groups.insert(id, picture.groups.len());
            picture.groups.push(Group { title: format!("table {}", table_name(table)) });
        }
    }
    groups
}

/// The name of a table, with the one in DynamoDB if that is another.
fn table_name(table: &crate::rules::model::Table) -> String {
    if table.alias == table.name {
        table.alias.clone()
    } else {
        format!("{} ({})", table.alias, table.name)
    }
}
