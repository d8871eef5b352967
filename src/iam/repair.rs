//! What `referee audit --live`, `referee backfill` and `referee repair` need on the tables.

use std::collections::BTreeSet;

use super::Deployment;
use super::needs::{Builder, ItemAction, Needs, Resource};
use super::statements::{of_action, of_items, table_keys};
use super::{Policy, Statement};
use crate::preflight::{audited, tables_in_use};
use crate::rules::model::{Mirror, Mode, OnMissing, Reference, Rules};

/// The least-privilege policy of who audits the tables, and makes repairs and takes them back. The
/// modes of the rules do not matter, because a plan is a decision of its own, except that nothing is
/// repaired for a rule that is off.
#[must_use]
pub fn repair_policy(rules: &Rules, deployment: &Deployment) -> Policy {
    let mut statements: Vec<Statement> = describe(rules, deployment).into_iter().collect();
    statements.extend(of_items(&needs(rules), deployment));
    statements.extend(table_keys(deployment));
    Policy { statements }
}

/// The tables are described for the estimate of an audit, and to compare their keys.
fn describe(rules: &Rules, deployment: &Deployment) -> Option<Statement> {
    let tables = audited(rules).into_iter();
    let needs = tables.map(|table| {
        (ItemAction::DescribeTable, Resource { table: &rules[table].name, index: None })
    });
    let needs: BTreeSet<_> = needs.collect();
    of_action("DescribeTables", ItemAction::DescribeTable, &needs, deployment)
}

fn needs(rules: &Rules) -> Needs<'_> {
    let mut builder = Builder::new(rules);
    for table in tables_in_use(rules) {
        builder.add_to_table(ItemAction::BatchGetItem, table);
    }
    for table in audited(rules) {
        builder.add_to_table(ItemAction::Scan, table);
    }
    for reference in rules.references.iter().filter(|rule| rule.mode != Mode::Off) {
        add_reference(&mut builder, reference);
    }
    for mirror in rules.mirrors.iter().filter(|rule| rule.mode != Mode::Off) {
        add_mirror(&mut builder, mirror);
    }
    builder.needs
}

fn add_reference(builder: &mut Builder<'_>, reference: &Reference) {
    let Reference { from, to, .. } = *reference;
    match reference.on_missing {
        // An audit does not know the write that `revert` would take back.
        OnMissing::Report | OnMissing::Revert => {}
        OnMissing::Delete => {
            builder.add(ItemAction::ConditionCheckItem, to);
            builder.add(ItemAction::DeleteItem, from);
            // Undo writes the item again.
            builder.add(ItemAction::PutItem, from);
        }
        OnMissing::Unset | OnMissing::SetDefault => {
            builder.add(ItemAction::ConditionCheckItem, to);
            builder.add(ItemAction::UpdateItem, from);
        }
    }
}

/// Mirrors are put, marked and deleted. Undo updates those that were overwritten.
fn add_mirror(builder: &mut Builder<'_>, mirror: &Mirror) {
    builder.add(ItemAction::PutItem, mirror.mirror);
    builder.add(ItemAction::DeleteItem, mirror.mirror);
    builder.add(ItemAction::UpdateItem, mirror.mirror);
}
