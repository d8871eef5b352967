//! The entity that an item most likely was meant to belong to, and where it differs.

use crate::data::{Item, Key, KeyValue, Path, Value};
use crate::rules::model::{Entity, EntityId, Rules, TableId, Test};
use crate::rules::template::{KeyTemplate, Separator};

/// An item that matches no entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Stray {
    /// The item's table.
    pub table: TableId,
    /// Its key.
    pub key: Key<'static>,
    /// Those of its attributes that the `where` of an entity looks at. If its key matches no entity,
    /// they may be missing.
    pub attributes: Item<'static>,
}

/// The entity that is nearest to an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    /// The entity.
    pub entity: EntityId,
    /// Why the item is not one of it.
    pub difference: Difference,
}

/// Why an item does not belong to an entity.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// A key attribute does not match its template.
    Key {
        /// The attribute's name.
        attribute: String,
        /// The template.
        template: String,
        /// The longest beginning of the value with which a matching value can begin.
        common: String,
        /// Whether this is the whole value, so that the rest of the template is missing.
        is_whole: bool,
    },
    /// A capture has two different values in the key.
    Capture,
    /// A `where` condition does not hold.
    Condition {
        /// The path.
        path: Path,
        /// The item's value there; `None` if it is absent.
        found: Option<Value<'static>>,
        /// What the entity requires of it.
        required: Test,
    },
}

/// Finds the entity of the item's table whose templates and conditions differ least from the item.
/// `None` if the table has no entities, or the item belongs to one of them.
#[must_use]
pub fn nearest(rules: &Rules, stray: &Stray) -> Option<Nearest> {
    let entities = rules.entities.iter().enumerate();
    let of_table = entities.filter(|(_, entity)| entity.table == stray.table);
    let distances = of_table.map(|(id, entity)| (distance(entity, stray), EntityId(id)));
    let (least, entity) = distances.min()?;
    if least == (Distance { key: 0, conditions: 0 }) {
        return None;
    }
    let difference = difference(rules, &rules[entity], stray)?;
    Some(Nearest { entity, difference })
}

/// How far an item is from an entity. A key that matches is nearer than any that does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Distance {
    key: u32,
    conditions: usize,
}

fn distance(entity: &Entity, stray: &Stray) -> Distance {
    let apart: u32 = attributes(entity, stray)
        .map(|(template, value)| text_distance(template, value, entity.key.separator()))
        .sum();
    // Each attribute alone may match although the whole key does not.
    let key = if apart == 0 && !entity.key.matches(&stray.key) { 1 } else { apart };
    let conditions = unmet(entity, stray)
        .map(|(path, required)| value_distance(path.lookup(&stray.attributes), required));
    let conditions = conditions.sum();
    Distance { key, conditions }
}

/// The distance of a value from one that is absent, long, or of another type.
const OTHER_VALUE: usize = 64;

fn value_distance(found: Option<&Value<'_>>, required: &Test) -> usize {
    let (Some(Value::S(found)), Test::OneOf(choice)) = (found, required) else {
        return OTHER_VALUE;
    };
    let distances = choice.values.iter().map(|value| {
        let Value::S(text) = value else { return OTHER_VALUE };
        let is_long = found.len() + text.len() >= 256;
        if is_long { OTHER_VALUE } else { strsim::levenshtein(found, text).min(OTHER_VALUE - 1) }
    });
    distances.min().unwrap_or(OTHER_VALUE)
}

/// The key's templates, each with the item's value.
fn attributes<'s>(
    entity: &'s Entity,
    stray: &'s Stray,
) -> impl Iterator<Item = (&'s KeyTemplate, &'s KeyValue<'static>)> {
    entity.key.templates().zip(std::iter::once(&stray.key.partition).chain(&stray.key.sort))
}

fn text_distance(template: &KeyTemplate, value: &KeyValue<'_>, separator: Separator) -> u32 {
    match value {
        KeyValue::S(text) => template.template().distance(text, separator),
        // The template is a single capture, which matches every number and every binary.
        KeyValue::N(_) | KeyValue::B(_) => 0,
    }
}

/// The conditions that do not hold.
fn unmet<'s>(entity: &'s Entity, stray: &'s Stray) -> impl Iterator<Item = (&'s Path, &'s Test)> {
    let conditions = entity.conditions.iter().map(|(path, test)| (path, test));
    conditions.filter(|(path, test)| !test.holds(path.lookup(&stray.attributes)))
}

