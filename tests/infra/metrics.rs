//! Metrics: those that the module watches are those that the code emits.

use std::collections::BTreeSet;

use super::read;

/// The namespaces' own words in the module's files on metrics, and AWS's metrics.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>
const AWS: [&str; 15] = [
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

/// What else is quoted there: words of alarms and titles of charts.
const OTHERS: [&str; 6] = ["GreaterThanThreshold", "Lag", "Maximum", "QueueName", "Records", "Sum"];

/// Every metric of the code is watched, and no other one of Referee's own.
pub(crate) fn are_those_of_the_code() {
    let files = read("infra/alarms.tf") + &read("infra/dashboard.tf");
    let watched: BTreeSet<&str> = files
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| text.starts_with(|first: char| first.is_ascii_uppercase()))
        .filter(|text| text.chars().all(|char| char.is_ascii_alphanumeric()))
        .filter(|text| !AWS.contains(text) && !OTHERS.contains(text))
        .collect();
    // This table is made from the code's, which another test holds it to.
    let documented = read("docs/lambda.md");
    let mut known: BTreeSet<&str> = documented
        .lines()
        .filter(|line| line.contains("| Count |") || line.contains("| Milliseconds |"))
        .filter_map(|line| line.split('`').nth(1))
        .collect();
    // The one dimension.
    known.insert("Rule");
    assert_eq!(watched, known);
}
