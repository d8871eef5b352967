//! The permissions that the function needs for one rule file and not for another.

use std::collections::BTreeSet;

use crate::iam::{Deployment, policy};
use crate::rules::model::Rules;

/// A permission that only one of the rule files needs.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Right {
    pub(super) resource: String,
    pub(super) action: String,
    /// Whether the new rules need it; otherwise, only the old ones do.
    pub(super) is_added: bool,
}

/// The permissions that differ, by resource.
pub(super) fn changes(old: &Rules, new: &Rules) -> Vec<Right> {
    let (old, new) = (rights(old), rights(new));
    let right = |is_added| {
        move |(resource, action): &(String, String)| Right {
            resource: resource.clone(),
            action: action.clone(),
            is_added,
        }
    };
    let mut rights: Vec<_> = old.difference(&new).map(right(false)).collect();
    rights.extend(new.difference(&old).map(right(true)));
    rights.sort();
    rights
}

/// Each action with each resource on which it is allowed. A condition belongs to the resource.
fn rights(rules: &Rules) -> BTreeSet<(String, String)> {
    let deployment = Deployment::anywhere("referee");
    let mut rights = BTreeSet::new();
    for statement in policy(rules, &deployment).statements {
        let condition = statement.condition.as_ref().map(|condition| {
            format!(", if `{}` is {}", condition.key, condition.values.join(" or "))
        });
        let condition = condition.unwrap_or_default();
        for resource in &statement.resources {
            for action in &statement.actions {
                rights.insert((format!("{resource}{condition}"), action.clone()));
            }
        }
    }
    rights
}
