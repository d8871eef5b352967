//! `referee test`: runs recorded cases, and compares their results with the expected ones.

mod case;
mod junit;
mod lines;

use std::path::PathBuf;

use serde::Serialize;

use self::case::{Case, Difference, Tested};
use super::help::Example;
use super::output::write_whole;
use super::rule_file::{self, counts};
use super::{Context, Failure, Outcome};

pub(super) const EXAMPLES: &[Example] = &[
    ("Run the cases in the folder `cases`", "referee test cases/"),
    ("Write the results that the cases have now", "referee test --update cases/"),
    ("Also write a report for a CI system", "referee test --junit report.xml cases/"),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write what is found as what is expected.
    #[arg(long)]
    update: bool,

    /// Write a report in the XML format of `JUnit` to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Cases, and folders of cases. A case is a folder with the events `stream/*.json`, the expected
    /// output `expected.jsonl` of `referee replay --json`, and optionally the rule file
    /// `referee.yaml`, the items `seed.json` before the events, and the items `after.json` after
    /// them. A file that ends in `.yaml` or `.yml` is the rule file of the cases without one.
    #[arg(value_name = "CASE", required = true)]
    cases: Vec<PathBuf>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'l> {
    Case {
        case: &'l str,
        outcome: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'l str>,
        #[serde(skip_serializing_if = "<[Difference]>::is_empty")]
        differences: &'l [Difference],
    },
    Summary {
        cases: usize,
        failed: usize,
    },
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let folders = rule_file::take(&arguments.cases, context)?;
    if folders.is_empty() {
        return Err(rule_file::missing("CASE"));
    }
    let cases = case::find(&folders)?;
    let mut tested = Vec::new();
    for case in &cases {
        let result = test(case, arguments.update, context)?;
        report(&result, context)?;
        tested.push(result);
    }
    if let Some(file) = &arguments.junit {
        write_whole(file, &junit::report(&tested))?;
    }
    let failed = tested.iter().filter(|tested| tested.has_failed()).count();
    if context.json {
        context.output.json(&Line::Summary { cases: tested.len(), failed })?;
    } else {
        let count = counts(&[(tested.len(), "case")]);
        let passed = tested.len() - failed;
        context.output.result(&format!("\n{count}: {passed} passed, {failed} failed\n"))?;
    }
    Ok(if failed > 0 { Outcome::Findings } else { Outcome::Clean })
}

/// Runs a case. A case that cannot be run has failed; the others are run all the same.
fn test(case: &Case, updates: bool, context: &mut Context<'_>) -> Result<Tested, Failure> {
    let mut tested = Tested::new(case);
    match case.run(context).and_then(|found| case.compare(&found, updates)) {
        Ok((differences, is_updated)) => {
            tested.differences = differences;
            tested.is_updated = is_updated;
        }
        Err(Failure::Output(error)) => return Err(Failure::Output(error)),
        Err(failure) => tested.error = Some(failure.to_string()),
    }
    Ok(tested)
}

/// Reports the result of a case.
fn report(tested: &Tested, context: &mut Context<'_>) -> Result<(), Failure> {
    let outcome = tested.outcome();
    if context.json {
        context.output.json(&Line::Case {
            case: &tested.name,
            outcome,
            error: tested.error.as_deref(),
            differences: &tested.differences,
        })?;
        return Ok(());
    }
    context.output.result(&format!("{outcome:<8} {}\n", tested.name))?;
    let details = tested.details();
    for line in details.lines() {
        context.output.result(&format!("  {line}\n"))?;
    }
    Ok(())
}
