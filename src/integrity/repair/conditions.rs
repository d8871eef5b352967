//! The conditions that make a repair fail once its violation is gone.

use crate::data::{Item, Key, Path};
use crate::integrity::presence::{is_one, partition};
use crate::integrity::reference::{Grounds, is_not_there, is_target, is_there, targets};
use crate::rules::model::{EntityId, ReferenceId, Rules, TableId};
use crate::store::{Action, Condition, Operand, Write};

/// Checks that no item exists to which a reference to this key leads: one check for each item.
pub(crate) fn absent(rules: &Rules, rule: ReferenceId, key: &Key<'_>, now_ms: i64) -> Vec<Write> {
    let each = targets(rules, rule, key);
    let checks = each
        .map(|(rule, key)| check(rules, rules[rule].to, &key, is_not_there(rules, rule, now_ms)));
    joined(checks, Condition::All)
}

/// Checks that an item exists to which a reference to this key leads. `None` if that is the item
/// with this name, whose image is known: the transaction writes it, and cannot check it, too.
pub(crate) fn present(
    rules: &Rules,
    rule: ReferenceId,
    key: &Key<'_>,
    (table, own, image): (TableId, &Key<'_>, &Item<'_>),
    now_ms: i64,
) -> Option<AnyOf> {
    let mut checks = Vec::new();
    for (rule, key) in targets(rules, rule, key) {
        if rules.referenced(rule).table != table || key != *own {
            checks.push(check(rules, rules[rule].to, &key, is_there(rules, rule, now_ms)));
        } else if is_target(rules, rule, image, now_ms) {
            return None;
        }
    }
    Some(AnyOf(joined(checks.into_iter(), Condition::Any)))
}

/// Joins the conditions of checks of the same item.
fn joined(
    checks: impl Iterator<Item = Write>,
    join: fn(Vec<Condition>) -> Condition,
) -> Vec<Write> {
    let mut joined: Vec<Write> = Vec::new();
    for check in checks {
        match joined.iter_mut().find(|it| it.table == check.table && it.action == check.action) {
            Some(known) => {
                let both = [known.condition.take(), check.condition];
                known.condition = Some(join(both.into_iter().flatten().collect()));
            }
            None => joined.push(check),
        }
    }
    joined
}

/// Checks of different items, one of which must succeed. A transaction contains the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnyOf(Vec<Write>);

impl AnyOf {
    /// Whether no check is left.
    pub(crate) const fn is_impossible(&self) -> bool {
        self.0.is_empty()
    }

    /// The check that a transaction contains.
    pub(crate) fn check(&self) -> Option<&Write> {
        self.0.first()
    }

    /// Leaves out a check that failed. Returns whether another one is left.
    pub(crate) fn go_on(&mut self) -> bool {
        if !self.0.is_empty() {
            self.0.remove(0);
        }
        !self.0.is_empty()
    }
}

#[cfg(test)]
impl From<Write> for AnyOf {
    fn from(check: Write) -> Self {
        Self(vec![check])
    }
}

fn check(rules: &Rules, entity: EntityId, key: &Key<'_>, condition: Condition) -> Write {
    let table = rules.table_of(entity);
    Write {
        table: table.name.clone(),
        action: Action::Check(table.key.item_of(key)),
        condition: Some(condition),
    }
}

/// Requires that the item belongs to the entity and still refers to its target.
pub(crate) fn still_refers(rules: &Rules, from: EntityId, grounds: &Grounds) -> Condition {
    let attributes = grounds
        .attributes
        .iter()
        .map(|(path, value)| Condition::Compare(path.clone(), Operand::Equal, value.clone()));
    let elements = grounds.elements.iter().flat_map(|elements| {
        elements.chosen.iter().flat_map(|chosen| &chosen.parts).map(|part| match part.set {
            Some(_) => Condition::Contains(part.path.clone(), part.value.clone()),
            None => Condition::Compare(part.path.clone(), Operand::Equal, part.value.clone()),
        })
    });
    Condition::All(is_one(rules, from).chain(attributes).chain(elements).collect())
}

/// Requires that the item still matches the image after a change. Attributes that are in neither
/// image are not compared.
pub(crate) fn is_as_left(
    rules: &Rules,
    entity: EntityId,
    before: Option<&Item<'_>>,
    after: &Item<'_>,
) -> Condition {
    let schema = rules.key_schema(entity);
    let is_key = |name: &str| schema.names().any(|key| key == name);
    let kept = after.iter().filter(|(name, _)| !is_key(name)).map(|(name, value)| {
        Condition::Compare(Path::attribute(name), Operand::Equal, value.clone().into_owned())
    });
    let removed = before
        .into_iter()
        .flat_map(|item| item.keys())
        .filter(|name| !after.contains_key(*name))
        .map(|name| Condition::NotExists(Path::attribute(name)));
    let exists = Condition::Exists(partition(rules, entity));
    Condition::All(std::iter::once(exists).chain(kept).chain(removed).collect())
}
