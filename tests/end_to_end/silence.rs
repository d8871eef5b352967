//! What the log does not say: the content of items, and the function's credentials.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::mapping::Mapping;
use crate::proxy::{ALL, Fault, WRITES, When};
use crate::rules;
use crate::runtime_api::Invoked;
use crate::stage::{Place, Stage};

/// What stands in attributes that are no part of a key.
const CONTENT: &str = "canary-content";
/// The secret key and the session token.
const SECRETS: [&str; 2] = ["canary-secret-key", "canary-session-token"];

/// How many rounds of a mapping it may take until an invocation fails that must.
const ROUNDS_MAX: usize = 20;

/// Every line that the function can log is provoked, with all that it may be told to log: no line
/// has the content or a secret in it, but for the payload of what is rejected.
pub(crate) async fn kept(place: Place) {
    let stage = Stage::new(place, rules::cascading).await;
    for (name, value) in [
        ("AWS_SECRET_ACCESS_KEY", SECRETS[0]),
        ("AWS_SESSION_TOKEN", SECRETS[1]),
        ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
        ("RUST_LOG", "trace"),
        // What answers there is not CloudWatch.
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
    let told: BTreeSet<String> = lines.iter().map(|line| message(line)).collect();
    for expected in [
        "batch processed",
        "metrics not published",
        "record rejected",
        "records handed back",
        "violation",
        "would write",
    ] {
        assert!(told.contains(expected), "no line says `{expected}`: {told:?}");
    }
    assert!(told.iter().any(|message| message.contains("AccessDeniedException")), "{told:?}");
    assert!(told.iter().any(|message| message.contains("ExpiredTokenException")), "{told:?}");
    for line in &lines {
        let shown = without_payload(line);
        let leaked = SECRETS.iter().chain([&CONTENT]).find(|canary| shown.contains(**canary));
        assert_eq!(leaked, None, "{line}");
    }
    // The one exception, and what it takes to see more: the content was there to be seen.
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

/// Breaks rules of every kind, with items that have content.
async fn violate(stage: &Stage, mapping: &mut Mapping, name: &str) {
    let (company, user) = (&*format!("company#{name}"), &*format!("user#{name}"));
    let member = [("pk", company), ("sk", user), ("role", CONTENT), ("note", CONTENT)];
    stage.put(&[("pk", company), ("sk", "company#"), ("note", CONTENT)]).await;
    stage.put(&[("pk", user), ("sk", "user#"), ("note", CONTENT)]).await;
    // A mirror whose place is taken, and one that is tampered with.
    let taken = format!("user#{name}-taken");
    stage.put(&[("pk", &taken), ("sk", company), ("note", CONTENT)]).await;
    stage.put(&[("pk", company), ("sk", &taken), ("role", CONTENT)]).await;
    stage.put(&member).await;
    mapping.drain().await;
    stage.put(&[("pk", user), ("sk", company), ("role", "forged"), ("note", CONTENT)]).await;
    mapping.drain().await;
    // A task of nobody, and one whose owner can be no key; a cascade from either side.
    let task = |n: &str| format!("task#{name}-{n}");
    stage.put(&[("pk", &task("1")), ("sk", "task#"), ("owner", "none"), ("note", CONTENT)]).await;
    stage.put(&[("pk", &task("2")), ("sk", "task#"), ("owner", "a#b"), ("note", CONTENT)]).await;
    stage.put(&[("pk", &task("3")), ("sk", "task#"), ("owner", name), ("note", CONTENT)]).await;
    mapping.drain().await;
    stage.delete(user, "user#").await;
    stage.delete(company, "company#").await;
    mapping.drain().await;
}

/// Delivers records that cannot be understood.
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

/// Lets everything fail that can, over items that have content.
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
        let told = format!("{fault:?}");
        stage.proxy.inject(operations, When::Always, fault);
        let failures = mapping.counts.failures;
        for _ in 0..ROUNDS_MAX {
            mapping.round().await;
            if mapping.counts.failures > failures {
                break;
            }
        }
        assert!(mapping.counts.failures > failures, "{told}");
        stage.proxy.heal();
        mapping.drain().await;
    }
}

fn message(line: &str) -> String {
    let line: Json = serde_json::from_str(line).unwrap_or_default();
    line["message"].as_str().unwrap_or_default().to_owned()
}

/// A line without what is kept there for want of another place: a payload, and what is said of it.
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
