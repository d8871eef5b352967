//! Random references, and references to items in an index.

use std::collections::BTreeMap;
use std::time::Duration;

use referee::data::{KeyAttribute, KeyKind, KeySchema, KeyValue, Number, Path, Type, Value};
use referee::rules::Rules;
use referee::rules::model::{
    Alternative, Component, Discriminator, Entity, EntityId, Expired, Find, Matching, MirrorId,
    OnDelete, OnMissing, Reference, ReferenceId, Removal, Table, TableId, TableIndex, View,
};
use referee::rules::template::{EntityKey, KeyTemplate};

use super::drawn::{DEPTH_MAX, FANOUT_MAX, GRACE, mode, severity, template};
use super::tape::Tape;
use super::{contained, derived};

pub(super) fn reference(rules: &mut Rules, source_count: usize, restores: bool, tape: &mut Tape) {
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
pub(super) fn in_index(rules: &mut Rules, source_count: usize, tape: &mut Tape) {
    let number = rules.references.len();
    let (from, of) = (EntityId(tape.below(source_count)), EntityId(tape.below(source_count)));
    let declared = rules[of].clone();
    let table = &mut rules.tables[declared.table.0];
    let attribute = KeyAttribute { name: format!("v{number}"), kind: KeyKind::S };
    let key = KeySchema { partition: attribute, sort: None };
    let name = format!("view{number}");
    let is_absent = table.ttl.is_some() && tape.flag();
    let view = View {
        of,
        index: table.indexes.len(),
        table: Table {
            alias: format!("{}/{name}", table.alias),
            key: key.clone(),
            ttl: table.ttl.clone().filter(|_| is_absent),
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
        expired: if is_absent { Expired::Absent } else { Expired::Present },
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
