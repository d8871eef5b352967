//! `referee backfill`: writes the mirrors that should exist and do not.

use std::path::PathBuf;

use super::help::Example;
use super::job::TableArgs;
use super::repair::apply::{self, Plan, positive};
use super::repair::findings::findings;
use super::repair::plan::{self, Wanted};
use super::{Context, Failure, Outcome, rule_file};
use crate::files::beside;
use crate::repair::Options;

pub(super) const EXAMPLES: &[Example] = &[
    (
        "Show which mirrors are missing, and what it costs to write them",
        "referee backfill --live findings.jsonl",
    ),
    ("Write them", "referee backfill --live --apply findings.jsonl"),
    ("Continue after a crash", "referee backfill --live --apply --resume"),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write the mirrors.
    #[arg(long)]
    apply: bool,

    /// Continue with the plan of a backfill that did not finish.
    #[arg(long, requires = "apply", conflicts_with = "findings")]
    resume: bool,

    /// Mark items at mirrors' keys that Referee did not write and that equal their mirrors.
    #[arg(long)]
    adopt: bool,

    /// The maximum number of write units that are consumed in a second.
    #[arg(long, value_name = "NUMBER", value_parser = positive)]
    write_units: Option<f64>,

    /// The plan's file. Its journal is beside it, with `.journal`; `referee repair undo` takes the
    /// writes back.
    #[arg(long, value_name = "FILE", default_value = "backfill.jsonl")]
    plan: PathBuf,

    #[command(flatten)]
    tables: TableArgs,

    /// The output of `referee audit --json`, or - for standard input. Without it, the tables are
    /// audited first. A file that ends in `.yaml` or `.yml` is the rule file.
    #[arg(value_name = "FINDINGS", num_args = 0..=2)]
    findings: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let file_of_findings = rule_file::take_one(&arguments.findings, context)?;
    let rules = rule_file::load(context)?;
    let hash = rules.fingerprint();
    let Args { apply, resume, tables, plan: file, .. } = arguments;
    let journal = beside(file, ".journal");
    if !resume {
        if *apply && journal.exists() {
            let journal = journal.display();
            return Err(Failure::Usage(format!(
                "`{journal}` is the journal of an earlier backfill\n\
                 help: continue it with `--resume`, name another file with `--plan`, or delete it"
            )));
        }
        let findings = findings(&rules, file_of_findings.map(PathBuf::as_path), tables, context)?;
        let options = Options { adopt: arguments.adopt, only_missing: true };
        let out = apply.then_some(file.as_path());
        let (hash, print) = (hash.clone(), !*apply);
        plan::make(&rules, Wanted { hash, findings, options, tables, out, print }, context)?;
    }
    if !apply {
        return Ok(Outcome::Clean);
    }
    let checked = apply::check(file, &hash)?;
    let resume = "`--resume` continues it";
    let plan = Plan { hash: &hash, file, checked, journal: &journal, resume };
    apply::make(&rules, &plan, tables, arguments.write_units, context)
}
