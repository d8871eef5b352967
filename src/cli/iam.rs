//! `referee iam`: prints the least-privilege policy of the function for its rules, or of repairs.

use clap::ValueEnum;
use serde::Serialize;

use super::help::Example;
use super::repair::plan::parse_choice;
use super::{Context, Failure, Outcome, rule_file};
use crate::iam::{Deployment, MarkPolicy, NAMESPACE, policy, repair_policy};
use crate::repair::{Choice, choose};
use crate::rules::Rules;

pub(super) const EXAMPLES: &[Example] = &[
    (
        "Print the policy for one Region and account",
        "referee iam --region eu-west-1 --account 123456789012 > policy.json",
    ),
    ("Print the policy as Terraform code", "referee iam --format hcl"),
    ("Print the policy of a function that only observes", "referee iam --observe"),
    ("Print the policy of a function that also audits", "referee iam --audit"),
    (
        "Print the policy of the person who backfills and repairs tables",
        "referee iam --repair --action order_customer=delete",
    ),
    (
        "Print the policy of a table that reserves `_referee` for the function",
        "referee iam --resource-policy app --role arn:aws:iam::123456789012:role/referee \
         --region eu-west-1 --account 123456789012",
    ),
];

/// The heading of the options that describe where the function runs.
const DEPLOYMENT: &str = "Deployment";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,

    /// The AWS Region; default: any.
    #[arg(long, help_heading = DEPLOYMENT, value_parser = arn_part)]
    region: Option<String>,

    /// The AWS account ID; default: any.
    #[arg(long, help_heading = DEPLOYMENT, value_parser = arn_part)]
    account: Option<String>,

    /// The AWS partition.
    #[arg(long, help_heading = DEPLOYMENT, value_parser = arn_part, default_value = "aws")]
    partition: String,

    /// The name of the Lambda function, which is also in the name of its log group.
    #[arg(
        long,
        value_name = "NAME",
        help_heading = DEPLOYMENT,
        value_parser = arn_part,
        default_value = "referee"
    )]
    function: String,

    /// The destination of the metrics, as in `REFEREE_METRICS`.
    #[arg(long, help_heading = DEPLOYMENT, value_enum, default_value_t = Metrics::Cloudwatch)]
    metrics: Metrics,

    /// The namespace of the metrics, as in `REFEREE_NAMESPACE`.
    #[arg(
        long,
        value_name = "NAME",
        help_heading = DEPLOYMENT,
        value_parser = namespace,
        default_value = NAMESPACE
    )]
    namespace: String,

    /// The S3 bucket to which the event source mappings send failed records.
    #[arg(long, value_name = "BUCKET", help_heading = DEPLOYMENT, value_parser = arn_part)]
    on_failure: Option<String>,

    /// The AWS account that owns the bucket of `--on-failure`; default: that of `--account`.
    #[arg(
        long,
        value_name = "ACCOUNT",
        help_heading = DEPLOYMENT,
        value_parser = arn_part,
        requires = "on_failure"
    )]
    on_failure_account: Option<String>,

    /// The name of the SQS queue on which suspects wait, as in the URL in `REFEREE_RECHECK_QUEUE`.
    #[arg(long, value_name = "QUEUE", help_heading = DEPLOYMENT, value_parser = arn_part)]
    recheck: Option<String>,

    /// The ARN of a customer managed KMS key that encrypts a table; repeat it for several keys.
    #[arg(long, value_name = "ARN", help_heading = DEPLOYMENT, value_parser = key_arn)]
    kms: Vec<String>,

    /// Print a resource-based policy for this table of the rule file, which denies writing the mark
    /// `_referee` to everyone except the roles of `--role`. Its limits are in docs/GUARANTEES.md.
    #[arg(long, value_name = "TABLE", requires_all = ["role", "region", "account"])]
    resource_policy: Option<String>,

    /// The ARN of a role that may write the mark: the function's, and those of people and programs
    /// that run `referee watch`, `repair`, `backfill` or guarded writes of mirrors; repeat it for
    /// several roles.
    #[arg(long, value_name = "ARN", value_parser = role_arn, requires = "resource_policy")]
    role: Vec<String>,

    /// Print the policy of a function that only observes.
    #[arg(long)]
    observe: bool,

    /// Print the policy of a function that also audits the tables.
    #[arg(long)]
    audit: bool,

    /// Print the policy of `referee audit`, `backfill` and `repair` on real tables, instead of the
    /// function's.
    #[arg(long, conflicts_with_all = ["audit", "observe", "on_failure", "recheck", "resource_policy"])]
    repair: bool,

    /// An action that is given to `referee repair plan`, too. The option can be repeated.
    #[arg(long, value_name = "RULE=ACTION", requires = "repair", value_parser = parse_choice)]
    action: Vec<Choice>,

    #[command(flatten)]
    rules: super::rule_file::RulesArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A policy document in JSON.
    Json,
    /// A Terraform data source.
    Hcl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Metrics {
    /// CloudWatch: counters in the log, violations and failures with requests.
    Cloudwatch,
    /// Only the log, in the embedded metric format; needs no permission of its own.
    Emf,
    /// No metrics.
    None,
}

