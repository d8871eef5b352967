//! Every recorded case under `events/`: its golden files, bad deliveries, and a fault at each
//! request; and the audit in SQL.
//!
//! `UPDATE_EXPECT=1 cargo test --test cases golden` rewrites the golden files.

mod chaos;
mod golden;
mod sql;
mod sweep;

use std::process::ExitCode;
use std::sync::Arc;

use kit::fixture::Fixture;
use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let mut trials = golden::trials();
    let fixtures: Vec<_> = Fixture::all().into_iter().map(Arc::new).collect();
    trials.extend(chaos::trials(&fixtures));
    trials.extend(sql::trials());
    let (sweeps, print_total) = sweep::trials(&fixtures);
    trials.extend(sweeps);
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    print_total();
    conclusion.exit_code()
}
