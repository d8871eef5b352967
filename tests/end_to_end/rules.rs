//! The rules of the scenarios.

use serde_json::{Value as Json, json};

/// Companies and users in one table, and their memberships in both directions.
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

/// The same, where whoever deletes the mirror deletes the membership.
pub(crate) fn leaving(table: &str) -> Json {
    let mut rules = company(table);
    rules["mirrors"]["membership"]["on_mirror_delete"] = "delete_source".into();
    rules
}
