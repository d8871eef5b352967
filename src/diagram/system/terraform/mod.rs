//! What a plan or a state of Terraform deploys: the output of `terraform show -json`.
//!
//! Invariant: only this module knows Terraform's JSON. Other versions of the Terraform module, and
//! configurations without it, are read by the types of resources, not by their names.

mod convert;
mod resources;

use std::collections::BTreeSet;

use serde_json::Value as Json;

use self::convert::Reader;
use self::resources::{Resource, Resources};
use super::DEFAULT_FUNCTION;
use super::deployment::{Area, Deployment, Function, Origin, Unread};
use crate::rules::Rules;

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TerraformError {
    /// It is not the JSON of `terraform show`.
    #[error(
        "it is not the output of `terraform show -json`{0}\nhelp: run `terraform plan -out FILE` and \
         `terraform show -json FILE > plan.json`, or `terraform show -json > state.json`"
    )]
    Other(String),
    /// It is the file of another version of Terraform.
    #[error(
        "its `format_version` is {0}; known versions begin with `0.` or `1.`\nhelp: use another \
         version of Terraform, or of `referee`"
    )]
    Version(String),
    /// Several functions could be Referee's.
    #[error("several functions may be Referee's: {0}\nhelp: name one with --function")]
    Several(String),
    /// There is no function with the requested name.
    #[error("it has no Lambda function `{0}`; it has {1}\nhelp: correct --function")]
    NoSuchFunction(String, String),
}

/// Reads what a plan or a state deploys for these rules. `function` is the name of Referee's
/// function; without it, it is the one with Referee's environment variables.
pub fn read(
    text: &[u8],
    rules: &Rules,
    function: Option<&str>,
) -> Result<Deployment, TerraformError> {
    let document: Json = serde_json::from_slice(text).map_err(|error| not_json(text, &error))?;
    let origin = origin(&document)?;
    let resources = Resources::of(&document);
    let chosen = choose(&resources, function)?;
    let reader = Reader { resources: &resources, rules, function: chosen };
    let mut deployment = reader.deployment(origin);
    if chosen.is_none() {
        let count = resources.managed();
        let functions: Vec<_> = resources.of_kind(LAMBDA_FUNCTION).collect();
        deployment.unread.push(Unread {
            area: Area::Function,
            what: "Referee's function".to_owned(),
            why: format!(
                "none of its {count} resources is a Lambda function with a variable `{}…`{}\nhelp: \
                 use the JSON of the configuration that has Referee's module, or name the function \
                 with --function",
                Function::PREFIX,
                match functions.as_slice() {
                    [] => String::new(),
                    functions => format!("; it has {}", names(functions)),
                }
            ),
        });
    }
    Ok(deployment)
}

const LAMBDA_FUNCTION: &str = "aws_lambda_function";

fn not_json(text: &[u8], error: &serde_json::Error) -> TerraformError {
    let what = match text {
        [b'P', b'K', ..] => ", but a plan file".to_owned(),
        // `terraform plan -json` prints an object a line.
        [b'{', ..] if text.windows(10).take(1_000).any(|part| part == b"\"@message\"") => {
            ", but that of `terraform plan -json`".to_owned()
        }
        _ => format!(": {error}"),
    };
    TerraformError::Other(what)
}

fn origin(document: &Json) -> Result<Origin, TerraformError> {
    let has = |name: &str| document.get(name).is_some();
    let Some(version) = document.get("format_version").and_then(Json::as_str) else {
        let what = if has("lineage") && has("serial") { ", but a state file" } else { "" };
        return Err(TerraformError::Other(what.to_owned()));
    };
    if !version.starts_with("0.") && !version.starts_with("1.") {
        return Err(TerraformError::Version(version.to_owned()));
    }
    if has("planned_values") {
        Ok(Origin::Plan)
    } else if has("provider_schemas") {
        Err(TerraformError::Other(", but that of `terraform providers schema -json`".to_owned()))
    } else {
        // A state without resources has no values.
        Ok(Origin::State)
    }
}

/// Referee's function, if there is one.
fn choose<'j>(
    resources: &Resources<'j>,
    wanted: Option<&str>,
) -> Result<Option<Resource<'j>>, TerraformError> {
    let functions: Vec<Resource<'j>> =
        resources.of_kind(LAMBDA_FUNCTION).filter(|it| !it.is_data).collect();
    if let Some(wanted) = wanted {
        let found =
            functions.iter().find(|it| it.text("/function_name").as_deref() == Some(wanted));
        return match found {
            Some(found) => Ok(Some(*found)),
            None => Err(TerraformError::NoSuchFunction(wanted.to_owned(), names(&functions))),
        };
    }
    let is_configured = |function: &&Resource<'j>| {
        let variables = function.value("/environment/0/variables").and_then(Json::as_object);
        let known = variables.into_iter().flatten().map(|(name, _)| name.as_str());
        let mut all = known.chain(function.unknown_names("/environment/0/variables"));
        all.any(|name| name.starts_with(Function::PREFIX))
    };
    let ours: Vec<_> = functions.iter().filter(is_configured).copied().collect();
    match ours.as_slice() {
        [] => {
            // Rules can be in the package, and their variables unknown.
            let named = functions
                .iter()
                .find(|it| it.text("/function_name").as_deref() == Some(DEFAULT_FUNCTION));
            Ok(named.copied())
        }
        [one] => Ok(Some(*one)),
        several => Err(TerraformError::Several(names(several))),
    }
}

fn names(functions: &[Resource<'_>]) -> String {
    let names: BTreeSet<String> = functions
        .iter()
        .map(|it| format!("`{}`", it.text("/function_name").as_deref().unwrap_or(it.address)))
        .collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    names.into_iter().collect::<Vec<_>>().join(", ")
}