fn difference(rules: &Rules, entity: &Entity, stray: &Stray) -> Option<Difference> {
    let separator = entity.key.separator();
    let names = rules[entity.table].key.names();
    let mut keys = attributes(entity, stray).zip(names);
    let apart = keys.find(|((template, value), _)| text_distance(template, value, separator) > 0);
    if let Some(((template, KeyValue::S(text)), name)) = apart {
        let length = template.template().common_prefix(text, separator);
        return Some(Difference::Key {
            attribute: name.to_owned(),
            template: template.template().to_string(),
            common: text.get(..length)?.to_owned(),
            is_whole: length == text.len(),
        });
    }
    if !entity.key.matches(&stray.key) {
        return Some(Difference::Capture);
    }
    let (path, required) = unmet(entity, stray).next()?;
    let found = path.lookup(&stray.attributes).cloned();
    Some(Difference::Condition { path: path.clone(), found, required: required.clone() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::{RuleSource, load};

    const RULES: &str = "version: 1
tables: { app: { key: [pk, sk] }, other: { key: [pk] } }
entities:
  company: { table: app, key: { pk: \"company#{company}\", sk: \"company#\" } }
  member: { table: app, key: { pk: \"company#{company}\", sk: \"user#{email}\" } }
  twice: { table: app, key: { pk: \"twice#{id}\", sk: \"of#{id}\" } }
  post: { table: app, key: { pk: \"on#{id}\", sk: on }, where: { parentType: POST } }
  photo: { table: app, key: { pk: \"on#{id}\", sk: on }, where: { parentType: PHOTO } }
";

    fn rules() -> Rules {
        let source = RuleSource { name: "rules".to_owned(), text: RULES.to_owned() };
        load(&source, &|_| None).rules.unwrap()
    }

    fn stray(partition: &str, sort: &str, parent: Option<&str>) -> Stray {
        let value = |text: &str| KeyValue::S(text.to_owned().into());
        let attribute = |text: &str| ("parentType".into(), Value::S(text.to_owned().into()));
        Stray {
            table: TableId(0),
            key: Key { partition: value(partition), sort: Some(value(sort)) },
            attributes: parent.map(attribute).into_iter().collect(),
        }
    }

    #[test]
    fn the_nearest_entity_and_its_first_difference_are_found() {
        let rules = rules();
        let check = |item: Stray, expected: &str| {
            let found = nearest(&rules, &item).map(|nearest| {
                let name = &rules[nearest.entity].name;
                match nearest.difference {
                    Difference::Key { attribute, common, is_whole, .. } => {
                        format!(
                            "{name}: {attribute} after `{common}`{}",
                            if is_whole { ", all" } else { "" }
                        )
                    }
                    Difference::Capture => format!("{name}: a capture"),
                    Difference::Condition { path, found, required } => {
                        format!("{name}: {path}, {found:?} for {:?}", required.literal().unwrap())
                    }
                }
            });
            assert_eq!(found.as_deref().unwrap_or("none"), expected);
        };
        check(stray("compny#1", "company#", None), "company: pk after `comp`");
        check(stray("company#1", "USER#a", None), "member: sk after ``");
        check(stray("company#1", "user#", None), "member: sk after `user#`, all");
        check(stray("twice#1", "of#2", None), "twice: a capture");
        check(
            stray("on#1", "on", Some("post")),
            "post: parentType, Some(S(\"post\")) for S(\"POST\")",
        );
        check(
            stray("on#1", "on", Some("PHOTOS")),
            "photo: parentType, Some(S(\"PHOTOS\")) for S(\"PHOTO\")",
        );
        check(stray("on#1", "on", None), "post: parentType, None for S(\"POST\")");
        check(stray("on#1", "on", Some("POST")), "none");
        check(Stray { table: TableId(1), ..stray("a", "b", None) }, "none");
    }

    proptest! {
        #[test]
        fn an_item_has_a_nearest_entity_exactly_if_it_belongs_to_none(
            partition in "(company|compny|on|twice)#[12]{0,2}",
            sort in "(company#|user#[ab]?|on|of#[12])",
            parent in proptest::option::of("(POST|post|PHOTO)"),
        ) {
            let rules = rules();
            let item = stray(&partition, &sort, parent.as_deref());
            let belongs = rules.entities.iter().any(|entity| {
                entity.table == item.table
                    && entity.key.parse(&item.key).is_some()
                    && entity.admits(&item.attributes)
            });
            prop_assert_eq!(nearest(&rules, &item).is_none(), belongs);
        }
    }
}
