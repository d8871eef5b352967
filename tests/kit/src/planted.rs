//! Random tables with violations of every kind that tables at rest can have.

use std::collections::BTreeMap;

use fastrand::Rng;
use referee::data::{Item, Key, KeyKind, KeyValue, Number, Path, Step, Type, Value};
use referee::rules::model::{
    Component, Discriminator, Entity, Mirror, MirrorPart, Mode, Rules, TableId, Test, TimeFormat,
};
use referee::rules::template::EntityKey;

use crate::oracle::mirrors::{expected, set};
use crate::oracle::{Dump, MARK};

/// The texts that occur in keys. Few, so that references often find their targets.
const TEXTS: [&str; 5] = ["1", "2", "3", "a b", "ü"];

type Items = BTreeMap<(TableId, Key<'static>), Item<'static>>;

/// Draws tables: up to `per_entity` items of each entity that the application writes, and their
/// mirrors, of which many are missing, stale, superfluous or not marked.
pub fn tables(rules: &Rules, per_entity: usize, rng: &mut Rng) -> Dump {
    let mut items = Items::new();
    for entity in &rules.entities {
        let is_mirror = |mirror: &Mirror| rules[mirror.mirror].name == entity.name;
        if rules.mirrors.iter().any(is_mirror) {
            continue;
        }
        for _ in 0..rng.usize(..=per_entity) {
            insert(rules, &mut items, entity, rng);
        }
    }
    for mirror in rules.mirrors.iter().filter(|mirror| mirror.mode != Mode::Off) {
        mirrors(rules, &mut items, mirror, rng);
    }
    let mut dump: Dump = rules.tables.iter().map(|it| (it.name.clone(), Vec::new())).collect();
    for ((table, _), item) in items {
        dump.get_mut(&rules[table].name).unwrap().push(item);
    }
    dump
}

fn insert(rules: &Rules, items: &mut Items, entity: &Entity, rng: &mut Rng) {
    let Some((key, mut item)) = bare(rules, entity, rng) else { return };
    for (path, test) in &entity.conditions {
        let value = match rng.u8(..12) {
            0 => None,
            1 => Some(text("other")),
            2 => Some(Value::Null),
            3 if !matches!(test, Test::Time(..)) => Some(number(rng)),
            _ => tested(test, rng),
        };
        if let Some(value) = value {
            set(&mut item, &names(path), &value);
        }
    }
    let of_entity = |rule: &&referee::rules::model::Reference| rules[rule.from].name == entity.name;
    for reference in rules.references.iter().filter(of_entity) {
        for (index, component) in reference.components.iter().enumerate() {
            let text = reference.contained(index).map(|contained| &contained.text);
            add_part(&mut item, component, text, rng);
            let discriminator = reference.alternative.discriminator.as_ref();
            if let Some(known) = discriminator.filter(|it| it.component == index) {
                discriminate(&mut item, component, known, rng);
            }
        }
    }
    for view in rules.views.iter().filter(|view| rules[view.of].name == entity.name) {
        let captures = view.entity.key.captures().len();
        let captures: Vec<_> = (0..captures)
            .map(|index| key_value(view.entity.key.capture_kind(index), rng))
            .collect();
        let key = view.entity.key.build(&captures).ok().filter(|_| rng.u8(..6) > 0);
        item.extend(key.into_iter().flat_map(|key| view.table.key.item_of(&key)));
    }
    for name in ["v", "w"] {
        if rng.bool() {
            item.entry(name.into()).or_insert_with(|| number(rng));
        }
    }
    if let Some(ttl) = &rules[entity.table].ttl
        && let Some(time) = expiry(rng)
    {
        item.insert(ttl.clone().into(), time);
    }
    items.insert((entity.table, key), item);
}

/// Sets a discriminator to one of its values, or to one in another case.
fn discriminate(
    item: &mut Item<'static>,
    component: &Component,
    known: &Discriminator,
    rng: &mut Rng,
) {
    let Component::Attribute(path, _) = component else { return };
    let mut all: Vec<_> =
        known.others.iter().chain([&known.value]).map(KeyValue::to_value).collect();
    if let Value::S(text) = &all[0] {
        all.push(Value::S(text.to_lowercase().into()));
    }
    if let Some(value) = rng.choice(all).filter(|_| rng.u8(..6) > 0) {
        put(item, path, &value);
    }
}

/// A value that probably meets a test, or nearly does.
fn tested(test: &Test, rng: &mut Rng) -> Option<Value<'static>> {
    let near = |number: i64, by: i64, rng: &mut Rng| {
        let decimal = format!("{}.{}", number + rng.i64(-by..=by), rng.u8(..3) * 5);
        Value::N(Number::parse(decimal).unwrap().into_owned())
    };
    match test {
        Test::OneOf(choice) if choice.absent && rng.bool() => None,
        Test::OneOf(choice) => rng.choice(&choice.values).cloned(),
        Test::NoneOf(choice) if rng.u8(..4) == 0 => rng.choice(&choice.values).cloned(),
        Test::NoneOf(_) => rng.bool().then(|| text("fine")),
        Test::Compare(_, Value::N(literal)) if rng.bool() => {
            let whole = literal.as_str().split('.').next().unwrap().parse().unwrap();
            Some(near(whole, 2, rng))
        }
        Test::Compare(_, literal) if rng.bool() => Some(literal.clone()),
        Test::Compare(..) => Some(if rng.bool() { near(0, 100, rng) } else { text("c") }),
        Test::Time(_, TimeFormat::Text) => {
            Some(text(if rng.bool() { "1969-12-31T23:59:59Z" } else { "2001-01-01T00:00:00Z" }))
        }
        // Some audits take a while, which must not decide whether the time has passed.
        Test::Time(..) => {
            let time = if rng.bool() { -11 } else { 1_000_000_000 };
            Some(near(time, 10, rng))
        }
    }
}

