//! The findings to plan for: those in the output of an audit, or of an audit that is made first.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::audit::live::Interrupted;
use crate::audit::live::error::LiveError;
use crate::audit::live::rate::Limiter;
use crate::audit::live::run::{LiveAudit, Session, is_needed};
use crate::audit::{self, Archive, Archives, Dump, Progress};
use crate::cli::job::{Job, TableArgs};
use crate::cli::{Context, Failure};
use crate::repair::{Claim, ClaimError, Claims};
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::Store;
use crate::store::scan::Scanner;

/// The number of segments of each table in an audit that a plan begins with.
const SEGMENTS: u32 = 8;

/// How many bytes of facts such an audit keeps in memory.
const MEMORY_BYTES_MAX: usize = 96 << 20;

/// The findings to plan for.
pub(in crate::cli) enum Findings<'f> {
    /// Those in the output of an audit, with the file's name.
    Read(String, Claims<'f, Box<dyn BufRead>>),
    /// Those of an audit that was made now.
    Made(std::vec::IntoIter<Claim>),
}

impl Iterator for Findings<'_> {
    type Item = Result<Claim, ClaimError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Read(_, claims) => claims.next(),
            Self::Made(claims) => claims.next().map(Ok),
        }
    }
}

impl Findings<'_> {
    /// Why there may be more findings, after all have been read.
    pub(super) fn warning(&self) -> Option<String> {
        let Self::Read(file, claims) = self else { return None };
        let why = match claims.is_complete() {
            Some(true) => return None,
            Some(false) => "the audit was incomplete: there may be more findings",
            None => "the findings have no summary: they may be cut off",
        };
        Some(format!("warning: `{file}`: {why}\n"))
    }
}

/// The findings to plan for: those in a file, or of an audit of the tables.
pub(in crate::cli) fn findings<'f>(
    rules: &'f Rules,
    file: Option<&Path>,
    tables: &TableArgs,
    context: &mut Context<'_>,
) -> Result<Findings<'f>, Failure> {
    let Some(file) = file else { return fresh(rules, tables, context) };
    let name = file.display().to_string();
    let from: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let unusable = |error: io::Error| Failure::Usage(format!("cannot read `{name}`: {error}"));
        Box::new(BufReader::new(File::open(file).map_err(unusable)?))
    };
    Ok(Findings::Read(name, Claims::new(rules, from)))
}

/// Audits the tables now.
fn fresh<'f>(
    rules: &'f Rules,
    tables: &TableArgs,
    context: &mut Context<'_>,
) -> Result<Findings<'f>, Failure> {
    if tables.are_in_memory() {
        return fresh_in_memory(rules, tables);
    }
    let note =
        "note: auditing the tables first; `referee audit` shows the cost and limits the rate";
    context.output.message(&format!("{note}\n"))?;
    context.output.flush()?;
    let temporary = |error: io::Error| {
        Failure::Incomplete(format!("cannot create a temporary folder: {error}"))
    };
    let folder = tempfile::tempdir().map_err(temporary)?;
    let claims = tables.run(rules, Fresh { rules, folder: folder.path() })?;
    Ok(Findings::Made(claims.into_iter()))
}

/// An audit of tables, with its state in a folder.
struct Fresh<'f> {
    rules: &'f Rules,
    folder: &'f Path,
}

impl Job for Fresh<'_> {
    type Output = Vec<Claim>;

    async fn run(
        self,
        store: &(impl Store + Scanner),
        clock: &impl Clock,
        stop: &Stop,
    ) -> Result<Vec<Claim>, Failure> {
        let Self { rules, folder } = self;
        let limiter = Limiter::new(None, clock);
        let session = Session { store, clock, limiter: &limiter, stop };
        let segments = |table| if is_needed(rules, table) { SEGMENTS } else { 0 };
        let incomplete = |error: LiveError| Failure::Incomplete(error.to_string());
        let interrupted = |why: Interrupted<LiveError>| match why {
            Interrupted::Stopped => Failure::Incomplete("the audit was stopped".to_owned()),
            Interrupted::Store(error) => Failure::Incomplete(error.to_string()),
            Interrupted::Sink(error) => incomplete(error),
        };
        let mut live =
            LiveAudit::begin(rules, folder, clock.now_ms(), segments).map_err(incomplete)?;
        live.scan(session, (SEGMENTS, false), &mut |_| {}).await.map_err(interrupted)?;
        let scanned_ms = clock.now_ms();
        let suspects = live.join(&resources(scanned_ms)).map_err(incomplete)?;
        let mut claims = Vec::new();
        let found = |finding| {
            claims.push(Claim::of(rules, &finding));
            Ok(())
        };
        live.confirm(session, scanned_ms, suspects, found).await.map_err(interrupted)?;
        Ok(claims)
    }
}

/// Audits the items in memory.
fn fresh_in_memory<'f>(rules: &'f Rules, tables: &TableArgs) -> Result<Findings<'f>, Failure> {
    let open = |file: &PathBuf| -> Result<Box<dyn Archive>, Failure> {
        let unreadable =
            |error: io::Error| Failure::Usage(format!("cannot read `{}`: {error}", file.display()));
        Ok(Box::new(Dump::open(file, rules).map_err(unreadable)?))
    };
    let archives = Archives(tables.seed.iter().map(open).collect::<Result<_, _>>()?);
    let mut claims = Vec::new();
    let each = |finding| {
        claims.push(Claim::of(rules, &finding));
        Ok(())
    };
    let audited =
        audit::audit(rules, &archives, &resources(tables.at_ms()), &Progress::default(), each)
            .map_err(|stop| Failure::Incomplete(stop.to_string()))?;
    match audited.problems.first() {
        None => Ok(Findings::Made(claims.into_iter())),
        Some(problem) => Err(Failure::Incomplete(problem.to_string())),
    }
}

/// The memory and the temporary files of an audit.
fn resources(now_ms: i64) -> audit::Options {
    audit::Options {
        threads: 1,
        memory_bytes_max: MEMORY_BYTES_MAX,
        temporary: std::env::temp_dir(),
        reports_unknown: false,
        now_ms,
    }
}