/// Accepts a part of an ARN without characters that have a meaning in ARNs or IAM patterns.
fn arn_part(text: &str) -> Result<String, &'static str> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err("it must consist of letters, digits and `-_.`")
    }
}

/// Accepts the ARN of a KMS key. A policy cannot name a key by an alias.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html>
fn key_arn(text: &str) -> Result<String, &'static str> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["arn", partition, "kms", region, account, key]
            if [*partition, *region, *account].iter().all(|part| arn_part(part).is_ok())
                && key.strip_prefix("key/").is_some_and(|id| arn_part(id).is_ok()) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("it must be the ARN of a key: `arn:aws:kms:REGION:ACCOUNT:key/ID`"),
    }
}

/// Accepts the ARN of a role.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>
fn role_arn(text: &str) -> Result<String, &'static str> {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "+=,.@-_/".contains(character);
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["arn", partition, "iam", "", account, role]
            if [*partition, *account].iter().all(|part| arn_part(part).is_ok())
                && role.strip_prefix("role/").is_some_and(|name| !name.is_empty())
                && role.chars().all(is_plain) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("it must be the ARN of a role: `arn:aws:iam::ACCOUNT:role/NAME`"),
    }
}

/// Accepts a metric namespace that `CloudWatch` allows and that contains no characters with a
/// meaning in IAM patterns.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>
fn namespace(text: &str) -> Result<String, &'static str> {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || ".-_/#: ".contains(character);
    if !text.trim().is_empty() && text.chars().all(is_allowed) {
        Ok(text.to_owned())
    } else {
        Err("it must consist of letters, digits, spaces and `.-_/#:`")
    }
}

pub(super) fn run(arguments: Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    if context.json && arguments.format == Format::Hcl {
        return Err(Failure::Usage("`--json` cannot be used with `--format hcl`".to_owned()));
    }
    arguments.rules.apply(context)?;
    let mut rules = rule_file::load_in_mode(arguments.observe, context)?;
    for choice in &arguments.action {
        choose(&mut rules, choice).map_err(Failure::Usage)?;
    }
    let publishes = arguments.metrics == Metrics::Cloudwatch;
    let deployment = Deployment {
        partition: arguments.partition,
        region: arguments.region,
        account: arguments.account,
        function: arguments.function,
        namespace: publishes.then_some(arguments.namespace),
        failures_bucket: arguments.on_failure,
        failures_account: arguments.on_failure_account,
        table_keys: arguments.kms,
        recheck_queue: arguments.recheck,
        audits: arguments.audit,
    };
    if let Some(alias) = &arguments.resource_policy {
        if arguments.format == Format::Hcl {
            let text = "`--resource-policy` cannot be used with `--format hcl`";
            return Err(Failure::Usage(text.to_owned()));
        }
        let name = table_name(&rules, alias)?;
        print_json(&MarkPolicy::new(name, &arguments.role, &deployment), context)?;
        return Ok(Outcome::Clean);
    }
    let policy = if arguments.repair {
        repair_policy(&rules, &deployment)
    } else {
        policy(&rules, &deployment)
    };
    match arguments.format {
        Format::Hcl => context.output.result(&policy.to_hcl())?,
        Format::Json => print_json(&policy, context)?,
    }
    Ok(Outcome::Clean)
}

/// The name in DynamoDB of a table of the rule file.
fn table_name<'r>(rules: &'r Rules, alias: &str) -> Result<&'r str, Failure> {
    let table = rules.tables.iter().find(|table| table.alias == alias);
    table.map(|table| table.name.as_str()).ok_or_else(|| {
        let known: Vec<String> =
            rules.tables.iter().map(|table| format!("`{}`", table.alias)).collect();
        Failure::Usage(format!(
            "there is no table `{alias}` in the rules, which have {}",
            known.join(", ")
        ))
    })
}

/// Prints a policy on one line with `--json`, and otherwise for people.
fn print_json(policy: &impl Serialize, context: &mut Context<'_>) -> Result<(), Failure> {
    if context.json {
        context.output.json(policy)?;
    } else {
        let text = serde_json::to_string_pretty(policy).map_err(std::io::Error::from)?;
        context.output.result(&format!("{text}\n"))?;
    }
    Ok(())
}
