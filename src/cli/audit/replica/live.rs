//! Compares real tables.

use std::cell::RefCell;

use super::concerns;
use super::report::{OfTables, Reporter};
use crate::audit::Problem;
use crate::audit::live::Interrupted;
use crate::audit::live::error::LiveError;
use crate::audit::live::estimate::{Estimate, ScannedTable};
use crate::audit::live::rate::Limiter;
use crate::audit::live::run::{Session, default_segments};
use crate::audit::live::segments::{TableScan, Totals};
use crate::audit::replica::files::Compared;
use crate::audit::replica::live::{Comparison, Grace, Scope};
use crate::audit::replica::{Side, Sides};
use crate::aws::{self, SdkConfig};
use crate::cli::audit::announce::{announce, describe};
use crate::cli::audit::live::{LiveArgs, WIDTH_MAX, reason};
use crate::cli::audit::progress::ScanProgress;
use crate::cli::audit::{Args, options};
use crate::cli::live::{configured, endpoint_url, until_signal};
use crate::cli::{Context, Failure, Outcome};
use crate::data::Key;
use crate::rules::model::{Rules, TableId};
use crate::runtime::clock::Clock as _;
use crate::runtime::stop::Stop;
use crate::runtime::system_clock::SystemClock;
use crate::store::DynamoDb;

/// One side: its name in messages, and access to its tables.
struct Place {
    name: String,
    store: DynamoDb,
    tables: Vec<Option<ScannedTable>>,
}

pub(super) fn run(
    arguments: &Args,
    rules: &Rules,
    context: &mut Context<'_>,
) -> Result<Outcome, Failure> {
    let stop = Stop::default();
    until_signal(&stop, compare(arguments, rules, context, &stop))
}

async fn compare(
    arguments: &Args,
    rules: &Rules,
    context: &mut Context<'_>,
    stop: &Stop,
) -> Result<Outcome, Failure> {
    let LiveArgs { read_units, segments, state, resume, .. } = &arguments.live;
    let clock = SystemClock;
    let (places, identity) = places(arguments, rules, context).await?;
    let segments_of = |side: Side, table: TableId| {
        let size = places.of(side).tables.get(table.0).and_then(Option::as_ref);
        segments.unwrap_or_else(|| default_segments(size.map_or(0, |it| it.size.bytes)))
    };
    let concerns = |_, key: &Key<'_>| concerns(arguments, key);
    let scope = Scope { rules, concerns: &concerns, identity: &identity };
    let opened = if *resume {
        Comparison::resume(scope, state)
    } else {
        Comparison::begin(scope, state, clock.now_ms(), segments_of)
    };
    let mut comparison = opened.map_err(|error| Failure::Usage(error.to_string()))?;

    let limiters = Sides { original: (), replica: () }.map(|()| Limiter::new(*read_units, &clock));
    let session = |side: Side| Session {
        store: &places.of(side).store,
        clock: &clock,
        limiter: limiters.of(side),
        stop,
    };
    let sessions = (session(Side::Original), session(Side::Replica));
    let units = places.original.read_units() + places.replica.read_units();
    let scanned = scan(&mut comparison, sessions, (units, *segments), context).await;
    let grace_ms = i64::try_from(arguments.replica.grace.as_millis()).unwrap_or(i64::MAX);
    let grace = Grace { ms: grace_ms, scanned_ms: clock.now_ms() };
    let mut reporter = Reporter::new(rules, arguments.limit, context);
    let mut compared = Compared { items: Sides::default(), problems: Vec::new() };
    let scans = totals(&comparison);
    let mut of_tables = OfTables {
        read_units: scans.original.units,
        replica_read_units: scans.replica.units,
        ..OfTables::default()
    };
    let ended = match scanned {
        Ok(()) => {
            let parts = (&mut reporter, &mut compared, &mut of_tables);
            confirm(&comparison, sessions, grace, arguments, parts).await
        }
        Err(failed) => Err(failed),
    };
    match ended {
        Ok(()) => {
            let removed = comparison.remove(state);
            removed.map_err(|error| Failure::Incomplete(error.to_string()))?;
        }
        Err((side, interrupted)) => compared.problems.push(Problem {
            place: state.display().to_string(),
            error: format!("is not finished: {}", reason_of(places.of(side), &interrupted)),
            help: Some("`--resume` continues it".to_owned()),
        }),
    }
    let tables = (0..rules.tables.len()).map(TableId).collect();
    reporter.finish(&tables, &compared, Some(of_tables))
}

/// The tables of both sides.
type Sessions<'s> = (Session<'s, DynamoDb, SystemClock>, Session<'s, DynamoDb, SystemClock>);

/// What failed, and on which side.
type Failed = (Side, Interrupted<LiveError>);

/// Scans both sides, and shows the progress. Together, they consume about this many read units.
async fn scan(
    comparison: &mut Comparison<'_>,
    sessions: Sessions<'_>,
    (units, segments): (f64, Option<u32>),
    context: &mut Context<'_>,
) -> Result<(), Failed> {
    let Session { clock, stop, .. } = sessions.0;
    let totals = RefCell::new(totals(comparison));
    let before = sum(*totals.borrow());
    let progress = RefCell::new(ScanProgress::new(context, units, before, clock.now_ms()));
    let show = |side: Side, tables: &[TableScan]| {
        *totals.borrow_mut().of_mut(side) = Totals::of(tables);
        let shown = sum(*totals.borrow());
        progress.borrow_mut().show(shown, stop.is_set(), clock.now_ms());
    };
    let scanned = comparison.scan(sessions, segments.unwrap_or(WIDTH_MAX), &show).await;
    progress.borrow_mut().finish();
    scanned
}

