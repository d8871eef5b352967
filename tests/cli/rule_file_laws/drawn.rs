//! Random valid rules of every kind, as values of the model.

use std::collections::BTreeMap;
use std::time::Duration;

use referee::data::{KeyAttribute, KeyKind, KeySchema, Number, Path, Type, Value};
use referee::rules::Rules;
use referee::rules::model::{
    Choice, Comparison, Copied, Entity, EntityId, Mirror, MirrorPart, Mode, OnMirrorDelete,
    OnMirrorEdit, Severity, Table, TableId, Test, TimeFormat, When,
};
use referee::rules::template::{EntityKey, KeyTemplate, Part, Separator, Template};

use super::drawn_reference::{in_index, reference};
use super::drawn_tables;
use super::tape::Tape;

/// The defaults of `max_fanout` and `max_depth`.
pub(crate) const FANOUT_MAX: u64 = 10_000;
pub(crate) const DEPTH_MAX: u64 = 15;
/// The default of `grace`.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// Rules that must load without errors.
pub(crate) fn rules(tape: &mut Tape) -> Rules {
    let mut rules = Rules::default();
    for number in 0..=tape.below(3) {
        rules.tables.push(table(number, tape));
    }
    for table in 0..rules.tables.len() {
        let schema = &rules.tables[table].key;
        // Without a string in the key, only one entity is possible, because every key would match
        // all entities.
        let has_text = schema.attributes().any(|attribute| attribute.kind == KeyKind::S);
        for _ in 0..=if has_text { tape.below(3) } else { 0 } {
            let entity = entity(&rules, TableId(table), tape);
            rules.entities.push(entity);
        }
    }
    let source_count = rules.entities.len();
    for _ in 0..tape.below(3) {
        mirror(&mut rules, source_count, tape);
    }
    if tape.one_in(4) {
        drawn_tables::entities(&mut rules, tape);
    }
    // Either some rules restore deleted items, or some delete and change items. Rules of both kinds
    // would conflict.
    let restores = tape.one_in(3);
    for _ in 0..tape.below(5) {
        if tape.one_in(8) {
            in_index(&mut rules, source_count, tape);
        } else {
            reference(&mut rules, source_count, restores, tape);
        }
    }
    rules
}

fn table(number: usize, tape: &mut Tape) -> Table {
    let kinds = [KeyKind::S, KeyKind::S, KeyKind::N, KeyKind::B];
    let mut attribute =
        |name: &str| KeyAttribute { name: name.to_owned(), kind: tape.pick(&kinds) };
    let (partition, sort) = (attribute("pk"), attribute("sort-key"));
    let alias = format!("table{number}");
    let name = if tape.flag() { format!("Prod.{alias}-x") } else { alias.clone() };
    Table {
        alias,
        name,
        key: KeySchema { partition, sort: (!tape.one_in(3)).then_some(sort) },
        separator: {
            let text = tape.pick(&["#", "#", "|", ":", "/", "\"", "'", "é", " ", "::", "-->"]);
            Separator::parse(text).unwrap()
        },
        ttl: tape.one_in(4).then(|| "expires".to_owned()),
        region: tape.one_in(4).then(|| "eu-west-1".to_owned()),
        account: tape.one_in(4).then(|| "123456789012".to_owned()),
        indexes: Vec::new(),
    }
}

pub(super) fn template(text: &str, kind: KeyKind) -> KeyTemplate {
    KeyTemplate::new(Template::parse(text).unwrap(), kind).unwrap()
}

fn entity(rules: &Rules, id: TableId, tape: &mut Tape) -> Entity {
    let (number, table) = (rules.entities.len(), &rules[id]);
    let separator = table.separator;
    let is_text = table.key.partition.kind == KeyKind::S;
    let partition = if is_text {
        let between = tape.pick(&["#", "-", "}}", " "]);
        let tail = tape.pick(&["", "{b}", "{b*}", "{b}.{c}"]);
        format!("e{number}#{{a}}{}{tail}", if tail.is_empty() { "" } else { between })
    } else {
        "{a}".to_owned()
    };
    let sort = table.key.sort.as_ref().map(|attribute| {
        let text = match attribute.kind {
            KeyKind::N | KeyKind::B => "{d}".to_owned(),
            KeyKind::S if is_text => tape
                .pick(&[
                    "-", "{d}", "x#{d}", "{{{d}}}", "{a}#{d*}", "{a}", "{d:08}", "x#{d:3}",
                    "{d:x*}",
                ])
                .to_owned(),
            KeyKind::S => tape.pick(&["e0#{d}", "e0#"]).replace("e0", &format!("e{number}")),
        };
        template(&text, attribute.kind)
    });
    let partition = template(&partition, table.key.partition.kind);
    let value = tape.pick(&[
        Value::from("it's \"one\": #1"),
        Value::from("true"),
        Value::from("N"),
        Value::from("1"),
        Value::Bool(true),
        Value::N(Number::parse("12.5").unwrap()),
    ]);
    let path = tape.pick(&["type", "meta.kind", "of: what"]);
    let decimal = Value::N(Number::parse("12.5").unwrap());
    let mut values = vec![value.clone(), Value::from("other")];
    values.dedup();
    let comparison = tape.pick(&[
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ]);
    let when = tape.pick(&[When::After, When::Before]);
    let format = tape.pick(&[TimeFormat::Seconds, TimeFormat::Milliseconds]);
    let test = tape.pick(&[
        Test::equal(value.clone()),
        Test::OneOf(Choice { values, absent: false }),
        Test::OneOf(Choice { values: vec![value.clone()], absent: true }),
        Test::OneOf(Choice { values: vec![], absent: true }),
        Test::NoneOf(Choice { values: vec![], absent: true }),
        Test::NoneOf(Choice { values: vec![value], absent: false }),
        Test::Compare(comparison, decimal),
        Test::Time(when, format),
    ]);
    let condition = (Path::parse(path).unwrap(), test);
    Entity {
        name: format!("e{number}"),
        table: id,
        key: EntityKey::new(partition, sort, separator),
        attributes: BTreeMap::new(),
        templates: BTreeMap::new(),
        conditions: if tape.one_in(3) { vec![condition] } else { Vec::new() },
    }
}

