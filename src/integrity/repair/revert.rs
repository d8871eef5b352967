//! Undoing the write that made a reference in vain.

use std::collections::BTreeMap;

use super::conditions::{is_as_left, present};
use super::remedy::{Repair, told};
use crate::data::{Item, Key, Path};
use crate::engine::report::outcome::Operation;
use crate::integrity::change::Change;
use crate::integrity::reference::{Stance, evaluate};
use crate::rules::model::{Entity, EntityId, Mode, ReferenceId, Rules};
use crate::store::{Action, Clause, TRANSACT_ACTIONS_MAX, Write};

/// What undoes a change.
///
/// An update goes back to the image before it, an insert is deleted. The item has to be as the
/// change left it. Nothing comes back that would be broken too: two such rules would else undo each
/// other for ever. The error says in words why the change cannot be undone.
pub(crate) fn revert(
    rules: &Rules,
    rule: ReferenceId,
    change: &Change<'_>,
) -> Result<Repair, String> {
    let from = rules[rule].from;
    let after = change.after.as_ref().ok_or("the item is gone")?;
    let key = rules.key_schema(from).item_of(&change.key);
    let write = |action| Write {
        table: rules[rules[from].table].name.clone(),
        action,
        condition: Some(is_as_left(rules, from, change.before.as_ref(), after)),
    };
    let Some(before) = &change.before else {
        let write = write(Action::Delete(key));
        let checks = Vec::new();
        return Ok(Repair { operation: Operation::Delete, write, checks, detail: None });
    };
    let checks = checks(rules, change, before, after)?;
    let clauses = differences(rules, from, before, after);
    let detail = Some(clauses.iter().map(told).collect::<Vec<_>>().join(", "));
    let write = write(Action::Update { key, clauses });
    Ok(Repair { operation: Operation::Update, write, checks, detail })
}

/// The clauses that lead from one image back to another.
fn differences(rules: &Rules, from: EntityId, before: &Item<'_>, after: &Item<'_>) -> Vec<Clause> {
    let schema = rules.key_schema(from);
    let is_key = |name: &str| schema.names().any(|key| key == name);
    let set = before
        .iter()
        .filter(|(name, value)| !is_key(name) && after.get(*name) != Some(*value))
        .map(|(name, value)| Clause::Set(Path::attribute(name), value.clone().into_owned()));
    let removed = after
        .keys()
        .filter(|name| !before.contains_key(*name))
        .map(|name| Clause::Remove(Path::attribute(name)));
    set.chain(removed).collect()
}

/// The checks that everything exists that the image before refers to, and the one after does not.
fn checks(
    rules: &Rules,
    change: &Change<'_>,
    before: &Item<'_>,
    after: &Item<'_>,
) -> Result<Vec<Write>, String> {
    let mut wanted = BTreeMap::new();
    for (place, reference) in rules.references.iter().enumerate() {
        let rule = ReferenceId(place);
        if reference.mode == Mode::Off || rules[reference.from].table != change.table {
            continue;
        }
        let said_after = stances(rules, rule, change, after);
        for stance in stances(rules, rule, change, before) {
            if said_after.contains(&stance) {
                continue;
            }
            match stance {
                Stance::Refers(key) => {
                    wanted.insert((rules[reference.to].table, key), reference.to)
                }
                Stance::Wrong(_, why) => {
                    return Err(format!("what it said before is wrong too: {why}"));
                }
            };
        }
    }
    if wanted.len() + 2 > TRANSACT_ACTIONS_MAX {
        return Err("it referred to more items before than one transaction can check".to_owned());
    }
    Ok(wanted.iter().map(|((_, key), to)| present(rules, *to, key)).collect())
}

/// What an image says through a reference.
fn stances(rules: &Rules, rule: ReferenceId, change: &Change<'_>, image: &Item<'_>) -> Vec<Stance> {
    let reference = &rules[rule];
    let from: &Entity = &rules[reference.from];
    let key: &Key<'_> = &change.key;
    let Some(captures) = from.key.parse(key).filter(|_| from.admits(image)) else {
        return Vec::new();
    };
    let claims = evaluate(rules, reference, &captures, image);
    claims.into_iter().map(|claim| claim.stance).collect()
}
