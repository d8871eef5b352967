//! A reference's query: its values, and those that refer to nothing.
//!
//! This is `integrity/reference/evaluate.rs` in SQL, step by step:
//!
//! 1. `referencing`: the items of the referencing entity, with the captures of their keys and the
//!    values of the reference's attributes;
//! 2. `parts`: a row for each element of a list or set, or one row;
//! 3. `evaluated`: how many parts are absent, what is wrong with the others, and the key that they
//!    form;
//! 4. `broken`: those that are incomplete, malformed, or without a referenced item.

use super::elements::{Elements, wrong_element};
use super::expression::{Expr, SqlType, all, any, case, concat};
use super::finding::Finding;
use super::keys::{Built, KeyColumns, Origin, PartKind, PartValue, build, parse};
use super::number::canonical;
use super::query::{Query, Select};
use super::tables::{add_targets, key_columns, named, of_entity};
use super::union;
use super::value::{is_literal, key_text, tag, value_at, value_inside};
use super::{broken, discriminator};
use crate::data::{KeyKind, KeyValue, Path, Type};
use crate::integrity::finding::{Defect, Kind};
use crate::rules::model::{Component, Contained, Reference, ReferenceId, Rules};
use crate::wording;

/// The query of a reference, at this time in milliseconds since 1970.
pub(super) fn query(rules: &Rules, rule: ReferenceId, now_ms: i64) -> Query {
    let reference = &rules[rule];
    let mut query = Query::default();
    let table = &rules[rules[reference.from].table];
    let elements = Elements::of(reference);
    let elements = elements.as_ref();
    let captures = add_referencing(&mut query, rules, reference, elements);
    add_parts(&mut query, rules, reference, &captures, elements);
    add_evaluated(&mut query, rules, rule, &captures, elements);
    if reference.alternative.is_union() {
        union::add_others(&mut query, rules, rule, now_ms);
    }
    add_targets(&mut query, rules, reference, "referenced", now_ms);
    broken::add(&mut query, rules, rule);

    let (key, target) = (key_columns(table, "broken", ""), rules.table_of(reference.to));
    let kind = Expr::column("broken.kind");
    let finding = Finding {
        rule: &reference.name,
        severity: reference.severity,
        referencing: (table, key),
        referenced: (target, key_columns(target, "broken", "target_")),
        has_referenced: kind.clone().equals(Expr::text(Kind::DanglingReference.name())),
        kind,
        path: path(reference, elements),
        detail: Expr::column("broken.detail"),
    };
    query.results.push(Select {
        columns: vec![("line".to_owned(), finding.line())],
        from: "broken".to_owned(),
        ..Select::default()
    });
    query
}

/// The name of the column with the value of a component.
fn value_column(index: usize) -> String {
    format!("value_{index}")
}

/// Adds the referencing items. Returns the captures of their keys, as columns of `parts`.
fn add_referencing(
    query: &mut Query,
    rules: &Rules,
    reference: &Reference,
    elements: Option<&Elements<'_>>,
) -> Vec<PartValue> {
    let (mut select, captures) = of_entity(query, rules, reference.from);
    let table = rules.table_of(reference.from);
    let mut columns = named(&key_columns(table, &select.from, ""), "");
    let mut named_captures = Vec::new();
    for (index, capture) in captures.into_iter().enumerate() {
        let name = format!("capture_{index}");
        let text = Expr::column(format!("parts.{name}"));
        named_captures.push(PartValue { text, ..capture.clone() });
        columns.push((name, capture.text));
    }
    let item = Expr::column(format!("{}.item", select.from));
    for (index, component) in reference.components.iter().enumerate() {
        let outermost =
            elements.filter(|_| component.is_of_element()).and_then(Elements::outermost);
        let path = outermost.or(component.path());
        if let Some(path) = path.filter(|_| has_value(index, reference, elements)) {
            columns.push((value_column(index), value_at(&item, path)));
        }
    }
    select.columns = columns;
    query.add("referencing", select);
    named_captures
}

/// The value of a component, in a step.
pub(super) fn value(step: &str, index: usize) -> Expr {
    Expr::column(format!("{step}.{}", value_column(index)))
}

