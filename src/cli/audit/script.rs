//! `referee audit --sql`: prints the audit as SQL.

use std::collections::BTreeMap;

use super::Args;
use crate::audit::sql::{self, Dialect, Options};
use crate::cli::{Context, Failure, Outcome};
use crate::rules::model::Rules;
use crate::runtime::system_clock::now_ms;

/// The name of the option that selects a dialect.
pub(super) const OPTION: &str = "sql";

/// Reads the name of a dialect.
pub(super) fn dialect(name: &str) -> Result<Dialect, String> {
    let known: Vec<&str> = Dialect::ALL.map(Dialect::name).to_vec();
    Dialect::from_name(name).ok_or_else(|| format!("it must be {}", known.join(", ")))
}

/// Prints the script for a dialect.
pub(super) fn run(
    dialect: Dialect,
    arguments: &Args,
    rules: &Rules,
    context: &mut Context<'_>,
) -> Result<Outcome, Failure> {
    let mut options =
        Options { locations: BTreeMap::new(), now_ms: arguments.at.unwrap_or_else(now_ms) };
    for location in &arguments.location {
        let (name, path) = location.split_once('=').ok_or_else(|| {
            Failure::Usage(format!("`--location {location}` must have the form TABLE=LOCATION"))
        })?;
        let Some((table, _)) = rules.table_named(name) else {
            return Err(Failure::Usage(format!(
                "table `{name}` is not in the rule file, which has {}",
                rules.table_names()
            )));
        };
        options.locations.insert(table, path.to_owned());
    }
    context.output.result(&sql::script(rules, dialect, &options))?;
    Ok(Outcome::Clean)
}
