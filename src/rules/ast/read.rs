//! Converts the tree of values into declarations.

use super::action::ReferentialAction;
use super::alternatives::Targets;
use super::condition::tests;
use super::file::{
    CopiedAttributes, DefaultValue, Entity, File, Find, Literal, Mirror, Reference, Table,
};
use super::placement::{Placement, Tables};
use crate::data::Type;
use crate::rules::file::{Entry, Node};
use crate::rules::language::{
    EACH, ON_SYNONYM, parse_duration, parse_key_attribute, parse_list_path, parse_path,
};
use crate::rules::model::{
    Expired, Matching, Mode, OnMirrorDelete, OnMirrorEdit, Removal, Severity,
};
use crate::rules::span::Spanned;
use crate::rules::template::Separator;

/// Converts a tree. If a key occurs more than once, only its first occurrence is used.
pub(crate) fn read(root: &Node) -> File {
    let file = Fields(root.entries());
    let entities: Vec<Entity> = file.named("entities").flat_map(entities).collect();
    let tables = Tables(&entities);
    let references = file.named("references").flat_map(|it| references(it, tables)).collect();
    let mirrors = file.named("mirrors").flat_map(|it| mirrors(it, tables)).collect();
    let readable =
        |section| file.entry(section).map(|entry| matches!(entry.value.value, Node::Map(_)));
    File {
        tables: file.named("tables").map(table).collect(),
        references,
        mirrors,
        entities,
        has_entities: readable("entities") == Some(true),
        has_rules: match (readable("references"), readable("mirrors")) {
            (Some(references), Some(mirrors)) => references && mirrors,
            (references, mirrors) => references.or(mirrors) == Some(true),
        },
    }
}

fn table(entry: &Entry) -> Table {
    let fields = Fields(entry.value.value.entries());
    Table {
        alias: entry.key.clone(),
        name: fields.text("name"),
        key: fields
            .list("key")
            .iter()
            .filter_map(|element| {
                Some(element.with(parse_key_attribute(element.value.as_text()?)?))
            })
            .collect(),
        separator: fields.parsed("separator", Separator::parse).map(|separator| separator.value),
        ttl: fields.text("ttl"),
        region: fields.text("region"),
        account: fields.text("account"),
    }
}

/// An entity in each of its tables.
fn entities(entry: &Entry) -> Vec<Entity> {
    let fields = Fields(entry.value.value.entries());
    let names = fields.list("table").iter();
    let text = |name: &Spanned<Node>| Some(name.with(name.value.as_text()?.to_owned()));
    let tables: Vec<_> = names.filter_map(text).collect();
    if tables.is_empty() {
        return vec![entity(entry, fields.text("table"))];
    }
    tables.into_iter().map(|table| entity(entry, Some(table))).collect()
}

fn entity(entry: &Entry, table: Option<Spanned<String>>) -> Entity {
    let fields = Fields(entry.value.value.entries());
    Entity {
        name: entry.key.clone(),
        table,
        key: fields.entry("key").filter(|key| matches!(key.value.value, Node::Map(_))).map(|key| {
            let parts = key.value.value.entries().iter();
            let text =
                |entry: &Entry| Some(entry.value.with(entry.value.value.as_text()?.to_owned()));
            key.key.with(parts.map(|entry| (entry.key.clone(), text(entry))).collect())
        }),
        attributes: fields
            .pairs("attributes")
            .filter_map(|(path, kind)| {
                let text = kind.value.as_text()?;
                let kind_read = if is_template(text) { Type::S } else { Type::from_tag(text)? };
                Some((path.with(parse_list_path(&path.value)?), kind.with(kind_read)))
            })
            .collect(),
        templates: fields
            .pairs("attributes")
            .filter_map(|(path, text)| {
                let template = text.value.as_text().filter(|text| is_template(text))?.to_owned();
                Some((path.with(parse_list_path(&path.value)?), text.with(template)))
            })
            .collect(),
        conditions: fields
            .pairs("where")
            .filter_map(|(path, value)| Some((path.with(parse_path(&path.value)?), tests(value))))
            .collect(),
    }
}

