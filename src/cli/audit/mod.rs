//! `referee audit`: checks the items that exist against the rules.

#[cfg(feature = "live")]
mod announce;
#[cfg(feature = "live")]
mod confirm;
mod files;
#[cfg(feature = "live")]
mod live;
mod out;
#[cfg(feature = "live")]
mod progress;
#[cfg(feature = "live")]
mod publish;
mod replica;
mod script;
pub(in crate::cli) mod sources;
mod summary;
mod table;

use std::path::PathBuf;

use clap::ValueEnum;

use self::out::FindingsFile;
use self::summary::{Count, OfTables, Summary};
use super::coverage::Coverage;
use super::help::Example;
use super::{Context, Failure, Outcome, rule_file, tables};
use crate::audit::sql::Dialect;
use crate::audit::{Audited, Options, Problem};
use crate::data::{Key, KeyValue};
use crate::integrity::finding::{Finding, ItemName};
use crate::metrics::AuditSummary;
use crate::rules::model::{Mode, Rules, Severity};
use crate::runtime::system_clock::now_ms;
use crate::wording::ViolationLine;

pub(super) const EXAMPLES: &[Example] = &[
    ("Check the items of an export to S3", "referee audit AWSDynamoDB/01693685827463-2d8752fd"),
    ("Check the items of a dump", "referee audit tables.json"),
    (
        "Write every finding to a file, for `referee backfill` and `referee repair plan`",
        "referee audit --out findings.jsonl tables.json",
    ),
    #[cfg(feature = "live")]
    (
        "Check the tables in AWS, at no more than 500 read units a second",
        "referee audit --live --read-units 500",
    ),
    (
        "Compare an export with one of another Region",
        "referee audit exports/eu-west-1 --replica exports/eu-central-1",
    ),
    #[cfg(feature = "live")]
    (
        "Compare the tables with those of another Region",
        "referee audit --live --replica eu-central-1 --read-units 500",
    ),
    (
        "Check one rule, and fail on warnings too",
        "referee audit --rule order_customer --fail-on warn tables.json",
    ),
    (
        "Print queries for Amazon Athena, for exports of any size",
        "referee audit --sql athena --location app=s3://bucket/AWSDynamoDB/01693685827463-2d8752fd/data/",
    ),
];

/// The heading of the options that print SQL.
const SQL: &str = "SQL";

/// The number of findings of a rule that are shown to people.
const SHOWN_OF_RULE: usize = 10;

/// How many bytes of facts are kept in memory.
const MEMORY_BYTES_MAX: usize = 96 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Check only this rule. The option can be repeated.
    #[arg(long, value_name = "NAME")]
    rule: Vec<String>,

    /// Report only findings about items whose partition key begins with this text. With --replica,
    /// compare only these items.
    #[arg(long = "where", value_name = "PREFIX")]
    prefix: Option<String>,

    /// Report items that belong to no entity, too.
    #[arg(long)]
    unknown: bool,

    /// The time that decides what has expired, in UTC [default: that of the exports; without them,
    /// the current time].
    #[arg(long, value_name = "TIME", value_parser = super::at::time_ms)]
    #[cfg_attr(feature = "live", arg(conflicts_with = "tables"))]
    at: Option<i64>,

    /// Exit with code 1 if an item belongs to no entity.
    #[arg(long)]
    strict: bool,

    /// The severity of findings for which the exit code is 1.
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t = FailOn::Error)]
    fail_on: FailOn,

    /// The maximum number of findings of each rule that are printed, or of differences of each
    /// table with --replica [default: 10; with --json: all].
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,

    /// Also write every finding to this file, as the lines of --json.
    #[arg(long, value_name = "FILE", conflicts_with = script::OPTION)]
    out: Option<PathBuf>,

    /// The folder for temporary files, which hold about 120 bytes for each item [default: that of
    /// the system].
    #[arg(long, value_name = "FOLDER")]
    temporary: Option<PathBuf>,

    /// The number of threads [default: one for each processor].
    #[arg(long, value_name = "NUMBER")]
    threads: Option<usize>,

    /// Print the audit as SQL for this engine (athena, spark or duckdb), and read nothing. The
    /// queries return the findings as JSON Lines.
    #[arg(
        long,
        value_name = "ENGINE",
        help_heading = SQL,
        value_parser = script::dialect
    )]
    sql: Option<Dialect>,

    /// Where the data files of a table's export are, for --sql. The option can be repeated; a table
    /// without it gets a placeholder.
    #[arg(long, value_name = "TABLE=LOCATION", help_heading = SQL, requires = script::OPTION)]
    location: Vec<String>,

    #[command(flatten)]
    replica: replica::ReplicaArgs,

    #[cfg(feature = "live")]
    #[command(flatten)]
    live: live::LiveArgs,

    /// Dumps, in the format of `replay --dump`, and DynamoDB's exports to S3: folders with
    /// `manifest-summary.json`, or `s3://` addresses. An incremental export is given together with
    /// the full export that it continues. A file that ends in `.yaml` or `.yml` is the rule file.
    #[arg(value_name = "SOURCE")]
    #[cfg_attr(feature = "live", arg(required_unless_present_any = [script::OPTION, "tables"]))]
    #[cfg_attr(not(feature = "live"), arg(required_unless_present = script::OPTION))]
    sources: Vec<String>,
}

