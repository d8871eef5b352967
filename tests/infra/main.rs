//! The Terraform module: its own tests, the plans of its examples, what it refuses, and that it
//! agrees with the rule file, with `referee iam` and with the table of metrics.
//!
//! `make test` says where Terraform is, in `REFEREE_TEST_TERRAFORM`. Without it, what needs it does
//! not run, and says so. `UPDATE_EXPECT=1 tests/tools/with-terraform.sh cargo test --test infra` writes
//! the golden files and the tables of infra/README.md anew.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and tells what it did"
)]

mod cases;
mod function;
mod metrics;
mod plan;
mod policies;
mod readme;
mod terraform;

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Trial};

use terraform::Terraform;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = vec![
        trial("twin", cases::twins_are_equal),
        trial("policies", policies::are_those_of_referee_iam),
        trial("filters", cases::filters_let_pass_what_rules_need),
        trial("function", function::resources_agree),
        trial("metrics", metrics::are_those_of_the_code),
        trial("readme", readme::tables_are_fresh),
    ];
    #[expect(clippy::disallowed_methods, reason = "this is the edge of the tests")]
    let (tool, provider) = (
        std::env::var("REFEREE_TEST_TERRAFORM").ok(),
        std::env::var("REFEREE_INFRA_PROVIDER").ok(),
    );
    match tool {
        Some(tool) => {
            let terraform = Terraform::new(tool);
            trials.extend(module_tests(&terraform));
            // With the real provider a plan asks an account.
            if provider.is_none() {
                trials.extend(plans(&terraform));
            }
        }
        None => eprintln!("skipped: there is no Terraform in REFEREE_TEST_TERRAFORM"),
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn module_tests(terraform: &Terraform) -> Vec<Trial> {
    let mut trials = vec![
        with(terraform, "format", Terraform::is_formatted),
        with(terraform, "validate", Terraform::validates),
        with(terraform, "package", |_| terraform::packages_are_the_same_each_time()),
    ];
    for file in files_in("infra/tests", "hcl") {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let filter = format!("tests/{name}");
        trials.push(with(terraform, &filter, {
            let filter = filter.clone();
            move |terraform: &Terraform| terraform.tests(&filter)
        }));
    }
    trials
}

fn plans(terraform: &Terraform) -> Vec<Trial> {
    let mut trials = vec![
        with(terraform, "cases", cases::are_as_before),
        with(terraform, "refusals", plan::refusals_are_as_before),
        with(terraform, "readme code", readme::code_plans),
    ];
    for example in folders_in("infra/examples") {
        let name = format!("plan of {}", example.file_name().unwrap().display());
        let plan = move |terraform: &Terraform| plan::is_as_before(terraform, &example);
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

/// The files in a folder whose names end so, in order.
fn files_in(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = entries(folder).filter(|path| path.is_file()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

/// The folders in a folder, in order.
fn folders_in(folder: &str) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = entries(folder).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn entries(folder: &str) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path())
}
