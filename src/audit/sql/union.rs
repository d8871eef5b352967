//! Unions in SQL: references of which one of several items is enough.

use super::expression::{Expr, all, any};
use super::keys::is_same;
use super::query::{Join, Query, Select};
use super::reference::Formed;
use super::tables::{add_targets, key_columns, named};
use crate::rules::model::{Reference, ReferenceId, Rules};

/// The step before it is known which other items exist.
pub(super) const FORMED: &str = "formed";

/// The column that says whether another item satisfies the reference.
pub(super) const IS_FOUND: &str = "is_found";

/// The column that says whether an item is at the key of another one, but is not of its entity.
pub(super) const IS_OTHER: &str = "is_other";

/// Another alternative of a rule, and what the parts of the reference form for it.
pub(super) struct Other {
    /// Its position among the others.
    position: usize,
    /// Whether it comes before the reference in the rule file.
    is_before: bool,
    formed: Formed,
}

/// The other alternatives of a rule.
pub(super) fn others(
    rules: &Rules,
    rule: ReferenceId,
    formed: impl Fn(&Reference) -> Formed,
) -> Vec<Other> {
    let others = rules.alternatives(rule).filter(|(id, _)| *id != rule).enumerate();
    others
        .map(|(position, (id, reference))| Other {
            position,
            is_before: id < rule,
            formed: formed(reference),
        })
        .collect()
}

/// Whether a value belongs to this alternative: it is the first one to which the value leads, or
/// the first one of all if the value leads to none.
pub(super) fn leads(reference: &Reference, formed: &Formed, others: &[Other]) -> Expr {
    let is_broken = formed.is_broken();
    if reference.alternative.is_first {
        let others = others.iter().map(|other| other.formed.is_broken());
        return any([is_broken.not(), all(others)]);
    }
    let before = others.iter().filter(|other| other.is_before);
    all(before.map(|other| other.formed.is_broken()).chain([is_broken.not()]))
}

/// The columns with the keys of the other items.
pub(super) fn columns(others: &[Other]) -> Vec<(String, Expr)> {
    let columns =
        others.iter().flat_map(|other| named(&other.formed.key_or_null(), &prefix(other.position)));
    columns.collect()
}

fn prefix(position: usize) -> String {
    format!("other_{position}_")
}

/// Adds a step for each of the other items, which says whether it exists. The last one is
/// `evaluated`.
pub(super) fn add_others(query: &mut Query, rules: &Rules, rule: ReferenceId, now_ms: i64) {
    let others: Vec<_> =
        rules.alternatives(rule).filter(|(id, _)| *id != rule).map(|(_, other)| other).collect();
    let mut from = FORMED.to_owned();
    for (position, other) in others.iter().enumerate() {
        let relation = format!("referenced_{position}");
        add_targets(query, rules, other, &relation, now_ms);
        let table = rules.table_of(other.to);
        let key = key_columns(table, &from, &prefix(position));
        let found = key_columns(table, &relation, "");
        let is_there = found.partition.clone().is_present();
        let is_one = if rules[other.to].conditions.is_empty() {
            Expr::Bool(true)
        } else {
            Expr::column(format!("{relation}.is_one"))
        };
        let known = |name: &str, known: Expr| {
            if position == 0 { known } else { any([Expr::column(format!("{from}.{name}")), known]) }
        };
        let names =
            query.columns(&from).into_iter().filter(|name| name != IS_FOUND && name != IS_OTHER);
        let mut columns: Vec<_> = names
            .map(|name| {
                let column = Expr::column(format!("{from}.{name}"));
                (name, column)
            })
            .collect();
        let is_found = all([is_there.clone(), is_one.clone()]);
        columns.push((IS_FOUND.to_owned(), known(IS_FOUND, is_found)));
        columns.push((IS_OTHER.to_owned(), known(IS_OTHER, all([is_there, is_one.not()]))));
        let is_last = position + 1 == others.len();
        let name = if is_last { "evaluated".to_owned() } else { format!("satisfied_{position}") };
        let join = Some(Join::Left(relation, is_same(&key, &found)));
        query.add(&name, Select { columns, from, join, ..Select::default() });
        from = name;
    }
}
