//! Conditions on the current item: the subset of DynamoDB's condition expressions that the engine
//! needs.

use std::cmp::Ordering;

use crate::data::{Item, KeyValue, Path, Value};

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `attribute_exists(path)`.
    Exists(Path),
    /// `attribute_not_exists(path)`.
    NotExists(Path),
    /// `path OP :value`; false if the path has no value or a value of another type.
    Compare(Path, Operand, Value<'static>),
    /// `contains(path, :value)`: a set or list with this element, or a string or binary with this
    /// part.
    Contains(Path, Value<'static>),
    /// `NOT condition`.
    Not(Box<Condition>),
    /// All of these hold; true if empty.
    All(Vec<Condition>),
    /// At least one of these holds; false if empty.
    Any(Vec<Condition>),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// `=`.
    Equal,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

impl Condition {
    /// Whether the condition holds for an item, or for a missing item.
    ///
    /// An attribute with a `NULL` value exists. Values of different types are never equal, and
    /// neither is less than the other.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>
    #[must_use]
    pub fn holds(&self, item: Option<&Item<'_>>) -> bool {
        match self {
            Self::Exists(path) => exists(path, item),
            Self::NotExists(path) => !exists(path, item),
            Self::Compare(path, operand, value) => item
                .and_then(|item| path.resolve(item))
                .is_some_and(|found| operand.holds(found, value)),
            Self::Contains(path, value) => {
                item.and_then(|item| path.resolve(item)).is_some_and(|found| contains(found, value))
            }
            Self::Not(condition) => !condition.holds(item),
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(item)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(item)),
        }
    }
}

impl Operand {
    fn holds(self, found: &Value<'_>, value: &Value<'_>) -> bool {
        match self {
            Self::Equal => found == value,
            Self::Less => order(found, value) == Some(Ordering::Less),
            Self::LessOrEqual => {
                matches!(order(found, value), Some(Ordering::Less | Ordering::Equal))
            }
            Self::Greater => order(found, value) == Some(Ordering::Greater),
            Self::GreaterOrEqual => {
                matches!(order(found, value), Some(Ordering::Greater | Ordering::Equal))
            }
        }
    }
}

fn exists(path: &Path, item: Option<&Item<'_>>) -> bool {
    item.is_some_and(|item| path.resolve(item).is_some())
}

/// Whether a set or list contains an element, or a string or binary contains a part.
fn contains(found: &Value<'_>, value: &Value<'_>) -> bool {
    match (found, value) {
        (Value::S(text), Value::S(part)) => text.contains(&**part),
        (Value::B(bytes), Value::B(part)) => {
            part.is_empty() || bytes.windows(part.len()).any(|window| window == &**part)
        }
        (Value::Ss(set), Value::S(element)) => set.contains(element),
        (Value::Ns(set), Value::N(element)) => set.contains(element),
        (Value::Bs(set), Value::B(element)) => set.contains(element),
        (Value::L(list), element) => list.contains(element),
        _ => false,
    }
}

/// The order of two values, as in a key; `None` for types that no key can have.
fn order(found: &Value<'_>, value: &Value<'_>) -> Option<Ordering> {
    let (found, value) = (KeyValue::from_value(found)?, KeyValue::from_value(value)?);
    (found.kind() == value.kind()).then(|| found.cmp(&value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::JsonItem;

    const ITEM: &str = r#"{
        "s": {"S": "b"}, "n": {"N": "10"}, "b": {"B": "/w=="}, "null": {"NULL": true},
        "set": {"NS": ["10", "9"]}, "m": {"M": {"n": {"N": "1"}, "null": {"NULL": true}}}
    }"#;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    fn holds(condition: &Condition) -> bool {
        condition.holds(Some(&serde_json::from_str::<JsonItem<'_>>(ITEM).unwrap().0))
    }

    fn compares(text: &str, operand: Operand, json: &str) -> bool {
        let value: Value<'_> = serde_json::from_str(json).unwrap();
        holds(&Condition::Compare(path(text), operand, value.into_owned()))
    }

    #[test]
    fn a_null_exists_and_an_absent_value_does_not() {
        for text in ["s", "null", "m", "m.n", "m.null"] {
            assert!(holds(&Condition::Exists(path(text))), "{text}");
            assert!(!holds(&Condition::NotExists(path(text))), "{text}");
        }
        for text in ["x", "m.x", "s.x", "null.x"] {
            assert!(holds(&Condition::NotExists(path(text))), "{text}");
        }
        assert!(Condition::NotExists(path("s")).holds(None));
        assert!(!Condition::Exists(path("s")).holds(None));
    }

    #[test]
    fn values_are_compared_within_their_type() {
        use Operand::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
        for (text, operand, json, expected) in [
            ("n", Equal, r#"{"N": "1e1"}"#, true),
            ("n", Equal, r#"{"S": "10"}"#, false),
            ("n", Less, r#"{"N": "9"}"#, false),
            ("n", Less, r#"{"N": "10.5"}"#, true),
            ("n", Less, r#"{"S": "9"}"#, false),
            ("n", LessOrEqual, r#"{"N": "10"}"#, true),
            ("n", Greater, r#"{"N": "9"}"#, true),
            ("n", Greater, r#"{"N": "10"}"#, false),
            ("n", GreaterOrEqual, r#"{"N": "10"}"#, true),
            ("n", GreaterOrEqual, r#"{"S": "1"}"#, false),
            ("s", Less, r#"{"S": "ba"}"#, true),
            ("s", Less, r#"{"S": "B"}"#, false),
            ("s", LessOrEqual, r#"{"S": "b"}"#, true),
            ("b", Less, r#"{"B": "AA=="}"#, false),
            ("set", Equal, r#"{"NS": ["9", "10.0"]}"#, true),
            ("set", LessOrEqual, r#"{"NS": ["9", "10"]}"#, false),
            ("null", Equal, r#"{"NULL": true}"#, true),
            ("m.n", Equal, r#"{"N": "1"}"#, true),
            ("x", LessOrEqual, r#"{"N": "1"}"#, false),
        ] {
            assert_eq!(compares(text, operand, json), expected, "{text} {operand:?} {json}");
        }
    }

    #[test]
    fn contains_applies_to_strings_binaries_sets_and_lists() {
        for (text, json, expected) in [
            ("s", r#"{"S": "b"}"#, true),
            ("s", r#"{"S": ""}"#, true),
            ("s", r#"{"S": "bb"}"#, false),
            ("b", r#"{"B": ""}"#, true),
            ("b", r#"{"B": "/w=="}"#, true),
            ("b", r#"{"B": "AA=="}"#, false),
            ("set", r#"{"N": "9.0"}"#, true),
            ("set", r#"{"S": "9"}"#, false),
            ("m", r#"{"S": "n"}"#, false),
            ("n", r#"{"N": "1"}"#, false),
            ("x", r#"{"S": ""}"#, false),
        ] {
            let value: Value<'_> = serde_json::from_str(json).unwrap();
            let contains = Condition::Contains(path(text), value.into_owned());
            assert_eq!(holds(&contains), expected, "{text} {json}");
            assert_eq!(holds(&Condition::Not(Box::new(contains))), !expected, "{text} {json}");
        }
    }

    #[test]
    fn an_empty_all_is_true_and_an_empty_any_is_false() {
        assert!(Condition::All(Vec::new()).holds(None));
        assert!(!Condition::Any(Vec::new()).holds(None));
        let (yes, no) = (Condition::Exists(path("s")), Condition::Exists(path("x")));
        assert!(!holds(&Condition::All(vec![yes.clone(), no.clone()])));
        assert!(holds(&Condition::Any(vec![no, yes])));
    }
}