/// Whether a component is absent; `None` for a capture, which never is.
fn is_absent(
    index: usize,
    component: &Component,
    reference: &Reference,
    elements: Option<&Elements<'_>>,
) -> Option<Expr> {
    let is_nothing = |value: Expr| {
        let none = reference.none.iter().map(|none| is_literal(&value, none)).collect::<Vec<_>>();
        any(std::iter::once(value.is_null()).chain(none))
    };
    match component {
        Component::Capture(_) | Component::Constant(_) => None,
        Component::Attribute(..) => Some(is_nothing(value("parts", index))),
        Component::Elements(..) => elements.map(Elements::is_absent),
        Component::Field(path, _) => {
            let elements = elements?;
            let is_nothing = all([elements.is_innermost_map(), is_nothing(field(path))]);
            Some(any([elements.is_absent(), is_nothing]))
        }
    }
}

/// The value at the end of a path that leads through lists, in `parts`.
fn field(path: &Path) -> Expr {
    let inner = path.sections().last().unwrap_or_default();
    value_inside(&Expr::column("parts.element"), inner)
}

/// Adds a row for each element, or one row for a reference without elements.
fn add_parts(
    query: &mut Query,
    rules: &Rules,
    reference: &Reference,
    captures: &[PartValue],
    elements: Option<&Elements<'_>>,
) {
    let table = rules.table_of(reference.from);
    let keys = named(&key_columns(table, "referencing", ""), "").into_iter().map(|(name, _)| name);
    let captures = (0..captures.len()).map(|index| format!("capture_{index}"));
    let with_values = reference.components.iter().enumerate();
    let with_values = with_values.filter(|(index, _)| has_value(*index, reference, elements));
    let values = with_values.map(|(index, _)| value_column(index));
    let keep: Vec<String> = keys.chain(captures).chain(values).collect();
    if let Some(elements) = elements {
        return elements.add(query, &keep);
    }
    let column = |name: String| {
        let column = Expr::column(format!("referencing.{name}"));
        (name, column)
    };
    let columns = keep.into_iter().map(column).collect();
    query.add("parts", Select { columns, from: "referencing".to_owned(), ..Select::default() });
}

/// Whether `referencing` has a column for a component: the value, or the outermost list or set.
fn has_value(index: usize, reference: &Reference, elements: Option<&Elements<'_>>) -> bool {
    reference.components.get(index).is_some_and(|component| match component {
        Component::Capture(_) | Component::Constant(_) => false,
        Component::Attribute(..) => true,
        Component::Elements(..) | Component::Field(..) => {
            elements.is_some_and(|elements| elements.component == index)
        }
    })
}

/// What the parts of a reference form.
pub(super) struct Formed {
    values: Vec<PartValue>,
    /// The conditions that a part is wrong, with the words for each.
    problems: Vec<(Expr, Expr)>,
    /// The key that the values form.
    built: Built,
}

impl Formed {
    /// Whether a part is wrong, or the values form no key.
    pub(super) fn is_broken(&self) -> Expr {
        let wrong = self.problems.iter().map(|(condition, _)| condition.clone());
        any(wrong.chain([self.built.error.clone().is_present()]))
    }

    /// The key; `NULL` if the parts form none.
    pub(super) fn key_or_null(&self) -> KeyColumns {
        let unless = |value: Expr| case([(self.is_broken(), Expr::Null(SqlType::Text))], value);
        let KeyColumns { partition, sort } = self.built.key.clone();
        KeyColumns { partition: unless(partition), sort: sort.map(unless) }
    }
}

