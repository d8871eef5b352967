//! Resources as what they deploy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::LAMBDA_FUNCTION;
use super::resources::{Resource, Resources};
use crate::data::{KeyAttribute, KeyKind, KeySchema};
use crate::diagram::system::deployment::{
    Alarm, AlarmScope, Audit, Deployment, Function, LogGroup, Mapping, OnFailure, Origin, Queue,
    Source, Stream, Table, condition, function_of, name_of_arn,
};
use crate::metrics::NAMESPACE;
use crate::rules::Rules;
use crate::store::description::TimeToLive;

/// The defaults of event source mappings that read streams.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>
const BATCH_SIZE: i64 = 100;
/// That of mappings that read queues.
const BATCH_SIZE_OF_QUEUES: i64 = 10;
/// The text of what is known only after the plan is applied.
const AFTER_APPLY: &str = "(known after apply)";

/// Reads the resources that belong to a function.
pub(super) struct Reader<'r, 'j> {
    pub(super) resources: &'r Resources<'j>,
    pub(super) rules: &'r Rules,
    pub(super) function: Option<Resource<'j>>,
}

impl<'j> Reader<'_, 'j> {
    pub(super) fn deployment(&self, origin: Origin) -> Deployment {
        let mut deployment = Deployment::new(origin);
        deployment.function = self.function.map(function);
        deployment.tables = self.tables();
        deployment.mappings = self.mappings();
        deployment.queues = self.queues(&deployment);
        deployment.log_group = self.log_group(deployment.function.as_ref());
        deployment.alarms = self.alarms(&deployment);
        deployment.audit = self.audit();
        deployment
    }

    /// The tables of the rules. A managed table comes before a data source, whose values are older.
    fn tables(&self) -> Vec<Table> {
        let mut all: Vec<_> = self.resources.of_kind("aws_dynamodb_table").collect();
        all.sort_by_key(|resource| resource.is_data);
        let mut seen = BTreeSet::new();
        let named =
            all.into_iter().filter_map(|resource| Some((resource.text("/name")?, resource)));
        named
            .filter(|(name, _)| self.rules.table_named(name).is_some() && seen.insert(name.clone()))
            .map(|(name, resource)| table(name, resource))
            .collect()
    }

    /// The mappings of the function, and those of other functions that read the tables' streams.
    fn mappings(&self) -> Vec<Mapping> {
        let all = self.resources.of_kind("aws_lambda_event_source_mapping");
        let all = all.filter_map(|resource| self.mapping(resource));
        let concerns = |mapping: &Mapping| match &mapping.source {
            Source::Stream { table, .. } => self.rules.table_named(table).is_some(),
            Source::Queue(_) | Source::Other(_) => mapping.is_ours,
        };
        all.filter(concerns).collect()
    }

    fn mapping(&self, resource: Resource<'j>) -> Option<Mapping> {
        let (function, alias) = self.function_of(resource);
        let is_ours = function.is_some() && function == self.name();
        let source = self.source_of(resource, is_ours)?;
        let default = match source {
            Source::Stream { .. } => BATCH_SIZE,
            Source::Queue(_) | Source::Other(_) => BATCH_SIZE_OF_QUEUES,
        };
        let types = resource.texts("/function_response_types", "");
        let patterns = resource.items("/filter_criteria/0/filter").map(|filters| {
            let patterns = filters.filter_map(|filter| filter.get("pattern")?.as_str());
            patterns.map(str::to_owned).collect()
        });
        Some(Mapping {
            id: resource.text("/uuid").unwrap_or_else(|| resource.address.to_owned()),
            source,
            function,
            is_ours,
            alias,
            is_enabled: resource.switch("/enabled", true),
            last_result: None,
            reports_failures: types.map(|it| it.iter().any(|it| it == "ReportBatchItemFailures")),
            bisects: resource.switch("/bisect_batch_on_function_error", false),
            batch_size: resource.number_or("/batch_size", default),
            window_s: resource.number_or("/maximum_batching_window_in_seconds", 0),
            parallel: resource.number_or("/parallelization_factor", 1),
            starting_position: resource.text("/starting_position"),
            retries_max: resource.number_or("/maximum_retry_attempts", -1),
            age_s_max: resource.number_or("/maximum_record_age_in_seconds", -1),
            filters: patterns,
            on_failure: on_failure(resource),
        })
    }

    /// The function of a mapping, and its alias. While a plan does not know its ARN, it is the
    /// function that the configuration names, or the only one of the module.
    fn function_of(&self, resource: Resource<'j>) -> (Option<String>, Option<String>) {
        if let Some(text) =
            resource.text("/function_name").or_else(|| resource.text("/function_arn"))
        {
            let (name, alias) = function_of(&text);
            return (Some(name), alias);
        }
        let named = self.resources.sources_of(resource, "function_name", LAMBDA_FUNCTION);
        let in_module = self.resources.of_kind(LAMBDA_FUNCTION);
        let in_module: Vec<_> =
            in_module.filter(|it| it.module == resource.module && !it.is_data).collect();
        let alias = self.resources.of_kind("aws_lambda_alias");
        let mut alias = alias.filter(|it| it.module == resource.module);
        let function = match (named.as_slice(), in_module.as_slice()) {
            ([one], _) | ([], [one]) => one.text("/function_name"),
            _ => None,
        };
        (function, alias.next().and_then(|alias| alias.text("/name")))
    }

    /// What a mapping reads. While a plan does not know the stream's ARN, it is the stream of the
    /// table that the configuration names, or of the table of the rules whose name is the mapping's
    /// key, as in Referee's module.
    fn source_of(&self, resource: Resource<'j>, is_ours: bool) -> Option<Source> {
        if let Some(arn) = resource.text("/event_source_arn") {
            return Some(Source::of_arn(&arn));
        }
        let named = self.resources.sources_of(resource, "event_source_arn", "aws_dynamodb_table");
        let named: Vec<String> = named.iter().filter_map(|table| table.text("/name")).collect();
        let by_key = resource.index.filter(|_| is_ours).and_then(|alias| {
            let mut tables = self.rules.tables.iter();
            tables.find(|table| table.alias == alias).map(|table| table.name.clone())
        });
        let table = match named.as_slice() {
            [one] => one.clone(),
            _ => by_key?,
        };
        Some(Source::Stream { table, arn: None })
    }

    /// The queues that the function's mappings read, and those that get what fails.
    fn queues(&self, deployment: &Deployment) -> Vec<Queue> {
        let ours = deployment.mappings.iter().filter(|mapping| mapping.is_ours);
        let mut wanted: Vec<&str> = ours
            .filter_map(|mapping| match &mapping.source {
                Source::Queue(name) => Some(name.as_str()),
                Source::Stream { .. } | Source::Other(_) => None,
            })
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let all: Vec<_> = self.resources.of_kind("aws_sqs_queue").collect();
        let of_name =
            |name: &str| all.iter().find(|it| it.text("/name").as_deref() == Some(name)).copied();
        wanted.into_iter().map(|name| queue(name, of_name(name))).collect()
    }

    /// The log group that the function writes to.
    fn log_group(&self, function: Option<&Function>) -> Option<LogGroup> {
        let function = function?;
        let default = format!("/aws/lambda/{}", function.name);
        let name = function.log_group.as_deref().unwrap_or(&default);
        let mut groups = self.resources.of_kind("aws_cloudwatch_log_group");
        let group = groups.find(|it| it.text("/name").as_deref() == Some(name))?;
        let retention_days = group.number_or("/retention_in_days", 0);
        Some(LogGroup { name: name.to_owned(), retention_days })
    }

    /// The alarms of the function's module, and those about the function elsewhere.
    fn alarms(&self, deployment: &Deployment) -> Vec<Alarm> {
        let Some((resource, function)) = self.function.zip(deployment.function.as_ref()) else {
            return Vec::new();
        };
        let ours = deployment.mappings.iter().filter(|mapping| mapping.is_ours);
        let queues = deployment.queues.iter();
        let queues = queues.flat_map(|it| [Some(&it.name), it.dead_letters.as_ref()]);
        let scope = AlarmScope {
            function: function.name.clone(),
            namespace: function.setting("REFEREE_NAMESPACE").unwrap_or(NAMESPACE).to_owned(),
            mappings: ours.map(|mapping| mapping.id.clone()).collect(),
            queues: queues.flatten().cloned().collect(),
        };
        let all = self.resources.of_kind("aws_cloudwatch_metric_alarm");
        all.filter_map(|it| Some((it.module, alarm(it)?)))
            // The root module also has alarms about other things.
            .filter(|(module, alarm)| {
                !module.is_empty() && *module == resource.module || scope.contains(alarm)
            })
            .map(|(_, alarm)| alarm)
            .collect()
    }

    /// The audit of the function's module: its state machine invokes the function.
    fn audit(&self) -> Option<Audit> {
        let name = self.name()?;
        let invokes = |machine: &Resource<'_>| {
            machine.text("/definition").is_some_and(|it| Audit::is_of(&it, &name))
        };
        let machine = self.resources.of_kind("aws_sfn_state_machine").find(invokes)?;
        let in_module = |schedule: &Resource<'_>| {
            let target = schedule.text("/target/0/arn");
            let same = schedule.module == machine.module;
            target.map_or(same, |arn| Some(arn) == machine.text("/arn"))
        };
        let schedule = self.resources.of_kind("aws_scheduler_schedule").find(in_module);
        Some(Audit {
            state_machine: machine.text("/name"),
            schedule: schedule.and_then(|it| it.text("/schedule_expression")),
            timezone: schedule.and_then(|it| it.text("/schedule_expression_timezone")),
            is_enabled: schedule.map(|it| it.text("/state").is_none_or(|state| state == "ENABLED")),
        })
    }

    fn name(&self) -> Option<String> {
        self.function.map(|it| function_name(&it))
    }
}

