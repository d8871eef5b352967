//! The audit of tables by their rules: what is wrong in the end and was not reported.
//!
//! It shares no code with the engine. It uses the key templates of the rules, which have tests of
//! their own, and decides itself whether an item belongs to an entity.

use std::collections::{BTreeMap, BTreeSet};

use referee::data::{Item, Key, KeyValue, Path, Value};
use referee::engine::{Origin, Response, Violation};
use referee::integrity::finding::Kind;
use referee::integrity::mark::MARK;
use referee::rules::model::{
    Copied, EntityId, Find, Matching, Mirror, Mode, OnDelete, Reference, Rules, Source,
};
use referee::rules::template::Captures;
use referee::store::Memory;

/// The items of a table by their keys.
type Items = BTreeMap<Key<'static>, Item<'static>>;

/// The deleted items, by table and key, with the origin of their last delete.
pub type Gone = BTreeMap<(String, Key<'static>), Origin>;

/// The tables in the end, and the violations reported on the way.
pub struct Audit<'a> {
    rules: &'a Rules,
    tables: BTreeMap<String, Items>,
    gone: &'a Gone,
    reported: &'a [Violation],
}

/// The value of an item's reference.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ReferenceValue {
    RefersTo(Key<'static>),
    Wrong(Kind),
}

impl<'a> Audit<'a> {
    pub fn new(
        rules: &'a Rules,
        store: &Memory,
        gone: &'a Gone,
        reported: &'a [Violation],
    ) -> Self {
        let of_table = |(name, items): (String, Vec<Item<'static>>)| {
            let (_, schema) = rules.table_named(&name).unwrap();
            let keyed = items
                .into_iter()
                .map(|item| (schema.key_of(&item).unwrap().into_owned(), item))
                .collect();
            (name, keyed)
        };
        Self { rules, tables: store.dump().into_iter().map(of_table).collect(), gone, reported }
    }

    /// Descriptions of everything that is wrong.
    pub fn findings(&self) -> Vec<String> {
        let mut found = Vec::new();
        for mirror in self.rules.mirrors.iter().filter(|mirror| mirror.mode != Mode::Off) {
            self.check_mirrors(mirror, &mut found);
        }
        for reference in self.rules.references.iter().filter(|it| it.mode != Mode::Off) {
            for (key, item, captures) in self.of_entity(reference.from) {
                if mark_of(item, &reference.name).is_some() {
                    found.push(format!("{key:?} is still marked by {}", reference.name));
                }
                for value in self.values(reference, &captures, item) {
                    self.check_reference(reference, key, &value, &mut found);
                }
            }
        }
        found
    }

    fn items(&self, entity: EntityId) -> &Items {
        &self.tables[&self.rules[self.rules[entity].table].name]
    }

