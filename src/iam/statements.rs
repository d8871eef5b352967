//! Statements: the needs, grouped so that no statement allows more than is needed.
//!
//! The actions, and the resources that each can be limited to:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>

use std::collections::{BTreeMap, BTreeSet};

use super::needs::{Actions, ItemAction, Needs, Resource, needs};
use super::{Condition, Deployment, Statement};
use crate::preflight::streamed;
use crate::rules::Rules;

pub(super) fn statements(rules: &Rules, deployment: &Deployment) -> Vec<Statement> {
    let needs = needs(rules, deployment.audits);
    let mut statements = streams(rules, deployment);
    statements.extend(of_items(&needs, deployment));
    statements.extend(deployment.namespace.as_deref().map(metrics));
    statements.push(logs(deployment));
    statements.extend(deployment.failures_bucket.iter().flat_map(|it| failures(it, deployment)));
    statements.extend(deployment.recheck_queue.iter().map(|it| rechecks(it, deployment)));
    statements.extend(table_keys(deployment));
    statements
}

/// The statements about items.
pub(super) fn of_items(needs: &Needs<'_>, deployment: &Deployment) -> Vec<Statement> {
    let actions = &needs.actions;
    let mut statements = Vec::new();
    statements.extend(of_action("ReadItems", ItemAction::BatchGetItem, actions, deployment));
    statements.extend(of_action("ScanItems", ItemAction::Scan, actions, deployment));
    statements.extend(of_action("QueryItems", ItemAction::Query, actions, deployment));
    statements.extend(writes(needs, deployment));
    statements.extend(of_action("CheckItems", ItemAction::ConditionCheckItem, actions, deployment));
    statements
}

/// The permissions that Lambda needs to read the streams with the function's role.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-eventsourcemapping.html>
fn streams(rules: &Rules, deployment: &Deployment) -> Vec<Statement> {
    let streams = streamed(rules).into_iter().map(|table| {
        let table = Resource { table: &rules[table].name, index: None };
        format!("{}/stream/*", deployment.items(&table))
    });
    let streams: BTreeSet<String> = streams.collect();
    if streams.is_empty() {
        return Vec::new();
    }
    let read = ["DescribeStream", "GetRecords", "GetShardIterator"];
    vec![
        statement("ReadStreams", read.map(dynamodb), streams),
        // `ListStreams` does not support resources.
        statement("ListStreams", [dynamodb("ListStreams")], ["*".to_owned()]),
    ]
}

/// The statement that allows an action on all resources that need it; `None` if there are none.
pub(super) fn of_action(
    sid: &str,
    action: ItemAction,
    actions: &Actions<'_>,
    deployment: &Deployment,
) -> Option<Statement> {
    let resources = actions.iter().filter(|(needed, _)| *needed == action);
    let resources: BTreeSet<_> =
        resources.map(|(_, resource)| deployment.items(resource)).collect();
    (!resources.is_empty()).then(|| statement(sid, [dynamodb(action.name())], resources))
}

/// A statement for each set of write actions and of partition keys. Tables that need different ones
/// cannot share a statement, because it would allow too much.
///
/// Where every written item's key begins with literal text, a condition limits the writes to such
/// keys.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>
fn writes(needs: &Needs<'_>, deployment: &Deployment) -> Vec<Statement> {
    let mut by_table: BTreeMap<&Resource<'_>, Vec<&str>> = BTreeMap::new();
    for (action, resource) in needs.actions.iter().filter(|(action, _)| action.is_write()) {
        by_table.entry(resource).or_default().push(action.name());
    }
    // In the order of the actions and then of the patterns, as text.
    let mut groups: BTreeMap<(String, String), Group<'_>> = BTreeMap::new();
    for (table, actions) in by_table {
        let patterns = needs
            .written
            .get(table.table)
            .and_then(|patterns| patterns.iter().cloned().collect::<Option<Vec<String>>>());
        let patterns = patterns.unwrap_or_default();
        let order = (actions.join(","), patterns.join(","));
        let group = groups.entry(order);
        let group = group.or_insert_with(|| Group { actions, patterns, tables: Vec::new() });
        group.tables.push(deployment.items(table));
    }
    let mut statements: Vec<Statement> = Vec::new();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for Group { actions, patterns, tables } in groups.into_values() {
        let verbs: String = actions.iter().filter_map(|name| name.strip_suffix("Item")).collect();
        let number = numbers.entry(verbs.clone()).or_default();
        *number += 1;
        let number = if *number == 1 { String::new() } else { number.to_string() };
        let sid = format!("WriteItems{verbs}{number}");
        let condition = (!patterns.is_empty()).then_some(Condition {
            operator: "ForAllValues:StringLike",
            key: "dynamodb:LeadingKeys",
            values: patterns,
        });
        let statement = statement(&sid, actions.into_iter().map(dynamodb), tables);
        statements.push(Statement { condition, ..statement });
    }
    statements
}

