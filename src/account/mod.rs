//! What is deployed in an AWS account around the function.
//!
//! Whatever cannot be read, for example because the caller lacks a permission, is named in the
//! result, and the rest is read all the same.

mod audit;
mod lambda;
mod logs;
mod queues;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::aws::{CallError, SdkConfig};
use crate::diagram::system::deployment::{
    Alarm, AlarmScope, Area, Deployment, Mapping, Origin, Source, Stream, Table, Unread, condition,
};
use crate::metrics::{CloudWatch, DescribedAlarm, NAMESPACE};
use crate::rules::Rules;
use crate::store::description::{Described, TimeToLive};
use crate::store::{DynamoDb, StoreError};

/// The maximum number of retries of a request.
const RETRIES_MAX: usize = 4;

/// Reads what is deployed for these rules and the function with this name.
///
/// Fails only if no table can be described, because then nothing else would succeed either.
pub async fn read(
    config: &SdkConfig,
    rules: &Rules,
    function: &str,
) -> Result<Deployment, StoreError> {
    let mut reader = Reader { config, deployment: Deployment::new(Origin::Account) };
    reader.tables(rules).await?;
    reader.function(function).await;
    reader.mappings(function).await;
    reader.log_group(function).await;
    reader.queues().await;
    reader.audit(function).await;
    reader.alarms(function).await;
    Ok(reader.deployment)
}

struct Reader<'c> {
    config: &'c SdkConfig,
    deployment: Deployment,
}

impl Reader<'_> {
    async fn tables(&mut self, rules: &Rules) -> Result<(), StoreError> {
        let store = DynamoDb::new(self.config);
        for table in &rules.tables {
            let name = table.name.clone();
            let mut described = Table {
                name: name.clone(),
                exists: false,
                key: None,
                stream: None,
                stream_arn: None,
                ttl: TimeToLive::Hidden,
            };
            match store.describe(&table.name).await? {
                Described::Hidden(why) => {
                    self.unread(Area::Tables, format!("table `{name}`"), why);
                    continue;
                }
                Described::Missing => {}
                Described::Table(found) => {
                    described.exists = true;
                    described.key = Some(found.key);
                    described.stream = Some(found.stream_view.map_or(Stream::Off, Stream::On));
                    described.stream_arn = found.stream_arn;
                    described.ttl = store.time_to_live(&table.name).await?;
                    if described.ttl == TimeToLive::Hidden {
                        let why = "`DescribeTimeToLive` is not allowed".to_owned();
                        self.unread(Area::Tables, format!("the TTL of table `{name}`"), why);
                    }
                }
            }
            self.deployment.tables.push(described);
        }
        Ok(())
    }

    async fn function(&mut self, name: &str) {
        match lambda::function(self.config, name).await {
            Ok(found) => self.deployment.function = Some(found),
            Err(CallError::Missing(_)) => {}
            Err(error) => {
                self.unread(Area::Function, format!("function `{name}`"), error.to_string());
            }
        }
    }

    /// The mappings of the function, and all that read the tables' streams.
    async fn mappings(&mut self, function: &str) {
        let mut found: Vec<Mapping> = Vec::new();
        let streams = self.deployment.tables.iter().filter_map(|table| table.stream_arn.clone());
        let by_stream = streams.map(|arn| ("EventSourceArn", arn));
        let questions: Vec<_> = by_stream.chain([("FunctionName", function.to_owned())]).collect();
        for (name, value) in questions {
            match lambda::mappings(self.config, name, &value, function).await {
                Ok(mappings) => {
                    let is_new = |it: &Mapping| found.iter().all(|known| known.id != it.id);
                    let new: Vec<_> = mappings.into_iter().filter(is_new).collect();
                    found.extend(new);
                }
                // There is no such function, so it has no mappings.
                Err(CallError::Missing(_)) => {}
                Err(error) => {
                    let what = "the event source mappings".to_owned();
                    self.unread(Area::Mappings, what, error.to_string());
                    break;
                }
            }
        }
        let tables = &self.deployment.tables;
        found.retain(|mapping| match &mapping.source {
            Source::Stream { table, .. } => tables.iter().any(|it| it.name == *table),
            Source::Queue(_) | Source::Other(_) => mapping.is_ours,
        });
        // The function's own mappings come first. Ids are random, so names decide before them.
        found.sort_by(|a, b| {
            let of = |it: &'_ Mapping| (it.source.clone(), !it.is_ours, it.function.clone());
            of(a).cmp(&of(b)).then_with(|| a.id.cmp(&b.id))
        });
        self.deployment.mappings = found;
    }

    async fn log_group(&mut self, function: &str) {
        let own = self.deployment.function.as_ref().and_then(|it| it.log_group.clone());
        let name = own.unwrap_or_else(|| format!("/aws/lambda/{function}"));
        match logs::group(self.config, &name).await {
            Ok(group) => self.deployment.log_group = group,
            Err(error) => {
                self.unread(Area::Logs, format!("the log group `{name}`"), error.to_string());
            }
        }
    }

    /// The queues that the function reads.
    async fn queues(&mut self) {
        let ours = self.deployment.mappings.iter().filter(|mapping| mapping.is_ours);
        let names: BTreeSet<String> = ours
            .filter_map(|mapping| match &mapping.source {
                Source::Queue(name) => Some(name.clone()),
                Source::Stream { .. } | Source::Other(_) => None,
            })
            .collect();
        for name in names {
            match queues::queue(self.config, &name).await {
                Ok(found) => self.deployment.queues.extend(found),
                Err(error) => {
                    self.unread(Area::Queues, format!("queue `{name}`"), error.to_string());
                }
            }
        }
    }

    async fn audit(&mut self, function: &str) {
        match audit::audit(self.config, function).await {
            Ok(found) => self.deployment.audit = found,
            Err(error) => {
                self.unread(Area::Audit, "the regular audit".to_owned(), error.to_string());
            }
        }
    }

    async fn alarms(&mut self, function: &str) {
        let known = self.deployment.function.as_ref();
        let namespace = known.and_then(|it| it.setting("REFEREE_NAMESPACE")).unwrap_or(NAMESPACE);
        let ours = self.deployment.mappings.iter().filter(|mapping| mapping.is_ours);
        let queues = self.deployment.queues.iter();
        let queues = queues.flat_map(|it| [Some(&it.name), it.dead_letters.as_ref()]);
        let scope = AlarmScope {
            function: function.to_owned(),
            namespace: namespace.to_owned(),
            queues: queues.flatten().cloned().collect(),
            mappings: ours.map(|mapping| mapping.id.clone()).collect(),
        };
        match CloudWatch::new(self.config).alarms().await {
            Ok(alarms) => {
                let alarms = alarms.into_iter().map(alarm);
                self.deployment.alarms = alarms.filter(|alarm| scope.contains(alarm)).collect();
            }
            Err(why) => self.unread(Area::Alarms, "the alarms".to_owned(), why),
        }
    }

    fn unread(&mut self, area: Area, what: String, why: impl Into<String>) {
        let why = why.into();
        self.deployment.unread.push(Unread { area, what, why });
    }
}

fn alarm(found: DescribedAlarm) -> Alarm {
    let (statistic, comparison) = (found.statistic.as_deref(), found.comparison.as_deref());
    Alarm {
        condition: condition(statistic, comparison, found.threshold),
        name: found.name,
        namespace: found.namespace,
        metric: found.metric,
        dimensions: found.dimensions,
        actions: Some(found.actions),
        are_actions_enabled: Some(found.are_actions_enabled),
        state: found.state,
    }
}

/// Encodes a part of a URL.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}
