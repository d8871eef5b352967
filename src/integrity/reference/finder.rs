//! From a deleted item to the query that finds the items that refer to it.

use super::evaluate::own_keys;
use crate::data::{Item, Key, KeyValue};
use crate::rules::model::{
    Component, Discriminator, Find, MirrorPart, Reference, ReferenceId, Rules,
};
use crate::rules::template::{EntityKey, SortPrefix};
use crate::store::{Query, SortCondition};

/// The query that finds the items that refer to one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finder {
    /// The reference.
    pub(crate) rule: ReferenceId,
    /// The key that these items refer to.
    pub(crate) target: Key<'static>,
    /// The query. Its items are the referencing items, or lead to them.
    pub(crate) query: Query,
}

/// Returns the query for the items that refer to the item with these captures; `None` if the rule
/// has no way to find them.
pub(crate) fn finder(
    rules: &Rules,
    rule: ReferenceId,
    captures: &[KeyValue<'_>],
) -> Option<Finder> {
    let reference = &rules[rule];
    let target = rules[reference.to].key.build(captures).ok()?;
    let query = match &reference.find {
        Find::Derived => {
            let fixed = fixed_captures(reference, rules, captures);
            let table = rules.table_of(reference.from);
            prefix_query(&rules[reference.from].key, &table.name, &table.key, &fixed)?
        }
        Find::Mirror(mirror) => {
            let mirror = &rules[*mirror];
            let of_source = fixed_captures(reference, rules, captures);
            let part = |part: &MirrorPart| match part {
                MirrorPart::Capture(index) => of_source.get(*index).cloned().flatten(),
                MirrorPart::Attribute(name, _) => from_attribute(reference, name, captures),
            };
            let fixed: Vec<_> = mirror.mirror_from_source.iter().map(part).collect();
            let table = rules.table_of(mirror.mirror);
            prefix_query(&rules[mirror.mirror].key, &table.name, &table.key, &fixed)?
        }
        Find::Index { .. } => index_query(rules, reference, captures)?,
        Find::None => return None,
    };
    Some(Finder { rule, target, query })
}

impl Finder {
    /// Whether the query reads an index, whose lag behind its table has no upper bound.
    pub(crate) fn lags(&self) -> bool {
        self.query.index.is_some()
    }

    /// The key of the referencing item that an item in the query's result leads to.
    ///
    /// Only [`Finder::refers`] decides whether that item really refers to the target.
    pub(crate) fn referencing_key(&self, rules: &Rules, item: &Item<'_>) -> Option<Key<'static>> {
        let reference = &rules[self.rule];
        if let Find::Mirror(mirror) = &reference.find {
            let mirror = &rules[*mirror];
            let key = rules.key_schema(mirror.mirror).key_of(item).ok()?;
            let captures = rules[mirror.mirror].key.parse(&key)?;
            let of_source: Vec<_> = mirror
                .source_from_mirror
                .iter()
                .filter_map(|index| captures.get(*index).cloned())
                .collect();
            return rules[mirror.source].key.build(&of_source).ok();
        }
        rules.key_schema(reference.from).key_of(item).ok().map(Key::into_owned)
    }

    /// Whether the query's items are the referencing items themselves, as they are now.
    pub(crate) fn reads_referencing_items(&self, rules: &Rules) -> bool {
        matches!(rules[self.rule].find, Find::Derived)
    }

    /// Whether an item refers to the target.
    pub(crate) fn refers(&self, rules: &Rules, item: &Item<'_>) -> bool {
        let reference = &rules[self.rule];
        let Ok(key) = rules.key_schema(reference.from).key_of(item) else { return false };
        own_keys(rules, reference, &key, item).contains(&self.target)
    }
}

/// For each capture of the referencing item's key, the value that the referenced key gives it.
fn fixed_captures<'k>(
    reference: &Reference,
    rules: &Rules,
    captures: &[KeyValue<'k>],
) -> Vec<Option<KeyValue<'k>>> {
    let mut fixed = vec![None; rules[reference.from].key.captures().len()];
    for (position, (component, value)) in reference.components.iter().zip(captures).enumerate() {
        if let Component::Capture(index) = component
            && reference.contained(position).is_none()
            && let Some(slot) = fixed.get_mut(*index)
        {
            *slot = Some(value.clone());
        }
    }
    if let Some(Discriminator { component, value, .. }) = &reference.alternative.discriminator
        && let Some(Component::Capture(index)) = reference.components.get(*component)
        && let Some(slot) = fixed.get_mut(*index)
    {
        *slot = Some(value.clone());
    }
    fixed
}

/// The value of an attribute of the referencing item that the referenced key gives it.
fn from_attribute<'k>(
    reference: &Reference,
    attribute: &str,
    captures: &[KeyValue<'k>],
) -> Option<KeyValue<'k>> {
    let position = reference.part_from(attribute)?;
    captures.get(position).cloned()
}