impl Args {
    /// Whether the audit reads no files.
    fn needs_no_source(&self) -> bool {
        #[cfg(feature = "live")]
        let has_tables = self.live.has_tables();
        #[cfg(not(feature = "live"))]
        let has_tables = false;
        self.sql.is_some() || has_tables
    }
}

/// The findings for which the exit code is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Findings of rules with `severity: error`.
    Error,
    /// All findings.
    Warn,
    /// None.
    Never,
}

pub(super) fn run(mut arguments: Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let are_given = !arguments.sources.is_empty();
    let sources = rule_file::take(&arguments.sources, context)?;
    arguments.sources = sources.into_iter().cloned().collect();
    if arguments.sql.is_some() && !arguments.sources.is_empty() {
        return Err(Failure::Usage("`--sql` cannot be used with a SOURCE".to_owned()));
    }
    if are_given && arguments.sources.is_empty() && !arguments.needs_no_source() {
        return Err(rule_file::missing("SOURCE"));
    }
    let arguments = &arguments;
    let rules = only(rule_file::load(context)?, &arguments.rule)?;
    if let Some(dialect) = arguments.sql {
        return script::run(dialect, arguments, &rules, context);
    }
    if arguments.replica.is_given() {
        return replica::run(arguments, &rules, context);
    }
    #[cfg(feature = "live")]
    let finished = match arguments.live.task(!arguments.sources.is_empty())? {
        live::Task::Files => files::run(arguments, &rules, context)?,
        live::Task::Scan => live::run(arguments, &rules, context)?,
        live::Task::Confirm => confirm::run(arguments, &rules, context)?,
    };
    #[cfg(not(feature = "live"))]
    let finished = files::run(arguments, &rules, context)?;
    #[cfg(feature = "live")]
    if arguments.live.publish {
        publish::publish(&finished.metrics, arguments, context)?;
    }
    Ok(finished.outcome)
}

/// A complete audit.
struct Finished {
    outcome: Outcome,
    #[cfg_attr(not(feature = "live"), expect(dead_code, reason = "only `live` publishes metrics"))]
    metrics: AuditSummary,
}

/// Turns off every rule that is not named.
fn only(mut rules: Rules, names: &[String]) -> Result<Rules, Failure> {
    if names.is_empty() {
        return Ok(rules);
    }
    let known: Vec<&str> = rules
        .reference_rules()
        .map(|(_, rule)| rule.name.as_str())
        .chain(rules.mirror_rules().map(|(_, rule)| rule.name.as_str()))
        .collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        let known = known.join(", ");
        return Err(Failure::Usage(format!("no rule is named `{unknown}`; the rules are {known}")));
    }
    let references = rules.references.iter_mut().map(|rule| (&rule.name, &mut rule.mode));
    let mirrors = rules.mirrors.iter_mut().map(|rule| (&rule.name, &mut rule.mode));
    for (_, mode) in references.chain(mirrors).filter(|(name, _)| !names.contains(name)) {
        *mode = Mode::Off;
    }
    Ok(rules)
}

fn options(arguments: &Args) -> Options {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    Options {
        threads: arguments.threads.unwrap_or_else(processors).max(1),
        memory_bytes_max: MEMORY_BYTES_MAX,
        temporary: arguments.temporary.clone().unwrap_or_else(std::env::temp_dir),
        reports_unknown: arguments.unknown,
        now_ms: arguments.at.unwrap_or_else(now_ms),
    }
}

/// Prints findings as they are made, and counts them.
struct Reporter<'r, 'c, 'o> {
    rules: &'r Rules,
    arguments: &'r Args,
    context: &'c mut Context<'o>,
    count: Count,
    /// The first findings of each rule, to be shown to people.
    shown: Vec<Finding>,
    /// The file that `--out` names.
    out: Option<FindingsFile>,
    metrics: AuditSummary,
}

impl<'r, 'c, 'o> Reporter<'r, 'c, 'o> {
    fn new(
        rules: &'r Rules,
        arguments: &'r Args,
        context: &'c mut Context<'o>,
    ) -> Result<Self, Failure> {
        let (count, metrics) = (Count::default(), AuditSummary::default());
        let out = arguments.out.as_deref().map(FindingsFile::create).transpose()?;
        Ok(Self { rules, arguments, context, count, shown: Vec::new(), out, metrics })
    }

