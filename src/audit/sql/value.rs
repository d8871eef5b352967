//! Values in DynamoDB's JSON: which type they have, and their text in canonical form.

use super::expression::{Expr, Function, SqlType, bind, call, case, concat};
use super::number::canonical;
use crate::data::{KeyKind, Path, Step, Type, Value};

/// The value at a path in an item, as JSON; `NULL` if there is none. A `NULL` of DynamoDB counts as
/// none, as in [`Path::lookup`].
pub(super) fn value_at(item: &Expr, path: &Path) -> Expr {
    let is_null = tagged_at(item, path, Type::Null).is_present();
    case([(is_null, Expr::Null(SqlType::Json))], item.clone().json_at(&names(path)))
}

/// The value at a path in an element of a list, or the element itself without a path.
pub(super) fn value_inside(element: &Expr, steps: &[Step]) -> Expr {
    if steps.is_empty() {
        return element.clone();
    }
    value_at(&element.clone().json_at(&[Type::M.tag()]), &Path::of(steps))
}

/// What the value of this type at a path contains, as JSON.
fn tagged_at(item: &Expr, path: &Path, kind: Type) -> Expr {
    let mut names = names(path);
    names.push(kind.tag());
    item.clone().json_at(&names)
}

/// The names of the keys on the way to a path: every map is below its tag.
pub(super) fn names(path: &Path) -> Vec<&str> {
    let mut names = Vec::new();
    for name in path.names() {
        if !names.is_empty() {
            names.push(Type::M.tag());
        }
        names.push(name);
    }
    names
}

/// The text of a value in a key, which has this type: canonical for a number, base64 for a binary.
pub(super) fn key_text(value: &Expr, kind: KeyKind) -> Expr {
    let text = value.clone().text_at(&[kind.as_type().tag()]);
    if kind == KeyKind::N { canonical(text) } else { text }
}

/// Whether a value equals a literal of the rule file. The result may be `NULL`.
pub(super) fn is_literal(found: &Expr, literal: &Value<'static>) -> Expr {
    let tag = literal.kind().tag();
    let text = found.clone().text_at(&[tag]);
    match literal {
        Value::S(literal) => text.equals(Expr::text(literal.as_ref())),
        Value::N(literal) => canonical(text).equals(Expr::text(literal.as_str())),
        Value::Bool(flag) => text.equals(Expr::text(flag.to_string())),
        // The rule file has no other literals.
        Value::Null
        | Value::B(_)
        | Value::Ss(_)
        | Value::Ns(_)
        | Value::Bs(_)
        | Value::L(_)
        | Value::M(_) => Expr::Bool(false),
    }
}

/// The type tag of a value.
pub(super) fn tag(value: Expr) -> Expr {
    call(Function::Tag, [value])
}

/// A number inside JSON. Names are followed by `{`, and quotes inside strings are escaped, so that
/// this is a value.
const NUMBER: &str = r#""N":"([^"]*)""#;
/// A number inside JSON that is not an integer in its canonical form.
const OTHER_NUMBER: &str = r#""N":"(-?0[0-9]|-0"|[^"]*[.eE+])"#;
/// A set inside JSON.
const SET: &str =
    concat!(r#""(SS|NS|BS)":(\["[^"\\]*(?:\\.[^"\\]*)*""#, r#"(?:,"[^"\\]*(?:\\.[^"\\]*)*")*\])"#);
/// The beginning of a set inside JSON.
const ANY_SET: &str = r#""(SS|NS|BS)":\["#;

/// Makes texts of JSON equal if the values are equal, in three steps, since each needs the result
/// of the one before it several times.
pub(super) const NORMALIZING: [(&str, Normalize); 3] = [
    ("in_order", in_order),
    ("with_numbers", with_canonical_numbers),
    ("with_sets", with_sorted_sets),
];

/// A step of [`NORMALIZING`]: from JSON to JSON.
type Normalize = fn(Expr) -> Expr;

/// The text of JSON, with the keys of objects in order.
fn in_order(json: Expr) -> Expr {
    call(Function::SortedJson, [json])
}

/// JSON with its numbers in canonical form, except those in sets.
fn with_canonical_numbers(json: Expr) -> Expr {
    let number = Expr::Group { variable: "number_match", pattern: NUMBER, number: 1 };
    let canonical = concat([Expr::text(r#""N":""#), canonical(number), Expr::text("\"")]);
    let rewritten = rewrite(json.clone(), NUMBER, "number_match", canonical);
    case([(json.clone().matches(OTHER_NUMBER), rewritten)], json)
}

/// JSON with the elements of its sets in order.
fn with_sorted_sets(json: Expr) -> Expr {
    let group = |number| Expr::Group { variable: "set_match", pattern: SET, number };
    let elements = sorted_set(group(1), group(2));
    let set = concat([Expr::text("\""), group(1), Expr::text("\":["), elements, Expr::text("]")]);
    let rewritten = rewrite(json.clone(), SET, "set_match", set);
    case([(json.clone().matches(ANY_SET), rewritten)], json)
}

/// The elements of a set in order.
fn sorted_set(kind: Expr, json: Expr) -> Expr {
    let element = || Expr::Variable("set_element");
    let is_number = kind.equals(Expr::text("NS"));
    let text = case([(is_number, canonical(element()))], element());
    let elements = call(Function::Texts, [call(Function::Parsed, [json])]);
    let texts = call(Function::Transform, [elements, element(), text.quoted()]);
    call(Function::Joined, [call(Function::Sorted, [texts]), Expr::text(",")])
}

fn rewrite(text: Expr, pattern: &'static str, variable: &'static str, body: Expr) -> Expr {
    Expr::Rewrite { text: Box::new(text), pattern, variable, body: Box::new(body) }
}

/// Some of the attributes of an item or a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Names {
    /// These.
    Only(Vec<String>),
    /// All others.
    Except(Vec<String>),
}

/// The text of some attributes of an item or a map of normalized JSON, which is equal for equal
/// attributes.
///
/// They are compared one by one: the order of keys in JSON has no meaning.
pub(super) fn attributes(map: Expr, names: &Names) -> Expr {
    let name = || Expr::Variable("attribute");
    let condition = match names {
        Names::Only(names) if names.is_empty() => return Expr::text(""),
        Names::Except(names) if names.is_empty() => Expr::Bool(true),
        Names::Only(names) => Expr::OneOf(Box::new(name()), names.clone()),
        Names::Except(names) => Expr::OneOf(Box::new(name()), names.clone()).not(),
    };
    let text = bind("attributes", call(Function::Map, [map.clone()]), |attributes| {
        let keys = call(Function::MapKeys, [attributes.clone()]);
        let keys = call(Function::Filter, [keys, name(), condition]);
        let value = call(Function::JsonText, [call(Function::MapValue, [attributes, name()])]);
        let text = concat([name().quoted(), Expr::text(":"), value]);
        let sorted = call(Function::Sorted, [keys]);
        let texts = call(Function::Transform, [sorted, name(), text]);
        call(Function::Joined, [texts, Expr::text(",")])
    });
    case([(map.is_null(), Expr::text(""))], text)
}
