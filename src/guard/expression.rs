//! Expressions that people read: every name and value has a placeholder that says what it is.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>

use serde_json::Value as Json;

use super::subject::json;
use super::{Action, Attributes, Kind};
use crate::data::{Path, Value};
use crate::store::{Condition, Operand};

/// The expressions of one action, and what their placeholders stand for.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Expressions {
    pub(super) update: Option<String>,
    pub(super) condition: Option<String>,
    /// By placeholder, the names.
    pub(super) names: Vec<(String, String)>,
    /// By placeholder, the values.
    pub(super) values: Vec<(String, Json)>,
}

impl Expressions {
    /// The expressions of an action.
    pub(super) fn of(action: &Action) -> Self {
        let mut expressions = Self::default();
        if action.kind == Kind::Update {
            expressions.update = Some(expressions.set(&action.content));
        }
        expressions.condition = action.condition.as_ref().map(|it| expressions.condition(it));
        expressions
    }

    fn set(&mut self, content: &Attributes) -> String {
        let set = content.iter().map(|(name, value)| {
            let (path, value) = (self.name(name), self.value(name, value.clone()));
            format!("{path} = {value}")
        });
        format!("SET {}", set.collect::<Vec<_>>().join(", "))
    }

    fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Exists(path) => format!("attribute_exists({})", self.path(path)),
            Condition::NotExists(path) => format!("attribute_not_exists({})", self.path(path)),
            Condition::Compare(path, operand, value) => {
                let operator = match operand {
                    Operand::Equal => "=",
                    Operand::Less => "<",
                    Operand::LessOrEqual => "<=",
                };
                format!("{} {operator} {}", self.path(path), self.value_at(path, value))
            }
            Condition::Contains(path, value) => {
                format!("contains({}, {})", self.path(path), self.value_at(path, value))
            }
            Condition::Not(inner) => format!("NOT {}", self.operand(inner)),
            Condition::All(all) => self.joined(all, " AND "),
            Condition::Any(any) => self.joined(any, " OR "),
        }
    }

    fn joined(&mut self, conditions: &[Condition], word: &str) -> String {
        match conditions {
            [only] => self.condition(only),
            several => {
                let operands: Vec<_> = several.iter().map(|it| self.operand(it)).collect();
                operands.join(word)
            }
        }
    }

    /// A condition inside another one. DynamoDB refuses redundant parentheses.
    fn operand(&mut self, condition: &Condition) -> String {
        let text = self.condition(condition);
        if is_compound(condition) { format!("({text})") } else { text }
    }

    fn path(&mut self, path: &Path) -> String {
        let names: Vec<_> = path.segments().iter().map(|name| self.name(name)).collect();
        names.join(".")
    }

    /// A name's placeholder: the name itself, where that can be one.
    fn name(&mut self, name: &str) -> String {
        if let Some((known, _)) = self.names.iter().find(|(_, known)| known == name) {
            return known.clone();
        }
        let placeholder =
            free("#", name, |candidate| self.names.iter().all(|it| it.0 != candidate));
        self.names.push((placeholder.clone(), name.to_owned()));
        placeholder
    }

    fn value_at(&mut self, path: &Path, value: &Value<'_>) -> String {
        let name = path.segments().last().map_or("value", String::as_str);
        self.value(name, json(value))
    }

    fn value(&mut self, name: &str, value: Json) -> String {
        let placeholder =
            free(":", name, |candidate| self.values.iter().all(|it| it.0 != candidate));
        self.values.push((placeholder.clone(), value));
        placeholder
    }
}

fn is_compound(condition: &Condition) -> bool {
    match condition {
        Condition::All(inner) | Condition::Any(inner) => match inner.as_slice() {
            [only] => is_compound(only),
            several => !several.is_empty(),
        },
        Condition::Exists(_)
        | Condition::NotExists(_)
        | Condition::Compare(..)
        | Condition::Contains(..)
        | Condition::Not(_) => false,
    }
}

/// A placeholder that is not taken. They consist of letters, digits and `_`.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ExpressionAttributeNames.html>
fn free(sign: &str, name: &str, is_free: impl Fn(&str) -> bool) -> String {
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || *character == '_';
    let plain: String = name.chars().filter(is_plain).collect();
    let numbered = (2..).map(|number: u32| format!("{sign}{plain}{number}"));
    let first = (!plain.is_empty()).then(|| format!("{sign}{plain}"));
    first.into_iter().chain(numbered).find(|candidate| is_free(candidate)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    fn equal(text: &str, value: &str) -> Condition {
        Condition::Compare(path(text), Operand::Equal, Value::from(value))
    }

    #[test]
    fn placeholders_are_told_apart_whatever_the_names() {
        let mut expressions = Expressions::default();
        let all = ["a-b", "ab", "ä", "1", "_", "a.b", "a.b"].map(|text| equal(text, text));
        let text = expressions.condition(&Condition::All(all.to_vec()));
        assert_eq!(
            text,
            "#ab = :ab AND #ab2 = :ab2 AND #2 = :2 AND #1 = :1 AND #_ = :_ AND #a.#b = :b AND \
             #a.#b = :b2"
        );
        let names: Vec<&str> = expressions.names.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["a-b", "ab", "ä", "1", "_", "a", "b"]);
    }

    #[test]
    fn parentheses_stand_only_where_they_must() {
        let [a, b] = ["a", "b"].map(|text| Condition::Exists(path(text)));
        let both = || Condition::All(vec![a.clone(), b.clone()]);
        let not = |inner| Condition::Not(Box::new(inner));
        for (condition, expected) in [
            (both(), "attribute_exists(#a) AND attribute_exists(#b)"),
            (
                Condition::Any(vec![a.clone(), both()]),
                "attribute_exists(#a) OR (attribute_exists(#a) AND attribute_exists(#b))",
            ),
            (Condition::Any(vec![Condition::All(vec![a.clone()])]), "attribute_exists(#a)"),
            (not(a.clone()), "NOT attribute_exists(#a)"),
            (
                not(Condition::All(vec![both()])),
                "NOT (attribute_exists(#a) AND attribute_exists(#b))",
            ),
        ] {
            assert_eq!(Expressions::default().condition(&condition), expected);
        }
    }
}
