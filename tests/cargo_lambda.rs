//! The function as `cargo lambda` sees it: packed for deployment, and run on this machine.
//!
//! `make test` says in `REFEREE_TEST_CARGO_LAMBDA` where cargo-lambda is; without it, these tests
//! are not run, and say so.

#[path = "support/tables.rs"]
mod tables;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use referee::aws;
use referee::rules::{self, RuleSource};
use referee::store::memory::TableSchema;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    match std::env::var("REFEREE_TEST_CARGO_LAMBDA") {
        Err(_) => eprintln!("warning: the tests of cargo-lambda are SKIPPED: it is not there"),
        Ok(path) => {
            let tool = PathBuf::from(path);
            let for_deploy = tool.clone();
            trials.push(Trial::test("deploys with its rules", move || {
                deploys_with_its_rules(&for_deploy);
                Ok(())
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}
