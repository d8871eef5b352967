//! Tests how the function handles faults between itself and its tables.

use expect_test::expect;

use crate::audit::divergences;
use crate::mapping::Mapping;
use crate::proxy::{ALL, Fault, WRITES, When};
use crate::rules;
use crate::stage::{Environment, Stage};
use kit::runtime_api::Invoked;

/// The number of consecutive requests that fail. The store makes more attempts than this.
const STREAK: u64 = 2;

/// The number of rounds within which an invocation must fail.
const ROUNDS_MAX: usize = 100;

/// Makes changes that cause every kind of write.
async fn change(stage: &Stage, company: &str) {
    stage.put(&[("pk", company), ("sk", "company#")]).await;
    for user in ["user#0", "user#1", "user#2"] {
        stage.put(&[("pk", company), ("sk", user), ("role", "staff")]).await;
    }
    stage.set(company, "user#0", "role", "boss").await;
    stage.delete(company, "user#1").await;
}

pub(crate) async fn killed(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    stage.populate(1, 3).await;
    let mut mapping = stage.mapping().await;
    mapping.drain().await;
    // Kills the process before or after the n-th write, for every n.
    let mut deaths = 0;
    for is_before in [true, false] {
        for n in 0.. {
            let company = format!("company#{is_before}{n}");
            change(&stage, &company).await;
            let switch = stage.lambda.kill.clone();
            let fault =
                if is_before { Fault::KilledBefore(switch) } else { Fault::KilledAfter(switch) };
            stage.proxy.inject(WRITES, When::After(n), fault);
            let faults = stage.proxy.faults();
            mapping.drain().await;
            stage.proxy.stop_faults();
            assert_eq!(divergences(&stage).await, Vec::<String>::new());
            if stage.proxy.faults() == faults {
                assert!(n >= 3, "there are at least three writes");
                break;
            }
            deaths += 1;
            assert!(matches!(mapping.last_failure, Some(Invoked::Crashed(_))));
        }
    }
    assert_eq!(stage.lambda.inits(), deaths + 1);
    assert_eq!(stage.logged("violation").len(), 0);
}

pub(crate) async fn every_fault(environment: Environment) {
    let stage = Stage::new(environment, rules::deleting_sources).await;
    stage.populate(1, 3).await;
    let mut mapping = stage.mapping().await;
    mapping.drain().await;
    let faults = [
        Fault::Throttled,
        Fault::Conflict,
        Fault::Status(500),
        Fault::Status(503),
        Fault::CutOff,
        Fault::Dropped,
        Fault::Late(300),
        Fault::Slow(50),
        Fault::Unprocessed,
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let (company, context) = (format!("company#{number}-fault"), format!("{fault:?}"));
        let operations = if matches!(fault, Fault::Conflict) { WRITES } else { ALL };
        // Injects a few consecutive failures, which the store itself retries, and many random
        // failures.
        stage.proxy.inject(operations, When::Next(STREAK), fault.clone());
        stage.proxy.inject(operations, When::Chance(0.3), fault);
        let faults = stage.proxy.faults();
        change(&stage, &company).await;
        mapping.drain().await;
        stage.delete("user#2", &company).await;
        stage.set("user#0", &company, "role", "spy").await;
        mapping.drain().await;
        stage.proxy.stop_faults();
        assert!(stage.proxy.faults() >= faults + STREAK, "{context}");
        drain_with_late_writes(&stage, &mut mapping).await;
        let rows = stage.rows().await;
        assert_eq!(divergences(&stage).await, Vec::<String>::new(), "{context}");
        let members: Vec<_> = rows.iter().filter(|row| row.key.0 == company).collect();
        assert_eq!(members.len(), 2, "{context}: {members:#?}");
    }
    assert_eq!(mapping.counts.discarded, 0);
    assert_eq!(stage.logged("record rejected").len(), 0);
}

/// Drains the mapping, waits until all late writes have been executed, and drains it again.
pub(crate) async fn drain_with_late_writes(stage: &Stage, mapping: &mut Mapping) {
    mapping.drain().await;
    stage.proxy.wait_for_late_requests().await;
    mapping.drain().await;
}

