//! `DescribeAlarms`.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{AlarmType, MetricAlarm};

use super::{CloudWatch, brief};

/// The maximum number of pages, each with up to a hundred alarms.
const PAGES_MAX: usize = 200;

/// An alarm, in CloudWatch's words.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribedAlarm {
    /// Its name.
    pub name: String,
    /// The namespace of its metric.
    pub namespace: String,
    /// The name of its metric.
    pub metric: String,
    /// The dimensions of its metric.
    pub dimensions: BTreeMap<String, String>,
    /// The statistic that is compared.
    pub statistic: Option<String>,
    /// How it is compared with the threshold.
    pub comparison: Option<String>,
    /// The threshold.
    pub threshold: Option<f64>,
    /// The ARNs of what it notifies.
    pub actions: Vec<String>,
    /// Whether its actions are enabled.
    pub are_actions_enabled: bool,
    /// Its state: `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: Option<String>,
}

impl CloudWatch {
    /// All alarms about metrics. An error is a line of text.
    ///
    /// CloudWatch finds alarms by their names or by one metric only.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>
    pub async fn alarms(&self) -> Result<Vec<DescribedAlarm>, String> {
        let mut found = Vec::new();
        let mut next = None;
        for _ in 0..PAGES_MAX {
            let request = self.client.describe_alarms().alarm_types(AlarmType::MetricAlarm);
            let page = request.set_next_token(next).send().await;
            let page = page.map_err(|error| brief("DescribeAlarms", &error))?;
            found.extend(page.metric_alarms.unwrap_or_default().into_iter().map(described));
            next = page.next_token;
            if next.is_none() {
                return Ok(found);
            }
        }
        Err(format!("`DescribeAlarms`: there are more than {PAGES_MAX} pages of alarms"))
    }
}

fn described(alarm: MetricAlarm) -> DescribedAlarm {
    let dimensions = alarm.dimensions.unwrap_or_default().into_iter();
    let statistic = alarm.statistic.map(|it| it.as_str().to_owned());
    DescribedAlarm {
        name: alarm.alarm_name.unwrap_or_default(),
        namespace: alarm.namespace.unwrap_or_default(),
        metric: alarm.metric_name.unwrap_or_default(),
        dimensions: dimensions.filter_map(|it| Some((it.name?, it.value?))).collect(),
        statistic: statistic.or(alarm.extended_statistic),
        comparison: alarm.comparison_operator.map(|it| it.as_str().to_owned()),
        threshold: alarm.threshold,
        actions: alarm.alarm_actions.unwrap_or_default(),
        are_actions_enabled: alarm.actions_enabled.unwrap_or(true),
        state: alarm.state_value.map(|state| state.as_str().to_owned()),
    }
}
