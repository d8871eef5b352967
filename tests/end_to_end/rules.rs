//! The rules that the scenarios use.

use serde_json::{Value as Json, json};

/// Companies, users and memberships in one table. Memberships are mirrored, so that they can be
/// found in both directions.
pub(crate) fn company(table: &str) -> Json {
    json!({
        "version": 1,
        "tables": { "app": { "name": table, "key": ["pk", "sk"] } },
        "entities": {
            "company": { "table": "app", "key": { "pk": "company#{company}", "sk": "company#" } },
            "user": { "table": "app", "key": { "pk": "user#{email}", "sk": "user#" } },
            "member": {
                "table": "app",
                "key": { "pk": "company#{company}", "sk": "user#{email}" },
                "attributes": { "role": "S" },
            },
            "member_of": { "table": "app", "key": { "pk": "user#{email}", "sk": "company#{company}" } },
        },
        "references": {
            "member_company": { "from": "member", "to": "company" },
            "member_user": { "from": "member", "to": "user", "find": { "mirror": "membership" } },
        },
        "mirrors": {
            "membership": { "source": "member", "mirror": "member_of", "copy": ["role"] },
        },
    })
}

/// Like [`company`], but a membership is deleted with its company or user, and a task with its
/// owner.
pub(crate) fn cascading(table: &str) -> Json {
    let mut rules = company(table);
    rules["entities"]["task"] = json!({
        "table": "app",
        "key": { "pk": "task#{task}", "sk": "task#" },
        "attributes": { "owner": "S" },
    });
    for reference in ["member_company", "member_user"] {
        rules["references"][reference]["on_missing"] = "delete".into();
        rules["references"][reference]["on_delete"] = "cascade".into();
    }
    rules["references"]["task_owner"] = json!({
        "from": "task", "to": "user", "on": { "email": "{owner}" },
        "find": { "index": "by_owner", "key": { "owner": "{email}" } },
        "on_missing": "delete", "on_delete": "cascade",
    });
    rules
}

/// The tasks of a team, which refer to people by strings, a string set and a list.
pub(crate) fn team(table: &str) -> Json {
    let to_person = |source: &str, action: &str| {
        json!({
            "from": "task", "to": "person", "on": { "person": source },
            "on_missing": action, "on_delete": action,
        })
    };
    let mut rules = json!({
        "version": 1,
        "tables": { "app": { "name": table, "key": ["pk", "sk"] } },
        "entities": {
            "person": { "table": "app", "key": { "pk": "team#{team}", "sk": "person#{person}" } },
            "task": {
                "table": "app",
                "key": { "pk": "team#{team}", "sk": "task#{task}" },
                "attributes": { "owner": "S", "tester": "S", "watchers": "SS", "steps": "L" },
            },
        },
        "references": {
            "task_owner": to_person("{owner}", "unset"),
            "task_tester": to_person("{tester}", "set_default"),
            "task_watchers": to_person("{watchers[*]}", "unset"),
            "task_steps": to_person("{steps[*]}", "unset"),
        },
    });
    rules["references"]["task_tester"]["default"] = "lead".into();
    rules
}

/// Plans are restored while a subscription refers to them. Profiles refer to a plan, comments to a
/// post, and categories to a parent category.
pub(crate) fn various(table: &str) -> Json {
    json!({
        "version": 1,
        "tables": { "app": { "name": table, "key": ["pk", "sk"] } },
        "entities": {
            "plan": { "table": "app", "key": { "pk": "plan#{plan}", "sk": "plan#" } },
            "subscription": { "table": "app", "key": { "pk": "plan#{plan}", "sk": "user#{user}" } },
            "post": { "table": "app", "key": { "pk": "post#{post}", "sk": "post#" } },
            "comment": { "table": "app", "key": { "pk": "post#{post}", "sk": "comment#{n}" } },
            "profile": {
                "table": "app",
                "key": { "pk": "user#{user}", "sk": "profile#" },
                "attributes": { "plan": "S" },
            },
            "category": {
                "table": "app",
                "key": { "pk": "category#{category}", "sk": "category#" },
                "attributes": { "parent": "S" },
            },
        },
        "references": {
            "subscription_plan": {
                "from": "subscription", "to": "plan",
                "on_delete": "restore", "on_ttl_delete": "report",
            },
            "comment_post": { "from": "comment", "to": "post", "on_missing": "delete" },
            "profile_plan": {
                "from": "profile", "to": "plan", "on": { "plan": "{plan}" }, "find": "none",
                "on_missing": "revert",
            },
            "category_parent": {
                "from": "category", "to": "category", "on": { "category": "{parent}" },
                "find": { "index": "by_parent", "key": { "parent": "{category}" } },
                "on_missing": "delete", "on_delete": "cascade", "max_depth": 3,
            },
        },
    })
}

/// Members are deleted with their company, and a deleted sponsor is removed from them. Plans are
/// restored while a subscription refers to them. Nodes are deleted with their parent.
pub(crate) fn tangled(table: &str) -> Json {
    json!({
        "version": 1,
        "tables": { "app": { "name": table, "key": ["pk", "sk"] } },
        "entities": {
            "user": { "table": "app", "key": { "pk": "user#{user}", "sk": "user#" } },
            "company": { "table": "app", "key": { "pk": "company#{company}", "sk": "company#" } },
            "plan": { "table": "app", "key": { "pk": "plan#{plan}", "sk": "plan#" } },
            "member": {
                "table": "app",
                "key": { "pk": "company#{company}", "sk": "member#{member}" },
                "attributes": { "sponsor": "S" },
            },
            "subscription": { "table": "app", "key": { "pk": "plan#{plan}", "sk": "of#{n}" } },
            "node": {
                "table": "app",
                "key": { "pk": "node#{node}", "sk": "node#" },
                "attributes": { "parent": "S" },
            },
        },
        "references": {
            "member_company": {
                "from": "member", "to": "company", "on_missing": "delete", "on_delete": "cascade",
            },
            "member_sponsor": {
                "from": "member", "to": "user", "on": { "user": "{sponsor}" },
                "find": { "index": "by_sponsor", "key": { "sponsor": "{user}" } },
                "on_missing": "unset", "on_delete": "unset",
            },
            "subscription_plan": {
                "from": "subscription", "to": "plan",
                "on_delete": "restore", "on_ttl_delete": "report",
            },
            "node_parent": {
                "from": "node", "to": "node", "on": { "node": "{parent}" },
                "find": { "index": "by_parent", "key": { "parent": "{node}" } },
                "on_missing": "delete", "on_delete": "cascade",
            },
        },
    })
}

/// Like [`company`], but deleting a mirror also deletes its membership.
pub(crate) fn deleting_sources(table: &str) -> Json {
    let mut rules = company(table);
    rules["mirrors"]["membership"]["on_mirror_delete"] = "delete_source".into();
    rules
}
