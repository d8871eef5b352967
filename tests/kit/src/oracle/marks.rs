//! Reads marks, which show the rule that wrote a mirror, or announce a delete.

use referee::data::{Item, Key, Value};
use referee::rules::model::{Mirror, TableId};

use super::tables::Tables;
use super::{Defect, ItemName, Kind, MARK};

/// Returns the mark of this rule on an item, if there is one.
pub(super) fn mark_of<'i>(item: &'i Item<'static>, rule: &Mirror) -> Option<&'i Item<'static>> {
    let Some(Value::M(mark)) = item.get(MARK) else { return None };
    let Some(Value::S(name)) = mark.get("rule") else { return None };
    is_name_of(rule, name).then_some(mark)
}

/// Whether a rule has this name, or had it.
fn is_name_of(rule: &Mirror, name: &str) -> bool {
    rule.name == name || rule.was.as_deref() == Some(name)
}

/// Finds marks that should be gone when all records are processed.
pub(super) fn find(tables: &Tables<'_>, found: &mut Vec<Defect>) {
    for (table, key, item) in tables.all() {
        let Some(Value::M(mark)) = item.get(MARK) else { continue };
        let Some(Value::S(rule)) = mark.get("rule") else { continue };
        let mut mirrors = tables.rules.mirrors.iter().filter(|mirror| is_name_of(mirror, rule));
        let is_mirror = mirrors.any(|mirror| is_key_of(tables, mirror, table, key));
        if is_mirror && !mark.contains_key("deleting") {
            continue;
        }
        found.push(Defect {
            rule: rule.to_string(),
            kind: Kind::MarkLeft,
            referencing: ItemName { table, key: key.clone() },
            referenced: None,
            others: Vec::new(),
        });
    }
}

fn is_key_of(tables: &Tables<'_>, mirror: &Mirror, table: TableId, key: &Key<'static>) -> bool {
    let entity = &tables.rules[mirror.mirror];
    entity.table == table && entity.key.parse(key).is_some()
}
