//! Reads what looks wrong in files again, on the real tables.

use super::live::{connect, reason};
use super::summary::OfTables;
use super::{Args, Finished, Reporter, options, sources};
use crate::audit::live::Interrupted;
use crate::audit::live::confirm::confirm;
use crate::audit::live::error::LiveError;
use crate::audit::live::paced::Paced;
use crate::audit::live::rate::Limiter;
use crate::audit::live::spool::Spool;
use crate::audit::{self, Audited, Problem, Progress};
use crate::cli::{Context, Failure};
use crate::rules::model::Rules;
use crate::runtime::stop::Stop;
use crate::runtime::system_clock::SystemClock;
use crate::store::DynamoDb;

/// Audits files, and reports only what is still wrong in the real tables.
pub(super) fn run(
    arguments: &Args,
    rules: &Rules,
    context: &mut Context<'_>,
) -> Result<Finished, Failure> {
    let mut options = options(arguments);
    let (archive, exported_ms) =
        sources::open(&arguments.sources, rules, options.threads, context)?;
    options.now_ms = arguments.at.or(exported_ms).unwrap_or(options.now_ms);
    let incomplete = |error: LiveError| Failure::Incomplete(error.to_string());
    let mut spool = Spool::new(&options.temporary).map_err(incomplete)?;
    let mut reporter = Reporter::new(rules, arguments, context)?;
    let each = |finding| {
        if !reporter.concerns(&finding) {
            return Ok(());
        }
        spool.add(rules, &finding).map_err(|error| audit::Stop(error.to_string()))
    };
    let mut audited = audit::audit(rules, &archive, &options, &Progress::default(), each)
        .map_err(|stop| Failure::Incomplete(stop.to_string()))?;
    let stop = Stop::default();
    let totals = crate::cli::live::until_signal(&stop, async {
        let store = connect(&arguments.live).await?;
        let parts = (&store, &stop);
        Ok(read_again(arguments, rules, spool, parts, &mut reporter, &mut audited).await)
    })?;
    reporter.finish(&audited, Some(totals))
}

/// Reads the suspects and reports the findings. If that fails, the audit is incomplete.
async fn read_again(
    arguments: &Args,
    rules: &Rules,
    spool: Spool,
    (store, stop): (&DynamoDb, &Stop),
    reporter: &mut Reporter<'_, '_, '_>,
    audited: &mut Audited,
) -> OfTables {
    let clock = SystemClock;
    let limiter = Limiter::new(arguments.live.read_units, &clock);
    let paced = Paced::new(store, &clock, &limiter, stop);
    let found = |finding| {
        reporter.finding(finding).map_err(|failure| LiveError::Output(failure.to_string()))
    };
    let confirmed = match spool.suspects() {
        // The files are older than any grace.
        Ok(suspects) => confirm(rules, (&paced, &clock, stop), 0, suspects, found).await,
        Err(error) => Err(Interrupted::Sink(error)),
    };
    let confirmed = confirmed.unwrap_or_else(|interrupted| {
        let place = "--confirm".to_owned();
        let error = format!("is not finished: {}", reason(&interrupted));
        audited.problems.push(Problem { place, error, help: None });
        crate::audit::live::confirm::Confirmed::default()
    });
    OfTables {
        read_units: paced.read_units(),
        cleared: confirmed.cleared,
        unsettled: confirmed.unsettled,
    }
}
