//! Chooses the action of a rule that only reports what is wrong.

use super::claim::{RuleId, rule_named};
use crate::data::Type;
use crate::integrity::repair::Remedy;
use crate::rules::model::{
    Component, Matching, OnMirrorDelete, OnMirrorEdit, OnMissing, Reference, Removal, Rules,
};

/// The action that is chosen for the findings of a rule that only reports them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The rule's name.
    pub rule: String,
    /// The action: `delete`, `unset` or `set_default` of a reference, `restore` or `overwrite` of a
    /// mirror.
    pub action: String,
}

/// Sets the action of a rule. The action must be one that a rule file could name.
pub fn choose(rules: &mut Rules, Choice { rule, action }: &Choice) -> Result<(), String> {
    match rule_named(rules, rule, None) {
        None => Err(format!("the rule file has no rule `{rule}`")),
        Some(RuleId::Reference(_)) => {
            let chosen = [OnMissing::Delete, OnMissing::Unset, OnMissing::SetDefault]
                .into_iter()
                .find(|it| it.name() == action)
                .ok_or_else(|| unknown(rule, action, "delete, unset or set_default"))?;
            let alternatives: Vec<_> = rules.references_named(rule).map(|(id, _)| id).collect();
            for id in alternatives {
                possible(rules, &rules[id], chosen)
                    .map_err(|why| format!("`{action}` is impossible for `{rule}`: {why}"))?;
                rules.references.get_mut(id.0).into_iter().for_each(|it| it.on_missing = chosen);
            }
            Ok(())
        }
        Some(RuleId::Mirror(_)) => {
            for mirror in rules.mirrors.iter_mut().filter(|mirror| mirror.name == *rule) {
                if action == OnMirrorDelete::Restore.name() {
                    mirror.on_mirror_delete = OnMirrorDelete::Restore;
                } else if action == OnMirrorEdit::Overwrite.name() {
                    mirror.on_mirror_edit = OnMirrorEdit::Overwrite;
                } else {
                    return Err(unknown(rule, action, "restore or overwrite"));
                }
            }
            Ok(())
        }
    }
}

fn unknown(rule: &str, action: &str, known: &str) -> String {
    format!("`{action}` is not an action of `{rule}`; the actions are {known}")
}

/// Whether the items of a reference can be repaired in this way. A rule file is checked likewise.
fn possible(rules: &Rules, reference: &Reference, action: OnMissing) -> Result<(), String> {
    if rules.view(reference.to).is_some() {
        return Err("a transaction cannot check an index".to_owned());
    }
    let Some(remedy) = Remedy::of_missing(action).filter(|it| *it != Remedy::Delete) else {
        return Ok(());
    };
    let components = &reference.components;
    let changed: Vec<_> = components.iter().filter(|it| reference.is_changed(it)).collect();
    let schema = rules.key_schema(reference.from);
    let from = &rules[reference.from];
    if changed.is_empty() {
        return Err("all parts of the reference come from the key".to_owned());
    }
    for path in changed.iter().filter_map(|component| component.path()) {
        if schema.names().any(|name| name == path.root()) {
            return Err(format!("`{path}` is a key attribute"));
        }
        if from.conditions.iter().any(|(condition, _)| condition == path) {
            return Err(format!("the item would no longer belong to `{}`", from.name));
        }
    }
    if remedy == Remedy::SetDefault {
        let has_default = reference.defaults.iter().any(Option::is_some);
        return if has_default { Ok(()) } else { Err("the rule has no `default`".to_owned()) };
    }
    let is_list = |it: &&Component| match it {
        Component::Elements(_, kind) => *kind == Type::L,
        Component::Field(..) => reference.removal == Removal::Element,
        Component::Capture(_) | Component::Constant(_) | Component::Attribute(..) => false,
    };
    let leaves_parts = changed.len() < components.len() && !changed.iter().any(is_list);
    if reference.required {
        Err("the reference is required".to_owned())
    } else if reference.matching == Matching::Full && leaves_parts {
        Err("with `match: full`, the remaining parts would be a violation".to_owned())
    } else {
        Ok(())
    }
}
