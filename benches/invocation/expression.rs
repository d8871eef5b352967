//! A parser for the parts of DynamoDB's expressions that the contenders use.

use std::collections::HashMap;

use referee::data::{Path, Value};
use referee::store::{Condition, Operand, SortCondition};

/// The names and values of a request's placeholders.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    /// `ExpressionAttributeNames`.
    pub(crate) names: HashMap<String, String>,
    /// `ExpressionAttributeValues`.
    pub(crate) values: HashMap<String, Value<'static>>,
}

impl Placeholders {
    /// Parses a condition expression.
    pub(crate) fn condition(&self, text: &str) -> Condition {
        let mut parser = Parser { placeholders: self, words: words(text), position: 0 };
        let condition = parser.any();
        assert_eq!(parser.position, parser.words.len(), "`{text}` has unread words");
        condition
    }

    /// Returns the attributes of a projection expression.
    pub(crate) fn projection(&self, text: &str) -> Vec<String> {
        text.split(',').map(|name| self.name(name.trim())).collect()
    }

    /// Parses a key condition expression into the partition key and the condition on the sort key.
    pub(crate) fn key_condition(
        &self,
        text: &str,
    ) -> ((String, Value<'static>), Option<SortCondition>) {
        match words(text)[..] {
            [name, "=", value] => ((self.name(name), self.value(value)), None),
            [name, "=", value, "AND", "begins_with", "(", sort, ",", prefix, ")"] => {
                let sort = SortCondition::BeginsWith(self.name(sort), self.value(prefix));
                ((self.name(name), self.value(value)), Some(sort))
            }
            _ => panic!("a key condition that no contender sends: `{text}`"),
        }
    }

    fn name(&self, word: &str) -> String {
        if word.starts_with('#') { self.names[word].clone() } else { word.to_owned() }
    }

    fn value(&self, word: &str) -> Value<'static> {
        self.values[word].clone()
    }

    fn path(&self, word: &str) -> Path {
        let mut names = word.split('.').map(|name| self.name(name));
        let root = Path::attribute(&names.next().expect("`split` returns at least one part"));
        names.fold(root, |path, name| path.child(&name))
    }
}

/// Parses `any := all {OR all}`, `all := one {AND one}`, `one := (any) | function | comparison`.
struct Parser<'p> {
    placeholders: &'p Placeholders,
    words: Vec<&'p str>,
    position: usize,
}

impl<'p> Parser<'p> {
    fn any(&mut self) -> Condition {
        let mut conditions = vec![self.all()];
        while self.next_if("OR") {
            conditions.push(self.all());
        }
        Condition::Any(conditions)
    }

    fn all(&mut self) -> Condition {
        let mut conditions = vec![self.one()];
        while self.next_if("AND") {
            conditions.push(self.one());
        }
        Condition::All(conditions)
    }

    fn one(&mut self) -> Condition {
        if self.next_if("(") {
            let inner = self.any();
            assert!(self.next_if(")"), "a parenthesis is not closed");
            return inner;
        }
        match (self.next_word(), self.next_word()) {
            ("attribute_exists", "(") => Condition::Exists(self.argument()),
            ("attribute_not_exists", "(") => Condition::NotExists(self.argument()),
            (path, operator) => {
                let operand = match operator {
                    "=" => Operand::Equal,
                    "<" => Operand::Less,
                    "<=" => Operand::LessOrEqual,
                    _ => panic!("an operator that no contender sends: `{operator}`"),
                };
                let value = self.next_word();
                Condition::Compare(
                    self.placeholders.path(path),
                    operand,
                    self.placeholders.value(value),
                )
            }
        }
    }

    fn argument(&mut self) -> Path {
        let path = self.next_word();
        assert!(self.next_if(")"), "a function has more than one argument");
        self.placeholders.path(path)
    }

    fn next_word(&mut self) -> &'p str {
        self.position += 1;
        self.words[self.position - 1]
    }

    fn next_if(&mut self, word: &str) -> bool {
        let is_next = self.words.get(self.position) == Some(&word);
        self.position += usize::from(is_next);
        is_next
    }
}

/// Splits an expression into words. Parentheses and commas are separate words.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for part in text.split_whitespace() {
        let mut rest = part;
        while let Some(end) = rest.find(['(', ')', ',']) {
            words.extend([&rest[..end], &rest[end..=end]]);
            rest = &rest[end + 1..];
        }
        words.push(rest);
    }
    words.retain(|word| !word.is_empty());
    words
}