/// The alternatives of a reference, for each table of `from`.
fn references(entry: &Entry, tables: Tables<'_>) -> Vec<Reference> {
    let fields = Fields(entry.value.value.entries());
    let written = fields.entry("to").map(Targets::read).unwrap_or_default();
    let from = fields.text("from").map(|from| from.value).unwrap_or_default();
    let placement = fields.parsed("tables", placement).map(|placement| placement.value);
    let mut references = Vec::new();
    for from_at in 0..tables.count(&from) {
        let targets = written.placed(tables, placement, (&from, from_at));
        let alternatives = 0..targets.each.len().max(1);
        references.extend(alternatives.map(|it| reference(entry, from_at, &targets, it)));
    }
    references
}

fn reference(entry: &Entry, from_at: usize, targets: &Targets, alternative: usize) -> Reference {
    let fields = Fields(entry.value.value.entries());
    let on = fields.entry("on").or_else(|| fields.entry(ON_SYNONYM));
    Reference {
        name: entry.key.clone(),
        from: fields.text("from"),
        from_at,
        to: targets.each.get(alternative).map(|target| target.entity.clone()),
        targets: targets.clone(),
        alternative,
        placement: fields.parsed("tables", placement),
        is_placement_readable: fields.entry("tables").is_none()
            || fields.parsed("tables", placement).is_some(),
        on: on.map(|on| texts(&on.value.value)).unwrap_or_default(),
        on_key: fields.entry("on_key").map(|on| on.key.with(texts(&on.value.value))),
        is_on_readable: on.is_none_or(|on| is_map_of_texts(&on.value.value)),
        matching: fields.parsed("match", matching),
        required: fields.flag("required"),
        expired: fields.parsed("expired", expired),
        on_missing: fields.parsed("on_missing", action),
        on_delete: fields.parsed("on_delete", action),
        on_ttl_delete: fields.parsed("on_ttl_delete", action),
        default: fields.entry("default").and_then(|entry| {
            let value = &entry.value;
            Some(match literal(&value.value) {
                Some(literal) => value.with(DefaultValue::One(literal)),
                None => entry.key.with(DefaultValue::Each(literals(value.value.as_map()?))),
            })
        }),
        unset: fields.entry("unset").filter(|it| it.value.value.as_text().is_none()).map(|entry| {
            let names = entry.value.value.elements().iter();
            let text = |name: &Spanned<Node>| Some(name.with(name.value.as_text()?.to_owned()));
            entry.key.with(names.filter_map(text).collect())
        }),
        removal: fields.parsed("unset", removal),
        none: fields.entry("none").map(|entry| {
            let value = &entry.value;
            let literals = match &value.value {
                Node::List(values) => values.as_slice(),
                Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::Map(_) => {
                    std::slice::from_ref(value)
                }
            };
            let literal = |it: &Spanned<Node>| Some(it.with(literal(&it.value)?));
            entry.key.with(literals.iter().filter_map(literal).collect())
        }),
        find: lookup(&fields, targets, alternative).map(find),
        lookups: each_lookup(&fields).iter().map(|entry| entry.key.clone()).collect(),
        grace: fields.parsed("grace", parse_duration).map(|grace| grace.value),
        mode: fields.parsed("mode", Mode::from_name).map(|mode| mode.value),
        severity: fields.parsed("severity", severity).map(|severity| severity.value),
        fanout_max: fields.entry("max_fanout").and_then(count),
        depth_max: fields.entry("max_depth").and_then(count),
    }
}

/// The lookup for one of the entities that a reference may lead to.
fn lookup<'t>(fields: &Fields<'t>, targets: &Targets, alternative: usize) -> Option<&'t Entry> {
    let each = each_lookup(fields);
    if each.is_empty() {
        return fields.entry("find");
    }
    let entity = &targets.each.get(alternative)?.entity.value;
    each.iter().find(|entry| entry.key.value == *entity)
}

/// The lookups in `find`, if it has one for each entity.
fn each_lookup<'t>(fields: &Fields<'t>) -> &'t [Entry] {
    let find = fields.entry("find").map_or(&[][..], |find| find.value.value.entries());
    Fields(find).entry(EACH).map_or(&[], |each| each.value.value.entries())
}

