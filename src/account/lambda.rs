//! Lambda: `GetFunction` and `ListEventSourceMappings`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{RETRIES_MAX, encoded};
use crate::aws::{Call, CallError, SdkConfig, Service, call};
use crate::diagram::system::deployment::{Function, Mapping, OnFailure, Source, function_of};

const LAMBDA: Service = Service { id: "Lambda", name: "lambda" };

/// The maximum number of pages, each with a hundred mappings.
const PAGES_MAX: usize = 100;

/// Describes a function.
///
/// The configuration alone, not the location of the code, for which `GetFunction` needs no other
/// permission.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html>
pub(super) async fn function(config: &SdkConfig, name: &str) -> Result<Function, CallError> {
    let path = format!("/2015-03-31/functions/{}", encoded(name));
    let answer = get(config, "GetFunction", path).await?;
    let found = answer.get("Configuration").unwrap_or(&Json::Null);
    let text = |pointer: &str| found.pointer(pointer)?.as_str().map(str::to_owned);
    let number = |pointer: &str| found.pointer(pointer)?.as_u64();
    let variables = found.pointer("/Environment/Variables").and_then(Json::as_object);
    let variables = variables.map(|variables| {
        let texts = variables.iter();
        let texts = texts.filter_map(|(name, it)| Some((name.clone(), it.as_str()?.to_owned())));
        texts.collect::<BTreeMap<_, _>>()
    });
    Ok(Function {
        name: name.to_owned(),
        runtime: text("/Runtime"),
        memory_mb: number("/MemorySize"),
        timeout_s: number("/Timeout"),
        variables,
        log_group: text("/LoggingConfig/LogGroup"),
    })
}

/// Lists the mappings of a function or of a source: `name` is the name of the parameter.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html>
pub(super) async fn mappings(
    config: &SdkConfig,
    name: &str,
    value: &str,
    function: &str,
) -> Result<Vec<Mapping>, CallError> {
    let first = format!("/2015-03-31/event-source-mappings?{name}={}", encoded(value));
    let mut found = Vec::new();
    let mut path = first.clone();
    for _ in 0..PAGES_MAX {
        let page = get(config, "ListEventSourceMappings", path).await?;
        let listed = page.get("EventSourceMappings").and_then(Json::as_array);
        found.extend(listed.into_iter().flatten().filter_map(|it| mapping(it, function)));
        match page.get("NextMarker").and_then(Json::as_str).filter(|marker| !marker.is_empty()) {
            Some(marker) => path = format!("{first}&Marker={}", encoded(marker)),
            None => return Ok(found),
        }
    }
    Err(CallError::Failed("`ListEventSourceMappings`: there are too many mappings".to_owned()))
}

async fn get(config: &SdkConfig, operation: &str, path: String) -> Result<Json, CallError> {
    call(config, &Call::get(LAMBDA, operation, path), RETRIES_MAX).await
}

fn mapping(found: &Json, ours: &str) -> Option<Mapping> {
    let text = |pointer: &str| found.pointer(pointer)?.as_str().map(str::to_owned);
    let number = |pointer: &str| found.pointer(pointer)?.as_i64();
    let source = Source::of_arn(&text("/EventSourceArn")?);
    let (function, alias) = function_of(&text("/FunctionArn")?);
    let is_ours = function == function_of(ours).0;
    // `Creating`, `Enabling`, `Enabled`, `Disabling`, `Disabled`, `Updating`, or `Deleting`.
    let state = text("/State");
    let types = found.get("FunctionResponseTypes").and_then(Json::as_array);
    let mut types = types.into_iter().flatten().filter_map(Json::as_str);
    let filters = found.pointer("/FilterCriteria/Filters").and_then(Json::as_array);
    let filters = filters.into_iter().flatten().filter_map(|it| it.get("Pattern")?.as_str());
    let destination = text("/DestinationConfig/OnFailure/Destination");
    Some(Mapping {
        id: text("/UUID")?,
        source,
        function: Some(function),
        is_ours,
        alias: alias.filter(|alias| alias != "$LATEST"),
        is_enabled: state.map(|it| !matches!(it.as_str(), "Disabled" | "Disabling" | "Deleting")),
        last_result: text("/LastProcessingResult"),
        reports_failures: Some(types.any(|it| it == "ReportBatchItemFailures")),
        bisects: Some(
            found.get("BisectBatchOnFunctionError").and_then(Json::as_bool) == Some(true),
        ),
        batch_size: number("/BatchSize"),
        window_s: Some(number("/MaximumBatchingWindowInSeconds").unwrap_or(0)),
        parallel: Some(number("/ParallelizationFactor").unwrap_or(1)),
        starting_position: text("/StartingPosition"),
        retries_max: Some(number("/MaximumRetryAttempts").unwrap_or(-1)),
        age_s_max: Some(number("/MaximumRecordAgeInSeconds").unwrap_or(-1)),
        filters: Some(filters.map(str::to_owned).collect()),
        on_failure: destination.map_or(OnFailure::Nowhere, OnFailure::Arn),
    })
}
