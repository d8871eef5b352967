//! Tests that a violation raises an alarm in CloudWatch.

use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, StateValue, Statistic};
use referee::aws::configure;
use referee::runtime::clock::Clock as _;
use referee::runtime::system_clock::SystemClock;
use tokio::time::{Instant, sleep};

use crate::rules;
use crate::stage::{Environment, Stage};

const HOUR_SECONDS: i32 = 3_600;
const ALARM_MS_MAX: u64 = 10_000;

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
    assert_eq!(sum(&cloudwatch, "MirrorWrites", Some("membership")).await.to_string(), "3");

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
        ("MirrorWrites", Some("membership"), "5"),
        // The seven writes of `populate`, the two memberships here, and the writes of five mirrors.
        ("RecordsProcessed", None, "14"),
    ] {
        let found = sum(&cloudwatch, metric, rule).await;
        assert_eq!(found.to_string(), expected, "{metric} {rule:?}");
    }
    let limit = Instant::now() + Duration::from_millis(ALARM_MS_MAX);
    while state(&cloudwatch).await != StateValue::Alarm {
        assert!(Instant::now() < limit, "the alarm does not fire");
        sleep(Duration::from_millis(100)).await;
    }
    assert!(stage.logged("metrics not published").is_empty());
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
    statistics.datapoints.into_iter().flatten().filter_map(|point| point.sum).sum()
}

async fn state(cloudwatch: &Client) -> StateValue {
    let alarms = cloudwatch.describe_alarms().alarm_names(namespace()).send().await;
    let alarm = alarms.unwrap().metric_alarms.unwrap_or_default().remove(0);
    alarm.state_value.unwrap_or(StateValue::InsufficientData)
}
