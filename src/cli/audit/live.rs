//! Audits real tables.

use std::path::PathBuf;
use std::time::Duration;

use super::announce::{announce, describe};
use super::progress::ScanProgress;
use super::summary::OfTables;
use super::{Args, Finished, Reporter, options};
use crate::audit::live::Interrupted;
use crate::audit::live::error::LiveError;
use crate::audit::live::estimate::{self, Estimate, Span};
use crate::audit::live::rate::Limiter;
use crate::audit::live::run::{LiveAudit, Session, default_segments, is_needed};
use crate::audit::live::segments::Totals;
use crate::audit::{Audited, Problem};
use crate::cli::live::{REAL_TABLES, configured, endpoint_url, until_signal};
use crate::cli::progress::Progress;
use crate::cli::tables::count;
use crate::cli::{Context, Failure};
use crate::rules::model::{Rules, TableId};
use crate::runtime::clock::Clock as _;
use crate::runtime::stop::Stop;
use crate::runtime::system_clock::SystemClock;
use crate::store::DynamoDb;

/// The maximum number of segments that are read at the same time, if it is not given. Each has a
/// page of up to 1 MB in flight.
pub(super) const WIDTH_MAX: u32 = 32;

/// The number of suspects from which on the cost of reading them again is announced.
const SUSPECTS_ANNOUNCED: u64 = 1_000;
/// The maximum number of read units that most suspects cost: two looks at two items of up to 4 KB.
const UNITS_PER_SUSPECT: u64 = 4;

/// The options of an audit of real tables.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(super) struct LiveArgs {
    /// Audit the tables at this endpoint.
    #[arg(
        long,
        value_name = "URL",
        group = "tables",
        help_heading = REAL_TABLES,
        value_parser = endpoint_url
    )]
    pub(super) endpoint_url: Option<String>,

    /// Audit the tables of the AWS account and Region set in the environment.
    #[arg(long, group = "tables", help_heading = REAL_TABLES)]
    pub(super) live: bool,

    /// Audit the sources, and read what looks wrong in them again on the real tables: only what is
    /// still wrong there is a finding.
    #[arg(
        long,
        requires_all = ["tables", "sources"],
        help_heading = REAL_TABLES,
        conflicts_with_all = ["segments", "within", "resume"]
    )]
    confirm: bool,

    /// The maximum number of read units a second [default: as many as the tables have].
    #[arg(
        long,
        value_name = "NUMBER",
        requires = "tables",
        help_heading = REAL_TABLES,
        value_parser = units
    )]
    pub(super) read_units: Option<f64>,

    /// Warn if the scan takes longer than this at the chosen rate, such as 90m or 2h.
    #[arg(
        long,
        value_name = "DURATION",
        requires = "read_units",
        help_heading = REAL_TABLES,
        value_parser = duration
    )]
    pub(super) within: Option<Duration>,

    /// The number of segments of each table, and the maximum number that are read at the same time
    /// [default: by the tables' sizes].
    #[arg(
        long,
        value_name = "NUMBER",
        requires = "tables",
        help_heading = REAL_TABLES,
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub(super) segments: Option<u32>,

    /// The folder for the state of the audit until it is complete.
    #[arg(
        long,
        value_name = "FOLDER",
        help_heading = REAL_TABLES,
        default_value = "referee-audit"
    )]
    pub(super) state: PathBuf,

    /// Continue the audit whose state is in the folder, from the last saved page of each segment.
    #[arg(long, requires = "tables", help_heading = REAL_TABLES, conflicts_with = "segments")]
    pub(super) resume: bool,

    /// Publish the audit's metrics to CloudWatch, with the names and the namespace of the Lambda
    /// function's: `AuditViolations`, `AuditWarnings`, `AuditedItems`, and `AuditsCompleted` if the
    /// audit is complete.
    #[arg(long, conflicts_with_all = ["rule", "prefix"])]
    pub(super) publish: bool,
}

/// What an audit does with real tables.
pub(super) enum Task {
    /// Nothing: it reads files.
    Files,
    /// It scans them.
    Scan,
    /// It reads files, and looks at the tables again.
    Confirm,
}

impl LiveArgs {
    /// The endpoint that replaces AWS, if one is given.
    pub(super) fn endpoint_url(&self) -> Option<&str> {
        self.endpoint_url.as_deref()
    }

    /// Whether there are real tables.
    pub(super) const fn has_tables(&self) -> bool {
        self.live || self.endpoint_url.is_some()
    }

    /// What to do with real tables, given whether there are files.
    pub(super) fn task(&self, has_sources: bool) -> Result<Task, Failure> {
        match (self.has_tables(), has_sources) {
            (false, _) => Ok(Task::Files),
            (true, false) => Ok(Task::Scan),
            (true, true) if self.confirm => Ok(Task::Confirm),
            (true, true) => Err(Failure::Usage(
                "there are real tables and other sources\nhelp: `--confirm` audits the sources, and \
                 reads what looks wrong again on the real tables"
                    .to_owned(),
            )),
        }
    }
}

/// Access to the tables.
pub(super) async fn connect(arguments: &LiveArgs) -> Result<DynamoDb, Failure> {
    Ok(DynamoDb::new(&configured(arguments.endpoint_url.as_deref(), None).await?))
}

pub(super) fn run(
    arguments: &Args,
    rules: &Rules,
    context: &mut Context<'_>,
) -> Result<Finished, Failure> {
    let stop = Stop::default();
    until_signal(&stop, audit(arguments, rules, context, &stop))
}