    /// The items of an entity: their key matches its template, and its `where` holds.
    fn of_entity(
        &self,
        entity: EntityId,
    ) -> impl Iterator<Item = (&Key<'static>, &Item<'static>, Captures<'_>)> {
        let of = &self.rules[entity];
        self.items(entity).iter().filter_map(move |(key, item)| {
            let has = |(path, value): &(Path, Value<'_>)| path.lookup(item) == Some(value);
            of.conditions.iter().all(has).then_some(())?;
            Some((key, item, of.key.parse(key)?))
        })
    }

    fn exists(&self, entity: EntityId, key: &Key<'static>) -> bool {
        self.of_entity(entity).any(|(other, ..)| other == key)
    }

    fn check_mirrors(&self, mirror: &Mirror, found: &mut Vec<String>) {
        let rules = self.rules;
        let mut due = BTreeSet::new();
        for (source, item, captures) in self.of_entity(mirror.source) {
            let values: Vec<KeyValue<'_>> =
                mirror.mirror_from_source.iter().map(|place| captures[*place].clone()).collect();
            let key = rules[mirror.mirror].key.build(&values).unwrap();
            let is = self.items(mirror.mirror).get(&key);
            let is_reported = || self.is_mirror_reported(mirror, &key, source);
            match is {
                Some(is) if mark_of(is, &mirror.name).is_some() => {
                    let differs = !is_copy(rules, mirror, is, item, &key);
                    if differs && !is_reported() {
                        found.push(format!("{is:?} is not a mirror of {item:?}"));
                    }
                }
                _ if !is_reported() => found.push(format!("{source:?} has no mirror")),
                _ => {}
            }
            due.insert(key);
        }
        for (key, item) in self.items(mirror.mirror) {
            if let Some(mark) = mark_of(item, &mirror.name) {
                if !due.contains(key) && !self.is_extra_reported(mirror, key) {
                    found.push(format!("{key:?} is a mirror without a source"));
                }
                if mark.contains_key("deleting") {
                    found.push(format!("{key:?} is marked as deleting, and was not deleted"));
                }
            }
        }
    }

    fn is_mirror_reported(&self, mirror: &Mirror, key: &Key<'_>, source: &Key<'_>) -> bool {
        self.reported.iter().any(|reported| {
            reported.finding.rule == mirror.name
                && reported.resolution.response != Response::Repaired
                && reported.finding.referencing.as_ref().is_some_and(|item| item.key == *key)
                && reported.finding.referenced.as_ref().is_some_and(|item| item.key == *source)
        })
    }

    fn is_extra_reported(&self, mirror: &Mirror, key: &Key<'static>) -> bool {
        let captures = self.rules[mirror.mirror].key.parse(key).unwrap();
        let values: Vec<KeyValue<'_>> =
            mirror.source_from_mirror.iter().map(|place| captures[*place].clone()).collect();
        let source = self.rules[mirror.source].key.build(&values).unwrap();
        self.is_mirror_reported(mirror, key, &source)
    }

    fn check_reference(
        &self,
        reference: &Reference,
        of: &Key<'static>,
        value: &ReferenceValue,
        found: &mut Vec<String>,
    ) {
        let name = &reference.name;
        let words = match value {
            ReferenceValue::RefersTo(target) => {
                if self.exists(reference.to, target) || self.is_hidden(reference, target) {
                    return;
                }
                format!("{of:?} refers to the missing {target:?} by {name}")
            }
            ReferenceValue::Wrong(kind) => format!("{of:?} by {name}: {kind}"),
        };
        let is_reported = self.reported.iter().any(|reported| {
            reported.finding.rule == *name
                && reported.resolution.response != Response::Repaired
                && reports(reported, of, value)
        });
        if !is_reported {
            found.push(format!("{words}, and it was not reported"));
        }
    }

    /// Whether the rule does not look for the referencing items of this deleted target.
    fn is_hidden(&self, reference: &Reference, target: &Key<'static>) -> bool {
        let table = self.rules[self.rules[reference.to].table].name.clone();
        let Some(origin) = self.gone.get(&(table, target.clone())) else { return false };
        let action = match origin {
            Origin::Client => reference.on_delete,
            Origin::Ttl => reference.on_ttl_delete,
        };
        action == OnDelete::Ignore || reference.find == Find::None
    }

    /// The value of an item's reference.
    fn values(
        &self,
        reference: &Reference,
        captures: &Captures<'_>,
        item: &Item<'static>,
    ) -> BTreeSet<ReferenceValue> {
        let parts: Vec<Option<Vec<Value<'static>>>> =
            reference.components.iter().map(|source| part(source, captures, item)).collect();
        let is_own = |source: &&Source| !matches!(source, Source::Capture(_));
        let own = reference.components.iter().filter(is_own).count();
        let absent = parts.iter().filter(|part| part.is_none()).count();
        let Some(parts) = parts.into_iter().collect::<Option<Vec<_>>>() else {
            let is_part = own > absent && reference.matching == Matching::Full;
            let partial = is_part.then_some(ReferenceValue::Wrong(Kind::PartialReference));
            let missing =
                reference.required.then_some(ReferenceValue::Wrong(Kind::MissingReference));
            return partial.or(missing).into_iter().collect();
        };
        let ways = parts.iter().map(Vec::len).max().unwrap();
        (0..ways)
            .map(|way| {
                let values = parts.iter().map(|part| {
                    let value = part.get(way).or(part.first())?;
                    KeyValue::from_value(value)
                });
                let key = values
                    .collect::<Option<Vec<_>>>()
                    .and_then(|values| self.rules[reference.to].key.build(&values).ok());
                key.map_or(
                    ReferenceValue::Wrong(Kind::MalformedReference),
                    ReferenceValue::RefersTo,
                )
            })
            .collect()
    }
}

/// The values of one part of a reference; `None` if it is absent. A value of the wrong type becomes
/// `NULL`.
fn part(
    source: &Source,
    captures: &Captures<'_>,
    item: &Item<'static>,
) -> Option<Vec<Value<'static>>> {
    let (path, kind, is_each) = match source {
        Source::Capture(place) => return Some(vec![captures[*place].to_value()]),
        Source::Attribute(path, kind) => (path, kind, false),
        Source::Elements(path, kind) => (path, kind, true),
    };
    let value = path.lookup(item)?;
    if value.kind() != *kind {
        return Some(vec![Value::Null]);
    }
    if !is_each {
        return Some(vec![value.clone()]);
    }
    let values: Vec<Value<'static>> = match value.clone() {
        Value::Ss(set) => set.into_iter().map(Value::S).collect(),
        Value::Ns(set) => set.into_iter().map(Value::N).collect(),
        Value::Bs(set) => set.into_iter().map(Value::B).collect(),
        // A `NULL` in a list refers to nothing.
        Value::L(list) => list.into_iter().filter(|element| *element != Value::Null).collect(),
        Value::S(_) | Value::N(_) | Value::B(_) | Value::Bool(_) | Value::Null | Value::M(_) => {
            panic!("`{path}` has no elements")
        }
    };
    Some(values).filter(|values| !values.is_empty())
}

