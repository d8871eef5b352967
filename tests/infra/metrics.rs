//! Checks that the module's alarms and dashboard use the metrics that the code publishes.

use std::collections::BTreeSet;

use super::read;

/// The metrics and dimensions of AWS itself that the module's files name.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>
const AWS: [&str; 16] = [
    "ApproximateAgeOfOldestMessage",
    "ApproximateNumberOfMessagesVisible",
    "DestinationDeliveryFailures",
    "DroppedEventCount",
    "Duration",
    "Errors",
    "EventSourceMappingUUID",
    "FailedInvokeEventCount",
    "FilteredOutEventCount",
    "FunctionName",
    "InvokedEventCount",
    "Invocations",
    "IteratorAge",
    "OnFailureDestinationDeliveredEventCount",
    "PolledEventCount",
    "Throttles",
];

/// The metric that the module itself derives from the log.
const OF_LOG: &str = "MetricsNotPublished";

/// Other quoted words in these files: arguments of alarms and titles of charts.
const OTHERS: [&str; 9] = [
    "Audits",
    "GreaterThanThreshold",
    "Lag",
    "LessThanThreshold",
    "Maximum",
    "QueueName",
    "Records",
    "SampleCount",
    "Sum",
];

/// Checks that the module counts the line of the log that the function writes if metrics are lost, in
/// the metric that the alarm watches.
pub(crate) fn lost_metrics_are_counted() {
    let alarms = read("infra/alarms.tf");
    assert!(read("src/lambda/log.rs").contains("\"metrics not published\""));
    assert!(alarms.contains("$.message = \\\"metrics not published\\\""));
    assert!(alarms.contains(&format!("lost_metric = \"{OF_LOG}\"")));
}

/// Checks that the module uses every metric that the code publishes, and no other metric of
/// Referee.
pub(crate) fn match_the_code() {
    let files = read("infra/alarms.tf") + &read("infra/dashboard.tf");
    let watched: BTreeSet<&str> = files
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| text.starts_with(|first: char| first.is_ascii_uppercase()))
        .filter(|text| text.chars().all(|char| char.is_ascii_alphanumeric()))
        .filter(|text| !AWS.contains(text) && !OTHERS.contains(text) && *text != OF_LOG)
        .collect();
    // This table is generated from the code. Another test checks that it is up to date.
    let documented = read("docs/lambda.md");
    let mut known: BTreeSet<&str> = documented
        .lines()
        .filter(|line| line.contains("| Count |") || line.contains("| Milliseconds |"))
        .filter_map(|line| line.split('`').nth(1))
        .collect();
    // The only dimension of Referee's metrics.
    known.insert("Rule");
    assert_eq!(watched, known);
}
