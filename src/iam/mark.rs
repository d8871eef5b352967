//! The resource-based policy that reserves the mark for Referee.

use serde::ser::{Serialize, Serializer};
use serde_json::json;

use super::Deployment;
use super::json::VERSION;
use super::statements::table_arn;
use crate::integrity::mark::MARK;

/// The actions that can write an attribute. A transaction has no action of its own.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>
const WRITES: [&str; 5] = [
    "dynamodb:BatchWriteItem",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
];

/// The role with which DynamoDB replicates global tables. If it is denied a write, replication stops.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-security.html>
const REPLICATION: &str = "role/aws-service-role/replication.dynamodb.amazonaws.com/\
                           AWSServiceRoleForDynamoDBReplication";

/// A table's resource-based policy. It denies every request that names the attribute `_referee` in
/// order to write, except those of the given roles, of DynamoDB's replication and of AWS's services.
///
/// A request names an attribute if the attribute is in an item that it puts, or in its update or
/// condition.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkPolicy {
    table: String,
    writers: Vec<String>,
}

impl MarkPolicy {
    /// The policy of a table, by its name in DynamoDB. The writers are the ARNs of roles.
    #[must_use]
    pub fn new(table: &str, writers: &[String], deployment: &Deployment) -> Self {
        let account = deployment.account.as_deref().unwrap_or("*");
        let replication = format!("arn:{}:iam::{account}:{REPLICATION}", deployment.partition);
        let writers = writers.iter().cloned().chain([replication]);
        Self { table: table_arn(table, deployment), writers: writers.collect() }
    }
}

impl Serialize for MarkPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let statement = json!({
            "Sid": "ReserveMark",
            "Effect": "Deny",
            "Principal": "*",
            "Action": WRITES,
            "Resource": [self.table],
            "Condition": {
                "ForAnyValue:StringEquals": { "dynamodb:Attributes": [MARK] },
                "ArnNotEquals": { "aws:PrincipalArn": self.writers },
                "BoolIfExists": { "aws:PrincipalIsAWSService": "false" },
            },
        });
        json!({ "Version": VERSION, "Statement": [statement] }).serialize(serializer)
    }
}
