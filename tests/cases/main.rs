//! Every recorded case under `events/`: its golden files, bad deliveries, and a fault at each
//! request; and the audit in SQL.
//!
//! `UPDATE_EXPECT=1 cargo test --test cases golden` rewrites the golden files.

mod chaos;
mod golden;
mod sql;
mod sweep;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let mut trials = golden::trials();
    trials.extend(chaos::trials());
    trials.extend(sql::trials());
    let (sweeps, print_total) = sweep::trials();
    trials.extend(sweeps);
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    print_total();
    conclusion.exit_code()
}