/// What the parts of a reference form. Its values are in the columns of another alternative of its
/// rule, which has the same sources.
pub(super) fn formed(
    rules: &Rules,
    (reference, own): (&Reference, &Reference),
    captures: &[PartValue],
    elements: Option<&Elements<'_>>,
) -> Formed {
    let (mut values, mut problems) = (Vec::new(), Vec::new());
    for (index, component) in reference.components.iter().enumerate() {
        let column = own.components.iter().position(|it| it == component).unwrap_or(index);
        let (value, problem) = part(column, component, captures);
        if let Some(elements) = elements.filter(|elements| elements.component == column) {
            problems.extend(elements.problems());
        }
        problems.extend(problem);
        let value = match (value, reference.contained(index)) {
            (Some(value), Some(contained)) => {
                let (part, other_text) = contained_in(contained, component, value);
                problems.push(other_text);
                part
            }
            (value, _) => value,
        };
        values.extend(value);
    }
    problems.extend(reference.agreeing.iter().filter_map(|(one, other)| {
        let differ = values.get(*one)?.text.clone().differs(values.get(*other)?.text.clone());
        let path = |index: usize| reference.components.get(index)?.path().cloned();
        let words = wording::defect(&Defect::OtherKey(path(*one), path(*other)));
        Some((differ, Expr::text(words)))
    }));
    let built = build(&rules[reference.to].key, &values);
    Formed { values, problems, built }
}

/// Adds what the parts of a reference form.
fn add_evaluated(
    query: &mut Query,
    rules: &Rules,
    rule: ReferenceId,
    captures: &[PartValue],
    elements: Option<&Elements<'_>>,
) {
    let reference = &rules[rule];
    let table = rules.table_of(reference.from);
    let (mut absent, mut shared_absent) = (Vec::new(), Vec::new());
    for (index, component) in reference.components.iter().enumerate() {
        let is_absent = is_absent(index, component, reference, elements);
        shared_absent.extend(is_absent.clone().filter(|_| !component.is_of_element()));
        absent.extend(is_absent);
    }
    let formed = formed(rules, (reference, reference), captures, elements);
    let mut leads = discriminator::leads(reference, &formed.values);
    let mut problems = discriminator::problems(reference, &formed.values);
    problems.extend(formed.problems.clone());
    let one = |condition| case([(condition, Expr::Integer(1))], Expr::Integer(0));
    let absent = match absent.len() {
        0 => Expr::Integer(0),
        _ => Expr::Chain("+", absent.into_iter().map(one).collect()),
    };
    let mut columns = named(&key_columns(table, "parts", ""), "");
    columns.extend(named(&formed.built.key, "target_"));
    if reference.alternative.is_union() {
        let other = |other: &Reference| self::formed(rules, (other, reference), captures, elements);
        let others = union::others(rules, rule, other);
        leads = Some(union::leads(reference, &formed, &others));
        columns.extend(union::columns(&others));
    }
    columns.push(("absent".to_owned(), absent));
    columns.push(("problem".to_owned(), case(problems, formed.built.error)));
    columns.extend(leads.map(|leads| ("leads".to_owned(), leads)));
    if let Some(elements) = elements {
        // Without a part that all elements share, the reference is one value.
        let nowhere = Expr::Null(elements.position_type());
        let shared = (!shared_absent.is_empty()).then(|| (any(shared_absent), nowhere));
        columns.push(("element_index".to_owned(), case(shared, elements.position())));
    }
    let name = if reference.alternative.is_union() { union::FORMED } else { "evaluated" };
    query.add(name, Select { columns, from: "parts".to_owned(), ..Select::default() });
}

/// The value of a component, and what may be wrong with it: the condition, and the words.
fn part(
    index: usize,
    component: &Component,
    captures: &[PartValue],
) -> (Option<PartValue>, Option<(Expr, Expr)>) {
    let value = value("parts", index);
    match component {
        Component::Capture(capture) => (captures.get(*capture).cloned(), None),
        Component::Constant(value) => {
            let text = match value {
                KeyValue::S(text) => text.to_string(),
                KeyValue::N(number) => number.to_string(),
                // The rule file has no literals of binaries.
                KeyValue::B(_) => return (None, None),
            };
            let kind = PartKind::Fixed(value.kind());
            (Some(PartValue { text: Expr::text(text), kind, origin: Origin::Attribute }), None)
        }
        Component::Attribute(path, kind) => {
            let Some(key_kind) = key_kind(*kind) else { return (None, None) };
            let text = key_text(&value, key_kind);
            let part = from_attribute(text, PartKind::Fixed(key_kind));
            (Some(part), Some(wrong_type(path, &value, *kind)))
        }
        Component::Field(path, kind) => {
            let Some(key_kind) = key_kind(*kind) else { return (None, None) };
            let value = field(path);
            let part = from_attribute(key_text(&value, key_kind), PartKind::Fixed(key_kind));
            (Some(part), Some(wrong_type(path, &value, *kind)))
        }
        Component::Elements(path, kind) => {
            let element = Expr::column("parts.element");
            if let Some(kind) = element_kind(*kind) {
                let text = if kind == KeyKind::N { canonical(element) } else { element };
                return (Some(from_attribute(text, PartKind::Fixed(kind))), None);
            }
            let (value, wrong_element) = list_element(path, &element);
            (Some(value), Some(wrong_element))
        }
    }
}

