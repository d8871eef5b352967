//! A policy in JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Policy, Statement};

/// The version of the policy language.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>
pub(super) const VERSION: &str = "2012-10-17";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyJson<'p> {
    version: &'static str,
    statement: Vec<StatementJson<'p>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatementJson<'p> {
    sid: &'p str,
    effect: &'static str,
    action: &'p [String],
    resource: &'p [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<BTreeMap<&'p str, BTreeMap<&'p str, Values<'p>>>>,
}

/// The values of a condition: one, or a list if the context key has several values.
#[derive(Serialize)]
#[serde(untagged)]
enum Values<'p> {
    One(&'p str),
    Many(&'p [String]),
}

impl Serialize for Policy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let statement = self.statements.iter().map(of_statement).collect();
        PolicyJson { version: VERSION, statement }.serialize(serializer)
    }
}

fn of_statement(statement: &Statement) -> StatementJson<'_> {
    let condition = statement.condition.as_ref().map(|condition| {
        let values = match condition.values.as_slice() {
            [value] if !condition.operator.starts_with("For") => Values::One(value),
            values => Values::Many(values),
        };
        BTreeMap::from([(condition.operator, BTreeMap::from([(condition.key, values)]))])
    });
    StatementJson {
        sid: &statement.sid,
        effect: "Allow",
        action: &statement.actions,
        resource: &statement.resources,
        condition,
    }
}