fn find(entry: &Entry) -> Spanned<Find> {
    let fields = Fields(entry.value.value.entries());
    let find = match &entry.value.value {
        Node::Text(text) if text == "none" => Find::None,
        Node::Map(_) if fields.entry("mirror").is_some() => Find::Mirror(fields.text("mirror")),
        Node::Map(_) => find_index(&fields),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::List(_) => {
            Find::Unreadable
        }
    };
    entry.key.with(find)
}

fn find_index(fields: &Fields<'_>) -> Find {
    let key: Vec<_> = fields
        .pairs("key")
        .filter_map(|(attribute, template)| {
            let template = template.with(template.value.as_text()?.to_owned());
            Some((attribute.with(parse_key_attribute(&attribute.value)?), template))
        })
        .collect();
    let written = fields.entry("key").and_then(|entry| entry.value.value.as_map());
    if written.is_none_or(|written| written.len() != key.len()) {
        return Find::Unreadable;
    }
    Find::Index { index: fields.text("index"), key }
}

fn copied(node: &Node) -> Option<CopiedAttributes> {
    let texts = |names: &[Spanned<Node>]| {
        let text = |name: &Spanned<Node>| Some(name.with(name.value.as_text()?.to_owned()));
        names.iter().filter_map(text).collect()
    };
    match node {
        Node::List(names) => Some(CopiedAttributes::List(texts(names))),
        Node::Map(entries) if entries.iter().all(|entry| entry.value.value.as_text().is_some()) => {
            Some(CopiedAttributes::Renamed(self::texts(node)))
        }
        Node::Map(_) => {
            Some(CopiedAttributes::Except(texts(Fields(node.entries()).list("except"))))
        }
        Node::Text(text) if text == "none" => Some(CopiedAttributes::None),
        Node::Text(text) if text == "all" => Some(CopiedAttributes::All),
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => None,
    }
}

/// A mirror rule for each table of its source.
fn mirrors(entry: &Entry, tables: Tables<'_>) -> Vec<Mirror> {
    let fields = Fields(entry.value.value.entries());
    let text = |key| fields.text(key).map(|name| name.value).unwrap_or_default();
    let (source, target) = (text("source"), text("mirror"));
    let placement = fields.parsed("tables", placement).map(|placement| placement.value);
    let placed = |source_at| {
        let found = tables.positions(placement, (&source, source_at), &target);
        (source_at, found.ok().and_then(|found| found.first().copied()).unwrap_or_default())
    };
    (0..tables.count(&source)).map(placed).map(|at| mirror(entry, at)).collect()
}

fn mirror(entry: &Entry, (source_at, target_at): (usize, usize)) -> Mirror {
    let fields = Fields(entry.value.value.entries());
    Mirror {
        name: entry.key.clone(),
        was: fields.text("was"),
        source: fields.text("source"),
        source_at,
        target: fields.text("mirror"),
        target_at,
        placement: fields.parsed("tables", placement),
        is_placement_readable: fields.entry("tables").is_none()
            || fields.parsed("tables", placement).is_some(),
        copy: fields.entry("copy").and_then(|entry| copied(&entry.value.value)),
        on_mirror_delete: fields.parsed("on_mirror_delete", on_mirror_delete).map(|it| it.value),
        on_mirror_edit: fields.parsed("on_mirror_edit", on_mirror_edit),
        adopt: fields.flag("adopt"),
        mode: fields.parsed("mode", Mode::from_name).map(|mode| mode.value),
        severity: fields.parsed("severity", severity).map(|severity| severity.value),
    }
}

/// Whether the declaration of an attribute is a template, and not a type.
fn is_template(text: &str) -> bool {
    text.contains(['{', '}'])
}

fn count(entry: &Entry) -> Option<Spanned<u64>> {
    let Node::Number(number) = &entry.value.value else { return None };
    Some(entry.value.with(number.parse().ok()?))
}

fn expired(word: &str) -> Option<Expired> {
    Expired::ALL.into_iter().find(|expired| expired.name() == word)
}