/// Tables that need the same write actions on the same keys.
struct Group<'a> {
    actions: Vec<&'a str>,
    /// The patterns of the partition keys; empty if any key may be written.
    patterns: Vec<String>,
    tables: Vec<String>,
}

/// `PutMetricData` does not support resources; a condition limits it to the namespace.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html>
fn metrics(namespace: &str) -> Statement {
    let condition = Condition {
        operator: "StringEquals",
        key: "cloudwatch:namespace",
        values: vec![namespace.to_owned()],
    };
    let publish = ["cloudwatch:PutMetricData".to_owned()];
    let statement = statement("PublishMetrics", publish, ["*".to_owned()]);
    Statement { condition: Some(condition), ..statement }
}

/// Allows writing to the log streams of the function's log group. The log group is created with the
/// function.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>
fn logs(deployment: &Deployment) -> Statement {
    let group = format!("log-group:/aws/lambda/{}:*", deployment.function);
    let actions = ["logs:CreateLogStream", "logs:PutLogEvents"].map(str::to_owned);
    statement("WriteLogs", actions, [deployment.arn("logs", &group)])
}

/// The permissions that Lambda needs to send failed records to a bucket.
///
/// Anyone can take the name of a deleted bucket, so a condition names the owner, if it is known.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html>
fn failures(bucket: &str, deployment: &Deployment) -> [Statement; 2] {
    let bucket = format!("arn:{}:s3:::{bucket}", deployment.partition);
    let objects = format!("{bucket}/*");
    let owner = deployment.failures_account.as_ref().or(deployment.account.as_ref());
    let of_owner = |statement| Statement {
        condition: owner.map(|owner| Condition {
            operator: "StringEquals",
            key: "s3:ResourceAccount",
            values: vec![owner.clone()],
        }),
        ..statement
    };
    [
        of_owner(statement("FindFailures", ["s3:ListBucket".to_owned()], [bucket])),
        of_owner(statement("KeepFailures", ["s3:PutObject".to_owned()], [objects])),
    ]
}

/// Allows the function to send suspects to its queue, and Lambda to deliver them with its role.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
fn rechecks(queue: &str, deployment: &Deployment) -> Statement {
    let actions = ["DeleteMessage", "GetQueueAttributes", "ReceiveMessage", "SendMessage"];
    let actions = actions.map(|action| format!("sqs:{action}"));
    statement("RecheckSuspects", actions, [deployment.arn("sqs", queue)])
}

/// Reading and writing a table that a customer managed key encrypts requires permission to use the
/// key through DynamoDB.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html>
pub(super) fn table_keys(deployment: &Deployment) -> Option<Statement> {
    if deployment.table_keys.is_empty() {
        return None;
    }
    let suffix = dns_suffix(&deployment.partition);
    let condition = match &deployment.region {
        Some(region) => Condition {
            operator: "StringEquals",
            key: VIA,
            values: vec![format!("dynamodb.{region}.{suffix}")],
        },
        None => Condition {
            operator: "StringLike",
            key: VIA,
            values: vec![format!("dynamodb.*.{suffix}")],
        },
    };
    let statement = statement(
        "UseKeysOfTables",
        ["kms:Decrypt".to_owned()],
        deployment.table_keys.iter().cloned(),
    );
    Some(Statement { condition: Some(condition), ..statement })
}

/// The condition key that names the service through which a KMS key is used.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service>
const VIA: &str = "kms:ViaService";

/// The end of the names of services in a partition.
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>
fn dns_suffix(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "amazonaws.com.cn",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        _ => "amazonaws.com",
    }
}

fn statement(
    sid: &str,
    actions: impl IntoIterator<Item = String>,
    resources: impl IntoIterator<Item = String>,
) -> Statement {
    Statement {
        sid: sid.to_owned(),
        actions: actions.into_iter().collect(),
        resources: resources.into_iter().collect(),
        condition: None,
    }
}

fn dynamodb(action: &str) -> String {
    format!("dynamodb:{action}")
}

/// The ARN of a table, by its name in DynamoDB.
pub(super) fn table_arn(table: &str, deployment: &Deployment) -> String {
    deployment.items(&Resource { table, index: None })
}

impl Deployment {
    /// The ARN of a table or an index.
    fn items(&self, resource: &Resource<'_>) -> String {
        let index = resource.index.map(|index| format!("/index/{index}")).unwrap_or_default();
        self.arn("dynamodb", &format!("table/{}{index}", resource.table))
    }

    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
    fn arn(&self, service: &str, resource: &str) -> String {
        let or_any = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".to_owned());
        let (region, account) = (or_any(&self.region), or_any(&self.account));
        format!("arn:{}:{service}:{region}:{account}:{resource}", self.partition)
    }
}
