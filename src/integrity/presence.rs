//! Conditions that check whether an item of an entity exists at a key.

use crate::data::{Path, Value};
use crate::rules::model::{Choice, Comparison, EntityId, Rules, Test};
use crate::store::{Condition, Operand};

/// Requires that an item of the entity is at the key, at any time.
pub(crate) fn is_there(rules: &Rules, entity: EntityId) -> Condition {
    Condition::All(is_one(rules, entity).collect())
}

/// The conditions that every item of the entity meets.
pub(crate) fn is_one(rules: &Rules, entity: EntityId) -> impl Iterator<Item = Condition> + '_ {
    let exists = Condition::Exists(partition(rules, entity));
    std::iter::once(exists).chain(conditions(rules, entity))
}

/// Requires that no item of the entity is at the key. An item of another entity may be there.
pub(crate) fn is_not_there(rules: &Rules, entity: EntityId) -> Condition {
    let is_other = conditions(rules, entity).map(|holds| Condition::Not(Box::new(holds)));
    Condition::Any(std::iter::once(nothing_is_there(rules, entity)).chain(is_other).collect())
}

/// Requires that no item is at the key.
pub(crate) fn nothing_is_there(rules: &Rules, entity: EntityId) -> Condition {
    Condition::NotExists(partition(rules, entity))
}

/// The attribute that every item has: the partition key of the entity's table.
pub(crate) fn partition(rules: &Rules, entity: EntityId) -> Path {
    Path::attribute(&rules.key_schema(entity).partition.name)
}

/// The conditions of the entity's `where`, apart from those that depend on the time.
fn conditions(rules: &Rules, entity: EntityId) -> impl Iterator<Item = Condition> + '_ {
    rules[entity].conditions.iter().filter_map(|(path, test)| holds(path, test))
}

/// The conditions of the entity's `where` that depend on the time, at this one in milliseconds since
/// 1970.
pub(crate) fn is_current(
    rules: &Rules,
    entity: EntityId,
    now_ms: i64,
) -> impl Iterator<Item = Condition> + '_ {
    rules[entity].conditions.iter().filter_map(move |(path, test)| {
        let (comparison, now) = test.at(now_ms)?;
        Some(Condition::Compare(path.clone(), operand(comparison), now))
    })
}

/// Requires that the value at a path meets a test; `None` if the test depends on the time.
fn holds(path: &Path, test: &Test) -> Option<Condition> {
    match test {
        Test::OneOf(choice) => Some(is_one_of(path, choice)),
        Test::NoneOf(choice) => Some(Condition::Not(Box::new(is_one_of(path, choice)))),
        Test::Compare(comparison, value) => {
            Some(Condition::Compare(path.clone(), operand(*comparison), value.clone()))
        }
        Test::Time(..) => None,
    }
}

fn is_one_of(path: &Path, choice: &Choice) -> Condition {
    let equal = |value| Condition::Compare(path.clone(), Operand::Equal, value);
    let absent = choice.absent.then(|| [Condition::NotExists(path.clone()), equal(Value::Null)]);
    let all = choice.values.iter().cloned().map(equal).chain(absent.into_iter().flatten());
    let mut all: Vec<_> = all.collect();
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => only,
        (last, _) => Condition::Any(all.into_iter().chain(last).collect()),
    }
}

const fn operand(comparison: Comparison) -> Operand {
    match comparison {
        Comparison::Less => Operand::Less,
        Comparison::LessOrEqual => Operand::LessOrEqual,
        Comparison::Greater => Operand::Greater,
        Comparison::GreaterOrEqual => Operand::GreaterOrEqual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::JsonItem;
    use crate::rules::{RuleSource, load};

    const RULES: &str = "version: 1
tables: { app: { key: [pk] } }
entities:
  all:
    table: app
    key: { pk: \"{id}\" }
    where:
      a: [X, absent]
      b: { not: [Y, false] }
      c: present
      d: absent
      e: { gte: 1, lt: 5 }
      m.f: { not: Z }
";

    #[test]
    fn a_condition_holds_for_the_items_that_the_entity_admits() {
        let source = RuleSource { name: "rules".to_owned(), text: RULES.to_owned() };
        let rules = load(&source, &|_| None).rules.unwrap();
        let entity = EntityId(0);
        let good = r#""pk":{"S":"1"},"c":{"BOOL":false},"e":{"N":"4.9"}"#;
        for (more, admits) in [
            ("", true),
            (r#","a":{"S":"X"}"#, true),
            (r#","a":{"S":"Y"}"#, false),
            (r#","a":{"NULL":true},"d":{"NULL":true}"#, true),
            (r#","b":{"S":"Y"}"#, false),
            (r#","b":{"BOOL":false}"#, false),
            (r#","b":{"BOOL":true}"#, true),
            (r#","d":{"S":""}"#, false),
            (r#","m":{"M":{"f":{"S":"Z"}}}"#, false),
            (r#","m":{"S":"Z"}"#, true),
        ] {
            let json = format!("{{{good}{more}}}");
            let JsonItem(item) = serde_json::from_str(&json).unwrap();
            assert_eq!(rules[entity].admits(&item), admits, "{json}");
            assert_eq!(is_there(&rules, entity).holds(Some(&item)), admits, "{json}");
            assert_eq!(is_not_there(&rules, entity).holds(Some(&item)), !admits, "{json}");
        }
        for bad in [
            r#""pk":{"S":"1"},"e":{"N":"4"}"#,
            r#""pk":{"S":"1"},"c":{"NULL":true},"e":{"N":"4"}"#,
            r#""pk":{"S":"1"},"c":{"S":"c"},"e":{"N":"5"}"#,
            r#""pk":{"S":"1"},"c":{"S":"c"},"e":{"N":"0.9"}"#,
            r#""pk":{"S":"1"},"c":{"S":"c"},"e":{"S":"3"}"#,
            r#""pk":{"S":"1"},"c":{"S":"c"}"#,
        ] {
            let json = format!("{{{bad}}}");
            let JsonItem(item) = serde_json::from_str(&json).unwrap();
            assert!(!rules[entity].admits(&item), "{json}");
            assert!(!is_there(&rules, entity).holds(Some(&item)), "{json}");
            assert!(is_not_there(&rules, entity).holds(Some(&item)), "{json}");
        }
    }
}
