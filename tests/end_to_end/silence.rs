//! Checks that the log contains neither the content of items nor the function's credentials.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::mapping::Mapping;
use crate::proxy::{ALL, Fault, WRITES, When};
use crate::rules;
use crate::stage::{Environment, Stage};
use kit::runtime_api::Invoked;

/// The value of attributes that are not part of a key. It must not appear in the log.
const CONTENT: &str = "canary-content";
/// The secret key and the session token, which must not appear in the log either.
const SECRETS: [&str; 2] = ["canary-secret-key", "canary-session-token"];

/// The number of rounds within which an invocation must fail.
const ROUNDS_MAX: usize = 20;

/// Provokes every kind of log line at the most detailed level, and checks that no line contains
/// content or a secret, except for the payload of a rejected record.
pub(crate) async fn kept(environment: Environment) {
    let stage = Stage::new(environment, rules::cascading).await;
    for (name, value) in [
        ("AWS_SECRET_ACCESS_KEY", SECRETS[0]),
        ("AWS_SESSION_TOKEN", SECRETS[1]),
        ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
        ("RUST_LOG", "trace"),
        // The endpoint is not CloudWatch, so publishing metrics fails.
        ("REFEREE_METRICS", "cloudwatch"),
        ("AWS_ENDPOINT_URL_CLOUDWATCH", &stage.proxy.url.clone()),
    ] {
        stage.lambda.set_env(name, value);
    }
    let mut mapping = stage.mapping().await;
    violate(&stage, &mut mapping, "done").await;
    stage.lambda.set_env("REFEREE_MODE", "observe");
    violate(&stage, &mut mapping, "observed").await;
    stage.lambda.set_env("REFEREE_MODE", "enforce");
    reject(&stage).await;
    fail(&stage, &mut mapping).await;

    let lines = stage.lambda.log.lines();
    let messages: BTreeSet<String> = lines.iter().map(|line| message(line)).collect();
    for expected in [
        "batch processed",
        "metrics not published",
        "record rejected",
        "records handed back",
        "violation",
        "would write",
    ] {
        assert!(messages.contains(expected), "no line has the message `{expected}`: {messages:?}");
    }
    assert!(
        messages.iter().any(|message| message.contains("AccessDeniedException")),
        "{messages:?}"
    );
    assert!(
        messages.iter().any(|message| message.contains("ExpiredTokenException")),
        "{messages:?}"
    );
    for line in &lines {
        let shown = without_payload(line);
        let leaked = SECRETS.iter().chain([&CONTENT]).find(|canary| shown.contains(**canary));
        assert_eq!(leaked, None, "{line}");
    }
    // A rejected record's payload, and all violations with `REFEREE_LOG_ITEMS`, do contain the
    // content. This shows that the checks above could have failed.
    assert!(lines.iter().any(|line| line.contains(CONTENT)));
    let before = lines.len();
    stage.lambda.set_env("REFEREE_LOG_ITEMS", "true");
    violate(&stage, &mut mapping, "shown").await;
    let shown = stage.lambda.log.lines().split_off(before);
    let violations = shown.iter().filter(|line| message(line) == "violation");
    assert!(violations.clone().any(|line| line.contains(CONTENT)));
    let secrets = |line: &String| SECRETS.iter().any(|secret| line.contains(secret));
    assert!(!shown.iter().any(secrets));
}

