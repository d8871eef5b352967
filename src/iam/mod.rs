//! The least-privilege IAM policies for the Lambda function, and for repairs of tables at rest.
//!
//! The rules determine the needs, the needs are grouped into statements, and the statements are
//! printed as JSON or HCL.

mod hcl;
mod json;
mod mark;
mod needs;
mod repair;
mod statements;

use crate::rules::Rules;

pub use self::repair::repair_policy;
pub use crate::metrics::NAMESPACE;
pub use mark::MarkPolicy;

/// Where the function runs, and the resources it needs apart from those of its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The AWS partition: `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// The AWS Region; any if absent.
    pub region: Option<String>,
    /// The AWS account ID; any if absent.
    pub account: Option<String>,
    /// The name of the function, which is also in the name of its log group.
    pub function: String,
    /// The namespace of the metrics that it publishes with requests to CloudWatch; absent if it makes
    /// no such requests.
    pub namespace: Option<String>,
    /// The S3 bucket to which the event source mapping sends failed records.
    pub failures_bucket: Option<String>,
    /// The AWS account that owns this bucket; that of the function if absent.
    pub failures_account: Option<String>,
    /// The ARNs of the customer managed KMS keys that encrypt the tables.
    pub table_keys: Vec<String>,
    /// The SQS queue on which suspects wait, if there is one.
    pub recheck_queue: Option<String>,
    /// Whether the function also audits tables.
    pub audits: bool,
}

impl Deployment {
    /// A function of this name, in any account and Region of the partition `aws`, that publishes
    /// metrics in the default namespace and needs nothing that is optional.
    #[must_use]
    pub fn anywhere(function: &str) -> Self {
        Self {
            partition: "aws".to_owned(),
            region: None,
            account: None,
            function: function.to_owned(),
            namespace: Some(NAMESPACE.to_owned()),
            failures_bucket: None,
            failures_account: None,
            table_keys: Vec::new(),
            recheck_queue: None,
            audits: false,
        }
    }
}

/// An identity-based policy. All its statements have the effect `Allow`.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The statements: reads first, then writes, then the rest.
    pub statements: Vec<Statement>,
}

/// Actions that are allowed on resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its id, unique in the policy.
    pub sid: String,
    /// The actions, sorted.
    pub actions: Vec<String>,
    /// The resources' ARNs, sorted.
    pub resources: Vec<String>,
    /// An additional condition.
    pub condition: Option<Condition>,
}

/// A condition on a context key of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The condition operator.
    pub operator: &'static str,
    /// The context key.
    pub key: &'static str,
    /// The values to compare it with.
    pub values: Vec<String>,
}

/// The least-privilege policy for these rules.
#[must_use]
pub fn policy(rules: &Rules, deployment: &Deployment) -> Policy {
    Policy { statements: statements::statements(rules, deployment) }
}