fn prefix_query(
    templates: &EntityKey,
    table: &str,
    schema: &crate::data::KeySchema,
    fixed: &[Option<KeyValue<'_>>],
) -> Option<Query> {
    let (partition, sort) = templates.build_prefix(fixed).ok().flatten()?;
    let sort = match (sort, &schema.sort) {
        (SortPrefix::Whole(value), Some(attribute)) => {
            Some(SortCondition::Equals(attribute.name.clone(), value.to_value()))
        }
        (SortPrefix::BeginsWith(value), Some(attribute)) => {
            Some(SortCondition::BeginsWith(attribute.name.clone(), value.to_value()))
        }
        (SortPrefix::Any, _) | (_, None) => None,
    };
    Some(Query {
        table: table.to_owned(),
        index: None,
        partition: (schema.partition.name.clone(), partition.to_value()),
        sort,
        attributes: None,
        limit: None,
        start: None,
    })
}

fn index_query(rules: &Rules, reference: &Reference, captures: &[KeyValue<'_>]) -> Option<Query> {
    let Find::Index { index, partition, sort } = &reference.find else { return None };
    let table = rules.table_of(reference.from);
    let index = table.indexes.get(*index)?;
    let names = rules[reference.to].key.captures();
    let lookup = |name: &str| {
        let index = names.iter().position(|known| known == name)?;
        captures.get(index).cloned().map(KeyValue::into_owned)
    };
    let build = |template: &crate::rules::template::KeyTemplate| {
        template.build(table.separator, &lookup).ok().map(|value| value.to_value())
    };
    let sort = match (sort, &index.key.sort) {
        (Some(template), Some(attribute)) => {
            let name = attribute.name.clone();
            match template.build_prefix(table.separator, &lookup).ok()? {
                SortPrefix::Whole(value) => Some(SortCondition::Equals(name, value.to_value())),
                SortPrefix::BeginsWith(value) => {
                    Some(SortCondition::BeginsWith(name, value.to_value()))
                }
                SortPrefix::Any => None,
            }
        }
        _ => None,
    };
    Some(Query {
        table: table.name.clone(),
        index: Some(index.name.clone()),
        partition: (index.key.partition.name.clone(), build(partition)?),
        sort,
        attributes: None,
        limit: None,
        start: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Value;
    use crate::rules::{RuleSource, load};

    const RULES: &str = r#"
version: 1
tables:
  app: { key: [pk, sk] }
entities:
  user: { table: app, key: { pk: "team#{team}", sk: "user#{user}" } }
  task:
    table: app
    key: { pk: "task#{task}", sk: "-" }
    attributes: { team: S, owner: S }
references:
  task_owner:
    from: task
    to: user
    on: { team: "{team}", user: "{owner}" }
    find: { index: by_owner, key: { team: "{team}", owner: "{user}" } }
"#;

    #[test]
    fn an_index_query_uses_both_key_attributes() {
        let source = RuleSource { name: "referee.yaml".to_owned(), text: RULES.to_owned() };
        let rules = load(&source, &|_| None).rules.unwrap();
        let target = ["a", "ann"].map(|text| KeyValue::S(text.into()));
        let query = index_query(&rules, &rules.references[0], &target).unwrap();
        assert_eq!(query.index.as_deref(), Some("by_owner"));
        assert_eq!(query.partition, ("team".to_owned(), Value::from("a")));
        let owner = SortCondition::Equals("owner".to_owned(), Value::from("ann"));
        assert_eq!(query.sort, Some(owner));
    }

    #[test]
    fn an_index_query_looks_for_the_beginning_that_the_referenced_key_determines() {
        let text = RULES.replace("owner: \"{user}\" } }", "sk2: \"user#{user}#{task}\" } }");
        let source = RuleSource { name: "referee.yaml".to_owned(), text };
        let rules = load(&source, &|_| None).rules.unwrap();
        let target = ["a", "ann"].map(|text| KeyValue::S(text.into()));
        let query = index_query(&rules, &rules.references[0], &target).unwrap();
        let prefix = SortCondition::BeginsWith("sk2".to_owned(), Value::from("user#ann#"));
        assert_eq!(query.sort, Some(prefix));
    }
}
