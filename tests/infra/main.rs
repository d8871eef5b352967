//! The Terraform module: the plans of its examples, the input that it rejects, and its agreement with
//! the rule file, with `referee iam` and with the table of metrics. Its own tests are in
//! `infra/tests`; `tests/tools/module-tests.sh` runs them.
//!
//! `make test` sets `REFEREE_TEST_TERRAFORM` to the path of Terraform. Without it, tests that need
//! Terraform are skipped with a message. `UPDATE_EXPECT=1 tests/tools/with-terraform.sh cargo test
//! --test infra` updates the golden files and the tables of infra/README.md.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a panic fails the test, and its output explains the failure"
)]

mod cases;
mod function;
mod metrics;
mod plan;
mod policies;
mod readme;
mod systems;
mod terraform;

use std::path::{Path, PathBuf};

use kit::environment::variable;
use libtest_mimic::{Arguments, Trial};

use terraform::Terraform;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = vec![
        trial("twin", cases::twins_are_equal),
        trial("policies", policies::match_referee_iam),
        trial("known keys", cases::the_module_knows_every_key),
        trial("filters", cases::filters_let_needed_records_pass),
        trial("function", function::resources_agree),
        trial("placeholder", function::the_placeholder_is_deployed_once),
        trial("metrics", metrics::match_the_code),
        trial("lost metrics", metrics::lost_metrics_are_counted),
        trial("readme", readme::tables_are_up_to_date),
    ];
    match variable("REFEREE_TEST_TERRAFORM") {
        Some(tool) => {
            let terraform = Terraform::new(tool);
            trials.extend(module_tests(&terraform));
            // A plan with the real provider needs an AWS account.
            if variable("REFEREE_INFRA_PROVIDER").is_none() {
                trials.extend(plans(&terraform));
            }
        }
        None => eprintln!("skipped: REFEREE_TEST_TERRAFORM is not set"),
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn module_tests(terraform: &Terraform) -> Vec<Trial> {
    vec![
        with(terraform, "format", Terraform::is_formatted),
        with(terraform, "validate", Terraform::validates),
        with(terraform, "package", |_| terraform::packages_are_reproducible()),
    ]
}

fn plans(terraform: &Terraform) -> Vec<Trial> {
    let mut trials = vec![
        with(terraform, "cases", cases::match_golden_files),
        with(terraform, "refusals", plan::refusals_match_golden_file),
        with(terraform, "readme code", readme::code_blocks_can_be_planned),
        with(terraform, "readme system", systems::the_readme_can_be_planned),
    ];
    for example in folders_in("infra/examples") {
        let name = format!("plan of {}", example.file_name().unwrap().display());
        let plan = move |terraform: &Terraform| plan::matches_golden_file(terraform, &example);
        trials.push(with(terraform, &name, plan));
    }
    trials
}

fn trial(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

fn with(
    terraform: &Terraform,
    name: &str,
    test: impl FnOnce(&Terraform) + Send + 'static,
) -> Trial {
    let terraform = terraform.clone();
    Trial::test(name, move || {
        test(&terraform);
        Ok(())
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the files in a folder that have this extension, sorted by path.
fn files_in(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = entries(folder).filter(|path| path.is_file()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

/// Returns the folders in a folder, sorted by path.
fn folders_in(folder: &str) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = entries(folder).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn entries(folder: &str) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path())
}