/// A mirror of an entity whose key consists of strings. Its key has the same captures in another
/// order.
fn mirror(rules: &mut Rules, source_count: usize, tape: &mut Tape) {
    let number = rules.mirrors.len();
    let is_rest = |template: &KeyTemplate| {
        template
            .template()
            .parts()
            .iter()
            .any(|part| matches!(part, Part::Capture(capture) if capture.is_rest))
    };
    let sources = (0..source_count).filter(|entity| {
        let key = &rules.entities[*entity].key;
        !std::iter::once(key.partition()).chain(key.sort()).any(is_rest)
            && (0..key.captures().len()).all(|index| key.capture_kind(index) == KeyKind::S)
    });
    let sources: Vec<usize> = sources.collect();
    let tables = (0..rules.tables.len()).filter(|table| {
        let mut attributes = rules.tables[*table].key.attributes();
        attributes.all(|attribute| attribute.kind == KeyKind::S)
    });
    let tables: Vec<usize> = tables.collect();
    if sources.is_empty() || tables.is_empty() {
        return;
    }
    let (source, table) = (EntityId(tape.pick(&sources)), TableId(tape.pick(&tables)));
    let mut names = rules[source].key.captures().to_vec();
    // Rotate the captures. Unlike a swap, rotating three captures by one is not its own inverse, so
    // confusing the two directions would be noticed.
    let distance = tape.below(names.len());
    names.rotate_left(distance);
    let texts: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
    let (first, rest) = texts.split_first().unwrap();
    let has_sort = rules[table].key.sort.is_some();
    let partition = if has_sort { first.clone() } else { texts.join("#") };
    let sort = has_sort.then(|| {
        let text = if rest.is_empty() { "-".to_owned() } else { rest.join("#") };
        template(&text, KeyKind::S)
    });
    let key = EntityKey::new(
        template(&format!("m{number}#{partition}"), KeyKind::S),
        sort,
        rules[table].separator,
    );
    let index_in = |of: &EntityKey, name: &String| of.captures().iter().position(|it| it == name);
    let from = &rules[source].key;
    let mirror_from_source =
        key.captures().iter().map(|it| MirrorPart::Capture(index_in(from, it).unwrap())).collect();
    let source_from_mirror = from.captures().iter().map(|it| index_in(&key, it).unwrap()).collect();
    let copied = format!("v{number}");
    let copy = tape.pick(&[
        Copied::All,
        Copied::None,
        Copied::List(vec![copied.clone()]),
        Copied::List(vec!["w".to_owned(), copied.clone()]),
        Copied::Renamed(vec![(copied.clone(), "w".to_owned()), ("w".to_owned(), copied.clone())]),
        Copied::Except(vec![copied.clone()]),
        Copied::Except(vec![copied.clone(), "w".to_owned()]),
    ]);
    let declared = match &copy {
        Copied::List(names) | Copied::Except(names) => names.clone(),
        Copied::Renamed(names) => names.iter().map(|(name, _)| name.clone()).collect(),
        Copied::All | Copied::None => Vec::new(),
    };
    if !declared.is_empty() {
        let kind = tape.pick(&[Type::S, Type::M, Type::Bool]);
        let attributes = &mut rules.entities[source.0].attributes;
        let paths = declared.iter().map(|name| Path::attribute(name));
        paths.for_each(|path| {
            attributes.entry(path).or_insert(kind);
        });
    }
    rules.mirrors.push(Mirror {
        name: format!("mirror{number}"),
        was: tape.one_in(4).then(|| format!("former{number}")),
        source,
        mirror: EntityId(rules.entities.len()),
        mirror_from_source,
        source_from_mirror,
        copy,
        on_mirror_delete: tape.pick(&[
            OnMirrorDelete::Restore,
            OnMirrorDelete::DeleteSource,
            OnMirrorDelete::Report,
        ]),
        on_mirror_edit: tape.pick(&[OnMirrorEdit::Overwrite, OnMirrorEdit::Report]),
        adopt: tape.flag(),
        mode: mode(tape),
        severity: severity(tape),
    });
    rules.entities.push(Entity {
        name: format!("m{number}"),
        table,
        key,
        attributes: BTreeMap::new(),
        templates: BTreeMap::new(),
        conditions: Vec::new(),
    });
}

pub(super) fn mode(tape: &mut Tape) -> Mode {
    tape.pick(&[Mode::Enforce, Mode::Observe, Mode::Off])
}

pub(super) fn severity(tape: &mut Tape) -> Severity {
    tape.pick(&[Severity::Error, Severity::Warn])
}
