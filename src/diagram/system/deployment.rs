//! What is deployed, as one source describes it: Terraform's JSON, or an AWS account.
//!
//! `None` always means that the source does not say: a plan does not know what AWS will choose, and
//! a caller may lack a permission. What does not exist is an empty list, or a variant of its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::KeySchema;
use crate::store::description::TimeToLive;

/// A source of what is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A plan of Terraform.
    Plan,
    /// A state of Terraform.
    State,
    /// An AWS account.
    Account,
}

/// What is deployed, as one source describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// The source.
    pub origin: Origin,
    /// The tables that it describes.
    pub tables: Vec<Table>,
    /// Referee's function; `None` if there is none, or if it could not be read.
    pub function: Option<Function>,
    /// The event source mappings of the function, and of others that read streams of the tables.
    pub mappings: Vec<Mapping>,
    /// The function's log group.
    pub log_group: Option<LogGroup>,
    /// The alarms about the function, its metrics, its mappings and its queues.
    pub alarms: Vec<Alarm>,
    /// The queues of the function.
    pub queues: Vec<Queue>,
    /// The regular audit.
    pub audit: Option<Audit>,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

impl Deployment {
    /// An empty description.
    #[must_use]
    pub const fn new(origin: Origin) -> Self {
        Self {
            origin,
            tables: Vec::new(),
            function: None,
            mappings: Vec::new(),
            log_group: None,
            alarms: Vec::new(),
            queues: Vec::new(),
            audit: None,
            unread: Vec::new(),
        }
    }

    /// Whether the source describes all of an area, so that what it does not list does not exist.
    #[must_use]
    pub fn covers(&self, area: Area) -> bool {
        let all = match self.origin {
            // A configuration need not contain the tables, and a reader of their streams may belong
            // to another one.
            Origin::Plan | Origin::State => area != Area::Tables,
            Origin::Account => true,
        };
        all && self.unread.iter().all(|unread| unread.area != area)
    }
}

/// A part of what is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// Tables, their streams and their TTL.
    Tables,
    /// The function.
    Function,
    /// Event source mappings.
    Mappings,
    /// Log groups.
    Logs,
    /// Alarms.
    Alarms,
    /// Queues.
    Queues,
    /// The state machine and the schedule of the audit.
    Audit,
}

/// What could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The part that is incomplete.
    pub area: Area,
    /// What it is, such as "the alarms".
    pub what: String,
    /// The reason, as the service gives it.
    pub why: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name in DynamoDB.
    pub name: String,
    /// Whether it exists.
    pub exists: bool,
    /// Its key.
    pub key: Option<KeySchema>,
    /// Its stream.
    pub stream: Option<Stream>,
    /// The ARN of its stream, if it has one.
    pub stream_arn: Option<String>,
    /// Its TTL; `Hidden` if the source does not say.
    pub ttl: TimeToLive,
}

/// A table's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stream {
    /// It is disabled.
    Off,
    /// It is enabled, and has this view type.
    On(String),
}

/// Referee's function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its runtime.
    pub runtime: Option<String>,
    /// Its memory in MB.
    pub memory_mb: Option<u64>,
    /// Its timeout in seconds.
    pub timeout_s: Option<u64>,
    /// Its environment variables. They may be secret: only Referee's own are shown.
    pub variables: Option<BTreeMap<String, String>>,
    /// The name of its log group.
    pub log_group: Option<String>,
}

impl Function {
    /// Referee's environment variables begin with this.
    pub const PREFIX: &str = "REFEREE_";

    /// A setting of Referee.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        let value = self.variables.as_ref()?.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }
}

/// An event source mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Its UUID, or its address in Terraform.
    pub id: String,
    /// What it reads.
    pub source: Source,
    /// The name of the function that it invokes; `None` if it is not known.
    pub function: Option<String>,
    /// Whether this is Referee's function.
    pub is_ours: bool,
    /// The alias or version that it invokes, if it names one.
    pub alias: Option<String>,
    /// Whether it is enabled.
    pub is_enabled: Option<bool>,
    /// What Lambda says about its last poll.
    pub last_result: Option<String>,
    /// Whether the function reports the records that it could not process.
    pub reports_failures: Option<bool>,
    /// Whether a failed batch is halved.
    pub bisects: Option<bool>,
    /// The maximum number of records in a batch.
    pub batch_size: Option<i64>,
    /// How long Lambda gathers records, in seconds.
    pub window_s: Option<i64>,
    /// How many batches of a shard are processed at once.
    pub parallel: Option<i64>,
    /// Where it begins to read.
    pub starting_position: Option<String>,
    /// How often a batch is repeated; -1 until it is too old.
    pub retries_max: Option<i64>,
    /// The age at which a record is given up, in seconds; -1 when the stream deletes it.
    pub age_s_max: Option<i64>,
    /// The patterns of the records that it passes on; all records if there are none.
    pub filters: Option<Vec<String>>,
    /// Where it sends what it gives up.
    pub on_failure: OnFailure,
}

