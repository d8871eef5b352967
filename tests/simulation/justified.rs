//! Whether a rule calls for a write to one of the application's items.

use crate::model::{
    Content, Name, State, Val, default_target, exists, is_of_its_kind, refers, set_default,
    targets, unset,
};
use crate::past::{By, Step};
use crate::schema::{Place, Reference, Schema};

/// Whether a rule calls for a change by the engine or a repair, given the table just before it.
pub(crate) fn is_called_for(
    schema: &Schema,
    state: &State,
    step: &Step,
    earlier: &[Option<Content>],
) -> bool {
    let (name, after) = (&step.name, step.after.as_ref());
    let is_missing =
        |reference: &Reference, target: &Name| !exists(schema, state, reference, target);
    let before = state.get(name);
    // A plan is somebody's own decision, whatever the mode of the rule.
    let is_repair = step.by == By::Repair;
    let enforced = || schema.references.iter().filter(|it| is_repair || !it.is_observed);
    let mut dangling = enforced().flat_map(|reference| {
        let said =
            before.map(|before| targets(schema, reference, name, before)).unwrap_or_default();
        let missing = said.into_iter().filter(move |target| is_missing(reference, target));
        missing.map(move |target| (reference, target))
    });
    let names = |reference: &Reference, action: &str| {
        [reference.on_missing, reference.on_delete, reference.on_ttl_delete].contains(&action)
    };
    // Whether another item refers to it by a rule that restores it.
    let is_kept_by_others = || {
        state.iter().any(|(of, content)| {
            enforced().any(|reference| {
                reference.on_delete == "restore" && refers(schema, reference, (of, content), name)
            })
        })
    };
    match (before, after) {
        (Some(_), None) => dangling.any(|(reference, _)| {
            ["delete", "cascade", "revert"].iter().any(|action| names(reference, action))
        }),
        (Some(before), Some(after)) if is_set_back(schema, name, (before, after), earlier) => {
            is_kept_by_others()
        }
        (Some(before), Some(after)) => dangling.any(|(reference, target)| {
            (names(reference, "unset") && is_unset(schema, reference, before, after, &target))
                || (names(reference, "set_default")
                    && !is_missing(reference, &default_target(schema, reference, before))
                    && is_defaulted(schema, reference, before, after, &target))
                || (names(reference, "revert") && is_undone(before, after, earlier))
        }),
        (None, Some(after)) => {
            let mut earlier =
                earlier.iter().flatten().filter(|it| is_of_its_kind(schema, name, it));
            // The restored version is not always the last one. This is a known limit.
            is_kept_by_others() && earlier.any(|it| it == after)
        }
        (None, None) => false,
    }
}

/// Whether an item that was not of its kind became one again, by the attribute that it had earlier.
fn is_set_back(
    schema: &Schema,
    name: &Name,
    (before, after): (&Content, &Content),
    earlier: &[Option<Content>],
) -> bool {
    let is_of_kind = |it: &Content| is_of_its_kind(schema, name, it);
    let rest = |it: &Content| {
        let mut rest = it.clone();
        rest.remove("type");
        rest
    };
    let mut earlier = earlier.iter().flatten().filter(|it| is_of_kind(it));
    !is_of_kind(before)
        && is_of_kind(after)
        && rest(before) == rest(after)
        && earlier.any(|it| it.get("type") == after.get("type"))
}

/// Whether one of these changes was undone: the values that it changed are restored, and no others
/// were changed.
fn is_undone(before: &Content, after: &Content, images: &[Option<Content>]) -> bool {
    images.windows(2).any(|images| {
        let [Some(old), Some(new)] = images else { return false };
        let is_as_left = old.keys().chain(new.keys()).all(|name| before.get(name) == new.get(name));
        let mut undone = before.clone();
        undone.retain(|name, _| !new.contains_key(name));
        undone.extend(old.clone());
        is_as_left && undone == *after
    })
}

/// Whether references to a target were removed, and nothing else was changed.
///
/// If a list was overwritten in the meantime, a reference to the target may remain in it.
fn is_unset(
    schema: &Schema,
    reference: &Reference,
    before: &Content,
    after: &Content,
    target: &Name,
) -> bool {
    let (Place::List(name) | Place::Lines(name, _), clean) =
        (&reference.place, unset(schema, reference, before, target))
    else {
        return unset(schema, reference, before, target) == *after;
    };
    let length = |content: &Content| match content.get(name) {
        Some(Val::List(ids)) => ids.len(),
        Some(Val::Lines(lines)) => lines.iter().map(|line| 1 + usize::from(line.is_some())).sum(),
        _ => 0,
    };
    unset(schema, reference, after, target) == clean && length(after) < length(before)
}

/// Whether references to a target were changed to the default, and nothing else was changed.
fn is_defaulted(
    schema: &Schema,
    reference: &Reference,
    before: &Content,
    after: &Content,
    target: &Name,
) -> bool {
    let whole = set_default(schema, reference, before, target);
    let is_list = matches!(reference.place, Place::List(_) | Place::Lines(..));
    whole == *after
        || (is_list && before != after && set_default(schema, reference, after, target) == whole)
}