/// Whether a violation reports this for an item.
fn reports(reported: &Violation, of: &Key<'static>, value: &ReferenceValue) -> bool {
    let is_named = reported.finding.referencing.as_ref().is_some_and(|item| item.key == *of);
    match value {
        ReferenceValue::Wrong(kind) => reported.kind() == *kind && is_named,
        ReferenceValue::RefersTo(target) => {
            let is_orphan =
                reported.finding.orphans().is_some_and(|orphans| orphans.keys.contains(of));
            // The first items are named; the others are only counted.
            let is_one_more = reported.kind() == Kind::FanoutExceeded;
            (is_named || is_orphan || is_one_more)
                && reported.finding.referenced.as_ref().is_some_and(|item| item.key == *target)
        }
    }
}

/// The mark of this rule on an item.
fn mark_of<'i>(item: &'i Item<'static>, rule: &str) -> Option<&'i Item<'static>> {
    let Some(Value::M(mark)) = item.get(MARK) else { return None };
    (mark.get("rule") == Some(&rule.into())).then_some(mark)
}

/// Whether a mirror equals its source: its key, the copied attributes, and the attributes of its
/// entity's `where`.
fn is_copy(
    rules: &Rules,
    mirror: &Mirror,
    is: &Item<'static>,
    source: &Item<'static>,
    key: &Key<'static>,
) -> bool {
    let schemas = [rules.key_schema(mirror.source), rules.key_schema(mirror.mirror)];
    let mut expected = schemas[1].item_of(key);
    for (name, value) in source {
        let is_key = schemas.iter().any(|schema| schema.names().any(|key| key == name));
        let is_wanted = match &mirror.copy {
            Copied::All => name != MARK,
            Copied::None => false,
            Copied::List(names) => names.iter().any(|wanted| wanted == name),
        };
        if is_wanted && !is_key {
            expected.insert(name.clone(), value.clone());
        }
    }
    for (path, value) in &rules[mirror.mirror].conditions {
        // No fixture's mirror has a nested path in its `where`.
        expected.insert(path.root().to_owned().into(), value.clone());
    }
    let mut is = is.clone();
    is.remove(MARK);
    is == expected
}
