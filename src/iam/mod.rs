//! The least privilege that the function needs for its rules, as an IAM policy.
//!
//! Rules become needs, needs become statements, and these are written as JSON or as HCL.

mod hcl;
mod json;
mod needs;
mod statements;

use crate::rules::Rules;

/// The namespace of the metrics, unless the function is told another one.
pub const NAMESPACE: &str = "Referee";

/// Where the function runs, and what it does besides its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The partition of AWS: `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// The Region, or any.
    pub region: Option<String>,
    /// The account, or any.
    pub account: Option<String>,
    /// The function's name, which its log group has too.
    pub function: String,
    /// The namespace of the metrics that it publishes to CloudWatch; nothing if it makes no
    /// requests for them.
    pub namespace: Option<String>,
    /// The bucket where the event source mapping keeps the records that it gives up on.
    pub failures_bucket: Option<String>,
}

/// An identity-based policy, which allows and denies nothing.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What is allowed: reads first, then writes, then all else.
    pub statements: Vec<Statement>,
}

/// Some actions, allowed on some resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its name, which no other statement of the policy has.
    pub sid: String,
    /// The actions, sorted.
    pub actions: Vec<String>,
    /// The resources' ARNs, sorted.
    pub resources: Vec<String>,
    /// What must be so besides.
    pub condition: Option<Condition>,
}

/// A condition: a request's context key has a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// How the two are compared.
    pub operator: &'static str,
    /// The context key.
    pub key: &'static str,
    /// The value.
    pub value: String,
}

/// The least privilege that the function needs.
#[must_use]
pub fn policy(rules: &Rules, deployment: &Deployment) -> Policy {
    Policy { statements: statements::statements(rules, deployment) }
}
