//! Whether an item belongs to any entity.

#[cfg(feature = "cli")]
use std::borrow::Cow;

use super::index::Index;
#[cfg(feature = "cli")]
use super::index::Projection;
use crate::data::{Item, Key};
use crate::rules::model::{EntityId, Rules, TableId};

/// Whether the item belongs to no entity of its table, of those that rules use and of all others:
/// no key matches, or no entity's `where` holds.
#[cfg(feature = "cli")]
pub(crate) fn is_unknown(
    rules: &Rules,
    index: &Index,
    table: TableId,
    key: &Key<'_>,
    item: &Item<'_>,
) -> bool {
    entities(rules, index, table, key, item).next().is_none()
}

/// The entities of its table that the item belongs to: those that rules use, and all others.
pub(crate) fn entities<'m>(
    rules: &'m Rules,
    index: &'m Index,
    table: TableId,
    key: &Key<'_>,
    item: &Item<'_>,
) -> impl Iterator<Item = EntityId> {
    let used = index.matching(rules, table, key).map(|(entity, _)| entity);
    let all = used.chain(index.matching_unused(rules, table, key));
    all.filter(|entity| rules[*entity].admits(item))
}

/// The attributes that rules look at in the item with this key, and those that [`is_unknown`] looks
/// at.
#[cfg(feature = "cli")]
pub(crate) fn projection<'m>(
    rules: &'m Rules,
    index: &'m Index,
    table: TableId,
    key: &Key<'_>,
) -> Cow<'m, Projection> {
    let used = index.projections(rules, table, key).into_iter().map(Cow::Borrowed);
    let unused = index.matching_unused(rules, table, key).map(|entity| index.existence(entity));
    let all = used.chain(unused).reduce(|mut all, more| {
        all.to_mut().extend(&more);
        all
    });
    all.unwrap_or_else(|| Cow::Owned(Projection::none()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{JsonItem, KeyValue};
    use crate::rules::{RuleSource, load};

    /// No rule uses `note`.
    const RULES: &str = "version: 1
tables: { app: { key: [pk, sk] } }
entities:
  user: { table: app, key: { pk: \"user#{user}\", sk: profile } }
  task: { table: app, key: { pk: \"task#{task}\", sk: \"user#{user}\" } }
  note: { table: app, key: { pk: \"note#{note}\", sk: note }, where: { kind: note } }
references:
  task_user: { from: task, to: user, find: none }
";

    #[test]
    fn an_item_is_known_if_any_entity_admits_it() {
        let source = RuleSource { name: "rules".to_owned(), text: RULES.to_owned() };
        let rules = load(&source, &|_| None).rules.unwrap();
        let index = Index::new(&rules);
        let check = |partition: &str, sort: &str, item: &str| {
            let value = |text: &str| KeyValue::S(text.to_owned().into());
            let key = Key { partition: value(partition), sort: Some(value(sort)) };
            let JsonItem(mut item) = serde_json::from_str(item).unwrap();
            let projection = projection(&rules, &index, TableId(0), &key);
            item.retain(|name, _| projection.contains(name));
            is_unknown(&rules, &index, TableId(0), &key, &item)
        };
        assert!(!check("user#1", "profile", "{}"));
        assert!(check("user#1", "other", "{}"));
        assert!(!check("note#1", "note", r#"{"kind":{"S":"note"}}"#));
        assert!(check("note#1", "note", r#"{"kind":{"S":"other"}}"#));
        assert!(check("note#1", "note", "{}"));
    }
}
