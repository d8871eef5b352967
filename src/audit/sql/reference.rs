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

use super::expression::{Expr, Function, SqlType, all, any, call, case, concat};
use super::finding::Finding;
use super::keys::{Origin, PartKind, PartValue, build, is_same};
use super::number::canonical;
use super::query::{Join, Query, Select};
use super::tables::{add_targets, key_columns, named, of_entity};
use super::value::{is_literal, key_text, tag, value_at};
use crate::data::{KeyKind, Path, Type, Value};
use crate::integrity::finding::{Defect, Kind};
use crate::rules::model::{Component, Matching, Reference, Rules};
use crate::wording;

/// The query of a reference, at this time in milliseconds since 1970.
pub(super) fn query(rules: &Rules, reference: &Reference, now_ms: i64) -> Query {
    let mut query = Query::default();
    let table = &rules[rules[reference.from].table];
    let captures = add_referencing(&mut query, rules, reference);
    add_parts(&mut query, rules, reference, &captures);
    add_evaluated(&mut query, rules, reference, &captures);
    add_targets(&mut query, rules, reference, now_ms);
    add_broken(&mut query, rules, reference);

    let (key, target) = (key_columns(table, "broken", ""), rules.table_of(reference.to));
    let kind = Expr::column("broken.kind");
    let finding = Finding {
        rule: &reference.name,
        severity: reference.severity,
        referencing: (table, key),
        referenced: (target, key_columns(target, "broken", "target_")),
        has_referenced: kind.clone().equals(Expr::text(Kind::DanglingReference.name())),
        kind,
        path: path(reference, &Expr::column("broken.element_index")),
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
fn add_referencing(query: &mut Query, rules: &Rules, reference: &Reference) -> Vec<PartValue> {
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
        if let Some(path) = component.path() {
            columns.push((value_column(index), value_at(&item, path)));
        }
    }
    select.columns = columns;
    query.add("referencing", select);
    named_captures
}

/// The value of a component, in a step.
fn value(step: &str, index: usize) -> Expr {
    Expr::column(format!("{step}.{}", value_column(index)))
}

/// Whether a component is absent; `None` for a capture, which never is.
fn is_absent(index: usize, component: &Component, none: &[Value<'static>]) -> Option<Expr> {
    let value = value("parts", index);
    let is_none = none.iter().map(|none| is_literal(&value, none));
    let is_nothing = any(std::iter::once(value.clone().is_null()).chain(is_none));
    match component {
        Component::Capture(_) => None,
        Component::Attribute(..) => Some(is_nothing),
        Component::Elements(_, kind) => {
            let is_empty = size(present_elements(&value, *kind, none)).equals(Expr::Integer(0));
            Some(any([is_nothing, is_empty]))
        }
    }
}

/// The elements of a list or set; `NULL` if the value is none.
fn elements(value: &Expr, kind: Type) -> Expr {
    let json = value.clone().json_at(&[kind.tag()]);
    call(if kind == Type::L { Function::Objects } else { Function::Texts }, [json])
}

/// The elements without those that refer to nothing.
fn present_elements(value: &Expr, kind: Type, none: &[Value<'static>]) -> Expr {
    let elements = elements(value, kind);
    let element = Expr::Variable("element_l");
    match is_present(&element, kind, none) {
        Some(is_present) => call(Function::Filter, [elements, element, is_present]),
        None => elements,
    }
}

/// Whether an element refers to something; `None` if each element does. An element of `NULL` in SQL
/// stands for a list or set without elements, and is kept.
fn is_present(element: &Expr, kind: Type, none: &[Value<'static>]) -> Option<Expr> {
    let is_none = |none: &Value<'static>| match (none, kind) {
        (_, Type::L) => Some(is_literal(element, none)),
        (Value::S(text), Type::Ss) => Some(element.clone().equals(Expr::text(text.as_ref()))),
        (Value::N(number), Type::Ns) => {
            Some(canonical(element.clone()).equals(Expr::text(number.as_str())))
        }
        _ => None,
    };
    let is_null = element.clone().json_at(&[Type::Null.tag()]).is_present();
    let mut nothing = if kind == Type::L { vec![is_null] } else { Vec::new() };
    nothing.extend(none.iter().filter_map(is_none));
    let [first, rest @ ..] = nothing.as_slice() else { return None };
    if kind == Type::L && rest.is_empty() {
        return Some(first.clone().not());
    }
    // A comparison with a value of another type has no result, which is not `TRUE`.
    let flag = case([(any(nothing), Expr::Integer(1))], Expr::Integer(0));
    Some(flag.equals(Expr::Integer(0)))
}

fn size(array: Expr) -> Expr {
    call(Function::Size, [array])
}

/// Adds a row for each element. A reference without elements, and one whose list or set is absent
/// or malformed, has one row.
fn add_parts(query: &mut Query, rules: &Rules, reference: &Reference, captures: &[PartValue]) {
    let table = rules.table_of(reference.from);
    let mut columns = named(&key_columns(table, "referencing", ""), "");
    let mut keep = |name: String| {
        let column = Expr::column(format!("referencing.{name}"));
        columns.push((name, column));
    };
    (0..captures.len()).for_each(|index| keep(format!("capture_{index}")));
    let with_paths = reference.components.iter().enumerate().filter(|(_, it)| it.path().is_some());
    with_paths.for_each(|(index, _)| keep(value_column(index)));
    let each = reference.components.iter().enumerate().find_map(|(index, it)| match it {
        Component::Elements(_, kind) => Some((index, *kind)),
        Component::Capture(_) | Component::Attribute(..) => None,
    });
    let Some((index, kind)) = each else {
        let select = Select { columns, from: "referencing".to_owned(), ..Select::default() };
        return query.add("parts", select);
    };
    let of = if kind == Type::L { SqlType::Json } else { SqlType::Text };
    let value = value("referencing", index);
    let has_any =
        size(present_elements(&value, kind, &reference.none)).binary(">", Expr::Integer(0));
    let nothing = call(Function::Single, [Expr::Null(of)]);
    let array = case([(has_any, elements(&value, kind))], nothing);
    let element = Expr::column("unnested.element");
    let element_index =
        case([(element.clone().is_null(), Expr::Null(SqlType::Integer))], Expr::Position);
    columns.push(("element".to_owned(), element.clone()));
    columns.push(("element_index".to_owned(), element_index));
    let is_present = is_present(&element, kind, &reference.none);
    query.add(
        "parts",
        Select {
            columns,
            from: "referencing".to_owned(),
            join: Some(Join::Elements(array)),
            conditions: is_present.into_iter().collect(),
            ..Select::default()
        },
    );
}

/// Adds what the parts of a reference form.
fn add_evaluated(query: &mut Query, rules: &Rules, reference: &Reference, captures: &[PartValue]) {
    let table = rules.table_of(reference.from);
    let mut problems = Vec::new();
    let mut values = Vec::new();
    let mut absent = Vec::new();
    for (index, component) in reference.components.iter().enumerate() {
        let (value, problem) = part(index, component, captures);
        problems.extend(problem);
        values.extend(value);
        absent.extend(is_absent(index, component, &reference.none));
    }
    let built = build(&rules[reference.to].key, &values);
    let one = |condition| case([(condition, Expr::Integer(1))], Expr::Integer(0));
    let absent = match absent.len() {
        0 => Expr::Integer(0),
        _ => Expr::Chain("+", absent.into_iter().map(one).collect()),
    };
    let mut columns = named(&key_columns(table, "parts", ""), "");
    columns.extend(named(&built.key, "target_"));
    columns.push(("absent".to_owned(), absent));
    columns.push(("problem".to_owned(), case(problems, built.error)));
    if reference.has_elements() {
        let name = "element_index";
        columns.push((name.to_owned(), Expr::column(format!("parts.{name}"))));
    }
    query.add("evaluated", Select { columns, from: "parts".to_owned(), ..Select::default() });
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
        Component::Attribute(path, kind) => {
            let Some(key_kind) = key_kind(*kind) else { return (None, None) };
            let text = key_text(&value, key_kind);
            let part = from_attribute(text, PartKind::Fixed(key_kind));
            (Some(part), Some(wrong_type(path, &value, *kind)))
        }
        Component::Elements(path, kind) => {
            let element = Expr::column("parts.element");
            let wrong_type = wrong_type(path, &value, *kind);
            if let Some(kind) = element_kind(*kind) {
                let text = if kind == KeyKind::N { canonical(element) } else { element };
                return (Some(from_attribute(text, PartKind::Fixed(kind))), Some(wrong_type));
            }
            let (value, wrong_element) = list_element(path, &element);
            let (is_no_list, words) = wrong_type;
            let (is_wrong, element_words) = wrong_element;
            let condition = any([is_no_list.clone(), is_wrong]);
            (Some(value), Some((condition, case([(is_no_list, words)], element_words))))
        }
    }
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
    let words = concat([Expr::text(format!("an element of `{path}` has type ")), tag.clone()]);
    let text = kinds.map(|kind| {
        let is_kind = tag.clone().equals(Expr::text(kind.as_type().tag()));
        (is_kind, key_text(element, kind))
    });
    let text = case(text, Expr::Null(SqlType::Text));
    (from_attribute(text, PartKind::Tag(tag)), (is_wrong, words))
}

/// The condition that a value has another type than the declared one, and the words for it.
fn wrong_type(path: &Path, value: &Expr, declared: Type) -> (Expr, Expr) {
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

/// Adds the values that are incomplete, malformed, or refer to nothing, each once.
fn add_broken(query: &mut Query, rules: &Rules, reference: &Reference) {
    let (from, to) = (rules.table_of(reference.from), rules.table_of(reference.to));
    let column = |name: &str| Expr::column(format!("evaluated.{name}"));
    let target = key_columns(to, "evaluated", "target_");
    let referenced = key_columns(to, "referenced", "");
    let is_absent = column("absent").binary(">", Expr::Integer(0));
    let is_malformed = column("problem").is_present();
    let is_nothing_there = referenced.partition.clone().is_null();
    let is_other = if rules[reference.to].conditions.is_empty() {
        Expr::Bool(false)
    } else {
        all([is_nothing_there.clone().not(), Expr::column("referenced.is_one").not()])
    };
    let is_missing = any([is_nothing_there, is_other.clone()]);

    let paths: Vec<Path> = reference.paths().cloned().collect();
    let own = i64::try_from(paths.len()).unwrap_or(i64::MAX);
    let is_partial = if reference.matching == Matching::Full {
        all([is_absent.clone(), column("absent").binary("<", Expr::Integer(own))])
    } else {
        Expr::Bool(false)
    };
    let is_required = if reference.required { is_absent.clone() } else { Expr::Bool(false) };
    let kinds = [
        (is_partial.clone(), Defect::PartiallyAbsent(paths.clone())),
        (is_required.clone(), Defect::RequiredAbsent(paths)),
    ];
    let kinds: Vec<_> =
        kinds.into_iter().filter(|(condition, _)| *condition != Expr::Bool(false)).collect();
    let kind = |kind: Kind| Expr::text(kind.name());
    let mut kind_cases: Vec<_> =
        kinds.iter().map(|(condition, defect)| (condition.clone(), kind(defect.kind()))).collect();
    kind_cases.push((is_malformed.clone(), kind(Kind::MalformedReference)));
    let mut detail_cases: Vec<_> = kinds
        .iter()
        .map(|(condition, defect)| (condition.clone(), Expr::text(wording::defect(defect))))
        .collect();
    detail_cases.push((is_malformed.clone(), column("problem")));
    if is_other != Expr::Bool(false) {
        let words = format!("an item is there, but is no `{}`", rules[reference.to].name);
        detail_cases.push((is_other, Expr::text(words)));
    }
    let missing = format!("the referenced `{}` does not exist", rules[reference.to].name);
    let kind = case(kind_cases, kind(Kind::DanglingReference));

    let mut columns = named(&key_columns(from, "evaluated", ""), "");
    let is_target = all([is_absent.clone().not(), is_malformed.clone().not()]);
    columns.extend(named(&target, "target_").into_iter().map(|(name, value)| {
        // What could not be a key does not tell values apart.
        (name, case([(is_target.clone(), value)], Expr::Null(SqlType::Text)))
    }));
    columns.push(("kind".to_owned(), kind));
    columns.push(("detail".to_owned(), case(detail_cases, Expr::text(missing))));
    if reference.has_elements() {
        // An incomplete reference is one value, whatever its elements are.
        let nothing = (is_absent.clone(), Expr::Null(SqlType::Integer));
        let first = call(Function::Minimum, [case([nothing], column("element_index"))]);
        columns.push(("element_index".to_owned(), first));
    }
    let is_incomplete = any([is_partial, is_required]);
    let is_broken = all([is_absent.not(), any([is_malformed, is_missing])]);
    query.add(
        "broken",
        Select {
            columns,
            from: "evaluated".to_owned(),
            join: Some(Join::Left("referenced".to_owned(), is_same(&target, &referenced))),
            conditions: vec![any([is_incomplete, is_broken])],
            is_grouped: reference.has_elements(),
        },
    );
}

/// The path of a value, as the native audit shows it.
fn path(reference: &Reference, element_index: &Expr) -> Option<Expr> {
    let mut whole: Vec<String> = Vec::new();
    let mut of_element: Vec<Expr> = Vec::new();
    for component in &reference.components {
        let Some(path) = component.path() else { continue };
        let element = match component {
            Component::Elements(_, Type::L) => concat([
                Expr::text(format!("{path}[")),
                call(Function::ToText, [element_index.clone()]),
                Expr::text("]"),
            ]),
            Component::Elements(..) => Expr::text(format!("{path}[*]")),
            Component::Capture(_) | Component::Attribute(..) => Expr::text(path.to_string()),
        };
        if !of_element.contains(&element) {
            of_element.push(element);
        }
        let text = path.to_string();
        if !whole.contains(&text) {
            whole.push(text);
        }
    }
    if whole.is_empty() {
        return None;
    }
    let comma = |(index, part): (usize, Expr)| {
        if index == 0 { vec![part] } else { vec![Expr::text(", "), part] }
    };
    let of_element = concat(of_element.into_iter().enumerate().flat_map(comma));
    let whole = Expr::text(whole.join(", "));
    if !reference.has_elements() {
        return Some(whole);
    }
    Some(case([(element_index.clone().is_null(), whole)], of_element))
}
