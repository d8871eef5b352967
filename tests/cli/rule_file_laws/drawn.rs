//! Rules drawn at random: sound ones, of every kind, as the model has them.

use std::collections::BTreeMap;
use std::time::Duration;

use referee::data::{KeyAttribute, KeyKind, KeySchema, Number, Path, Type, Value};
use referee::rules::Rules;
use referee::rules::model::{
    Copied, Entity, EntityId, Find, Matching, Mirror, MirrorId, Mode, OnDelete, OnMirrorDelete,
    OnMirrorEdit, OnMissing, Reference, Severity, Source, Table, TableId, TableIndex,
};
use referee::rules::template::{EntityKey, KeyTemplate, Part, Template};

use crate::rule_file_laws::tape::Tape;

/// How many items one delete may touch, and how deep a cascade may go, if a rule does not say.
pub(crate) const FANOUT_MAX: u64 = 10_000;
pub(crate) const DEPTH_MAX: u64 = 15;
/// How long a reference may dangle if a rule does not say.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// Rules that the product must take for sound.
pub(crate) fn rules(tape: &mut Tape) -> Rules {
    let mut rules = Rules::default();
    for number in 0..=tape.below(3) {
        rules.tables.push(table(number, tape));
    }
    for table in 0..rules.tables.len() {
        let schema = &rules.tables[table].key;
        // Without a text to tell them apart by, one kind of item fills a table.
        let has_text = schema.attributes().any(|attribute| attribute.kind == KeyKind::S);
        for _ in 0..=if has_text { tape.below(3) } else { 0 } {
            let entity = entity(&rules, TableId(table), tape);
            rules.entities.push(entity);
        }
    }
    let own = rules.entities.len();
    for _ in 0..tape.below(3) {
        mirror(&mut rules, own, tape);
    }
    // Some rules write what is deleted again, or some delete and change: both would fight.
    let restores = tape.one_in(3);
    for _ in 0..tape.below(5) {
        reference(&mut rules, own, restores, tape);
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
        separator: tape.pick(&['#', '#', '|', ':', '/', '"', '\'', 'é', ' ']),
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
            KeyKind::S if is_text => {
                tape.pick(&["-", "{d}", "x#{d}", "{{{d}}}", "{a}#{d*}", "{a}"]).to_owned()
            }
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
    let condition = (Path::parse(path).unwrap(), value);
    Entity {
        name: format!("e{number}"),
        table: id,
        key: EntityKey::new(partition, sort, separator),
        attributes: BTreeMap::new(),
        conditions: if tape.one_in(3) { vec![condition] } else { Vec::new() },
    }
}

/// A mirror of an entity whose key is all of texts, at the same captures in another order.
fn mirror(rules: &mut Rules, own: usize, tape: &mut Tape) {
    let number = rules.mirrors.len();
    let is_rest = |template: &KeyTemplate| {
        template.template().parts().iter().any(|part| matches!(part, Part::Rest(_)))
    };
    let sources = (0..own).filter(|entity| {
        let key = &rules.entities[*entity].key;
        !std::iter::once(key.partition()).chain(key.sort()).any(is_rest)
            && (0..key.captures().len()).all(|place| key.capture_kind(place) == KeyKind::S)
    });
    let sources: Vec<usize> = sources.collect();
    let homes = (0..rules.tables.len()).filter(|table| {
        let mut attributes = rules.tables[*table].key.attributes();
        attributes.all(|attribute| attribute.kind == KeyKind::S)
    });
    let homes: Vec<usize> = homes.collect();
    if sources.is_empty() || homes.is_empty() {
        return;
    }
    let (source, table) = (EntityId(tape.pick(&sources)), TableId(tape.pick(&homes)));
    let mut names = rules[source].key.captures().to_vec();
    // Turned by one, three of them come to another order than turned back.
    let turned = tape.below(names.len());
    names.rotate_left(turned);
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
    let place = |of: &EntityKey, name: &String| of.captures().iter().position(|it| it == name);
    let from = &rules[source].key;
    let mirror_from_source = key.captures().iter().map(|it| place(from, it).unwrap()).collect();
    let source_from_mirror = from.captures().iter().map(|it| place(&key, it).unwrap()).collect();
    let copied = format!("v{number}");
    let copy = tape.pick(&[
        Copied::All,
        Copied::None,
        Copied::List(vec![copied.clone()]),
        Copied::List(vec!["w".to_owned(), copied.clone()]),
    ]);
    if let Copied::List(names) = &copy {
        let kind = tape.pick(&[Type::S, Type::M, Type::Bool]);
        let attributes = &mut rules.entities[source.0].attributes;
        let paths = names.iter().map(|name| Path::attribute(name));
        paths.for_each(|path| {
            attributes.entry(path).or_insert(kind);
        });
    }
    rules.mirrors.push(Mirror {
        name: format!("mirror{number}"),
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
        conditions: Vec::new(),
    });
}

fn mode(tape: &mut Tape) -> Mode {
    tape.pick(&[Mode::Enforce, Mode::Observe, Mode::Off])
}

fn severity(tape: &mut Tape) -> Severity {
    tape.pick(&[Severity::Error, Severity::Warn])
}

fn reference(rules: &mut Rules, own: usize, restores: bool, tape: &mut Tape) {
    let number = rules.references.len();
    let (from, to) = (EntityId(tape.below(own)), EntityId(tape.below(own)));
    let components = components(rules, number, from, to, tape);
    for source in &components {
        if let Source::Attribute(path, kind) | Source::Elements(path, kind) = source {
            rules.entities[from.0].attributes.insert(path.clone(), *kind);
        }
    }
    let find = find(rules, number, from, to, &components, tape);
    let elements = components.iter().any(|it| matches!(it, Source::Elements(..)));
    let changes: Vec<bool> = components
        .iter()
        .map(|source| match source {
            Source::Capture(_) => false,
            Source::Attribute(..) => !elements,
            Source::Elements(..) => true,
        })
        .collect();
    let kinds = (0..components.len()).map(|place| rules[to].key.capture_kind(place));
    let kinds: Vec<KeyKind> = kinds.collect();
    let has_binary = kinds.iter().zip(&changes).any(|(kind, is)| *is && *kind == KeyKind::B);
    let possible = Possible {
        change: changes.contains(&true),
        default: changes.contains(&true) && !has_binary,
        // A circle of deletes is refused; those from one kind to an earlier one make none.
        delete: !restores && from.0 >= to.0,
        find: find != Find::None,
        restore: restores,
    };
    let (on_missing, [on_delete, on_ttl_delete]) = possible.actions(tape);
    let both = [on_delete, on_ttl_delete];
    let unsets = on_missing == OnMissing::Unset || both.contains(&OnDelete::Unset);
    let defaults = on_missing == OnMissing::SetDefault || both.contains(&OnDelete::SetDefault);
    let default = |(kind, is_changed): (&KeyKind, &bool)| {
        (defaults && *is_changed).then(|| match kind {
            KeyKind::N => Value::N(Number::parse("7").unwrap()),
            KeyKind::S | KeyKind::B => Value::from("none"),
        })
    };
    let reference = Reference {
        name: format!("r{number}"),
        from,
        to,
        defaults: kinds.iter().zip(&changes).map(default).collect(),
        components,
        matching: if !unsets && tape.flag() { Matching::Full } else { Matching::Simple },
        required: !unsets && tape.flag(),
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
    rules.references.push(reference);
}

/// What a reference's actions may do.
#[expect(clippy::struct_excessive_bools, reason = "each is asked by itself")]
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

/// Where each capture of the target's key comes from: a capture of the same type, or an attribute
/// or elements of this reference's own.
fn components(
    rules: &Rules,
    number: usize,
    from: EntityId,
    to: EntityId,
    tape: &mut Tape,
) -> Vec<Source> {
    let (from_key, to_key) = (&rules[from].key, &rules[to].key);
    let mut has_elements = false;
    let source = |place: usize| {
        let kind = to_key.capture_kind(place);
        let captures: Vec<usize> = (0..from_key.captures().len())
            .filter(|own| from_key.capture_kind(*own) == kind)
            .collect();
        // What refers to itself always is never broken.
        if !captures.is_empty() && (from != to || place > 0) && tape.flag() {
            return Source::Capture(tape.pick(&captures));
        }
        let form = tape.pick(&["rN_P", "rN.P", "rN_P.x.y", "rN P"]);
        let name = form.replace('N', &number.to_string()).replace('P', &format!("p{place}"));
        let path = Path::parse(&name).unwrap();
        let (one, set) = match kind {
            KeyKind::S => (Type::S, Type::Ss),
            KeyKind::N => (Type::N, Type::Ns),
            KeyKind::B => (Type::B, Type::Bs),
        };
        if !has_elements && tape.one_in(3) {
            has_elements = true;
            return Source::Elements(path, tape.pick(&[set, Type::L]));
        }
        Source::Attribute(path, one)
    };
    (0..to_key.captures().len()).map(source).collect()
}

fn find(
    rules: &mut Rules,
    number: usize,
    from: EntityId,
    to: EntityId,
    components: &[Source],
    tape: &mut Tape,
) -> Find {
    let mut ways = Vec::new();
    if fixes(rules[from].key.partition(), &rules[from].key, components) {
        ways.push(Find::Derived);
    }
    let mirrors = rules.mirrors.iter().enumerate().filter(|(_, mirror)| {
        mirror.source == from
            && fixes(rules[mirror.mirror].key.partition(), &rules[from].key, components)
    });
    ways.extend(mirrors.map(|(place, _)| Find::Mirror(MirrorId(place))));
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

/// Whether the captures of a template are all taken over from the key of the item that refers.
fn fixes(template: &KeyTemplate, from: &EntityKey, components: &[Source]) -> bool {
    template.captures().all(|name| {
        let own = from.captures().iter().position(|capture| capture == name);
        own.is_some_and(|own| components.contains(&Source::Capture(own)))
    })
}

/// A look-up by captures that are no elements.
fn by_index(rules: &Rules, to: EntityId, components: &[Source], tape: &mut Tape) -> Option<Find> {
    let key = &rules[to].key;
    let sources = components.iter().enumerate();
    let mut single = sources.filter(|(_, source)| !matches!(source, Source::Elements(..)));
    let template_of = |place: usize, tape: &mut Tape| {
        let (name, kind) = (&key.captures()[place], key.capture_kind(place));
        let form = if kind == KeyKind::S { tape.pick(&["{P}", "x#{P}", "{{{P}"]) } else { "{P}" };
        template(&form.replace('P', name), kind)
    };
    let partition = template_of(single.next()?.0, tape);
    let sort = single.next().filter(|_| tape.flag());
    let sort = sort.map(|(place, _)| template_of(place, tape));
    Some(Find::Index { index: 0, partition, sort })
}
