//! `referee infer`: drafts a rule file from items.

mod evidence;
mod file;
#[cfg(feature = "live")]
mod live;
mod model;
mod sources;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use self::sources::Sources;
use super::help::Example;
use super::output::{check_writable, write_whole};
use super::progress::Progress;
use super::rule_file;
use super::{Context, Failure, Outcome};
use crate::audit;
use crate::data::{KeyAttribute, KeyKind, KeySchema};
use crate::infer::{self, InferError, Inference, Input};
use crate::runtime::system_clock::now_ms;

pub(super) const EXAMPLES: &[Example] = &[
    ("Draft a rule file from a dump", "referee infer --out referee.yaml tables.json"),
    (
        "Draft one from an export to S3, and print it",
        "referee infer AWSDynamoDB/01693685827463-2d8752fd",
    ),
    (
        "Use items of one table, one on each line, whose key is known",
        "referee infer --table shop --key pk,sk items.jsonl",
    ),
    ("Print the evidence for each rule", "referee infer --json tables.json"),
    #[cfg(feature = "live")]
    ("Draft one from a sample of a table in AWS", "referee infer --live --table shop"),
];

/// How many bytes of facts are kept in memory while the draft is audited.
const MEMORY_BYTES_MAX: usize = 64 << 20;

/// How often the progress is looked at.
const TICK: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write the draft to this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Overwrite the file if it exists.
    #[arg(long, requires = "out")]
    force: bool,

    /// The name of the table whose items a file has, if the file does not name it [default: the
    /// file's name without its extension]. The option can be repeated.
    #[arg(long, value_name = "NAME")]
    table: Vec<String>,

    /// The key attributes of a table: the partition key, then the sort key if there is one, such as
    /// `pk,sk` or `id:N`. With several tables, name the table: `orders=id:N`. The option can be
    /// repeated. By default, the key is that of the table in the rule file that --rules names, or
    /// else it is inferred.
    #[arg(long, value_name = "[TABLE=]KEY", value_parser = key)]
    key: Vec<(Option<String>, KeySchema)>,

    /// The items are only some of the tables' items, so that they confirm nothing.
    #[arg(long)]
    sample: bool,

    /// The folder for temporary files [default: that of the system].
    #[arg(long, value_name = "FOLDER")]
    temporary: Option<PathBuf>,

    /// The number of threads [default: one for each processor].
    #[arg(long, value_name = "NUMBER")]
    threads: Option<usize>,

    #[cfg(feature = "live")]
    #[command(flatten)]
    live: live::LiveArgs,

    /// Dumps, in the format of `replay --dump`; DynamoDB's exports to S3, as for `audit`; files of
    /// items in DynamoDB JSON or plain JSON, as lines, as a list, or as the AWS CLI prints them;
    /// models of NoSQL Workbench; `-` for items on standard input.
    #[arg(value_name = "SOURCE")]
    #[cfg_attr(
        feature = "live",
        arg(required_unless_present = "tables", conflicts_with = "tables")
    )]
    #[cfg_attr(not(feature = "live"), arg(required = true))]
    sources: Vec<String>,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    if let Some(out) = &arguments.out {
        if out.exists() && !arguments.force {
            let out = out.display();
            return Err(Failure::Usage(format!(
                "`{out}` already exists; use `--force` to overwrite it"
            )));
        }
        check_writable(out)?;
    }
    #[cfg(feature = "live")]
    let sources = if arguments.live.has_tables() {
        live::open(arguments, context)?
    } else {
        open(arguments, context)?
    };
    #[cfg(not(feature = "live"))]
    let sources = open(arguments, context)?;
    let inference = infer_from(&sources, arguments, context)?;
    print(&inference, arguments, context)?;
    Ok(Outcome::Clean)
}

/// Opens sources that are not tables. A rule file is used only if it is given, for its keys.
fn open(arguments: &Args, context: &mut Context<'_>) -> Result<Sources, Failure> {
    let rules = context.are_rules_given.then(|| rule_file::load(context)).transpose()?;
    sources::open(arguments, rules.as_ref())
}

/// Infers in a thread of its own, while this one shows the progress.
fn infer_from(
    sources: &Sources,
    arguments: &Args,
    context: &mut Context<'_>,
) -> Result<Inference, Failure> {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let options = audit::Options {
        threads: arguments.threads.unwrap_or_else(processors).max(1),
        memory_bytes_max: MEMORY_BYTES_MAX,
        temporary: arguments.temporary.clone().unwrap_or_else(std::env::temp_dir),
        reports_unknown: false,
        now_ms: now_ms(),
    };
    let read = AtomicU64::new(0);
    let input = Input {
        archive: &sources.archive,
        tables: sources.tables.clone(),
        is_sample: arguments.sample || sources.is_sample,
        audit: options,
        read: &read,
    };
    let mut progress = Progress::new(None, now_ms());
    let inferred = std::thread::scope(|scope| {
        let (sender, done) = std::sync::mpsc::channel::<()>();
        let input = &input;
        let work = scope.spawn(move || {
            let _sender = sender;
            infer::infer(input)
        });
        while done.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            let items = read.load(Ordering::Relaxed);
            let text = || format!("{items} items read; every item is read several times");
            progress.show(&mut context.output, items, text, now_ms());
        }
        work.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    progress.finish();
    inferred.map_err(|error| match error {
        InferError::Stopped(reason) => Failure::Incomplete(reason),
        InferError::Empty | InferError::Key(_) => Failure::Usage(error.to_string()),
    })
}

fn print(
    inference: &Inference,
    arguments: &Args,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let draft = infer::draft(inference);
    if let Some(out) = &arguments.out {
        write_whole(out, &draft)?;
        let name = out.display();
        context.output.message(&format!(
            "wrote `{name}`: {}; review it, then run `referee check --rules {name}`\n",
            evidence::totals(inference)
        ))?;
    }
    if context.json {
        return evidence::print(inference, context);
    }
    if arguments.out.is_none() {
        context.output.result(&draft)?;
    }
    Ok(())
}

/// Parses a key such as `pk,sk` or `orders=id:N`.
fn key(text: &str) -> Result<(Option<String>, KeySchema), String> {
    let (table, key) = match text.split_once('=') {
        Some((table, key)) => (Some(table.to_owned()), key),
        None => (None, text),
    };
    let attribute = |text: &str| {
        let (name, kind) = match text.rsplit_once(':') {
            Some((name, "S")) => (name, KeyKind::S),
            Some((name, "N")) => (name, KeyKind::N),
            Some((name, "B")) => (name, KeyKind::B),
            _ => (text, KeyKind::S),
        };
        if name.is_empty() {
            return Err("write the names of the key attributes, such as pk,sk or id:N".to_owned());
        }
        Ok(KeyAttribute { name: name.to_owned(), kind })
    };
    let mut parts = key.split(',').map(str::trim);
    let partition = attribute(parts.next().unwrap_or_default())?;
    let sort = parts.next().map(attribute).transpose()?;
    if parts.next().is_some() {
        return Err("a key has at most two attributes".to_owned());
    }
    Ok((table, KeySchema { partition, sort }))
}
