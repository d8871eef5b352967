//! Reads marks, which show the rule that wrote a mirror, or announce a delete.

use referee::data::{Item, Key, Value};
use referee::rules::model::{Mirror, TableId};

use super::tables::Tables;
use super::{Defect, ItemName, Kind, MARK};

/// Returns the mark of this rule on an item, if there is one.
pub(super) fn mark_of<'i>(item: &'i Item<'static>, rule: &str) -> Option<&'i Item<'static>> {
    let Some(Value::M(mark)) = item.get(MARK) else { return None };
    (mark.get("rule") == Some(&rule.into())).then_some(mark)
}

/// Finds marks that should be gone when all records are processed.
pub(super) fn find(tables: &Tables<'_>, found: &mut Vec<Defect>) {
    for (table, key, item) in tables.all() {
        let Some(Value::M(mark)) = item.get(MARK) else { continue };
        let Some(Value::S(rule)) = mark.get("rule") else { continue };
        let mirror = tables.rules.mirrors.iter().find(|mirror| mirror.name == *rule);
        let is_mirror = mirror.is_some_and(|mirror| is_key_of(tables, mirror, table, key));
        if is_mirror && !mark.contains_key("deleting") {
            continue;
        }
        found.push(Defect {
            rule: rule.to_string(),
            kind: Kind::MarkLeft,
            referencing: ItemName { table, key: key.clone() },
            referenced: None,
        });
    }
}

fn is_key_of(tables: &Tables<'_>, mirror: &Mirror, table: TableId, key: &Key<'static>) -> bool {
    let entity = &tables.rules[mirror.mirror];
    entity.table == table && entity.key.parse(key).is_some()
}
