//! Restoring a deleted item that others still refer to.

use std::collections::BTreeSet;

use super::conditions::still_refers;
use super::remedy::expression_of;
use crate::data::{Item, Key, Path, Value, into_owned};
use crate::integrity::mark::MARK;
use crate::integrity::presence::{nothing_is_there, partition};
use crate::integrity::reference::grounds;
use crate::rules::model::{ReferenceId, Rules};
use crate::store::{Action, Clause, Condition, Operand, Write};

/// Returns a transaction that restores a deleted item on condition that nothing is at its key and
/// this item still refers to it; `None` if this item does not refer to it.
pub(crate) fn restore(
    rules: &Rules,
    rule: ReferenceId,
    image: &Item<'_>,
    target: &Key<'_>,
    (key, item): (&Key<'_>, &Item<'_>),
) -> Option<Vec<Write>> {
    let reference = &rules[rule];
    let from = &rules[reference.from];
    let captures = from.key.parse(key).filter(|_| from.admits(item))?;
    let grounds = grounds(rules, reference, &captures, item, target)?;
    let mut image = into_owned(image.clone());
    image.remove(MARK);
    let put = Write {
        table: rules.table_of(reference.to).name.clone(),
        action: Action::Put(image),
        condition: Some(nothing_is_there(rules, reference.to)),
    };
    let check = Write {
        table: rules.table_of(reference.from).name.clone(),
        action: Action::Check(rules.key_schema(reference.from).item_of(key)),
        condition: Some(still_refers(rules, reference.from, &grounds)),
    };
    Some(vec![put, check])
}

/// Changes the transaction of [`restore`] for a target that still exists, but was changed so that it
/// no longer belongs to its entity: instead of the put, it sets the attributes of `where` back, on
/// condition that they are still as they were found. Also returns what the update changes, in the
/// syntax of an update expression. `None` if that would not make it a target.
pub(crate) fn set_back(
    rules: &Rules,
    rule: ReferenceId,
    image: &Item<'_>,
    found: &Item<'_>,
    mut actions: Vec<Write>,
) -> Option<(Vec<Write>, String)> {
    let reference = &rules[rule];
    let conditions = &rules[reference.to].conditions;
    let unmet = conditions.iter().filter(|(path, test)| !test.holds(path.lookup(found)));
    let paths: Vec<&Path> = unmet.map(|(path, _)| path).collect();
    let changed: BTreeSet<Path> = paths.iter().map(|path| changed(path, &paths, found)).collect();
    let is_key = |path: &Path| rules.key_schema(reference.to).names().any(|it| it == path.root());
    if changed.is_empty() || changed.iter().any(is_key) {
        return None;
    }
    let mut clauses = Vec::new();
    let mut unchanged = vec![Condition::Exists(partition(rules, reference.to))];
    for path in changed {
        clauses.push(match path.resolve(image) {
            Some(value) => Clause::Set(path.clone(), value.clone().into_owned()),
            None => Clause::Remove(path.clone()),
        });
        unchanged.push(match path.resolve(found) {
            Some(value) => Condition::Compare(path, Operand::Equal, value.clone().into_owned()),
            None => Condition::NotExists(path),
        });
    }
    let put = actions.first_mut()?;
    let Action::Put(item) = &put.action else { return None };
    let key = rules.key_schema(reference.to);
    let key = key.item_of(&key.key_of(item).ok()?);
    let detail = clauses.iter().map(expression_of).collect::<Vec<_>>().join(", ");
    put.action = Action::Update { key: into_owned(key), clauses };
    put.condition = Some(Condition::All(unchanged));
    Some((actions, detail))
}

/// What an update changes for the sake of one of these paths: the value at the path, or the whole
/// attribute, if the map around the value is not there or another path leads into the attribute.
fn changed(path: &Path, paths: &[&Path], found: &Item<'_>) -> Path {
    let root = Path::attribute(path.root());
    let mut parents = path.names();
    parents.next_back();
    let is_alone = paths.iter().filter(|other| other.root() == path.root()).count() == 1;
    let parent = parents.clone().skip(1).fold(root.clone(), |path, name| path.child(name));
    let has_map = matches!(parent.resolve(found), Some(Value::M(_)));
    if parents.next().is_some() && is_alone && has_map { path.clone() } else { root }
}
