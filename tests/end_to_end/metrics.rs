//! Tests that a violation raises an alarm in CloudWatch, and that a batch never waits long for it.

use std::net::TcpListener;
use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, StateValue, Statistic};
use referee::aws::configure;
use referee::runtime::clock::Clock as _;
use referee::runtime::system_clock::SystemClock;
use serde_json::Value as Json;
use tokio::time::{Instant, sleep};

use crate::rules;
use crate::stage::{Environment, Stage};

const HOUR_SECONDS: i32 = 3_600;
const ALARM_MS_MAX: u64 = 10_000;
/// The default grace period, after which a suspect is a violation.
const GRACE_MS: u64 = 2_000;
/// How long a batch may wait for CloudWatch.
const PUBLISH_MS_MAX: u64 = 500;
/// The delays of a busy machine. Two attempts without a limit would take ten seconds.
const BUSY_MS_MAX: u64 = 2_500;

pub(crate) async fn alarm(environment: Environment) {
    let endpoint = environment.cloudwatch.clone().unwrap();
    let cloudwatch = Client::new(&configure(Some(&endpoint)).await);
    let stage = Stage::new(environment, rules::company).await;
    stage.lambda.set_env("REFEREE_METRICS", "cloudwatch");
    stage.lambda.set_env("REFEREE_NAMESPACE", &namespace());
    stage.lambda.set_env("AWS_ENDPOINT_URL_CLOUDWATCH", &endpoint);
    cloudwatch
        .put_metric_alarm()
        .alarm_name(namespace())
        .namespace(namespace())
        .metric_name("Violations")
        .statistic(Statistic::Sum)
        .period(60)
        .evaluation_periods(1)
        .threshold(0.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .treat_missing_data("notBreaching")
        .send()
        .await
        .unwrap();
    let mut mapping = stage.mapping().await;
    stage.populate(1, 3).await;
    mapping.drain().await;
    assert_ne!(state(&cloudwatch).await, StateValue::Alarm);
    // Without a violation, no request is made, and the counters are lines of the log.
    let metrics = cloudwatch.list_metrics().namespace(namespace()).send().await.unwrap();
    assert_eq!(metrics.metrics(), []);
    assert_eq!(logged_sum(&stage, "MirrorWrites", Some("membership")).to_string(), "3");

    // Puts two memberships whose users do not exist. One of their companies does not exist either.
    stage.put(&[("pk", "company#0"), ("sk", "user#8"), ("role", "ghost")]).await;
    stage.put(&[("pk", "company#none"), ("sk", "user#9"), ("role", "ghost")]).await;
    mapping.drain().await;
    for (metric, rule, expected) in [
        // In AWS, a query without dimensions returns the total, which is 3. The emulator adds the
        // values of each rule to it.
        ("Violations", None, "6"),
        ("Violations", Some("member_user"), "2"),
        ("Violations", Some("member_company"), "1"),
        // The log has these.
        ("MirrorWrites", Some("membership"), "0"),
        ("RecordsProcessed", None, "0"),
    ] {
        let found = sum(&cloudwatch, metric, rule).await;
        assert_eq!(found.to_string(), expected, "{metric} {rule:?}");
    }
    for (metric, rule, expected) in [
        // CloudWatch has these.
        ("Violations", None, "0"),
        ("MirrorWrites", Some("membership"), "5"),
        // The seven writes of `populate`, the two memberships here, and the writes of five mirrors.
        ("RecordsProcessed", None, "14"),
    ] {
        let found = logged_sum(&stage, metric, rule);
        assert_eq!(found.to_string(), expected, "{metric} {rule:?} in the log");
    }
    let limit = Instant::now() + Duration::from_millis(ALARM_MS_MAX);
    while state(&cloudwatch).await != StateValue::Alarm {
        assert!(Instant::now() < limit, "the alarm does not fire");
        sleep(Duration::from_millis(100)).await;
    }
    assert!(stage.logged("metrics not published").is_empty());
}

/// A batch with a violation waits at most half a second for a CloudWatch that never answers, and
/// is processed nevertheless.
pub(crate) async fn unanswered(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    // It accepts connections, but answers nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    stage.lambda.set_env("REFEREE_METRICS", "cloudwatch");
    stage.lambda.set_env("AWS_ENDPOINT_URL_CLOUDWATCH", &endpoint);
    let mut mapping = stage.mapping().await;
    stage.put(&[("pk", "company#0"), ("sk", "user#8"), ("role", "ghost")]).await;
    mapping.drain().await;
    assert!(!stage.logged("violation").is_empty());
    assert!(!stage.logged("metrics not published").is_empty());
    for line in stage.logged("batch processed") {
        let duration_ms = line["duration_ms"].as_u64().unwrap();
        assert!(duration_ms < GRACE_MS + PUBLISH_MS_MAX + BUSY_MS_MAX, "{line}");
    }
}

/// Returns the sum of a metric in the lines of the function's log.
fn logged_sum(stage: &Stage, metric: &str, rule: Option<&str>) -> f64 {
    let lines = stage.lambda.log.lines();
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    lines
        .filter(|line| line["_aws"].is_object() && line["Rule"].as_str() == rule)
        .filter_map(|line| line[metric].as_f64())
        .fold(0.0, |sum, value| sum + value)
}

/// Returns a namespace that no other run uses, because the emulator may outlive this run.
fn namespace() -> String {
    format!("Referee/e2e-{}", std::process::id())
}

/// Returns the sum of a metric over the last hour, according to CloudWatch.
async fn sum(cloudwatch: &Client, metric: &str, rule: Option<&str>) -> f64 {
    let now_seconds = SystemClock.now_ms() / 1_000;
    let dimension = |rule: &str| Dimension::builder().name("Rule").value(rule).build();
    let statistics = cloudwatch
        .get_metric_statistics()
        .namespace(namespace())
        .metric_name(metric)
        .set_dimensions(rule.map(|rule| vec![dimension(rule)]))
        .start_time(DateTime::from_secs(now_seconds - i64::from(HOUR_SECONDS)))
        .end_time(DateTime::from_secs(now_seconds + 60))
        .period(60)
        .statistics(Statistic::Sum)
        .send()
        .await
        .unwrap();
    let values = statistics.datapoints.into_iter().flatten().filter_map(|point| point.sum);
    values.fold(0.0, |sum, value| sum + value)
}

async fn state(cloudwatch: &Client) -> StateValue {
    let alarms = cloudwatch.describe_alarms().alarm_names(namespace()).send().await;
    let alarm = alarms.unwrap().metric_alarms.unwrap_or_default().remove(0);
    alarm.state_value.unwrap_or(StateValue::InsufficientData)
}