/// Compares what was scanned, reads the suspects again, and reports the differences.
async fn confirm(
    comparison: &Comparison<'_>,
    sessions: Sessions<'_>,
    grace: Grace,
    arguments: &Args,
    (reporter, compared, totals): (&mut Reporter<'_, '_, '_>, &mut Compared, &mut OfTables),
) -> Result<(), Failed> {
    let (suspects, items) = comparison
        .compare(&options(arguments))
        .map_err(|error| (Side::Original, Interrupted::Sink(error)))?;
    compared.items = items;
    let found = |difference| {
        reporter.add(difference).map_err(|failure| LiveError::Output(failure.to_string()))
    };
    let (confirmed, units) = comparison.confirm(sessions, grace, suspects, found).await?;
    totals.read_units += units.original;
    totals.replica_read_units += units.replica;
    totals.cleared = confirmed.cleared;
    totals.unsettled = confirmed.unsettled;
    Ok(())
}

/// Why the comparison is not finished. An error of a table names the side.
fn reason_of(place: &Place, interrupted: &Interrupted<LiveError>) -> String {
    let reason = reason(interrupted);
    match interrupted {
        Interrupted::Store(_) | Interrupted::Sink(LiveError::Key { .. }) => {
            format!("{}: {reason}", place.name)
        }
        Interrupted::Stopped | Interrupted::Sink(_) => reason,
    }
}

/// How far the scans are.
fn totals(comparison: &Comparison<'_>) -> Sides<Totals> {
    Sides { original: Side::Original, replica: Side::Replica }
        .map(|side| Totals::of(comparison.tables(side)))
}

fn sum(Sides { original, replica }: Sides<Totals>) -> Totals {
    Totals {
        pages: original.pages + replica.pages,
        items: original.items + replica.items,
        units: original.units + replica.units,
        segments_done: original.segments_done + replica.segments_done,
        segments: original.segments + replica.segments,
    }
}

impl Place {
    /// Describes the tables of a side, and says what their scan will cost.
    async fn describe(
        name: String,
        config: &SdkConfig,
        (arguments, rules): (&Args, &Rules),
        context: &mut Context<'_>,
    ) -> Result<Self, Failure> {
        context.output.message(&format!("{name}:\n"))?;
        let store = DynamoDb::new(config);
        let described = describe(&store, rules, context).await;
        let tables = described.map_err(|failure| match failure {
            Failure::Usage(text) => Failure::Usage(format!("{name}: {text}")),
            Failure::Incomplete(text) => Failure::Incomplete(format!("{name}: {text}")),
            other @ (Failure::Rules | Failure::File(..) | Failure::Output(_)) => other,
        })?;
        let place = Self { name, store, tables };
        let LiveArgs { read_units, within, .. } = &arguments.live;
        announce(&place.estimate(), (*read_units, *within), context)?;
        Ok(place)
    }

    fn estimate(&self) -> Estimate {
        Estimate { tables: self.tables.iter().flatten().cloned().collect() }
    }

    fn read_units(&self) -> f64 {
        self.estimate().read_units()
    }
}

/// Both sides, and a text that identifies what is compared.
async fn places(
    arguments: &Args,
    rules: &Rules,
    context: &mut Context<'_>,
) -> Result<(Sides<Place>, String), Failure> {
    let endpoint = arguments.live.endpoint_url.as_deref();
    let [replica] = arguments.replica.replica.as_slice() else {
        return Err(Failure::Usage("real tables have one `--replica` at a time".to_owned()));
    };
    let original = configured(endpoint, None).await?;
    let config = if endpoint_url(replica).is_ok() {
        configured(Some(replica), None).await?
    } else if is_region(replica) {
        configured(endpoint, Some(replica)).await?
    } else {
        return Err(Failure::Usage(format!(
            "`--replica {replica}` is neither a Region, such as eu-central-1, nor a URL\n\
             help: real tables can only be compared with real tables"
        )));
    };
    let addresses = [address(&original), address(&config)];
    if let [original, replica] = &addresses
        && original == replica
    {
        return Err(Failure::Usage(format!(
            "both sides are the tables {original}\nhelp: name another Region or endpoint with \
             `--replica`"
        )));
    }
    let [of_original, of_replica] = addresses;
    let prefix = arguments.prefix.as_deref().unwrap_or_default();
    let identity = format!("{of_original} {of_replica} {prefix}");
    let shared = (arguments, rules);
    let original =
        Place::describe(format!("the tables {of_original}"), &original, shared, context).await?;
    let replica =
        Place::describe(format!("the replica {of_replica}"), &config, shared, context).await?;
    Ok((Sides { original, replica }, identity))
}

/// Where tables are, in words.
fn address(config: &SdkConfig) -> String {
    let region = config.region().map(|region| format!("in `{region}`"));
    let endpoint = aws::endpoint_of(config, "DynamoDB");
    let endpoint = endpoint.map(|url| format!("at `{}`", url.trim_end_matches('/')));
    let parts: Vec<String> = region.into_iter().chain(endpoint).collect();
    if parts.is_empty() { "of the environment".to_owned() } else { parts.join(" ") }
}

/// Whether a text has the form of a Region's name, such as `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word = |part: &&str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    parts.len() >= 3
        && parts.iter().all(is_word)
        && parts.last().is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
}
