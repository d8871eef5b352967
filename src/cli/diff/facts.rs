//! The declarations of a rule file as comparable values, and what their changes mean for the data.

use std::collections::BTreeMap;

use crate::cli::explain::{placement, source};
use crate::data::Value;
use crate::rules::model::{
    Copied, Entity, Find, Matching, MirrorId, Reference, ReferenceId, Rules, Table,
};
use crate::wording;

/// A declaration as comparable values.
pub(super) struct Facts {
    pub(super) of: &'static str,
    pub(super) fields: BTreeMap<&'static str, String>,
}

/// A rule file's declarations, each with the number of its kind and its name.
pub(super) fn all(rules: &Rules) -> BTreeMap<(usize, &str), Facts> {
    let mut all = BTreeMap::new();
    for it in &rules.tables {
        all.insert((0, it.alias.as_str()), Facts { of: "table", fields: table(it) });
    }
    for it in &rules.entities {
        let fields = entity(rules, it);
        all.entry((1, it.name.as_str())).or_insert(Facts { of: "entity", fields });
    }
    for (id, it) in rules.reference_rules() {
        all.insert((2, it.name.as_str()), Facts { of: "reference", fields: references(rules, id) });
    }
    for (id, it) in rules.mirror_rules() {
        all.insert((3, it.name.as_str()), Facts { of: "mirror", fields: mirror(rules, id) });
    }
    all
}

fn table(table: &Table) -> BTreeMap<&'static str, String> {
    let keys = table.key.attributes();
    let keys: Vec<_> = keys.map(|key| format!("{}:{}", key.name, key.kind.as_type())).collect();
    let mut fields = BTreeMap::from([
        ("name", table.name.clone()),
        ("key", keys.join(", ")),
        ("separator", table.separator.to_string()),
    ]);
    fields.extend(table.ttl.clone().map(|ttl| ("ttl", ttl)));
    fields.extend(table.region.clone().map(|region| ("region", region)));
    fields.extend(table.account.clone().map(|account| ("account", account)));
    fields
}

fn entity(rules: &Rules, entity: &Entity) -> BTreeMap<&'static str, String> {
    let table = &rules[entity.table];
    let tables = rules.entities_named(&entity.name);
    let mut tables: Vec<_> = tables.map(|(id, _)| rules.table_of(id).alias.clone()).collect();
    // Which tables belong together is said with the rules.
    tables.sort();
    let templates = std::iter::once(entity.key.partition()).chain(entity.key.sort());
    let key = table.key.names().zip(templates);
    let key: Vec<_> =
        key.map(|(name, template)| format!("{name}: \"{}\"", template.template())).collect();
    let conditions: Vec<_> = entity
        .conditions
        .iter()
        .map(|(path, test)| format!("{path}: {}", wording::test(test)))
        .collect();
    let attributes: Vec<_> =
        entity.attributes.iter().map(|(path, kind)| format!("{path}: {kind}")).collect();
    BTreeMap::from([
        ("table", tables.join(", ")),
        ("key", key.join(", ")),
        ("where", conditions.join(", ")),
        ("attributes", attributes.join(", ")),
    ])
}

/// What a rule says: for each of the entities that it may lead to, if that differs.
fn references(rules: &Rules, id: ReferenceId) -> BTreeMap<&'static str, String> {
    let each: Vec<_> = rules
        .alternatives(id)
        .map(|(_, it)| (rules[it.to].name.as_str(), reference(rules, it)))
        .collect();
    let Some((_, first)) = each.first() else { return BTreeMap::new() };
    let field = |name: &&'static str| {
        let values = || each.iter().filter_map(|(to, fields)| Some((*to, fields.get(name)?)));
        let mut all: Vec<_> = values().map(|(_, value)| value.clone()).collect();
        all.dedup();
        if all.len() > 1 && *name != "to" {
            all = values().map(|(to, value)| format!("{to}: {value}")).collect();
        }
        (*name, all.join("; "))
    };
    let fields = first.keys().map(field);
    fields.chain(tables(placement::of_reference(rules, id))).collect()
}

fn reference(rules: &Rules, rule: &Reference) -> BTreeMap<&'static str, String> {
    let captures = rules[rule.to].key.captures().iter().zip(rule.components.iter().enumerate());
    let on: Vec<_> =
        captures.map(|(name, it)| format!("{name}: {}", source(rules, rule, it))).collect();
    let values = |values: Vec<String>| values.join(", ");
    let matching = if rule.matching == Matching::Full { "full" } else { "simple" };
    BTreeMap::from([
        ("from", rules[rule.from].name.clone()),
        ("to", to(rules, rule)),
        ("on", on.join(", ")),
        ("match", matching.to_owned()),
        ("required", rule.required.to_string()),
        ("on_missing", rule.on_missing.name().to_owned()),
        ("on_delete", rule.on_delete.name().to_owned()),
        ("on_ttl_delete", rule.on_ttl_delete.name().to_owned()),
        ("default", values(rule.defaults.iter().flatten().map(json).collect())),
        ("unset", values(rule.derived.iter().map(|it| it.attribute.clone()).collect())),
        ("none", values(rule.none.iter().map(json).collect())),
        ("find", find(rules, rule)),
        ("grace", format!("{}ms", rule.grace.as_millis())),
        ("mode", rule.mode.name().to_owned()),
        ("severity", rule.severity.name().to_owned()),
        ("max_fanout", rule.fanout_max.to_string()),
        ("max_depth", rule.depth_max.to_string()),
    ])
}