/// What a mapping reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The stream of a table.
    Stream {
        /// The table's name in DynamoDB.
        table: String,
        /// The stream's ARN.
        arn: Option<String>,
    },
    /// A queue, by its name.
    Queue(String),
    /// Something else, by its ARN.
    Other(String),
}

impl Source {
    /// What this ARN names.
    #[must_use]
    pub fn of_arn(arn: &str) -> Self {
        if let Some(table) = table_of_stream(arn) {
            return Self::Stream { table: table.to_owned(), arn: Some(arn.to_owned()) };
        }
        match arn.split(':').collect::<Vec<_>>().as_slice() {
            ["arn", _, "sqs", _, _, name] => Self::Queue((*name).to_owned()),
            _ => Self::Other(arn.to_owned()),
        }
    }
}

/// Where a mapping sends what it gives up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnFailure {
    /// Nowhere: it is lost.
    Nowhere,
    /// To the queue, topic or bucket with this ARN.
    Arn(String),
    /// The source does not say.
    Unknown,
}

/// A log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// After how many days its events are deleted; 0 for never.
    pub retention_days: Option<i64>,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// The namespace of its metric.
    pub namespace: String,
    /// The name of its metric.
    pub metric: String,
    /// The dimensions of its metric; a value that is not known is empty.
    pub dimensions: BTreeMap<String, String>,
    /// When it fires, such as `Sum > 0`.
    pub condition: Option<String>,
    /// The ARNs of what it notifies.
    pub actions: Option<Vec<String>>,
    /// Whether its actions are enabled.
    pub are_actions_enabled: Option<bool>,
    /// Its state: `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: Option<String>,
}

/// Names by which alarms are found.
#[derive(Debug, Default)]
pub struct AlarmScope {
    /// The function.
    pub function: String,
    /// The namespace of Referee's metrics.
    pub namespace: String,
    /// The UUIDs of its event source mappings.
    pub mappings: BTreeSet<String>,
    /// Its queues.
    pub queues: BTreeSet<String>,
}

impl AlarmScope {
    /// Whether an alarm is about the function, its metrics, its mappings or its queues.
    #[must_use]
    pub fn contains(&self, alarm: &Alarm) -> bool {
        let dimension = |name: &str| alarm.dimensions.get(name);
        alarm.namespace == self.namespace
            || dimension("FunctionName").is_some_and(|name| *name == self.function)
            || dimension("EventSourceMappingUUID").is_some_and(|id| self.mappings.contains(id))
            || dimension("QueueName").is_some_and(|name| self.queues.contains(name))
    }
}

/// A queue of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// The queue that gets what was received too often, by its name.
    pub dead_letters: Option<String>,
    /// How often a message is received before it goes there.
    pub receives_max: Option<i64>,
}

/// The regular audit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// The name of its state machine.
    pub state_machine: Option<String>,
    /// When it starts, as `EventBridge` Scheduler writes it.
    pub schedule: Option<String>,
    /// The time zone of the schedule.
    pub timezone: Option<String>,
    /// Whether the schedule is enabled.
    pub is_enabled: Option<bool>,
}

impl Audit {
    /// Whether a state machine with this definition invokes a function.
    #[must_use]
    pub fn is_of(definition: &str, function: &str) -> bool {
        ['"', ':'].iter().any(|end| definition.contains(&format!(":function:{function}{end}")))
    }
}

/// The table of a stream's ARN: `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL`.
#[must_use]
pub fn table_of_stream(arn: &str) -> Option<&str> {
    let resource = arn.splitn(6, ':').nth(5)?;
    let (table, _) = resource.strip_prefix("table/")?.split_once("/stream/")?;
    (arn.split(':').nth(2) == Some("dynamodb")).then_some(table)
}

/// The name of a function and its alias or version, of an ARN or a name.
#[must_use]
pub fn function_of(text: &str) -> (String, Option<String>) {
    let parts: Vec<&str> = text.split(':').collect();
    let (name, alias) = match parts.as_slice() {
        // An ARN, ACCOUNT:function:NAME, or a name.
        ["arn", _, _, _, _, "function", name] | [_, "function", name] | [name] => (*name, None),
        ["arn", _, _, _, _, "function", name, alias] | [name, alias] => (*name, Some(*alias)),
        _ => (text, None),
    };
    (name.to_owned(), alias.map(str::to_owned))
}

/// The last part of an ARN, which names the thing.
#[must_use]
pub fn name_of_arn(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

/// When an alarm fires, such as `Sum > 0`.
#[must_use]
pub fn condition(
    statistic: Option<&str>,
    operator: Option<&str>,
    threshold: Option<f64>,
) -> Option<String> {
    let operator = match operator? {
        "GreaterThanThreshold" => ">",
        "GreaterThanOrEqualToThreshold" => ">=",
        "LessThanThreshold" => "<",
        "LessThanOrEqualToThreshold" => "<=",
        // A band of an anomaly detector.
        other => return Some(other.to_owned()),
    };
    Some(format!("{} {operator} {}", statistic.unwrap_or("value"), threshold?))
}
