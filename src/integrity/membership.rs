//! Whether an item belongs to any entity.

use super::index::{Index, Projection};
use crate::data::{Item, Key};
use crate::rules::model::{Entity, EntityId, Rules, TableId};

/// Whether the item belongs to no entity of its table, of those that rules use and of all others:
/// no key matches, or no entity's `where` holds.
pub(crate) fn is_unknown(rules: &Rules, table: TableId, key: &Key<'_>, item: &Item<'_>) -> bool {
    !candidates(rules, table, key).any(|(_, entity)| entity.admits(item))
}

/// The attributes that [`is_unknown`] looks at.
pub(crate) fn projection(
    rules: &Rules,
    index: &Index,
    table: TableId,
    key: &Key<'_>,
) -> Projection {
    let mut projection = Projection::Names(rules[table].key.names().map(str::to_owned).collect());
    for (id, _) in candidates(rules, table, key) {
        projection.extend(&index.existence(id));
    }
    projection
}

fn candidates<'r>(
    rules: &'r Rules,
    table: TableId,
    key: &Key<'_>,
) -> impl Iterator<Item = (EntityId, &'r Entity)> {
    (0..)
        .map(EntityId)
        .zip(&rules.entities)
        .filter(move |(_, entity)| entity.table == table && entity.key.parse(key).is_some())
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
            is_unknown(&rules, TableId(0), &key, &item)
        };
        assert!(!check("user#1", "profile", "{}"));
        assert!(check("user#1", "other", "{}"));
        assert!(!check("note#1", "note", r#"{"kind":{"S":"note"}}"#));
        assert!(check("note#1", "note", r#"{"kind":{"S":"other"}}"#));
        assert!(check("note#1", "note", "{}"));
    }
}
