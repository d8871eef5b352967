//! Update, projection and key condition expressions in DynamoDB's syntax.
//!
//! Placeholders are numbered, which keeps requests short.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>

use std::collections::HashMap;

use super::value::{SdkItem, value_to_sdk};
use crate::data::Value;
use crate::store::expression::Placeholders;
use crate::store::{Clause, SortCondition};

/// The value of `ExpressionAttributeNames`.
pub(super) type SdkNames = HashMap<String, String>;

/// Numbered placeholders for the names and values in one request's expressions.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Numbered {
    names: Vec<String>,
    values: Vec<Value<'static>>,
}

impl Numbered {
    /// An update expression; `None` if there are no clauses.
    pub(super) fn update(&mut self, clauses: Vec<Clause>) -> Option<String> {
        let (mut set, mut remove, mut delete) = (Vec::new(), Vec::new(), Vec::new());
        for clause in clauses {
            match clause {
                Clause::Set(path, value) => {
                    set.push(format!("{} = {}", self.path(&path), self.value_at(&path, value)));
                }
                Clause::Remove(path) => remove.push(self.path(&path)),
                Clause::Delete(path, value) => {
                    delete.push(format!("{} {}", self.path(&path), self.value_at(&path, value)));
                }
            }
        }
        let parts: Vec<String> = [("SET", set), ("REMOVE", remove), ("DELETE", delete)]
            .into_iter()
            .filter(|(_, clauses)| !clauses.is_empty())
            .map(|(keyword, clauses)| format!("{keyword} {}", clauses.join(", ")))
            .collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// A projection expression.
    pub(super) fn projection<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) -> String {
        names.into_iter().map(|name| self.name(name)).collect::<Vec<_>>().join(", ")
    }

    /// A key condition expression.
    pub(super) fn key_condition(
        &mut self,
        (name, value): (String, Value<'static>),
        sort: Option<SortCondition>,
    ) -> String {
        let partition = format!("{} = {}", self.name(&name), self.value(&name, value));
        match sort {
            None => partition,
            Some(SortCondition::Equals(name, value)) => {
                format!("{partition} AND {} = {}", self.name(&name), self.value(&name, value))
            }
            Some(SortCondition::BeginsWith(name, value)) => {
                format!(
                    "{partition} AND begins_with({}, {})",
                    self.name(&name),
                    self.value(&name, value)
                )
            }
        }
    }

    /// The values of `ExpressionAttributeNames` and `ExpressionAttributeValues`; `None` if empty,
    /// because DynamoDB rejects an empty map.
    pub(super) fn into_sdk(self) -> (Option<SdkNames>, Option<SdkItem>) {
        let names = self.names.into_iter().enumerate();
        let names: SdkNames = names.map(|(number, name)| (format!("#{number}"), name)).collect();
        let values = self.values.into_iter().enumerate();
        let values: SdkItem =
            values.map(|(number, value)| (format!(":{number}"), value_to_sdk(value))).collect();
        ((!names.is_empty()).then_some(names), (!values.is_empty()).then_some(values))
    }
}

impl Placeholders for Numbered {
    fn name(&mut self, name: &str) -> String {
        let known = self.names.iter().position(|known| known == name);
        let number = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        format!("#{number}")
    }

