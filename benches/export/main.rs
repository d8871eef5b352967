//! Audits a large export, and compares the cost with only inflating or verifying the same files,
//! with the same audit in SQL on `DuckDB`, and with a script that uses boto3.
//!
//! Each contender is a process of its own that uses two threads at most. The rounds alternate
//! between them. `REFEREE_BENCH_ITEMS` is the number of items, and
//! `REFEREE_BENCH_CONTENDERS=referee,inflate` leaves out the others.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark whose setup fails cannot measure anything"
)]

mod inflate;
mod process;

use std::path::{Path, PathBuf};
use std::process::Command;

use inflate::Mode;
use kit::environment::{number, variable};
use kit::sample::Sample;
use process::{Cost, run};

/// The number of rounds. The script in Python takes part in the first one only.
const ROUNDS: usize = 5;

/// The threads of each contender.
const THREADS: &str = "2";

/// The contender that others are compared with.
const REFEREE: &str = "Referee";

/// One of the programs that are compared.
struct Contender {
    name: &'static str,
    command: Command,
    /// The exit code of success. The sample has violations.
    code: i32,
    rounds: usize,
    costs: Vec<Cost>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, mode, folder] = arguments.as_slice()
        && let Some(mode) = Mode::of(mode)
    {
        return inflate::run(Path::new(folder), mode);
    }
    let items = number("REFEREE_BENCH_ITEMS").unwrap_or(1_000_000);
    let folder = root().join("target/export-bench").join(items.to_string());
    let export = sample(items, &folder);
    let mut contenders = contenders(&folder, &export);
    for round in 0..ROUNDS {
        for contender in contenders.iter_mut().filter(|it| round < it.rounds) {
            contender.costs.push(run(&mut contender.command, contender.code));
        }
    }
    print(items, &export, &contenders);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Generates the sample, unless an earlier run has. Returns the export's folder.
fn sample(items: u64, folder: &Path) -> PathBuf {
    let path = folder.join("export.txt");
    if let Ok(export) = std::fs::read_to_string(&path) {
        return PathBuf::from(export);
    }
    let export = Sample::new(items).write(folder);
    std::fs::write(path, export.to_string_lossy().as_bytes()).expect("the folder is writable");
    export
}

fn contenders(folder: &Path, export: &Path) -> Vec<Contender> {
    let rules = folder.join("referee.yaml");
    let referee = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.arg("audit").arg("--rules").arg(&rules);
        command
    };
    let mut audit = referee();
    audit.args(["--json", "--threads", THREADS]).arg(export);
    let own = std::env::current_exe().expect("the program has a path");
    let only = |mode: Mode| {
        let mut command = Command::new(&own);
        command.arg(mode.argument()).arg(export.join("data"));
        command
    };
    let mut all = vec![
        (REFEREE, audit, ROUNDS),
        ("inflate only", only(Mode::Inflate), ROUNDS),
        ("verify only", only(Mode::Verify), ROUNDS),
    ];

    let python = variable("REFEREE_TEST_DUCKDB").map(PathBuf::from);
    let script = folder.join("audit.sql");
    match python.filter(|python| python.exists()) {
        Some(python) => {
            let location = format!("shop={}", export.join("data/*.json.gz").display());
            let sql = referee().args(["--sql", "duckdb", "--location", &location]).output();
            let sql = sql.expect("the queries are printed").stdout;
            std::fs::write(&script, sql).expect("the folder is writable");
            let mut duckdb = Command::new(python);
            duckdb.arg(root().join("benches/export/duckdb_audit.py")).arg(&script).arg(THREADS);
            all.push(("DuckDB", duckdb, ROUNDS));
        }
        None => println!("SKIPPED: DuckDB (REFEREE_TEST_DUCKDB names no Python that has it)"),
    }
    let python = root().join("benches/peers/python/.venv/bin/python");
    if python.exists() {
        let mut boto3 = Command::new(python);
        boto3.arg(root().join("benches/export/boto3_audit.py")).arg(export.join("data"));
        all.push(("boto3", boto3, 1));
    } else {
        println!("SKIPPED: boto3 (benches/peers/install.sh installs it)");
    }
    let chosen = variable("REFEREE_BENCH_CONTENDERS");
    let is_chosen = |name: &str| {
        let first = name.split(' ').next().unwrap_or_default();
        let is_listed = |list: &String| list.split(',').any(|it| it.eq_ignore_ascii_case(first));
        chosen.as_ref().is_none_or(is_listed)
    };
    all.into_iter()
        .filter(|(name, ..)| is_chosen(name))
        .map(|(name, command, rounds)| {
            let code = i32::from(name == REFEREE);
            Contender { name, command, code, rounds, costs: Vec::new() }
        })
        .collect()
}

fn print(items: u64, export: &Path, contenders: &[Contender]) {
    let (compressed, inflated) = inflate::bytes(&export.join("data"));
    println!(
        "export: {items} items, {} MB of JSON in {} MB, at most {THREADS} threads",
        inflated / 1_000_000,
        compressed / 1_000_000
    );
    println!(
        "  {:<14} {:>11} {:>11} {:>13} {:>19}",
        "", "processor", "elapsed", "peak memory", "Referee's processor"
    );
    let costs: Vec<(&str, Cost)> =
        contenders.iter().map(|it| (it.name, Cost::median(&it.costs))).collect();
    let own = costs.iter().find(|(name, _)| *name == REFEREE).map(|(_, cost)| *cost);
    for (name, cost) in costs {
        let ratio = own.map_or(f64::NAN, |own| cost.processor_s / own.processor_s);
        println!(
            "  {name:<14} {:>9.2} s {:>9.2} s {:>10.0} MB {:>17.2} x",
            cost.processor_s, cost.elapsed_s, cost.peak_mb, ratio,
        );
    }
}