fn matching(word: &str) -> Option<Matching> {
    Matching::ALL.into_iter().find(|matching| matching.name() == word)
}

fn placement(word: &str) -> Option<Placement> {
    Placement::ALL.into_iter().find(|placement| placement.name() == word)
}

fn action(word: &str) -> Option<ReferentialAction> {
    ReferentialAction::ALL.into_iter().find(|action| action.name() == word)
}

fn removal(word: &str) -> Option<Removal> {
    Removal::ALL.into_iter().find(|removal| removal.name() == word)
}

fn severity(word: &str) -> Option<Severity> {
    Severity::ALL.into_iter().find(|severity| severity.name() == word)
}

fn on_mirror_delete(word: &str) -> Option<OnMirrorDelete> {
    OnMirrorDelete::ALL.into_iter().find(|action| action.name() == word)
}

fn on_mirror_edit(word: &str) -> Option<OnMirrorEdit> {
    OnMirrorEdit::ALL.into_iter().find(|action| action.name() == word)
}

pub(super) fn literal(node: &Node) -> Option<Literal> {
    match node {
        Node::Text(text) => Some(Literal::Text(text.clone())),
        Node::Number(number) => Some(Literal::Number(number.clone())),
        Node::Bool(flag) => Some(Literal::Bool(*flag)),
        Node::Null | Node::List(_) | Node::Map(_) => None,
    }
}

fn literals(entries: &[Entry]) -> Vec<(Spanned<String>, Spanned<Literal>)> {
    entries
        .iter()
        .filter_map(|entry| {
            Some((entry.key.clone(), entry.value.with(literal(&entry.value.value)?)))
        })
        .collect()
}

/// Whether a value is a map in which all values are text.
fn is_map_of_texts(node: &Node) -> bool {
    let is_text = |entry: &Entry| entry.value.value.as_text().is_some();
    node.as_map().is_some_and(|entries| entries.iter().all(is_text))
}

/// The entries of a map whose values are text. Other entries are omitted.
fn texts(map: &Node) -> Vec<(Spanned<String>, Spanned<String>)> {
    map.entries()
        .iter()
        .filter_map(|entry| {
            let text = entry.value.value.as_text()?.to_owned();
            Some((entry.key.clone(), entry.value.with(text)))
        })
        .collect()
}

/// The entries of a map, by key.
struct Fields<'t>(&'t [Entry]);

impl<'t> Fields<'t> {
    fn entry(&self, key: &str) -> Option<&'t Entry> {
        self.0.iter().find(|entry| entry.key.value == key)
    }

    fn text(&self, key: &str) -> Option<Spanned<String>> {
        let value = &self.entry(key)?.value;
        Some(value.with(value.value.as_text()?.to_owned()))
    }

    fn parsed<T>(&self, key: &str, parse: fn(&str) -> Option<T>) -> Option<Spanned<T>> {
        let value = &self.entry(key)?.value;
        Some(value.with(parse(value.value.as_text()?)?))
    }

    fn flag(&self, key: &str) -> Option<Spanned<bool>> {
        let value = &self.entry(key)?.value;
        let Node::Bool(flag) = value.value else { return None };
        Some(value.with(flag))
    }

    fn list(&self, key: &str) -> &'t [Spanned<Node>] {
        self.entry(key).map_or(&[], |entry| entry.value.value.elements())
    }

    fn pairs(&self, key: &str) -> impl Iterator<Item = (&'t Spanned<String>, &'t Spanned<Node>)> {
        let entries = self.entry(key).map_or(&[][..], |entry| entry.value.value.entries());
        entries.iter().map(|entry| (&entry.key, &entry.value))
    }

    /// The entries of the map under this key. If a name occurs more than once, only its first
    /// entry is returned.
    fn named(&self, key: &str) -> impl Iterator<Item = &'t Entry> {
        let entries = self.entry(key).map_or(&[][..], |entry| entry.value.value.entries());
        let mut seen = std::collections::BTreeSet::new();
        entries.iter().filter(move |entry| seen.insert(entry.key.value.as_str()))
    }
}