    fn value(&mut self, _name: &str, value: Value<'static>) -> String {
        self.values.push(value);
        format!(":{}", self.values.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Path;
    use crate::store::{Condition, Operand};
    use expect_test::{Expect, expect};

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    fn exists(text: &str) -> Condition {
        Condition::Exists(path(text))
    }

    fn absent(text: &str) -> Condition {
        Condition::NotExists(path(text))
    }

    fn not(condition: Condition) -> Condition {
        Condition::Not(Box::new(condition))
    }

    fn compare(text: &str, operand: Operand, value: &str) -> Condition {
        Condition::Compare(path(text), operand, value.into())
    }

    /// Checks an expression and the names and values of its placeholders.
    fn check(render: impl FnOnce(&mut Numbered) -> String, expected: &Expect) {
        let mut placeholders = Numbered::default();
        let expression = render(&mut placeholders);
        let names = placeholders.names.join(" ");
        let values = serde_json::to_string(&placeholders.values).unwrap();
        expected.assert_eq(&format!("{expression}\n{names}\n{values}"));
    }

    fn check_condition(condition: Condition, expected: &Expect) {
        check(|placeholders| placeholders.condition(condition), expected);
    }

    #[test]
    fn a_fence_becomes_a_condition_expression() {
        let owned = compare("_referee.rule", Operand::Equal, "membership");
        let newer = compare("_referee.fence", Operand::Less, "002");
        check_condition(
            Condition::Any(vec![absent("pk"), Condition::All(vec![owned, newer])]),
            &expect![[r#"
                attribute_not_exists(#0) OR (#1.#2 = :0 AND #1.#3 < :1)
                pk _referee rule fence
                [{"S":"membership"},{"S":"002"}]"#]],
        );
    }

    #[test]
    fn there_are_no_redundant_parentheses() {
        let both = || vec![exists("a"), absent("b")];
        for (condition, expected) in [
            (Condition::All(vec![exists("a")]), "attribute_exists(#0)"),
            (
                Condition::All(vec![Condition::Any(vec![Condition::All(both())]), exists("c")]),
                "(attribute_exists(#0) AND attribute_not_exists(#1)) AND attribute_exists(#2)",
            ),
            (
                Condition::Any(vec![Condition::All(vec![Condition::Any(both())])]),
                "attribute_exists(#0) OR attribute_not_exists(#1)",
            ),
            (
                Condition::All(vec![Condition::All(Vec::new()), exists("a")]),
                "(attribute_exists(#0) OR attribute_not_exists(#0)) AND attribute_exists(#1)",
            ),
            (Condition::Any(Vec::new()), "attribute_exists(#0) AND attribute_not_exists(#0)"),
            (not(exists("a")), "NOT attribute_exists(#0)"),
            (not(not(exists("a"))), "NOT NOT attribute_exists(#0)"),
            (
                Condition::Any(vec![not(Condition::All(both())), exists("c")]),
                "NOT (attribute_exists(#0) AND attribute_not_exists(#1)) OR attribute_exists(#2)",
            ),
            (not(Condition::All(vec![exists("a")])), "NOT attribute_exists(#0)"),
            (Condition::Contains(path("a.b").element_at(7), "x".into()), "contains(#0.#1[7], :0)"),
        ] {
            assert_eq!(Numbered::default().condition(condition), expected);
        }
    }

    #[test]
    fn names_may_contain_dots_or_be_reserved_words() {
        check_condition(
            Condition::All(vec![
                Condition::Exists(Path::attribute("a.b")),
                compare("size.count", Operand::LessOrEqual, "size"),
                exists("size"),
            ]),
            &expect![[r#"
                attribute_exists(#0) AND #1.#2 <= :0 AND attribute_exists(#1)
                a.b size count
                [{"S":"size"}]"#]],
        );
    }

    #[test]
    fn an_update_and_its_condition_share_the_placeholders() {
        check(
            |placeholders| {
                let clauses = vec![
                    Clause::Remove(path("list").element_at(2)),
                    Clause::Set(path("m.x"), "new".into()),
                    Clause::Delete(path("set"), Value::Ss(vec!["old".into()])),
                    Clause::Set(path("y"), Value::Null),
                ];
                let update = placeholders.update(clauses).unwrap();
                let condition = compare("m.x", Operand::Equal, "old");
                format!("{update} if {}", placeholders.condition(condition))
            },
            &expect![[r#"
                SET #1.#2 = :0, #4 = :2 REMOVE #0[2] DELETE #3 :1 if #1.#2 = :3
                list m x set y
                [{"S":"new"},{"SS":["old"]},{"NULL":true},{"S":"old"}]"#]],
        );
        assert_eq!(Numbered::default().update(Vec::new()), None);
    }

    #[test]
    fn a_query_and_its_projection_share_the_placeholders() {
        check(
            |placeholders| {
                let partition = || ("pk".to_owned(), "p".into());
                let sort = SortCondition::BeginsWith("sk".to_owned(), "user#".into());
                let prefix = placeholders.key_condition(partition(), Some(sort));
                let sort = SortCondition::Equals("sk".to_owned(), "user#1".into());
                let whole = placeholders.key_condition(partition(), Some(sort));
                let bare = placeholders.key_condition(partition(), None);
                let projection = placeholders.projection(["sk", "name"]);
                [prefix, whole, bare, projection].join("\n")
            },
            &expect![[r#"
                #0 = :0 AND begins_with(#1, :1)
                #0 = :2 AND #1 = :3
                #0 = :4
                #1, #2
                pk sk name
                [{"S":"p"},{"S":"user#"},{"S":"p"},{"S":"user#1"},{"S":"p"}]"#]],
        );
    }

    #[test]
    fn empty_names_and_values_are_omitted() {
        assert_eq!(Numbered::default().into_sdk(), (None, None));
    }
}