pub(crate) async fn landed_late(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    stage.populate(1, 1).await;
    let mut mapping = stage.mapping().await;
    mapping.drain().await;
    // The proxy holds the first write of the mirror. The function retries the write at once, and
    // later deletes the mirror with its source. Only then does the held write arrive.
    stage.proxy.inject(&["PutItem"], When::Next(1), Fault::Held);
    stage.put(&[("pk", "company#0"), ("sk", "user#9"), ("role", "guest")]).await;
    mapping.drain().await;
    stage.delete("company#0", "user#9").await;
    mapping.drain().await;
    let before = mapping.counts.records;
    assert_eq!(stage.proxy.release().await, 1);
    mapping.drain().await;
    assert_eq!(divergences(&stage).await, Vec::<String>::new());
    // The mirror was created and deleted again: two records.
    assert_eq!(mapping.counts.records, before + 2);
}

pub(crate) async fn conflict(environment: Environment) {
    let stage = Stage::new(environment, rules::deleting_sources).await;
    stage.populate(1, 3).await;
    let mut mapping = stage.mapping().await;
    mapping.drain().await;
    let before = stage.proxy.requests();
    stage.proxy.inject(&["TransactWriteItems"], When::Next(STREAK), Fault::Conflict);
    stage.delete("user#1", "company#0").await;
    mapping.drain().await;
    let requests = stage.proxy.requests();
    assert_eq!(before.get("TransactWriteItems"), None);
    assert_eq!(requests.get("TransactWriteItems"), Some(&(STREAK + 1)));
    expect![[r#"
        company#0 / company#
        company#0 / user#0 role=staff
        company#0 / user#2 role=staff
        * user#0 / company#0 role=staff
        user#0 / user#
        user#1 / user#
        * user#2 / company#0 role=staff
        user#2 / user#
    "#]]
    .assert_eq(&stage.dump().await);
}

pub(crate) async fn outage(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    stage.populate(1, 3).await;
    let mut mapping = stage.mapping().await;
    mapping.drain().await;
    // A short timeout, because some faults leave requests without an answer.
    stage.lambda.set_timeout_ms(2_000);
    for (number, fault) in
        [Fault::ExpiredToken, Fault::AccessDenied, Fault::Dropped].into_iter().enumerate()
    {
        let company = format!("company#{number}-outage");
        change(&stage, &company).await;
        stage.proxy.inject(ALL, When::Always, fault);
        fail(&mut mapping, 2).await;
        // A process that starts during the outage fails too.
        stage.lambda.recycle();
        fail(&mut mapping, 2).await;
        stage.proxy.stop_faults();
        mapping.drain().await;
        assert_eq!(divergences(&stage).await, Vec::<String>::new());
    }
    // Makes the endpoint unreachable.
    change(&stage, "company#gone").await;
    stage.lambda.set_env("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9");
    fail(&mut mapping, 2).await;
    stage.lambda.set_env("AWS_ENDPOINT_URL_DYNAMODB", &stage.proxy.url);
    mapping.drain().await;
    assert_eq!(divergences(&stage).await, Vec::<String>::new());
    assert_eq!(mapping.counts.discarded, 0);
    let mut context: Vec<String> = stage
        .errors()
        .into_iter()
        .filter(|line| line.contains("help:"))
        .map(|line| line.replace(&stage.table(), "app"))
        .collect();
    context.sort_unstable();
    context.dedup();
    expect![[r#"
        `BatchGetItem` on `app`: AccessDeniedException: User: referee is not authorized to perform this operation
        help: the role's policy must allow this operation on this table
        `BatchGetItem` on `app`: ExpiredTokenException: The security token included in the request is expired
        help: provide credentials in the environment or a profile, renew expired credentials, and check the clock
        `PutItem` on `app`: AccessDeniedException: User: referee is not authorized to perform this operation
        help: the role's policy must allow this operation on this table
        `PutItem` on `app`: ExpiredTokenException: The security token included in the request is expired
        help: provide credentials in the environment or a profile, renew expired credentials, and check the clock"#]]
    .assert_eq(&context.join("\n"));
}

/// Runs the mapping until this many more invocations have failed.
async fn fail(mapping: &mut Mapping, failures: usize) {
    let failures = mapping.counts.failures + failures;
    for _ in 0..ROUNDS_MAX {
        if mapping.counts.failures >= failures {
            return;
        }
        mapping.round().await;
    }
    panic!("the function does not fail, so its records are lost");
}