/// The referenced entity, and the value of the discriminator that leads to it.
fn to(rules: &Rules, rule: &Reference) -> String {
    let mut to = rules[rule.to].name.clone();
    if let Some(view) = rules.view(rule.to) {
        let names = view.table.key.names().zip(view.entity.key.templates());
        let key = names.map(|(name, template)| format!("{name}: {}", template.template()));
        let key = key.collect::<Vec<_>>().join(", ");
        to = format!("{to} in the index {} with {key}", view.index_name(rules));
    }
    let by = rule.alternative.discriminator.as_ref().and_then(|it| {
        let source = source(rules, rule, (it.component, rule.components.get(it.component)?));
        Some(format!("{to} if {source} is {}", json(&it.value.to_value())))
    });
    by.unwrap_or(to)
}

fn find(rules: &Rules, rule: &Reference) -> String {
    match &rule.find {
        Find::Derived => "a query of the table".to_owned(),
        Find::None => "none".to_owned(),
        Find::Mirror(mirror) => format!("the mirror {}", rules[*mirror].name),
        Find::Index { index, partition, sort } => {
            let index = rules.table_of(rule.from).indexes.get(*index);
            let name = index.map_or("", |index| index.name.as_str());
            let templates = std::iter::once(partition).chain(sort);
            let templates = templates.map(|template| format!("\"{}\"", template.template()));
            format!("the index {name} with {}", templates.collect::<Vec<_>>().join(", "))
        }
    }
}

/// In which tables the items of a rule are, if its entities have several.
fn tables(of_rule: Vec<placement::Tables>) -> Option<(&'static str, String)> {
    let each = of_rule.into_iter().map(|(from, to)| format!("{from} to {}", to.join(" or ")));
    let mut each: Vec<_> = each.collect();
    each.sort();
    (!each.is_empty()).then(|| ("tables", each.join(", ")))
}

fn mirror(rules: &Rules, id: MirrorId) -> BTreeMap<&'static str, String> {
    let rule = &rules[id];
    let copy = match &rule.copy {
        Copied::All => "all".to_owned(),
        Copied::None => "none".to_owned(),
        Copied::Except(names) => format!("all except {}", names.join(", ")),
        Copied::List(names) => names.join(", "),
        Copied::Renamed(names) => {
            let as_new = names.iter().map(|(name, new)| format!("{name} as {new}"));
            as_new.collect::<Vec<_>>().join(", ")
        }
    };
    let fields = [
        ("source", rules[rule.source].name.clone()),
        ("mirror", rules[rule.mirror].name.clone()),
        ("copy", copy),
        ("on_mirror_delete", rule.on_mirror_delete.name().to_owned()),
        ("on_mirror_edit", rule.on_mirror_edit.name().to_owned()),
        ("adopt", rule.adopt.to_string()),
        ("was", rule.was.clone().unwrap_or_default()),
        ("mode", rule.mode.name().to_owned()),
        ("severity", rule.severity.name().to_owned()),
    ];
    fields.into_iter().chain(tables(placement::of_mirror(rules, id))).collect()
}

fn json(value: &Value<'_>) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// What a change means for the items in the tables.
pub(super) fn consequences(
    of: &str,
    name: &str,
    change: &str,
    fields: &[&str],
    new: &Rules,
) -> Vec<String> {
    let changes =
        |names: &[&str]| change == "changed" && names.iter().any(|it| fields.contains(it));
    let mut lines = Vec::new();
    let mut say = |line: &str| lines.push(line.to_owned());
    match (of, change) {
        ("reference", "added") => {
            say("it applies to items that change from now on; `referee audit` checks the others");
        }
        ("mirror", "added") if new.mirrors.iter().any(|it| it.name == name && it.was.is_some()) => {
            say("it takes over the mirrors of its former name");
        }
        ("mirror", "added") => {
            say("`referee backfill` writes the mirrors of the sources that exist");
        }
        ("mirror", "removed") if new.mirrors.iter().any(|it| it.was.as_deref() == Some(name)) => {
            say("another rule takes over its mirrors");
        }
        ("mirror", "removed") => {
            say("its mirrors stay with their marks; delete them if nothing reads them");
        }
        _ => {}
    }
    if of == "reference" && changes(&["from", "to", "tables", "on", "match", "required", "none"]) {
        say("items that change are checked in the new way; `referee audit` checks the others");
    }
    if of == "reference" && changes(&["on_missing", "on_delete", "on_ttl_delete", "mode"]) {
        say("the new actions apply to changes from now on");
    }
    if of == "mirror" && changes(&["source", "mirror", "tables"]) {
        say("mirrors that were written stay at their keys, and no rule maintains them");
    }
    if of == "mirror" && changes(&["copy"]) {
        say(
            "mirrors change with their sources; `referee audit` and `referee repair` write the others",
        );
    }
    if of == "entity" && changes(&["table", "key", "where"]) {
        let is_mirror = new.mirrors.iter().any(|rule| new[rule.mirror].name == name);
        if is_mirror {
            say("mirrors that were written stay at their keys, and no rule maintains them");
        }
        say(
            "items that no longer belong to it are not checked until they change: run `referee audit`",
        );
    }
    if of == "table" && changes(&["name", "key", "separator"]) {
        say("the rules apply to other items: run `referee audit`");
    }
    lines
}
