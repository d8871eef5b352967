//! Every policy allows exactly what the tables in this file list for the actions of its rules.

use std::collections::BTreeSet;

use referee::iam;
use referee::rules::{self, RuleSource, Rules};

use crate::iam::{deployment, load, members, orders};
use kit::policy::{Policy, Right, right};

/// The permissions that each action needs in addition to reading.
const ON_MISSING: [(&str, &[(&str, &str)]); 5] = [
    ("report", &[]),
    ("delete", &[("DeleteItem", "orders"), ("ConditionCheckItem", "customers")]),
    ("unset", &[("UpdateItem", "orders"), ("ConditionCheckItem", "customers")]),
    ("set_default", &[("UpdateItem", "orders"), ("ConditionCheckItem", "customers")]),
    (
        "revert",
        &[("UpdateItem", "orders"), ("DeleteItem", "orders"), ("ConditionCheckItem", "customers")],
    ),
];
const ON_DELETE: [(&str, &[(&str, &str)]); 6] = [
    ("report", &[]),
    ("ignore", &[]),
    ("cascade", &[("DeleteItem", "orders"), ("ConditionCheckItem", "customers")]),
    ("unset", &[("UpdateItem", "orders"), ("ConditionCheckItem", "customers")]),
    ("set_default", &[("UpdateItem", "orders"), ("ConditionCheckItem", "customers")]),
    ("restore", &[("PutItem", "customers"), ("ConditionCheckItem", "orders")]),
];

/// The policy for these rules.
fn given(rules: &Rules) -> Policy {
    let policy = iam::policy(rules, &deployment());
    Policy::parse(&serde_json::to_string(&policy).unwrap())
}

fn is_exact(rules: &Rules, needed: &BTreeSet<Right>) {
    let policy = given(rules);
    for right in needed {
        assert!(policy.covers(right), "{right:?} is not allowed");
    }
    let of_items = |(sid, _): &(String, Right)| sid.contains("Items");
    let pieces: Vec<_> = policy.pieces().into_iter().filter(of_items).collect();
    for (sid, piece) in &pieces {
        assert!(needed.contains(piece), "{piece:?} of `{sid}` is not needed");
        assert_eq!(policy.allowing(piece), [sid], "{piece:?} is allowed twice");
    }
    assert_eq!(pieces.len(), needed.len());
}

#[test]
fn every_action_gets_exactly_its_permissions() {
    let mut count = 0;
    for (on_missing, on_missing_needs) in ON_MISSING {
        for (on_delete, on_delete_needs) in ON_DELETE {
            for (on_ttl_delete, on_ttl_delete_needs) in ON_DELETE {
                let actions = [on_missing, on_delete, on_ttl_delete];
                let default = if actions.contains(&"set_default") { "default: nobody" } else { "" };
                let text = orders(&format!(
                    "on_missing: {on_missing}\n    on_delete: {on_delete}\n    \
                     on_ttl_delete: {on_ttl_delete}\n    {default}"
                ));
                let source = RuleSource { name: String::new(), text };
                // Conflicting actions are invalid.
                let Some(rules) = rules::load(&source, &|_| None).rules else { continue };
                let writes = [on_missing_needs, on_delete_needs, on_ttl_delete_needs];
                let mut needed: BTreeSet<Right> = writes
                    .into_iter()
                    .flatten()
                    .chain(&[("BatchGetItem", "orders"), ("BatchGetItem", "customers")])
                    .map(|(action, table)| right(action, table))
                    .collect();
                if (on_delete, on_ttl_delete) != ("ignore", "ignore") {
                    needed.insert(right("Query", "orders/index/by_customer"));
                }
                is_exact(&rules, &needed);
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn every_mirror_gets_exactly_its_permissions() {
    let reads = [("BatchGetItem", "app"), ("BatchGetItem", "by_user")];
    let writes = [("PutItem", "by_user"), ("DeleteItem", "by_user")];
    let deletes_source =
        [("UpdateItem", "by_user"), ("ConditionCheckItem", "by_user"), ("DeleteItem", "app")];
    for (mirror, needed) in [
        ("", [&reads[..], &writes].concat()),
        (", on_mirror_delete: report, on_mirror_edit: report", [&reads[..], &writes].concat()),
        (", on_mirror_delete: delete_source", [&reads[..], &writes, &deletes_source].concat()),
        (", on_mirror_delete: delete_source, mode: observe", reads.to_vec()),
        (", mode: off", Vec::new()),
    ] {
        let needed = needed.into_iter().map(|(action, table)| right(action, table)).collect();
        is_exact(&load(&members(mirror)), &needed);
    }
}
