//! The embedded metric format: metrics as lines of the log, which CloudWatch extracts.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{DIMENSION, Datum};

/// Returns lines with these values: one for the totals, and one for each rule. CloudWatch allows at
/// most 100 metrics in a line, and there are fewer.
pub(super) fn lines(namespace: &str, data: &[Datum], now_ms: i64) -> Vec<String> {
    let mut by_rule: BTreeMap<Option<&str>, Vec<&Datum>> = BTreeMap::new();
    for datum in data {
        by_rule.entry(datum.rule.as_deref()).or_default().push(datum);
    }
    by_rule.into_iter().map(|(rule, data)| line(namespace, rule, &data, now_ms)).collect()
}

fn line(namespace: &str, rule: Option<&str>, data: &[&Datum], now_ms: i64) -> String {
    let dimensions: Vec<&str> = rule.map(|_| DIMENSION).into_iter().collect();
    let metrics: Vec<Json> =
        data.iter().map(|datum| json!({ "Name": datum.name, "Unit": datum.unit.name() })).collect();
    let mut line = Map::new();
    let directive =
        json!({ "Namespace": namespace, "Dimensions": [dimensions], "Metrics": metrics });
    line.insert("_aws".into(), json!({ "Timestamp": now_ms, "CloudWatchMetrics": [directive] }));
    line.extend(rule.map(|rule| (DIMENSION.to_owned(), rule.into())));
    line.extend(data.iter().map(|datum| (datum.name.to_owned(), datum.value.into())));
    Json::Object(line).to_string()
}