/// A value of a TTL attribute, at the beginning of 1970: expired, not expired, or ignored by TTL.
fn expiry(rng: &mut Rng) -> Option<Value<'static>> {
    let seconds = |seconds: i64| Value::N(Number::parse(seconds.to_string()).unwrap());
    match rng.u8(..8) {
        0..3 => Some(seconds(-100 - rng.i64(..100))),
        3 => Some(seconds(0)),
        4 => Some(seconds(1_000_000_000)),
        5 => Some(seconds(-200_000_000)),
        6 => Some(text("-1")),
        _ => None,
    }
}

/// An item with a random key and no other attribute.
fn bare(rules: &Rules, entity: &Entity, rng: &mut Rng) -> Option<(Key<'static>, Item<'static>)> {
    let count = entity.key.captures().len();
    let captures: Vec<_> =
        (0..count).map(|index| key_value(entity.key.capture_kind(index), rng)).collect();
    let key = entity.key.build(&captures).ok()?;
    let item = rules[entity.table].key.item_of(&key);
    Some((key, item))
}

fn add_part(
    item: &mut Item<'static>,
    component: &Component,
    text: Option<&EntityKey>,
    rng: &mut Rng,
) {
    match component {
        Component::Capture(_) | Component::Constant(_) => {}
        Component::Attribute(path, kind) => match rng.u8(..12) {
            0 | 1 => {}
            2 => put(item, path, &wrong(rng)),
            _ => put(item, path, &of_text(text, *kind, rng)),
        },
        Component::Elements(path, kind) => match rng.u8(..12) {
            0 | 1 => {}
            2 => put(item, path, &wrong(rng)),
            _ => {
                let kind = *kind;
                put_each(item, path, &mut |rng| Some(elements(kind, rng)), rng);
            }
        },
        Component::Field(path, kind) => match rng.u8(..12) {
            0 | 1 => {}
            _ => {
                let kind = *kind;
                let mut value = |rng: &mut Rng| match rng.u8(..8) {
                    0 => None,
                    1 => Some(wrong(rng)),
                    _ => Some(of_text(text, kind, rng)),
                };
                put_each(item, path, &mut value, rng);
            }
        },
    }
}

/// Sets a value at each end of a path that leads through lists. Lists that are there are kept.
fn put_each(
    item: &mut Item<'static>,
    path: &Path,
    value: &mut dyn FnMut(&mut Rng) -> Option<Value<'static>>,
    rng: &mut Rng,
) {
    let slot = item.entry(path.root().to_owned().into()).or_insert(Value::Null);
    fill(slot, &path.steps()[1..], value, rng);
}

fn fill(
    slot: &mut Value<'static>,
    steps: &[Step],
    value: &mut dyn FnMut(&mut Rng) -> Option<Value<'static>>,
    rng: &mut Rng,
) {
    match (steps, &mut *slot) {
        ([], _) => *slot = value(rng).unwrap_or(Value::Null),
        ([Step::Name(name), ..], Value::Null) => {
            *slot = Value::M(Item::from([(name.clone().into(), Value::Null)]));
            fill(slot, steps, value, rng);
        }
        ([Step::Name(name), rest @ ..], Value::M(map)) => {
            fill(map.entry(name.clone().into()).or_insert(Value::Null), rest, value, rng);
        }
        ([_, ..], Value::Null) => {
            *slot = Value::L(vec![Value::Null; rng.usize(..4)]);
            fill(slot, steps, value, rng);
        }
        ([_, rest @ ..], Value::L(list)) => {
            for element in list {
                match rng.u8(..8) {
                    0 if *element == Value::Null => {}
                    1 if *element == Value::Null => *element = wrong(rng),
                    _ => fill(element, rest, value, rng),
                }
            }
        }
        // A wrong value of another reference stays.
        ([_, ..], _) => {}
    }
}

/// Sets a value, unless the path leads through something that is not a map: a wrong value of
/// another reference stays.
fn put(item: &mut Item<'static>, path: &Path, value: &Value<'static>) {
    let segments = names(path);
    let root = &segments[0];
    let blocked = segments.len() > 1
        && item.get(root.as_str()).is_some_and(|found| !matches!(found, Value::M(_)));
    if !blocked {
        set(item, &segments, value);
    }
}

fn names(path: &Path) -> Vec<String> {
    path.names().map(str::to_owned).collect()
}

