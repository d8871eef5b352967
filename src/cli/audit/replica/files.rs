//! Compares dumps and exports.

use std::collections::BTreeSet;

use super::concerns;
use super::report::Reporter;
use crate::audit::Stop;
use crate::audit::replica::files::compare;
use crate::audit::replica::{Side, Sides};
use crate::cli::audit::sources::{Sources, find};
use crate::cli::audit::{Args, options};
use crate::cli::{Context, Failure, Outcome};
use crate::data::Key;
use crate::rules::model::{Rules, TableId};

pub(super) fn run(
    arguments: &Args,
    rules: &Rules,
    context: &mut Context<'_>,
) -> Result<Outcome, Failure> {
    let options = options(arguments);
    let sources = Sides {
        original: find(&arguments.sources, rules)?,
        replica: find(&arguments.replica.replica, rules).map_err(explained)?,
    };
    let tables = compared(rules, &sources)?;
    for table in (0..rules.tables.len()).map(TableId).filter(|table| !tables.contains(table)) {
        let name = &rules[table].name;
        let note = format!("note: there is no export of table `{name}`; it is not compared\n");
        context.output.message(&note)?;
    }
    warn_of_times(&sources, context)?;
    let original = sources.original.into_archives(rules, options.threads, context)?;
    let replica = sources.replica.into_archives(rules, options.threads, context)?;
    let mut reporter = Reporter::new(rules, arguments.limit, context);
    let concerns = |table, key: &Key<'_>| tables.contains(&table) && concerns(arguments, key);
    let each = |difference| reporter.add(difference).map_err(|error| Stop(error.to_string()));
    let archives = Sides { original: &original as _, replica: &replica as _ };
    let compared = compare(rules, archives, &options, &concerns, each)
        .map_err(|stop| Failure::Incomplete(stop.to_string()))?;
    reporter.finish(&tables, &compared, None)
}

/// Says what the value of `--replica` is beside a source.
fn explained(failure: Failure) -> Failure {
    match failure {
        Failure::Usage(text) if !text.contains("help:") => Failure::Usage(format!(
            "{text}\nhelp: beside a source, `--replica` is a dump or an export; with `--live`, it is a \
             Region or the URL of an endpoint"
        )),
        other @ (Failure::Usage(_)
        | Failure::Rules
        | Failure::Incomplete(_)
        | Failure::File(..)
        | Failure::Output(_)) => other,
    }
}

/// The tables that are compared: those of the exports, or all tables if there are only dumps. A
/// table that one side leaves out would look as if all of its items were missing.
fn compared(rules: &Rules, sources: &Sides<Sources>) -> Result<BTreeSet<TableId>, Failure> {
    let all = || (0..rules.tables.len()).map(TableId);
    let has = |side: Side, table: TableId| {
        let Sources { dumps, exports } = sources.of(side);
        !dumps.is_empty() || exports.iter().any(|export| export.table() == rules[table].name)
    };
    let both = [Side::Original, Side::Replica];
    if both.iter().all(|side| !sources.of(*side).dumps.is_empty()) {
        return Ok(all().collect());
    }
    // A dump has every table, and says nothing about which of them to compare.
    let of_exports = |side: &Side| sources.of(*side).exports.iter();
    let named = |table: &TableId| {
        both.iter().flat_map(of_exports).any(|export| export.table() == rules[*table].name)
    };
    let tables: BTreeSet<_> = all().filter(named).collect();
    for table in &tables {
        if let Some(side) = both.into_iter().find(|side| !has(*side, *table)) {
            let of_side = match side {
                Side::Original => "the sources have",
                Side::Replica => "`--replica` has",
            };
            let name = &rules[*table].name;
            return Err(Failure::Usage(format!(
                "{of_side} no export of table `{name}`, which the other side has\n\
                 help: name exports of the same tables on both sides"
            )));
        }
    }
    Ok(tables)
}

/// Warns of exports of a table at different times.
fn warn_of_times(sources: &Sides<Sources>, context: &mut Context<'_>) -> Result<(), Failure> {
    for export in &sources.original.exports {
        let mut others = sources.replica.exports.iter();
        let other = others.find(|other| other.table() == export.table());
        if let Some(other) = other.filter(|other| other.time() != export.time()) {
            let (table, time, of_replica) = (export.table(), export.time(), other.time());
            context.output.message(&format!(
                "warning: the exports of `{table}` have different times ({time} and {of_replica}); \
                 what was written between them is reported as a difference\n\
                 help: export both with the same `--export-time`\n"
            ))?;
        }
    }
    Ok(())
}