fn function_name(resource: &Resource<'_>) -> String {
    resource.text("/function_name").unwrap_or_else(|| resource.address.to_owned())
}

fn function(resource: Resource<'_>) -> Function {
    let variables = resource.value("/environment/0/variables").and_then(Json::as_object);
    let variables = variables.map(|variables| {
        let texts = variables.iter();
        let texts = texts.filter_map(|(name, it)| Some((name.clone(), it.as_str()?.to_owned())));
        texts.collect::<BTreeMap<_, _>>()
    });
    let number = |pointer| resource.number(pointer).and_then(|it| u64::try_from(it).ok());
    Function {
        name: function_name(&resource),
        runtime: resource.text("/runtime"),
        memory_mb: number("/memory_size"),
        timeout_s: number("/timeout"),
        variables,
        log_group: resource.text("/logging_config/0/log_group"),
    }
}

fn table(name: String, resource: Resource<'_>) -> Table {
    // A data source has the types of its keys in the same form.
    let attributes = resource.items("/attribute").into_iter().flatten();
    let kinds: BTreeMap<&str, KeyKind> = attributes
        .filter_map(|it| Some((it.get("name")?.as_str()?, kind(it.get("type")?.as_str()?)?)))
        .collect();
    let attribute = |pointer| {
        let name = resource.text(pointer)?;
        let kind = *kinds.get(name.as_str())?;
        Some(KeyAttribute { name, kind })
    };
    let key = attribute("/hash_key")
        .filter(|_| resource.text("/range_key").is_none_or(|it| kinds.contains_key(it.as_str())));
    let key = key.map(|partition| KeySchema { partition, sort: attribute("/range_key") });
    let stream = resource.switch("/stream_enabled", false).and_then(|is_on| {
        if is_on { resource.text("/stream_view_type").map(Stream::On) } else { Some(Stream::Off) }
    });
    // A provider that does not read it leaves it out.
    let ttl = if resource.value("/ttl").is_none() {
        TimeToLive::Hidden
    } else if resource.switch("/ttl/0/enabled", false) == Some(true) {
        resource.text("/ttl/0/attribute_name").map_or(TimeToLive::Hidden, TimeToLive::On)
    } else {
        TimeToLive::Off
    };
    let stream_arn = resource.text("/stream_arn").filter(|arn| !arn.is_empty());
    Table { name, exists: true, key, stream, stream_arn, ttl }
}