/// Breaks rules of every kind, with items that contain the canary.
async fn violate(stage: &Stage, mapping: &mut Mapping, name: &str) {
    let (company, user) = (&*format!("company#{name}"), &*format!("user#{name}"));
    let member = [("pk", company), ("sk", user), ("role", CONTENT), ("note", CONTENT)];
    stage.put(&[("pk", company), ("sk", "company#"), ("note", CONTENT)]).await;
    stage.put(&[("pk", user), ("sk", "user#"), ("note", CONTENT)]).await;
    // Creates a membership whose mirror's key is taken, and a membership whose mirror is then
    // edited.
    let taken = format!("user#{name}-taken");
    stage.put(&[("pk", &taken), ("sk", company), ("note", CONTENT)]).await;
    stage.put(&[("pk", company), ("sk", &taken), ("role", CONTENT)]).await;
    stage.put(&member).await;
    mapping.drain().await;
    stage.put(&[("pk", user), ("sk", company), ("role", "forged"), ("note", CONTENT)]).await;
    mapping.drain().await;
    // Creates a task with a missing owner and a task whose owner cannot be part of a key, and
    // causes cascades from a company and from a user.
    let task = |n: &str| format!("task#{name}-{n}");
    stage.put(&[("pk", &task("1")), ("sk", "task#"), ("owner", "none"), ("note", CONTENT)]).await;
    stage.put(&[("pk", &task("2")), ("sk", "task#"), ("owner", "a#b"), ("note", CONTENT)]).await;
    stage.put(&[("pk", &task("3")), ("sk", "task#"), ("owner", name), ("note", CONTENT)]).await;
    mapping.drain().await;
    stage.delete(user, "user#").await;
    stage.delete(company, "company#").await;
    mapping.drain().await;
}

/// Delivers malformed records.
async fn reject(stage: &Stage) {
    let arn = format!("arn:aws:dynamodb:us-east-1:000000000000:table/{}/stream/x", stage.table());
    let records: Vec<Json> = [json!({ "X": CONTENT }), json!(CONTENT)]
        .into_iter()
        .map(|role| {
            let key = json!({ "pk": { "S": "company#x" }, "sk": { "S": "user#x" } });
            let mut image = key.clone();
            image["role"] = role;
            json!({
                "eventName": "INSERT",
                "eventSourceARN": arn,
                "dynamodb": { "Keys": key, "NewImage": image, "SequenceNumber": "1" },
            })
        })
        .collect();
    let answer = stage.lambda.invoke(json!({ "Records": records }).to_string()).await;
    assert!(matches!(answer, Invoked::Answer(_)), "{answer:?}");
}

/// Provokes every kind of failure, with items that contain the canary.
async fn fail(stage: &Stage, mapping: &mut Mapping) {
    stage.lambda.set_timeout_ms(1_000);
    let faults = [
        (ALL, Fault::AccessDenied),
        (ALL, Fault::ExpiredToken),
        (WRITES, Fault::Throttled),
        (WRITES, Fault::Conflict),
        (ALL, Fault::Status(500)),
        (ALL, Fault::CutOff),
        (ALL, Fault::Dropped),
        (WRITES, Fault::Slow(1_500)),
    ];
    for (number, (operations, fault)) in faults.into_iter().enumerate() {
        let user = format!("user#{number}-fault");
        stage.put(&[("pk", &user), ("sk", "user#"), ("note", CONTENT)]).await;
        stage.put(&[("pk", "company#fault"), ("sk", &user), ("role", CONTENT)]).await;
        stage.delete(&user, "user#").await;
        let context = format!("{fault:?}");
        stage.proxy.inject(operations, When::Always, fault);
        let failures = mapping.counts.failures;
        for _ in 0..ROUNDS_MAX {
            mapping.round().await;
            if mapping.counts.failures > failures {
                break;
            }
        }
        assert!(mapping.counts.failures > failures, "{context}");
        stage.proxy.stop_faults();
        mapping.drain().await;
    }
}

fn message(line: &str) -> String {
    let line: Json = serde_json::from_str(line).unwrap_or_default();
    line["message"].as_str().unwrap_or_default().to_owned()
}

/// Returns a line without the payload and the error of a rejected record.
fn without_payload(line: &str) -> String {
    let Ok(mut json) = serde_json::from_str::<Json>(line) else { return line.to_owned() };
    if json["message"] == "record rejected"
        && let Some(fields) = json.as_object_mut()
    {
        fields.remove("payload");
        fields.remove("error");
    }
    json.to_string()
}
