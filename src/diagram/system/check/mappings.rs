//! The settings of the function's event source mappings.

use serde_json::Value as Json;

use crate::diagram::system::deployment::{Mapping, OnFailure, Source};
use crate::diagram::system::finding::{Finding, Kind};
use crate::diagram::system::ids;
use crate::diagram::system::part::Part;
use crate::diagram::system::system::System;

pub(super) fn check(system: &System<'_>, found: &mut Vec<Finding>) {
    for (position, mapping) in system.our_mappings() {
        let source = match &mapping.shown().source {
            Source::Stream { table, .. } => format!("table `{table}`"),
            Source::Queue(queue) => format!("the queue `{queue}`"),
            Source::Other(arn) => format!("`{arn}`"),
        };
        let mut add = |kind, message: String, help: &str| {
            let (subject, help) = (ids::mapping(position), help.to_owned());
            found.push(Finding { kind, subject, message, help });
        };
        if mapping.known(|it| it.reports_failures) == Some(false) {
            let message = format!(
                "the event source mapping from {source} does not have ReportBatchItemFailures, so \
                 what the function returns for redelivery is lost"
            );
            let help = "set `function_response_types = [\"ReportBatchItemFailures\"]`";
            add(Kind::NoBatchItemFailures, message, help);
        }
        let result = mapping.known(|it| it.last_result.clone());
        if let Some(result) = result.filter(|it| it.starts_with("PROBLEM")) {
            let message = format!("the event source mapping from {source} fails: {result}");
            add(Kind::MappingFails, message, "see the function's log, its role and its alarms");
        }
        if matches!(mapping.shown().source, Source::Stream { .. }) {
            stream_settings(system, mapping, &source, &mut add);
        }
    }
}

fn stream_settings(
    system: &System<'_>,
    mapping: &Part<Mapping>,
    source: &str,
    add: &mut dyn FnMut(Kind, String, &str),
) {
    if reads_former_stream(system, mapping) {
        let message = format!(
            "the event source mapping from {source} reads a former stream, which gets no new records"
        );
        add(Kind::StreamReplaced, message, "create the mapping again, for the present stream");
    }
    if mapping.destination().is_none() && is_nowhere(mapping) {
        let message = format!(
            "the event source mapping from {source} has no destination on failure, so records that \
             it gives up are lost"
        );
        add(Kind::NoFailureDestination, message, "add one in S3, which keeps the whole record");
    }
    if mapping.known(|it| it.starting_position.clone()).as_deref() == Some("LATEST") {
        let message = format!(
            "the event source mapping from {source} begins at LATEST, so changes may be missed while \
             it is created or updated"
        );
        add(Kind::StartsAtLatest, message, "create it with `starting_position = \"TRIM_HORIZON\"`");
    }
    let filters = mapping.known(|it| it.filters.clone()).unwrap_or_default();
    if !filters.is_empty() && filters.iter().all(|pattern| needs_new_image(pattern)) {
        let message = format!(
            "each filter of the event source mapping from {source} tests the new image, so deletes \
             never reach the function"
        );
        add(Kind::FilterDropsDeletes, message, "filter by `dynamodb.Keys` instead");
    }
}

fn reads_former_stream(system: &System<'_>, mapping: &Part<Mapping>) -> bool {
    let read = mapping.known(|it| match &it.source {
        Source::Stream { arn, .. } => arn.clone(),
        Source::Queue(_) | Source::Other(_) => None,
    });
    let mut tables = system.tables.iter().filter_map(|(_, part)| part.as_ref());
    let table = tables.find(|it| Some(it.shown().name.as_str()) == mapping.table());
    let present = table.and_then(|it| it.known(|table| table.stream_arn.clone()));
    read.zip(present).is_some_and(|(read, present)| read != present)
}

fn is_nowhere(mapping: &Part<Mapping>) -> bool {
    let known = mapping.known(|it| match it.on_failure {
        OnFailure::Unknown => None,
        OnFailure::Nowhere => Some(true),
        OnFailure::Arn(_) => Some(false),
    });
    known == Some(true)
}

/// Whether a pattern matches only records with a new image. A test for its absence matches deletes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html>
fn needs_new_image(pattern: &str) -> bool {
    let Ok(pattern) = serde_json::from_str::<Json>(pattern) else { return false };
    let image = pattern.pointer("/dynamodb/NewImage");
    image.is_some_and(|image| !image.to_string().contains("\"exists\":false"))
}