/// The part that a text contains, and what is wrong if it does not match.
fn contained_in(
    contained: &Contained,
    component: &Component,
    value: PartValue,
) -> (Option<PartValue>, (Expr, Expr)) {
    let key = KeyColumns { partition: value.text.clone(), sort: None };
    let parsed = parse(&contained.text, &key);
    let defect = Defect::OtherText {
        path: component.path().cloned(),
        template: contained.text.partition().template().to_string(),
    };
    let part = match contained.capture {
        Some(capture) => parsed.captures.get(capture).cloned(),
        None => Some(value),
    };
    (part, (parsed.matches.not(), Expr::text(wording::defect(&defect))))
}

/// The type of the elements of a set; `None` for a list.
fn element_kind(kind: Type) -> Option<KeyKind> {
    let sets = [(Type::Ss, KeyKind::S), (Type::Ns, KeyKind::N), (Type::Bs, KeyKind::B)];
    sets.into_iter().find(|(set, _)| *set == kind).map(|(_, kind)| kind)
}

/// The value of a list's element, and what may be wrong with it.
fn list_element(path: &Path, element: &Expr) -> (PartValue, (Expr, Expr)) {
    let kinds = [KeyKind::S, KeyKind::N, KeyKind::B];
    let tag = tag(element.clone());
    let tags: Vec<_> = kinds.map(|kind| kind.as_type().tag().to_owned()).into();
    let is_wrong = Expr::OneOf(Box::new(tag.clone()), tags).not();
    let words = wrong_element(path, &tag);
    let text = kinds.map(|kind| {
        let is_kind = tag.clone().equals(Expr::text(kind.as_type().tag()));
        (is_kind, key_text(element, kind))
    });
    let text = case(text, Expr::Null(SqlType::Text));
    (from_attribute(text, PartKind::Tag(tag)), (is_wrong, words))
}

/// The condition that a value has another type than the declared one, and the words for it.
pub(super) fn wrong_type(path: &Path, value: &Expr, declared: Type) -> (Expr, Expr) {
    let is_declared = value.clone().json_at(&[declared.tag()]).is_present();
    let words = concat([
        Expr::text(format!("`{path}` has type ")),
        tag(value.clone()),
        Expr::text(format!("; the rule file declares {declared}")),
    ]);
    (all([value.clone().is_present(), is_declared.not()]), words)
}

fn from_attribute(text: Expr, kind: PartKind) -> PartValue {
    PartValue { text, kind, origin: Origin::Attribute }
}

fn key_kind(kind: Type) -> Option<KeyKind> {
    [KeyKind::S, KeyKind::N, KeyKind::B].into_iter().find(|it| it.as_type() == kind)
}

/// The path of a value, as the native audit shows it.
fn path(reference: &Reference, elements: Option<&Elements<'_>>) -> Option<Expr> {
    let mut paths: Vec<Expr> = Vec::new();
    for component in &reference.components {
        let path = match elements.filter(|_| component.is_of_element()) {
            Some(elements) => elements.path(component, &Expr::column("broken.element_index")),
            None => component.path().map(|path| Expr::text(path.to_string())),
        };
        paths.extend(path.filter(|path| !paths.contains(path)));
    }
    let comma = |(index, part): (usize, Expr)| {
        if index == 0 { vec![part] } else { vec![Expr::text(", "), part] }
    };
    let is_any = !paths.is_empty();
    is_any.then(|| concat(paths.into_iter().enumerate().flat_map(comma)))
}