    fn finding(&mut self, finding: Finding) -> Result<(), Failure> {
        if !self.concerns(&finding) {
            return Ok(());
        }
        let of_rule = self.count.add(&finding);
        self.metrics.add(&finding);
        if let Some(out) = &mut self.out {
            let line = ViolationLine::at_rest(self.rules, &finding);
            out.line(&Line::Violation(Box::new(line)))?;
        }
        if self.context.json {
            if self.arguments.limit.is_none_or(|limit| of_rule <= limit) {
                let line = ViolationLine::at_rest(self.rules, &finding);
                self.context.output.json(&Line::Violation(Box::new(line)))?;
            }
        } else if of_rule <= self.arguments.limit.unwrap_or(SHOWN_OF_RULE) {
            self.shown.push(finding);
        }
        Ok(())
    }

    /// Whether a finding is about an item that `--where` asks for.
    fn concerns(&self, finding: &Finding) -> bool {
        let prefix = self.arguments.prefix.as_deref();
        let begins = |item: &ItemName| begins_with(&item.key, prefix);
        prefix.is_none() || finding.referencing.iter().chain(&finding.referenced).any(begins)
    }

    fn finish(self, audited: &Audited, live: Option<OfTables>) -> Result<Finished, Failure> {
        let Self { rules, arguments, context, count, shown, out, mut metrics } = self;
        let suspects = live.map_or(0, |live| live.unsettled);
        // Part of the items say nothing about what the others match.
        let is_whole = audited.problems.is_empty();
        let coverage = is_whole.then(|| Coverage::of_audit(&audited.tally, audited.stray.clone()));
        let coverage = coverage.unwrap_or_default();
        let mut summary = Summary { live, ..Summary::new(rules, audited, &count, &coverage) };
        summary.complete &= suspects == 0;
        if let Some(out) = out {
            out.finish(audited.problems.iter().map(Line::problem), &Line::Summary(&summary))?;
        }
        if context.json {
            for problem in &audited.problems {
                context.output.json(&Line::problem(problem))?;
            }
            context.output.json(&Line::Summary(&summary))?;
        } else {
            for problem in &audited.problems {
                context.output.message(&format!("error: {problem}\n"))?;
            }
            // An interrupted scan has compared nothing: zeros would look like a result.
            if audited.problems.is_empty() || live.is_none() || !shown.is_empty() {
                context.output.result(&table::text(rules, &shown, &count, &summary))?;
            }
            context.output.result(&coverage.text(rules, "item"))?;
        }
        if !audited.problems.is_empty() {
            let problems = rule_file::counts(&[(audited.problems.len(), "problem")]);
            return Err(Failure::Incomplete(format!("the source has {problems}")));
        }
        let fails = match arguments.fail_on {
            FailOn::Error => summary.violations > 0,
            FailOn::Warn => summary.violations + summary.warnings > 0,
            FailOn::Never => false,
        };
        let fails = fails || arguments.strict && summary.unknown > 0;
        metrics.items = summary.items;
        metrics.is_complete = summary.complete;
        if suspects > 0 && !fails {
            return Err(unsettled(suspects));
        }
        let outcome = if fails { Outcome::Findings } else { Outcome::Clean };
        Ok(Finished { outcome, metrics })
    }
}

/// The failure of an audit that could not judge these suspects: it is not known to be clean.
fn unsettled(suspects: u64) -> Failure {
    let suspects = tables::count(suspects, "suspect");
    Failure::Incomplete(format!(
        "{suspects} changed at each look, and could not be judged\nhelp: audit again when less is \
         written"
    ))
}

/// One line of machine output.
#[derive(Debug, serde::Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'l> {
    /// A finding.
    Violation(Box<ViolationLine<'l>>),
    /// A reason why the audit is incomplete.
    Problem {
        /// The file, and the position in it.
        place: &'l str,
        /// What is wrong.
        error: &'l str,
        /// What to do about it.
        #[serde(skip_serializing_if = "Option::is_none")]
        help: Option<&'l str>,
    },
    /// The totals: always the last line.
    Summary(&'l Summary<'l>),
}

impl<'l> Line<'l> {
    fn problem(problem: &'l Problem) -> Self {
        let Problem { place, error, help } = problem;
        Self::Problem { place, error, help: help.as_deref() }
    }
}

/// Whether a key begins with the prefix of `--where`, if there is one.
fn begins_with(key: &Key<'_>, prefix: Option<&str>) -> bool {
    prefix.is_none_or(|prefix| match &key.partition {
        KeyValue::S(text) => text.starts_with(prefix),
        KeyValue::N(number) => number.as_str().starts_with(prefix),
        KeyValue::B(_) => false,
    })
}

/// Whether a rule's findings are errors.
const fn is_error(finding: &Finding) -> bool {
    matches!(finding.severity, Severity::Error)
}