async fn audit(
    arguments: &Args,
    rules: &Rules,
    context: &mut Context<'_>,
    stop: &Stop,
) -> Result<Finished, Failure> {
    let LiveArgs { read_units, within, segments, state, resume, .. } = &arguments.live;
    let clock = SystemClock;
    let store = connect(&arguments.live).await?;
    let is_needed = |table| arguments.unknown || is_needed(rules, table);
    let mut sizes = describe(&store, rules, context).await?;
    for (table, size) in (0..).map(TableId).zip(&mut sizes) {
        size.take_if(|_| !is_needed(table));
    }
    let estimate = Estimate { tables: sizes.iter().flatten().cloned().collect() };
    announce(&estimate, (*read_units, *within), context)?;

    let segments_of = |table: TableId| {
        let size = sizes.get(table.0).and_then(Option::as_ref).map_or(0, |it| it.size.bytes);
        if is_needed(table) { segments.unwrap_or_else(|| default_segments(size)) } else { 0 }
    };
    let opened = if *resume {
        LiveAudit::resume(rules, state)
    } else {
        LiveAudit::begin(rules, state, clock.now_ms(), segments_of)
    };
    let mut live = opened.map_err(|error| Failure::Usage(error.to_string()))?;

    let limiter = Limiter::new(*read_units, &clock);
    let session = Session { store: &store, clock: &clock, limiter: &limiter, stop };
    let before = Totals::of(live.tables());
    let mut progress = ScanProgress::new(context, estimate.read_units(), before, clock.now_ms());
    let width_max = segments.unwrap_or(WIDTH_MAX);
    let mut show = |tables: &[_]| {
        progress.show(Totals::of(tables), stop.is_set(), clock.now_ms());
    };
    let scanned = live.scan(session, (width_max, arguments.unknown), &mut show).await;
    progress.finish();
    let scanned_ms = clock.now_ms();

    let scan_units = Totals::of(live.tables()).units;
    let mut totals = OfTables { read_units: scan_units, cleared: 0, unsettled: 0 };
    let mut reporter = Reporter::new(rules, arguments, context)?;
    let ended = match scanned {
        Ok(()) => confirm(&live, session, scanned_ms, arguments, &mut reporter, &mut totals).await,
        Err(interrupted) => Err(interrupted),
    };
    let problem = ended.err().map(|interrupted| Problem {
        place: state.display().to_string(),
        error: format!("is not finished: {}", reason(&interrupted)),
        help: Some("`--resume` continues it".to_owned()),
    });
    let audited = Audited {
        tally: live.tally().clone(),
        stray: live.stray().cloned(),
        problems: problem.into_iter().collect(),
    };
    if audited.problems.is_empty() {
        live.remove().map_err(|error| Failure::Incomplete(error.to_string()))?;
    }
    reporter.finish(&audited, Some(totals))
}

/// Compares what the items say, reads the suspects again, and reports the findings.
async fn confirm(
    live: &LiveAudit<'_>,
    session: Session<'_, DynamoDb, SystemClock>,
    scanned_ms: i64,
    arguments: &Args,
    reporter: &mut Reporter<'_, '_, '_>,
    totals: &mut OfTables,
) -> Result<(), Interrupted<LiveError>> {
    let suspects = live.join(&options(arguments)).map_err(Interrupted::Sink)?;
    let failed = |failure: Failure| LiveError::Output(failure.to_string());
    let (total, clock) = (suspects.total(), session.clock);
    announce_suspects(total, arguments.live.read_units, reporter.context)
        .map_err(|failure| Interrupted::Sink(failed(failure)))?;
    let mut progress = Progress::new(Some(total), clock.now_ms());
    let mut findings = 0_u64;
    let found = |finding| {
        findings += 1;
        let text = || format!("{} so far", count(findings, "finding"));
        if total >= SUSPECTS_ANNOUNCED {
            progress.show(&mut reporter.context.output, findings, text, clock.now_ms());
        }
        reporter.finding(finding).map_err(failed)
    };
    let confirmed = live.confirm(session, scanned_ms, suspects, found).await;
    progress.finish();
    let (confirmed, units) = confirmed?;
    totals.read_units += units;
    totals.cleared = confirmed.cleared;
    totals.unsettled = confirmed.unsettled;
    Ok(())
}

/// Why the audit is not finished.
pub(super) fn reason(interrupted: &Interrupted<LiveError>) -> String {
    match interrupted {
        Interrupted::Stopped => "it was stopped".to_owned(),
        Interrupted::Store(error) => error.to_string(),
        Interrupted::Sink(error) => error.to_string(),
    }
}

/// Says what it costs to read many suspects again, of which the estimate knows nothing.
fn announce_suspects(
    suspects: u64,
    rate: Option<f64>,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    if suspects < SUSPECTS_ANNOUNCED {
        return Ok(());
    }
    let units = suspects.saturating_mul(UNITS_PER_SUSPECT);
    let time = rate.map(|rate| Span(estimate::float(units) / rate));
    let time = time.map(|span| format!(", which takes up to {span}")).unwrap_or_default();
    let text = format!("{suspects} suspects are read again, with up to {units} read units{time}");
    context.output.message(&format!("{text}\n"))?;
    Ok(context.output.flush()?)
}

/// Parses a rate in read units.
fn units(text: &str) -> Result<f64, &'static str> {
    let units = text.parse::<f64>().ok().filter(|units| units.is_finite() && *units >= 0.5);
    units.ok_or("it must be a number, at least 0.5")
}

/// Parses a duration such as `90m`.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    let unit_start = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_start);
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 0,
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    let duration = seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs);
    duration.ok_or("it must be a number and a unit: s, m, h or d")
}
