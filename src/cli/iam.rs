//! `referee iam`: the least privilege that the function needs for its rules.

use clap::ValueEnum;

use super::{Context, Failure, Outcome, rule_file};
use crate::iam::{Deployment, NAMESPACE, policy};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to write the policy as.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,

    /// The Region of the tables and the function; any if absent.
    #[arg(long, value_parser = arn_part)]
    region: Option<String>,

    /// The number of their account; any if absent.
    #[arg(long, value_parser = arn_part)]
    account: Option<String>,

    /// The partition of AWS that they are in.
    #[arg(long, value_parser = arn_part, default_value = "aws")]
    partition: String,

    /// The function's name, after which its log group is named.
    #[arg(long, value_name = "NAME", value_parser = arn_part, default_value = "referee")]
    function: String,

    /// Where the function's metrics go, as in `REFEREE_METRICS`.
    #[arg(long, value_enum, default_value_t = Metrics::Cloudwatch)]
    metrics: Metrics,

    /// Their namespace, as in `REFEREE_NAMESPACE`.
    #[arg(long, value_name = "NAME", value_parser = namespace, default_value = NAMESPACE)]
    namespace: String,

    /// The bucket that the event source mappings keep failed records in.
    #[arg(long, value_name = "BUCKET", value_parser = arn_part)]
    on_failure: Option<String>,

    /// For a function that only observes.
    #[arg(long)]
    observe: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A policy document.
    Json,
    /// A data source for Terraform.
    Hcl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Metrics {
    /// To CloudWatch's API.
    Cloudwatch,
    /// Into the log, which needs no right of its own.
    Emf,
    /// Nowhere.
    None,
}

/// A text that can stand between the colons of an ARN, and means itself there.
fn arn_part(text: &str) -> Result<String, &'static str> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err("it must consist of letters, digits and `-_.`")
    }
}

/// A name that `CloudWatch` takes for a namespace, and IAM for itself.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>
fn namespace(text: &str) -> Result<String, &'static str> {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || ".-_/#: ".contains(character);
    if !text.trim().is_empty() && text.chars().all(is_allowed) {
        Ok(text.to_owned())
    } else {
        Err("it must consist of letters, digits, blanks and `.-_/#:`")
    }
}

pub(super) fn run(arguments: Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    if context.json && arguments.format == Format::Hcl {
        return Err(Failure::Usage(
            "`--json` asks for JSON, and `--format hcl` for none".to_owned(),
        ));
    }
    let rules = rule_file::load_in_mode(arguments.observe, context)?;
    let publishes = arguments.metrics == Metrics::Cloudwatch;
    let deployment = Deployment {
        partition: arguments.partition,
        region: arguments.region,
        account: arguments.account,
        function: arguments.function,
        namespace: publishes.then_some(arguments.namespace),
        failures_bucket: arguments.on_failure,
    };
    let policy = policy(&rules, &deployment);
    match arguments.format {
        Format::Hcl => context.output.result(&policy.to_hcl())?,
        Format::Json if context.json => context.output.json(&policy)?,
        Format::Json => {
            let text = serde_json::to_string_pretty(&policy).map_err(std::io::Error::from)?;
            context.output.result(&format!("{text}\n"))?;
        }
    }
    Ok(Outcome::Clean)
}
