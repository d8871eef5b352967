//! Tests that Referee mirrors an application's writes.

use expect_test::expect;

use crate::proxy::Recorded;
use crate::rules;
use crate::stage::{Environment, Stage};

pub(crate) async fn mirrored(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    stage.proxy.record();
    let mut mapping = stage.mapping().await;
    stage.put(&[("pk", "company#acme"), ("sk", "company#")]).await;
    for user in ["user#ada", "user#bob", "user#eve"] {
        stage.put(&[("pk", user), ("sk", "user#")]).await;
        stage.put(&[("pk", "company#acme"), ("sk", user), ("role", "staff")]).await;
    }
    mapping.drain().await;
    stage.set("company#acme", "user#ada", "role", "boss").await;
    stage.delete("company#acme", "user#bob").await;
    mapping.drain().await;
    expect![[r#"
        company#acme / company#
        company#acme / user#ada role=boss
        company#acme / user#eve role=staff
        * user#ada / company#acme role=boss
        user#ada / user#
        user#bob / user#
        * user#eve / company#acme role=staff
        user#eve / user#
    "#]]
    .assert_eq(&stage.dump().await);
    assert!(stage.logged("violation").is_empty());
    assert_eq!(mapping.counts.failures, 0);

    // Referee made four puts and one delete. It used no transaction, because a transaction could
    // make the application's own writes fail, and it made no eventually consistent read.
    let requests = stage.proxy.requests();
    let operations: Vec<&str> = requests.keys().map(String::as_str).collect();
    assert_eq!(operations, ["BatchGetItem", "DeleteItem", "PutItem"]);
    assert_eq!((requests["PutItem"], requests["DeleteItem"]), (4, 1));
    let table = stage.table();
    for Recorded { operation, body } in stage.proxy.recorded() {
        let is_consistent = body["RequestItems"][&table]["ConsistentRead"] == true;
        assert!(operation != "BatchGetItem" || is_consistent, "{body}");
    }
}

pub(crate) async fn tampered(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    let mut mapping = stage.mapping().await;
    stage.put(&[("pk", "company#acme"), ("sk", "company#")]).await;
    for user in ["user#ada", "user#bob", "user#eve"] {
        stage.put(&[("pk", user), ("sk", "user#")]).await;
        stage.put(&[("pk", "company#acme"), ("sk", user), ("role", "staff")]).await;
    }
    mapping.drain().await;
    let before = stage.rows().await;
    stage.set("user#ada", "company#acme", "role", "boss").await;
    stage.delete("user#bob", "company#acme").await;
    stage.set("user#eve", "company#acme", "note", "mine").await;
    // The application puts its own item at a mirror's key for which no membership exists.
    stage.put(&[("pk", "user#ada"), ("sk", "company#other"), ("role", "spy")]).await;
    mapping.drain().await;
    let after: Vec<_> = stage.rows().await;
    assert!(before.iter().all(|row| after.contains(row)));
    assert_eq!(after.len(), before.len() + 1);
    expect![[r#"
        membership mirror_extra: user#ada / company#other -> company#other / user#ada: reported
        membership mirror_missing: user#bob / company#acme -> company#acme / user#bob: repaired
        membership mirror_stale: user#ada / company#acme -> company#acme / user#ada: repaired
        membership mirror_stale: user#eve / company#acme -> company#acme / user#eve: repaired
    "#]]
    .assert_eq(&stage.violations());
}

pub(crate) async fn mirror_deleted(environment: Environment) {
    let stage = Stage::new(environment, rules::deleting_sources).await;
    let mut mapping = stage.mapping().await;
    stage.put(&[("pk", "company#acme"), ("sk", "company#")]).await;
    for user in ["user#ada", "user#bob"] {
        stage.put(&[("pk", user), ("sk", "user#")]).await;
        stage.put(&[("pk", "company#acme"), ("sk", user), ("role", "staff")]).await;
    }
    mapping.drain().await;
    // One membership is deleted by deleting its mirror. The other is deleted and immediately
    // created again.
    stage.delete("user#ada", "company#acme").await;
    stage.delete("company#acme", "user#bob").await;
    stage.put(&[("pk", "company#acme"), ("sk", "user#bob"), ("role", "boss")]).await;
    mapping.drain().await;
    expect![[r#"
        company#acme / company#
        company#acme / user#bob role=boss
        user#ada / user#
        * user#bob / company#acme role=boss
        user#bob / user#
    "#]]
    .assert_eq(&stage.dump().await);
    expect![[r#"
        membership mirror_missing: user#ada / company#acme -> company#acme / user#ada: repaired
    "#]]
    .assert_eq(&stage.violations());
    assert_eq!(stage.proxy.requests().get("TransactWriteItems"), Some(&1));
}
