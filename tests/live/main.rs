//! Tests the command-line tool on real tables and streams in DynamoDB Local, if it runs.
//!
//! # Layout
//!
//! - `adopt`: the path in `docs/adopt.md`.
//! - `audit`: `referee audit` of real tables.
//! - `diagram`: `referee diagram system` of what is deployed.
//! - `endings`: audits that are stopped at once, or cannot judge a suspect.
//! - `replica`: `referee audit --replica` of tables in two Regions.
//! - `tables`: `referee replay`, `check` and `guard` on real tables.
//! - `watch`: `referee watch`.
//! - `exports`: the library's reader of exports in S3.
//! - `repair`: `referee repair`, killed at any moment.
//! - `streams`: the library's reader of streams.

mod adopt;
mod audit;
mod diagram;
mod endings;
mod exports;
mod repair;
mod replica;
mod streams;
mod tables;
mod watch;

use std::process::ExitCode;

use kit::environment;
use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let suites = [
        // This takes the longest, and so begins first.
        repair::trials(),
        adopt::trials(),
        audit::trials(),
        diagram::trials(),
        endings::trials(),
        replica::trials(),
        tables::trials(),
        watch::trials(),
        exports::trials(),
        streams::trials(),
    ];
    let trials = suites.into_iter().flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Returns how many random tables a test draws: `TABLES`, or this default.
fn random_tables(default: u64) -> u64 {
    environment::number("TABLES").unwrap_or(default)
}