fn kind(name: &str) -> Option<KeyKind> {
    match name {
        "S" => Some(KeyKind::S),
        "N" => Some(KeyKind::N),
        "B" => Some(KeyKind::B),
        _ => None,
    }
}

fn on_failure(resource: Resource<'_>) -> OnFailure {
    let pointer = "/destination_config/0/on_failure/0/destination_arn";
    match resource.text(pointer).filter(|arn| !arn.is_empty()) {
        Some(arn) => OnFailure::Arn(arn),
        None if resource.is_unknown(pointer) => OnFailure::Unknown,
        None => OnFailure::Nowhere,
    }
}

fn queue(name: &str, resource: Option<Resource<'_>>) -> Queue {
    let policy = resource.and_then(|it| it.text("/redrive_policy"));
    let policy: Json = policy.and_then(|it| serde_json::from_str(&it).ok()).unwrap_or_default();
    let target = policy.get("deadLetterTargetArn").and_then(Json::as_str);
    Queue {
        name: name.to_owned(),
        dead_letters: target.map(|arn| name_of_arn(arn).to_owned()),
        receives_max: policy.get("maxReceiveCount").and_then(Json::as_i64),
    }
}

fn alarm(resource: Resource<'_>) -> Option<Alarm> {
    let dimensions = resource.value("/dimensions").and_then(Json::as_object);
    let dimensions = dimensions.into_iter().flatten();
    let known = dimensions.filter_map(|(name, it)| Some((name.clone(), it.as_str()?.to_owned())));
    let hidden = resource.unknown_names("/dimensions").into_iter();
    let hidden = hidden.map(|name| (name.to_owned(), String::new()));
    let condition = condition(
        resource.text("/statistic").or_else(|| resource.text("/extended_statistic")).as_deref(),
        resource.text("/comparison_operator").as_deref(),
        resource.value("/threshold").and_then(Json::as_f64),
    );
    Some(Alarm {
        name: resource.text("/alarm_name")?,
        namespace: resource.text("/namespace").unwrap_or_default(),
        metric: resource.text("/metric_name").unwrap_or_default(),
        dimensions: known.chain(hidden).collect(),
        condition,
        actions: resource.texts("/alarm_actions", AFTER_APPLY),
        are_actions_enabled: resource.switch("/actions_enabled", true),
        state: None,
    })
}
