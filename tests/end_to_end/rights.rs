//! Checks that the function uses all permissions that `referee iam` prints, and no others. The
//! proxy records every request for this check.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use referee::iam::{self, Deployment};
use referee::rules::{self, RuleSource};
use serde_json::{Value as Json, json};

use crate::mapping::{Mapping, Settings};
use crate::proxy::Recorded;
use crate::stage::{Environment, Stage};
use kit::policy::{Policy, Right, rights, written_keys};

/// The scenario's tables.
struct Tables {
    companies: String,
    users: String,
    posts: String,
}

/// Returns rules that cause every kind of write: a mirror whose deletion deletes its source, a
/// cascade, an unset reference, a reverted write, and a restored item.
fn all_actions(tables: &Tables) -> Json {
    let table = |name: &str| json!({ "name": name, "key": ["pk", "sk"] });
    json!({
        "version": 1,
        "tables": {
            "companies": table(&tables.companies),
            "users": table(&tables.users),
            "posts": table(&tables.posts),
        },
        "entities": {
            "company": {
                "table": "companies",
                "key": { "pk": "company#{company}", "sk": "company#" },
            },
            "member": {
                "table": "companies",
                "key": { "pk": "company#{company}", "sk": "user#{email}" },
            },
            "user": { "table": "users", "key": { "pk": "user#{email}", "sk": "user#" } },
            "member_of": {
                "table": "users",
                "key": { "pk": "user#{email}", "sk": "company#{company}" },
            },
            "post": {
                "table": "posts",
                "key": { "pk": "post#{post}", "sk": "post#" },
                "attributes": { "author": "S" },
            },
            "comment": {
                "table": "posts",
                "key": { "pk": "post#{post}", "sk": "comment#{comment}" },
                "attributes": { "author": "S" },
            },
        },
        "references": {
            "member_company": { "from": "member", "to": "company", "on_delete": "cascade" },
            "post_author": {
                "from": "post", "to": "user", "on": { "email": "{author}" },
                "on_missing": "unset", "find": "none", "grace": "0s",
            },
            "comment_author": {
                "from": "comment", "to": "user", "on": { "email": "{author}" },
                "on_missing": "revert", "find": "none", "grace": "0s",
            },
            "comment_post": {
                "from": "comment", "to": "post",
                "on_delete": "restore", "on_ttl_delete": "report", "grace": "0s",
            },
        },
        "mirrors": {
            "membership": {
                "source": "member", "mirror": "member_of", "on_mirror_delete": "delete_source",
            },
        },
    })
}

/// Returns the policy that `referee iam` prints for these rules.
fn policy(rules: &Json) -> Policy {
    let source = RuleSource { name: "rules".to_owned(), text: rules.to_string() };
    let loaded = rules::load(&source, &|_| None);
    let rules = loaded.rules.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
    let deployment = Deployment {
        partition: "aws".to_owned(),
        region: Some("us-east-1".to_owned()),
        account: Some("123456789012".to_owned()),
        function: "referee".to_owned(),
        namespace: None,
        failures_bucket: None,
        failures_account: None,
        table_keys: Vec::new(),
        recheck_queue: None,
        audits: false,
    };
    let policy = iam::policy(&rules, &deployment);
    Policy::parse(&serde_json::to_string(&policy).unwrap())
}

/// Drains all mappings several times, because a record of one table may cause writes to another
/// table.
async fn drain_all(mappings: &mut [Mapping]) {
    for _ in 0..3 {
        join_all(mappings.iter_mut().map(Mapping::drain)).await;
    }
}

pub(crate) async fn exact(environment: Environment) {
    let name = |table: &str| format!("e2e-{}-rights-{table}", std::process::id());
    let tables =
        Tables { companies: name("companies"), users: name("users"), posts: name("posts") };
    let rules = all_actions(&tables);
    let policy = policy(&rules);
    let stage = Stage::without_tables(environment, &rules).await;
    stage.proxy.record();
    let mut mappings = Vec::new();
    for table in [&tables.companies, &tables.users, &tables.posts] {
        stage.create(table).await;
        mappings.push(stage.mapping_of(table, Settings::default()).await);
    }
    let Tables { companies, users, posts } = &tables;
    stage.put_into(companies, &[("pk", "company#acme"), ("sk", "company#")]).await;
    for user in ["user#ada", "user#bob", "user#eve"] {
        stage.put_into(users, &[("pk", user), ("sk", "user#")]).await;
        stage.put_into(companies, &[("pk", "company#acme"), ("sk", user)]).await;
    }
    let written =
        |sk: &'static str, author: &'static str| [("pk", "post#1"), ("sk", sk), ("author", author)];
    stage.put_into(posts, &written("post#", "ghost")).await;
    stage.put_into(posts, &written("comment#1", "ada")).await;
    drain_all(&mut mappings).await;
    // Deletes one membership directly, and another by deleting its mirror. Changes one comment and
    // creates another, both with a reference to a missing author.
    stage.delete_from(companies, "company#acme", "user#ada").await;
    stage.delete_from(users, "user#bob", "company#acme").await;
    stage.put_into(posts, &written("comment#1", "ghost")).await;
    stage.put_into(posts, &written("comment#2", "ghost")).await;
    drain_all(&mut mappings).await;
    stage.delete_from(companies, "company#acme", "company#").await;
    stage.delete_from(posts, "post#1", "post#").await;
    drain_all(&mut mappings).await;
    assert_eq!(stage.rows_of(companies).await, []);
    let left: Vec<_> = stage.rows_of(posts).await.into_iter().map(|row| row.key.1).collect();
    assert_eq!(left, ["comment#1", "post#"]);

    let mut used: BTreeSet<Right> = BTreeSet::new();
    for Recorded { operation, body } in stage.proxy.recorded() {
        for right in rights(&operation, &body) {
            assert!(policy.covers(&right), "{right:?} is not allowed: {operation} {body}");
            used.insert(right);
        }
        for (right, key) in written_keys(&operation, &body, "pk") {
            assert!(policy.covers_key(&right, &key), "{right:?} is not allowed on {key}: {body}");
            let foreign = format!("foreign-{key}");
            assert!(!policy.covers_key(&right, &foreign), "{right:?} is allowed on {foreign}");
        }
    }
    // Only the permissions for items are checked: Lambda itself reads the streams, and metrics and
    // logs do not go through the proxy.
    let of_items = policy.pieces().into_iter().filter(|(sid, _)| sid.contains("Items"));
    let unused: Vec<_> = of_items.filter(|(_, right)| !used.contains(right)).collect();
    assert_eq!(unused, [], "{used:?}");
}
