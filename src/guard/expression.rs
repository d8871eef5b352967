//! Readable expressions: each placeholder is named after its attribute.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>

use serde_json::Value as Json;

use super::subject::json;
use super::{ActionKind, Attributes, TransactAction};
use crate::data::Value;
use crate::store::expression::Placeholders;

/// The expressions of one action, and the names and values of their placeholders.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Expressions {
    pub(super) update: Option<String>,
    pub(super) condition: Option<String>,
    /// Each placeholder with its name.
    pub(super) names: Vec<(String, String)>,
    /// Each placeholder with its value.
    pub(super) values: Vec<(String, Json)>,
}

impl Expressions {
    /// The expressions of an action.
    pub(super) fn of(action: &TransactAction) -> Self {
        let mut expressions = Self::default();
        if action.kind == ActionKind::Update {
            expressions.update = Some(expressions.set(&action.content));
        }
        expressions.condition = action.condition.clone().map(|it| expressions.condition(it));
        expressions
    }

    fn set(&mut self, content: &Attributes) -> String {
        let set = content.iter().map(|(name, value)| {
            let (path, value) = (self.name(name), self.insert(name, value.clone()));
            format!("{path} = {value}")
        });
        format!("SET {}", set.collect::<Vec<_>>().join(", "))
    }

    fn insert(&mut self, name: &str, value: Json) -> String {
        let placeholder =
            free(":", name, |candidate| self.values.iter().all(|it| it.0 != candidate));
        self.values.push((placeholder.clone(), value));
        placeholder
    }
}

impl Placeholders for Expressions {
    /// The placeholder of a name: the name itself, without characters that placeholders cannot have.
    fn name(&mut self, name: &str) -> String {
        if let Some((known, _)) = self.names.iter().find(|(_, known)| known == name) {
            return known.clone();
        }
        let placeholder =
            free("#", name, |candidate| self.names.iter().all(|it| it.0 != candidate));
        self.names.push((placeholder.clone(), name.to_owned()));
        placeholder
    }

    fn value(&mut self, name: &str, value: Value<'static>) -> String {
        self.insert(name, json(&value))
    }
}

/// Returns an unused placeholder. Placeholders consist of letters, digits and `_`.
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
    use crate::data::Path;
    use crate::store::{Condition, Operand};

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    fn equal(text: &str, value: &str) -> Condition {
        Condition::Compare(path(text), Operand::Equal, Value::from(value))
    }

    #[test]
    fn placeholders_of_similar_names_are_distinct() {
        let mut expressions = Expressions::default();
        let all = ["a-b", "ab", "ä", "1", "_", "a.b", "a.b"].map(|text| equal(text, text));
        let text = expressions.condition(Condition::All(all.to_vec()));
        assert_eq!(
            text,
            "#ab = :ab AND #ab2 = :ab2 AND #2 = :2 AND #1 = :1 AND #_ = :_ AND #a.#b = :b AND \
             #a.#b = :b2"
        );
        let names: Vec<&str> = expressions.names.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["a-b", "ab", "ä", "1", "_", "a", "b"]);
    }

    #[test]
    fn parentheses_appear_only_where_needed() {
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
            assert_eq!(Expressions::default().condition(condition), expected);
        }
    }
}
