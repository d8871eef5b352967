//! Evaluates which actions an IAM policy allows, and which permissions a request needs.
//!
//! Shares no code with the generator of the policies.

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// The permission for an action on a resource, such as `dynamodb:PutItem` on a table's ARN.
pub type Right = (String, String);

/// A policy in IAM's format.
#[derive(Debug, Clone)]
pub struct Policy(Json);

impl Policy {
    pub fn parse(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap())
    }

    /// Returns the names of the statements that grant this permission.
    pub fn allowing(&self, (action, resource): &Right) -> Vec<&str> {
        let covers = |statement: &Json, key: &str, text: &str| {
            texts(&statement[key]).any(|pattern| matches(pattern, text))
        };
        self.statements()
            .filter(|it| covers(it, "Action", action) && covers(it, "Resource", resource))
            .map(|statement| statement["Sid"].as_str().unwrap())
            .collect()
    }

    /// Whether some statement grants this permission for an item with this partition key.
    pub fn covers_key(&self, right: &Right, key: &str) -> bool {
        let sids = self.allowing(right);
        self.statements().filter(|it| sids.contains(&it["Sid"].as_str().unwrap())).any(
            |statement| {
                let condition = &statement["Condition"]["ForAllValues:StringLike"];
                let patterns = condition["dynamodb:LeadingKeys"].as_array();
                patterns.is_none_or(|patterns| {
                    patterns.iter().any(|pattern| matches(pattern.as_str().unwrap(), key))
                })
            },
        )
    }

    /// Whether some statement grants this permission.
    pub fn covers(&self, right: &Right) -> bool {
        !self.allowing(right).is_empty()
    }

    /// Returns each pair of an action and a resource that the policy allows, with its statement's
    /// name. These are the smallest parts that could be removed from the policy.
    pub fn pieces(&self) -> Vec<(String, Right)> {
        let mut pieces = Vec::new();
        for statement in self.statements() {
            for action in texts(&statement["Action"]) {
                for resource in texts(&statement["Resource"]) {
                    let sid = statement["Sid"].as_str().unwrap().to_owned();
                    pieces.push((sid, (action.to_owned(), resource.to_owned())));
                }
            }
        }
        pieces
    }

    fn statements(&self) -> impl Iterator<Item = &Json> {
        self.0["Statement"].as_array().unwrap().iter()
    }
}

fn texts(list: &Json) -> impl Iterator<Item = &str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap())
}

/// Whether a text matches a pattern, in which `*` matches any text.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    (0..=text.len()).filter_map(|end| text.get(end..)).any(|left| matches(rest, left))
}

/// Returns the permission for a DynamoDB action on a table, or on an index, which is written as
/// `table/index/name`.
pub fn right(action: &str, table: &str) -> Right {
    let resource = format!("arn:aws:dynamodb:us-east-1:123456789012:table/{table}");
    (format!("dynamodb:{action}"), resource)
}

/// Returns the partition keys of the items that a request writes, each with the permission that it
/// needs. `partition` is the name of the partition key, which must be a string.
pub fn written_keys(operation: &str, body: &Json, partition: &str) -> Vec<(Right, String)> {
    let key = |item: &Json| item[partition]["S"].as_str().unwrap().to_owned();
    let written = |kind: &str, body: &Json| {
        let item = match kind {
            "PutItem" => &body["Item"],
            "UpdateItem" | "DeleteItem" => &body["Key"],
            _ => return None,
        };
        Some((right(kind, body["TableName"].as_str().unwrap()), key(item)))
    };
    match body["TransactItems"].as_array() {
        Some(actions) => actions
            .iter()
            .flat_map(|action| action.as_object().unwrap())
            .filter_map(|(kind, action)| written(&format!("{kind}Item"), action))
            .collect(),
        None => written(operation, body).into_iter().collect(),
    }
}

/// Returns the permissions that a request needs. A transaction needs the permission for each of its
/// actions.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
pub fn rights(operation: &str, body: &Json) -> BTreeSet<Right> {
    let table = |body: &Json| body["TableName"].as_str().unwrap().to_owned();
    match operation {
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().unwrap().keys();
            tables.map(|table| right(operation, table)).collect()
        }
        "Query" => {
            let index = body["IndexName"].as_str().map(|index| format!("/index/{index}"));
            [right(operation, &(table(body) + &index.unwrap_or_default()))].into()
        }
        "TransactWriteItems" => {
            let actions = body["TransactItems"].as_array().unwrap().iter();
            let of_action = |action: &Json| {
                let (kind, action) = action.as_object().unwrap().iter().next().unwrap();
                right(&format!("{kind}Item"), &table(action))
            };
            actions.map(of_action).collect()
        }
        _ => [right(operation, &table(body))].into(),
    }
}
