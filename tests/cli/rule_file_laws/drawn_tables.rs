//! Random entities in two tables, with a reference and a mirror rule between them.

use std::collections::BTreeMap;

use referee::data::{KeyAttribute, KeyKind, KeySchema};
use referee::rules::Rules;
use referee::rules::model::{
    Alternative, Component, Copied, Entity, EntityId, Expired, Find, Matching, Mirror, MirrorPart,
    Mode, OnDelete, OnMirrorDelete, OnMirrorEdit, OnMissing, OtherKey, OtherPart, OtherTarget,
    Reference, ReferenceId, Removal, Severity, Table, TableId,
};
use referee::rules::template::{EntityKey, Separator};

use super::drawn::{DEPTH_MAX, FANOUT_MAX, GRACE, mode, severity, template};
use super::tape::Tape;

/// Adds two or four tables, and entities in two of them.
pub(super) fn entities(rules: &mut Rules, tape: &mut Tape) {
    let own = [table(rules, "east"), table(rules, "west")];
    let is_apart = tape.flag();
    let others = if is_apart { [table(rules, "north"), table(rules, "south")] } else { own };
    let from = entity(rules, own, ["from#{a}", "{b}"]);
    let to = entity(rules, others, ["to#{a}", "-"]);
    let mirror = entity(rules, others, ["copy#{b}", "{a}"]);
    let is_any = tape.flag();
    let (mode_of, severity_of) = (mode(tape), severity(tape));
    for (position, source) in from.iter().enumerate() {
        rules.mirrors.push(Mirror {
            name: "copies".to_owned(),
            was: None,
            source: *source,
            mirror: mirror[position],
            mirror_from_source: vec![MirrorPart::Capture(1), MirrorPart::Capture(0)],
            source_from_mirror: vec![1, 0],
            copy: Copied::All,
            on_mirror_delete: OnMirrorDelete::Restore,
            on_mirror_edit: OnMirrorEdit::Overwrite,
            adopt: false,
            mode: mode_of,
            severity: severity_of,
        });
        let targets: Vec<EntityId> = if is_any { to.clone() } else { vec![to[position]] };
        let first = rules.references.len();
        for (own, target) in targets.iter().enumerate() {
            let other = |it: usize| OtherTarget {
                rule: ReferenceId(first + it),
                key: OtherKey::Built(vec![OtherPart::Capture(0)]),
            };
            let alternative = Alternative {
                first: ReferenceId(first),
                is_first: own == 0,
                count: targets.len(),
                discriminator: None,
                others: (0..targets.len()).filter(|it| *it != own).map(other).collect(),
            };
            rules.references.push(reference([*source, *target], alternative));
        }
    }
}

fn table(rules: &mut Rules, alias: &str) -> TableId {
    let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
    rules.tables.push(Table {
        alias: alias.to_owned(),
        name: alias.to_owned(),
        key: KeySchema { partition: attribute("pk"), sort: Some(attribute("sk")) },
        separator: '#'.into(),
        ttl: None,
        region: None,
        account: None,
        indexes: Vec::new(),
    });
    TableId(rules.tables.len() - 1)
}

/// Adds an entity in these tables. Its name is the beginning of its key.
fn entity(rules: &mut Rules, tables: [TableId; 2], key: [&str; 2]) -> Vec<EntityId> {
    let [partition, sort] = key.map(|text| template(text, KeyKind::S));
    let name = key[0].split('#').next().unwrap();
    for table in tables {
        rules.entities.push(Entity {
            name: name.to_owned(),
            table,
            key: EntityKey::new(partition.clone(), Some(sort.clone()), Separator::from('#')),
            attributes: BTreeMap::new(),
            templates: BTreeMap::new(),
            conditions: Vec::new(),
        });
    }
    (rules.entities.len() - 2..rules.entities.len()).map(EntityId).collect()
}

fn reference([from, to]: [EntityId; 2], alternative: Alternative) -> Reference {
    Reference {
        name: "between".to_owned(),
        from,
        to,
        alternative,
        components: vec![Component::Capture(0)],
        contained: vec![None],
        agreeing: Vec::new(),
        matching: Matching::Simple,
        required: false,
        expired: Expired::Present,
        on_missing: OnMissing::Report,
        on_delete: OnDelete::Report,
        on_ttl_delete: OnDelete::Report,
        defaults: vec![None],
        derived: Vec::new(),
        removal: Removal::Field,
        none: Vec::new(),
        find: Find::Derived,
        grace: GRACE,
        mode: Mode::Enforce,
        severity: Severity::Error,
        fanout_max: FANOUT_MAX,
        depth_max: DEPTH_MAX,
    }
}

/// The tables of an entity, by their names in the file.
pub(super) fn tables_of<'r>(rules: &'r Rules, entity: &str) -> Vec<&'r str> {
    let all = rules.entities_named(entity);
    all.map(|(id, _)| rules.table_of(id).alias.as_str()).collect()
}

/// The value of the key `tables` of a rule with these entities, and whether it is the default;
/// `None` if the second entity has one table.
pub(super) fn placement(
    rules: &Rules,
    ends: [EntityId; 2],
    is_any: bool,
    tape: &mut Tape,
) -> Option<(&'static str, bool)> {
    let [from, to] = ends.map(|id| tables_of(rules, &rules[rules.declared(id)].name));
    let word = match (is_any, from == to && tape.flag()) {
        (true, _) => "any",
        (false, true) => "same",
        (false, false) => "paired",
    };
    (to.len() > 1).then_some((word, from == to && !is_any))
}
