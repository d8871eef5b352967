//! Compares the mirrors that exist with the mirrors that should exist.

use std::collections::BTreeSet;

use referee::data::{Item, Key, KeyValue, Value};
use referee::rules::model::{Copied, EntityId, Mirror, MirrorPart, Rules, Test};
use referee::rules::template::Captures;

use super::marks::mark_of;
use super::tables::Tables;
use super::{Defect, Kind, MARK};

/// Finds mirrors that are missing, stale or blocked, and items at the keys of mirrors that have no
/// source.
pub(super) fn find(tables: &Tables<'_>, mirror: &Mirror, found: &mut Vec<Defect>) {
    let rules = tables.rules;
    let mut push = |kind, key: &Key<'static>, source: &Key<'static>| {
        let referenced = Some(tables.name(mirror.source, source));
        let referencing = tables.name(mirror.mirror, key);
        found.push(Defect {
            rule: mirror.name.clone(),
            kind,
            referencing,
            referenced,
            others: Vec::new(),
        });
    };
    let at_keys = tables.beside(mirror.mirror);
    let mut due = BTreeSet::new();
    for (source, item, captures) in tables.of_entity(mirror.source) {
        // Without a key, there can be no mirror.
        let parts = mirror.mirror_from_source.iter().map(|part| match part {
            MirrorPart::Capture(index) => Some(captures[*index].clone()),
            MirrorPart::Attribute(name, kind) => item
                .get(name.as_str())
                .and_then(KeyValue::from_value)
                .filter(|value| value.kind() == *kind),
        });
        let parts: Option<Vec<_>> = parts.collect();
        let key = parts.and_then(|parts| rules[mirror.mirror].key.build(&parts).ok());
        let Some(key) = key else { continue };
        match at_keys.get(&key) {
            // TTL may delete the mirror first.
            None if tables.has_expired(mirror.source, item) => {}
            None => push(Kind::MirrorMissing, &key, source),
            Some(is) if mark_of(is, mirror).is_none() => {
                push(Kind::MirrorBlocked, &key, source);
            }
            Some(is) if !is_mirror_of(rules, mirror, is, item, &key) => {
                push(Kind::MirrorStale, &key, source);
            }
            Some(_) => {}
        }
        due.insert(key);
    }
    for (key, item) in at_keys.iter().filter(|(key, _)| !due.contains(key)) {
        let Some(captures) = rules[mirror.mirror].key.parse(key) else { continue };
        // The rule ignores keys that no source can produce.
        let source = build(rules, mirror.source, &mirror.source_from_mirror, &captures);
        let Some(source) = source else { continue };
        let is_marked = mark_of(item, mirror).is_some();
        push(if is_marked { Kind::MirrorExtra } else { Kind::Unowned }, key, &source);
    }
}

/// Builds the key of an entity from the captures of its counterpart's key.
fn build(
    rules: &Rules,
    entity: EntityId,
    places: &[usize],
    captures: &Captures<'_>,
) -> Option<Key<'static>> {
    let values: Vec<KeyValue<'_>> = places.iter().map(|place| captures[*place].clone()).collect();
    rules[entity].key.build(&values).ok()
}

/// Whether a mirror has exactly the expected attributes, and the mark.
fn is_mirror_of(
    rules: &Rules,
    mirror: &Mirror,
    is: &Item<'static>,
    source: &Item<'static>,
    key: &Key<'static>,
) -> bool {
    let mut is = is.clone();
    is.remove(MARK);
    is_same_item(&is, &expected(rules, mirror, source, key))
}

/// The mirror of a source, without its mark: exactly its key, the copied attributes, and the
/// attributes of its entity's `where`.
pub(crate) fn expected(
    rules: &Rules,
    mirror: &Mirror,
    source: &Item<'static>,
    key: &Key<'static>,
) -> Item<'static> {
    let schemas = [rules.key_schema(mirror.source), rules.key_schema(mirror.mirror)];
    let mut expected = schemas[1].item_of(key);
    for (name, value) in source {
        let is_key = schemas.iter().any(|schema| schema.names().any(|key| key == name));
        if let Copied::Renamed(names) = &mirror.copy {
            let wanted = names.iter().filter(|(own, _)| own == name);
            expected.extend(wanted.map(|(_, new)| (new.clone().into(), value.clone())));
            continue;
        }
        let is_wanted = match &mirror.copy {
            Copied::All => {
                let ttl = &rules[rules[mirror.mirror].table].ttl;
                name != MARK && ttl.as_deref() != Some(&**name)
            }
            Copied::Except(names) => {
                let ttl = &rules[rules[mirror.mirror].table].ttl;
                let is_left_out = names.iter().any(|except| except == name);
                name != MARK && ttl.as_deref() != Some(&**name) && !is_left_out
            }
            Copied::None | Copied::Renamed(_) => false,
            Copied::List(names) => names.iter().any(|wanted| wanted == name),
        };
        if is_wanted && !is_key {
            expected.insert(name.clone(), value.clone());
        }
    }
    for (path, test) in &rules[mirror.mirror].conditions {
        let Test::OneOf(choice) = test else { continue };
        let names: Vec<_> = path.names().map(str::to_owned).collect();
        match (choice.values.as_slice(), choice.absent) {
            ([only], false) => set(&mut expected, &names, only),
            ([], true) => unset(&mut expected, &names),
            _ => {}
        }
    }
    expected
}

/// Sets the value at a path, creating the maps on the way.
pub(crate) fn set(item: &mut Item<'static>, path: &[String], value: &Value<'static>) {
    match path {
        [] => panic!("a path has a name"),
        [name] => drop(item.insert(name.clone().into(), value.clone())),
        [name, rest @ ..] => {
            let map = item.entry(name.clone().into()).or_insert_with(|| Value::M(Item::new()));
            if !matches!(map, Value::M(_)) {
                *map = Value::M(Item::new());
            }
            let Value::M(map) = map else { panic!("it is a map") };
            set(map, rest, value);
        }
    }
}

/// Removes the value at a path.
fn unset(item: &mut Item<'static>, path: &[String]) {
    match path {
        [] => panic!("a path has a name"),
        [name] => drop(item.remove(name.as_str())),
        [name, rest @ ..] => {
            if let Some(Value::M(map)) = item.get_mut(name.as_str()) {
                unset(map, rest);
            }
        }
    }
}

pub(super) fn is_same_item(one: &Item<'_>, other: &Item<'_>) -> bool {
    one.len() == other.len()
        && one.iter().all(|(name, value)| other.get(name).is_some_and(|it| is_same(value, it)))
}

/// Whether two values are equal. The order of a set's elements does not matter.
fn is_same(one: &Value<'_>, other: &Value<'_>) -> bool {
    fn is_same_set<T: PartialEq>(one: &[T], other: &[T]) -> bool {
        one.len() == other.len() && one.iter().all(|element| other.contains(element))
    }
    match (one, other) {
        (Value::M(one), Value::M(other)) => is_same_item(one, other),
        (Value::L(one), Value::L(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Ss(one), Value::Ss(other)) => is_same_set(one, other),
        (Value::Ns(one), Value::Ns(other)) => is_same_set(one, other),
        (Value::Bs(one), Value::Bs(other)) => is_same_set(one, other),
        _ => one == other,
    }
}
