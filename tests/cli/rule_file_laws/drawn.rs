//! Random valid rules of every kind, as values of the model.

use std::collections::BTreeMap;
use std::time::Duration;

use referee::data::{KeyAttribute, KeyKind, KeySchema, KeyValue, Number, Path, Type, Value};
use referee::rules::Rules;
use referee::rules::model::{
    Alternative, Choice, Comparison, Component, Copied, Discriminator, Entity, EntityId, Expired,
    Find, Matching, Mirror, MirrorId, MirrorPart, Mode, OnDelete, OnMirrorDelete, OnMirrorEdit,
    OnMissing, Reference, ReferenceId, Removal, Severity, Table, TableId, TableIndex, Test,
    TimeFormat, View, When,
};
use referee::rules::template::{EntityKey, KeyTemplate, Part, Separator, Template};

use crate::rule_file_laws::tape::Tape;
use crate::rule_file_laws::{contained, derived};

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

fn template(text: &str, kind: KeyKind) -> KeyTemplate {
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

fn mode(tape: &mut Tape) -> Mode {
    tape.pick(&[Mode::Enforce, Mode::Observe, Mode::Off])
}

fn severity(tape: &mut Tape) -> Severity {
    tape.pick(&[Severity::Error, Severity::Warn])
}

fn reference(rules: &mut Rules, source_count: usize, restores: bool, tape: &mut Tape) {
    let number = rules.references.len();
    let (from, to) = (EntityId(tape.below(source_count)), EntityId(tape.below(source_count)));
    let (components, contained, agreeing) = if tape.one_in(8) {
        contained::whole_key(rules, number, to)
    } else {
        let components = components(rules, number, from, to, tape);
        let contained = contained::parts(rules, from, &components, tape);
        (components, contained, Vec::new())
    };
    for source in &components {
        if let Component::Attribute(path, kind)
        | Component::Elements(path, kind)
        | Component::Field(path, kind) = source
        {
            rules.entities[from.0].attributes.insert(path.clone(), *kind);
        }
    }
    let find = find(rules, number, from, to, &components, tape);
    let elements = components.iter().any(Component::is_of_element);
    let changes: Vec<bool> = components
        .iter()
        .map(|source| match source {
            Component::Capture(_) | Component::Constant(_) => false,
            Component::Attribute(..) => !elements,
            Component::Elements(..) | Component::Field(..) => true,
        })
        .collect();
    let captures = rules[to].key.captures().len();
    let kinds = (0..captures).map(|index| rules[to].key.capture_kind(index));
    let kinds: Vec<KeyKind> = kinds.collect();
    let has_binary = kinds.iter().zip(&changes).any(|(kind, is)| *is && *kind == KeyKind::B);
    let possible = Possible {
        change: changes.contains(&true),
        default: kinds.iter().zip(&changes).any(|(_, is)| *is) && !has_binary,
        // A cycle of deletes is an error. Deletes that only lead to earlier entities form no cycle.
        delete: !restores && from.0 >= to.0,
        find: find != Find::None,
        restore: restores,
    };
    let (on_missing, [on_delete, on_ttl_delete]) = possible.actions(tape);
    let both = [on_delete, on_ttl_delete];
    let unsets = on_missing == OnMissing::Unset || both.contains(&OnDelete::Unset);
    let defaults = on_missing == OnMissing::SetDefault || both.contains(&OnDelete::SetDefault);
    let default = |(index, (kind, is_changed)): (usize, (&KeyKind, &bool))| {
        (defaults && *is_changed).then(|| match kind {
            KeyKind::N => Value::N(Number::parse("7").unwrap()),
            KeyKind::S | KeyKind::B => derived::default(&rules[to].key, index),
        })
    };
    let derived = if unsets || defaults {
        derived::attributes(rules, (from, to), &components, &find, tape)
    } else {
        Vec::new()
    };
    let is_field = |component: &Component| matches!(component, Component::Field(..));
    let mut defaults_of: Vec<_> = kinds.iter().zip(&changes).enumerate().map(default).collect();
    defaults_of.resize(components.len(), None);
    let reference = Reference {
        name: format!("r{number}"),
        from,
        to,
        alternative: Alternative::only(ReferenceId(number)),
        defaults: defaults_of,
        derived,
        none: derived::none(&components, tape),
        removal: if unsets && components.iter().any(is_field) && tape.flag() {
            Removal::Element
        } else {
            Removal::Field
        },
        components,
        contained,
        agreeing,
        matching: if !unsets && tape.flag() { Matching::Full } else { Matching::Simple },
        required: !unsets && tape.flag(),
        expired: if rules.table_of(to).ttl.is_some() && tape.flag() {
            Expired::Absent
        } else {
            Expired::Present
        },
        on_missing,
        on_delete,
        on_ttl_delete,
        find,
        grace: tape.pick(&[
            GRACE,
            Duration::ZERO,
            Duration::from_mins(3),
            Duration::from_millis(1_500),
        ]),
        mode: mode(tape),
        severity: severity(tape),
        fanout_max: tape.pick(&[FANOUT_MAX, 1, 123_456]),
        depth_max: tape.pick(&[DEPTH_MAX, 1, 99]),
    };
    if tape.one_in(4) {
        let both = discriminated(rules, reference, tape.flag());
        rules.references.extend(both);
    } else {
        rules.references.push(reference);
    }
}

/// The alternatives of a rule with a discriminator: one or two, both for the same entity.
fn discriminated(rules: &mut Rules, mut reference: Reference, is_single: bool) -> Vec<Reference> {
    let first = ReferenceId(rules.references.len());
    let path = Path::attribute(&format!("kind{}", first.0));
    rules.entities[reference.from.0].attributes.insert(path.clone(), Type::S);
    let component = reference.components.len();
    reference.components.push(Component::Attribute(path, Type::S));
    reference.contained.push(None);
    reference.defaults.push(None);
    let mut values = vec![KeyValue::S("One".into()), KeyValue::S("one".into())];
    values.truncate(if is_single { 1 } else { 2 });
    let alternative = |own: usize| {
        let mut others = values.clone();
        let value = others.remove(own);
        let discriminator = Some(Discriminator { component, value, others });
        let (count, others) = (values.len(), Vec::new());
        let alternative = Alternative { first, is_first: own == 0, count, discriminator, others };
        Reference { alternative, ..reference.clone() }
    };
    (0..values.len()).map(alternative).collect()
}

/// A reference to items that are known by the key of an index.
fn in_index(rules: &mut Rules, source_count: usize, tape: &mut Tape) {
    let number = rules.references.len();
    let (from, of) = (EntityId(tape.below(source_count)), EntityId(tape.below(source_count)));
    let declared = rules[of].clone();
    let table = &mut rules.tables[declared.table.0];
    let attribute = KeyAttribute { name: format!("v{number}"), kind: KeyKind::S };
    let key = KeySchema { partition: attribute, sort: None };
    let name = format!("view{number}");
    let view = View {
        of,
        index: table.indexes.len(),
        table: Table {
            alias: format!("{}/{name}", table.alias),
            key: key.clone(),
            region: None,
            account: None,
            indexes: Vec::new(),
            ..table.clone()
        },
        entity: Entity {
            table: TableId(0),
            key: EntityKey::new(template("v#{x}", KeyKind::S), None, table.separator),
            attributes: BTreeMap::new(),
            templates: BTreeMap::new(),
            ..declared
        },
    };
    table.indexes.push(TableIndex { name, key });
    let path = Path::attribute(&format!("r{number}_x"));
    rules.entities[from.0].attributes.insert(path.clone(), Type::S);
    let on_deletes = [(true, OnDelete::Report), (true, OnDelete::Ignore)];
    rules.references.push(Reference {
        name: format!("r{number}"),
        from,
        to: EntityId(rules.entities.len() + rules.views.len()),
        alternative: Alternative::only(ReferenceId(number)),
        components: vec![Component::Attribute(path, Type::S)],
        contained: vec![None],
        agreeing: Vec::new(),
        matching: Matching::Simple,
        required: tape.flag(),
        expired: Expired::Present,
        on_missing: OnMissing::Report,
        on_delete: possible(&on_deletes, tape),
        on_ttl_delete: possible(&on_deletes, tape),
        defaults: vec![None],
        derived: Vec::new(),
        removal: Removal::Field,
        none: Vec::new(),
        find: Find::None,
        grace: GRACE,
        mode: mode(tape),
        severity: severity(tape),
        fanout_max: FANOUT_MAX,
        depth_max: DEPTH_MAX,
    });
    let table = TableId(rules.tables.len() + rules.views.len());
    rules.views.push(View { entity: Entity { table, ..view.entity }, ..view });
}

/// What the actions of a reference can do.
#[expect(clippy::struct_excessive_bools, reason = "each is used separately")]
struct Possible {
    change: bool,
    default: bool,
    delete: bool,
    find: bool,
    restore: bool,
}

impl Possible {
    fn actions(&self, tape: &mut Tape) -> (OnMissing, [OnDelete; 2]) {
        let Self { change, default, delete, find, restore } = *self;
        let changes = find && !restore;
        let on_missing = [
            (true, OnMissing::Report),
            (change, OnMissing::Unset),
            (default, OnMissing::SetDefault),
            (delete, OnMissing::Delete),
            (!restore, OnMissing::Revert),
        ];
        let on_delete = [
            (true, OnDelete::Report),
            (true, OnDelete::Ignore),
            (changes && change, OnDelete::Unset),
            (changes && default, OnDelete::SetDefault),
            (changes && delete, OnDelete::Cascade),
            (find && restore, OnDelete::Restore),
        ];
        let one = possible(&on_missing, tape);
        (one, [possible(&on_delete, tape), possible(&on_delete, tape)])
    }
}

fn possible<T: Copy>(actions: &[(bool, T)], tape: &mut Tape) -> T {
    let actions: Vec<T> = actions.iter().filter(|(is, _)| *is).map(|(_, it)| *it).collect();
    tape.pick(&actions)
}

/// Where each capture of the referenced key comes from: a capture of the same type, or an attribute
/// or list that only this reference uses.
fn components(
    rules: &Rules,
    number: usize,
    from: EntityId,
    to: EntityId,
    tape: &mut Tape,
) -> Vec<Component> {
    let (from_key, to_key) = (&rules[from].key, &rules[to].key);
    let mut has_elements = false;
    let source = |index: usize| {
        let kind = to_key.capture_kind(index);
        let captures: Vec<usize> = (0..from_key.captures().len())
            .filter(|own| from_key.capture_kind(*own) == kind)
            .collect();
        // A reference from every item to itself would cause a warning.
        if !captures.is_empty() && (from != to || index > 0) && tape.flag() {
            return Component::Capture(tape.pick(&captures));
        }
        if kind != KeyKind::B && tape.one_in(8) {
            return Component::Constant(match kind {
                KeyKind::N => KeyValue::N(Number::parse("12").unwrap()),
                KeyKind::S | KeyKind::B => KeyValue::S("a constant".into()),
            });
        }
        let form = tape.pick(&["rN_P", "rN.P", "rN_P.x.y", "rN P"]);
        let name = form.replace('N', &number.to_string()).replace('P', &format!("p{index}"));
        let path = Path::parse(&name).unwrap();
        let (one, set) = match kind {
            KeyKind::S => (Type::S, Type::Ss),
            KeyKind::N => (Type::N, Type::Ns),
            KeyKind::B => (Type::B, Type::Bs),
        };
        if !has_elements && tape.one_in(3) {
            has_elements = true;
            if tape.flag() {
                let form = tape.pick(&["F", "F[*].t", "F.m[*][*].t"]);
                let path = Path::parse(&form.replace('F', &name)).unwrap();
                return Component::Elements(path, tape.pick(&[set, Type::L]));
            }
            let form = tape.pick(&["F[*].f", "F[*].l[*].m.f", "F[*][*].f"]);
            return Component::Field(Path::parse(&form.replace('F', &name)).unwrap(), one);
        }
        Component::Attribute(path, one)
    };
    (0..to_key.captures().len()).map(source).collect()
}

fn find(
    rules: &mut Rules,
    number: usize,
    from: EntityId,
    to: EntityId,
    components: &[Component],
    tape: &mut Tape,
) -> Find {
    let mut ways = Vec::new();
    if is_determined(rules[from].key.partition(), &rules[from].key, components) {
        ways.push(Find::Derived);
    }
    let mirrors = rules.mirrors.iter().enumerate().filter(|(_, mirror)| {
        mirror.source == from
            && is_determined(rules[mirror.mirror].key.partition(), &rules[from].key, components)
    });
    ways.extend(mirrors.map(|(index, _)| Find::Mirror(MirrorId(index))));
    ways.extend(by_index(rules, to, components, tape));
    ways.push(Find::None);
    let find = tape.pick(&ways);
    let table = &mut rules.tables[rules.entities[from.0].table.0];
    if let Find::Index { partition, sort, .. } = find {
        let attribute =
            |name: &str, of: &KeyTemplate| KeyAttribute { name: name.to_owned(), kind: of.kind() };
        let key = KeySchema {
            partition: attribute(&format!("i{number}"), &partition),
            sort: sort.as_ref().map(|sort| attribute(&format!("s{number}"), sort)),
        };
        table.indexes.push(TableIndex { name: format!("by_r{number}"), key });
        return Find::Index { index: table.indexes.len() - 1, partition, sort };
    }
    find
}

/// Whether the reference uses all captures of a template, so the referenced key determines them.
fn is_determined(template: &KeyTemplate, from: &EntityKey, components: &[Component]) -> bool {
    template.captures().all(|name| {
        let own = from.captures().iter().position(|capture| capture == name);
        own.is_some_and(|own| components.contains(&Component::Capture(own)))
    })
}

/// A lookup by an index whose key contains no elements of lists or sets.
fn by_index(
    rules: &Rules,
    to: EntityId,
    components: &[Component],
    tape: &mut Tape,
) -> Option<Find> {
    let key = &rules[to].key;
    let sources = components.iter().take(key.captures().len()).enumerate();
    let mut single = sources.filter(|(_, source)| !source.is_of_element());
    let template_of = |index: usize, tape: &mut Tape| {
        let (name, kind) = (&key.captures()[index], key.capture_kind(index));
        let form = if kind == KeyKind::S { tape.pick(&["{P}", "x#{P}", "{{{P}"]) } else { "{P}" };
        template(&form.replace('P', name), kind)
    };
    let partition = template_of(single.next()?.0, tape);
    let sort = single.next().filter(|_| tape.flag());
    let sort = sort.map(|(index, _)| template_of(index, tape));
    Some(Find::Index { index: 0, partition, sort })
}