fn wrong(rng: &mut Rng) -> Value<'static> {
    match rng.u8(..4) {
        0 => Value::Null,
        1 => Value::Bool(true),
        2 => text(""),
        _ => text("no#key"),
    }
}

/// A value of an attribute with a template, or without one.
fn of_text(text: Option<&EntityKey>, kind: Type, rng: &mut Rng) -> Value<'static> {
    let Some(text) = text else { return of_type(kind, rng) };
    let captures = (0..text.captures().len()).map(|_| key_value(KeyKind::S, rng));
    text.build(&captures.collect::<Vec<_>>()).map_or(Value::Null, |key| key.partition.to_value())
}

fn of_type(kind: Type, rng: &mut Rng) -> Value<'static> {
    let kinds = [KeyKind::S, KeyKind::N, KeyKind::B];
    let kind = kinds.into_iter().find(|known| known.as_type() == kind).unwrap_or(KeyKind::S);
    key_value(kind, rng).to_value()
}

fn elements(kind: Type, rng: &mut Rng) -> Value<'static> {
    let count = rng.usize(1..4);
    let texts = |rng: &mut Rng| {
        let mut texts: Vec<_> = (0..count).map(|_| *rng.choice(&TEXTS).unwrap()).collect();
        texts.sort_unstable();
        texts.dedup();
        texts
    };
    #[expect(clippy::wildcard_enum_match_arm, reason = "only sets and lists have elements")]
    match kind {
        Type::Ss => Value::Ss(texts(rng).into_iter().map(Into::into).collect()),
        Type::Ns => {
            let first = rng.u8(1..4);
            let numbers = first..first + u8::try_from(count).unwrap();
            Value::Ns(numbers.map(|it| Number::parse(it.to_string()).unwrap()).collect())
        }
        Type::Bs => Value::Bs(texts(rng).into_iter().map(|it| it.as_bytes().into()).collect()),
        _ => Value::L(
            (0..count)
                .map(|_| match rng.u8(..8) {
                    0 => Value::Null,
                    1 => Value::Bool(false),
                    2 => text(""),
                    _ => key_value(KeyKind::S, rng).to_value(),
                })
                .collect(),
        ),
    }
}

fn key_value(kind: KeyKind, rng: &mut Rng) -> KeyValue<'static> {
    match kind {
        KeyKind::S => KeyValue::S((*rng.choice(&TEXTS).unwrap()).into()),
        KeyKind::N => KeyValue::N(Number::parse(rng.u8(1..4).to_string()).unwrap()),
        KeyKind::B => KeyValue::B(vec![rng.u8(..3)].into()),
    }
}

fn text(text: &'static str) -> Value<'static> {
    Value::S(text.into())
}

fn number(rng: &mut Rng) -> Value<'static> {
    Value::N(Number::parse(rng.u8(..100).to_string()).unwrap())
}

/// Puts items at the keys of a rule's mirrors.
fn mirrors(rules: &Rules, items: &mut Items, mirror: &Mirror, rng: &mut Rng) {
    let (source, entity) = (&rules[mirror.source], &rules[mirror.mirror]);
    let sources: Vec<_> = items
        .iter()
        .filter(|((table, _), item)| *table == source.table && source.admits(item))
        .filter_map(|((_, key), item)| {
            let captures = source.key.parse(key)?;
            let parts = mirror.mirror_from_source.iter().map(|part| match part {
                MirrorPart::Capture(index) => Some(captures[*index].clone()),
                MirrorPart::Attribute(name, _) => KeyValue::from_value(item.get(name.as_str())?),
            });
            let values: Vec<_> = parts.collect::<Option<_>>()?;
            Some((entity.key.build(&values).ok()?, item.clone()))
        })
        .collect();
    for (key, source) in sources {
        let mut item = expected(rules, mirror, &source, &key);
        match rng.u8(..10) {
            0 => continue,
            1 => stale(&mut item, rng),
            2 => mark(&mut item, "another_rule"),
            _ => {}
        }
        if rng.u8(..4) > 0 && !item.contains_key(MARK) {
            mark(&mut item, &mirror.name);
        }
        items.insert((entity.table, key), item);
    }
    for _ in 0..rng.usize(..3) {
        let Some((key, mut item)) = bare(rules, entity, rng) else { continue };
        for (path, test) in &entity.conditions {
            let value = tested(test, rng).filter(|_| rng.u8(..4) > 0);
            if let Some(value) = value {
                set(&mut item, &names(path), &value);
            }
        }
        if rng.bool() {
            mark(&mut item, &mirror.name);
        }
        items.entry((entity.table, key)).or_insert(item);
    }
}

fn stale(item: &mut Item<'static>, rng: &mut Rng) {
    if rng.bool() {
        item.insert("x".into(), text("added"));
    } else {
        item.insert("v".into(), number(rng));
    }
}

fn mark(item: &mut Item<'static>, rule: &str) {
    let fence = format!("{:040}", 7);
    let mark = [("rule".into(), Value::from(rule)), ("fence".into(), Value::from(fence.as_str()))];
    item.insert(MARK.into(), Value::M(Item::from(mark)));
}
