//! Condition expressions: a condition in DynamoDB's syntax.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>

use super::condition::{Condition, Operand};
use crate::data::{Path, Step, Value};

/// Placeholders for names and values. Every name gets one, because a name may be a reserved word
/// or contain characters that an expression would read as an operator.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ExpressionAttributeNames.html>
pub(crate) trait Placeholders {
    /// The placeholder of a name.
    fn name(&mut self, name: &str) -> String;

    /// A placeholder for a value that is compared with, or assigned to, this name.
    fn value(&mut self, name: &str, value: Value<'static>) -> String;

    /// A path in which each name is replaced by its placeholder.
    fn path(&mut self, path: &Path) -> String {
        let mut text = String::new();
        for step in path.steps() {
            match step {
                Step::Name(name) if text.is_empty() => text = self.name(name),
                Step::Name(name) => text.extend([".", &self.name(name)]),
                Step::Index(index) => text.extend(["[", &index.to_string(), "]"]),
                // A request needs the index of an element.
                Step::Each => {}
            }
        }
        text
    }

    /// A placeholder for a value that is compared with, or assigned to, this path.
    fn value_at(&mut self, path: &Path, value: Value<'static>) -> String {
        self.value(path.names().next_back().unwrap_or("value"), value)
    }

    /// A condition expression.
    fn condition(&mut self, condition: Condition) -> String {
        match condition {
            Condition::Exists(path) => format!("attribute_exists({})", self.path(&path)),
            Condition::NotExists(path) => format!("attribute_not_exists({})", self.path(&path)),
            Condition::Compare(path, operand, value) => {
                let (name, operator) = (self.path(&path), operator(operand));
                format!("{name} {operator} {}", self.value_at(&path, value))
            }
            Condition::Contains(path, value) => {
                format!("contains({}, {})", self.path(&path), self.value_at(&path, value))
            }
            Condition::Not(condition) => format!("NOT {}", self.operand(*condition)),
            Condition::All(all) => self.joined(all, " AND ", always),
            Condition::Any(any) => self.joined(any, " OR ", never),
        }
    }

    /// Conditions joined by an operator, or the condition that stands for an empty list.
    fn joined(
        &mut self,
        mut conditions: Vec<Condition>,
        operator: &str,
        if_empty: fn() -> Condition,
    ) -> String {
        match conditions.pop() {
            None => self.condition(if_empty()),
            Some(only) if conditions.is_empty() => self.condition(only),
            Some(last) => {
                conditions.push(last);
                let operands: Vec<_> =
                    conditions.into_iter().map(|condition| self.operand(condition)).collect();
                operands.join(operator)
            }
        }
    }

    /// A condition inside another condition. DynamoDB rejects redundant parentheses.
    fn operand(&mut self, condition: Condition) -> String {
        match condition {
            Condition::All(mut inner) | Condition::Any(mut inner) if inner.len() == 1 => {
                inner.pop().map(|only| self.operand(only)).unwrap_or_default()
            }
            Condition::All(_) | Condition::Any(_) => format!("({})", self.condition(condition)),
            Condition::Exists(_)
            | Condition::NotExists(_)
            | Condition::Compare(..)
            | Condition::Contains(..)
            | Condition::Not(_) => self.condition(condition),
        }
    }
}

const fn operator(operand: Operand) -> &'static str {
    match operand {
        Operand::Equal => "=",
        Operand::Less => "<",
        Operand::LessOrEqual => "<=",
        Operand::Greater => ">",
        Operand::GreaterOrEqual => ">=",
    }
}

/// A condition that every item meets; DynamoDB has no literal for it.
fn always() -> Condition {
    let path = Path::attribute("any");
    Condition::Any(vec![Condition::Exists(path.clone()), Condition::NotExists(path)])
}

/// A condition that no item meets.
fn never() -> Condition {
    let path = Path::attribute("any");
    Condition::All(vec![Condition::Exists(path.clone()), Condition::NotExists(path)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses names themselves as placeholders.
    struct Plain;

    impl Placeholders for Plain {
        fn name(&mut self, name: &str) -> String {
            format!("#{name}")
        }

        fn value(&mut self, name: &str, _: Value<'static>) -> String {
            format!(":{name}")
        }
    }

    #[test]
    fn parentheses_are_written_only_where_needed() {
        let exists = |name: &str| Condition::Exists(Path::attribute(name));
        let either = || Condition::Any(vec![exists("a"), exists("b")]);
        let text = "attribute_exists(#a) OR attribute_exists(#b)";
        for (condition, expected) in [
            (either(), text.to_owned()),
            (Condition::All(vec![either()]), text.to_owned()),
            (
                Condition::All(vec![either(), exists("c")]),
                format!("({text}) AND attribute_exists(#c)"),
            ),
            (Condition::Not(Box::new(either())), format!("NOT ({text})")),
            (
                Condition::Not(Box::new(Condition::All(vec![exists("a")]))),
                "NOT attribute_exists(#a)".to_owned(),
            ),
        ] {
            assert_eq!(Plain.condition(condition), expected);
        }
    }
}
