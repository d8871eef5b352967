//! Runs Terraform, with separate working files for each run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;
use tempfile::TempDir;

use super::root;

/// The path of Terraform.
#[derive(Clone)]
pub(crate) struct Terraform {
    tool: String,
}

impl Terraform {
    pub(crate) fn new(tool: String) -> Self {
        Self { tool }
    }

    pub(crate) fn is_formatted(&self) {
        for folder in ["infra", "tests/infra"] {
            let arguments = ["fmt", "-check", "-diff", "-recursive"];
            succeed(self.command(&root().join(folder)).args(arguments));
        }
    }

    pub(crate) fn validates(&self) {
        let work = self.enter("infra");
        succeed(work.command().args(["validate", "-no-color"]));
    }

    /// Initializes the configuration in a folder.
    pub(crate) fn enter(&self, folder: impl AsRef<Path>) -> Work<'_> {
        let data = TempDir::new().unwrap();
        let work = Work { terraform: self, folder: root().join(folder), data };
        succeed(work.command().args(["init", "-no-color", "-backend=false", "-input=false"]));
        work
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.tool);
        command.current_dir(folder).env("CHECKPOINT_DISABLE", "1");
        command
    }
}

/// An initialized configuration. Its working files are deleted when it is dropped.
pub(crate) struct Work<'t> {
    terraform: &'t Terraform,
    folder: PathBuf,
    data: TempDir,
}

impl Work<'_> {
    pub(crate) fn command(&self) -> Command {
        let mut command = self.terraform.command(&self.folder);
        command.env("TF_DATA_DIR", self.data.path());
        command
    }

    /// Returns the plan as JSON.
    pub(crate) fn plan(&self, variables: &[String]) -> Json {
        let plan = self.data.path().join("plan");
        let mut command = self.command();
        command.args(["plan", "-no-color", "-input=false", "-lock=false", "-out"]).arg(&plan);
        succeed(command.args(variables));
        let shown = succeed(self.command().args(["show", "-json"]).arg(&plan));
        serde_json::from_slice(&shown.stdout).unwrap()
    }

    /// Returns the errors of a plan that must fail, in alphabetical order.
    pub(crate) fn refusals(&self) -> Vec<String> {
        let output = self.command().args(["plan", "-json", "-input=false", "-lock=false"]).output();
        let output = output.unwrap();
        assert!(!output.status.success(), "the plan succeeded");
        let mut errors: Vec<String> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Json>(line).unwrap())
            .filter(|line| line["@level"] == "error")
            .map(|line| {
                let text = |part: &str| line["diagnostic"][part].as_str().unwrap().to_owned();
                Some(text("detail")).filter(|it| !it.is_empty()).unwrap_or_else(|| text("summary"))
            })
            .collect();
        errors.sort();
        errors
    }
}

/// Checks that a package depends only on the content of its files, not on their times.
pub(crate) fn packages_are_reproducible() {
    let pack = |modified: SystemTime| {
        let folder = TempDir::new().unwrap();
        let binary = folder.path().join("bootstrap");
        fs::write(&binary, "a binary").unwrap();
        fs::File::options().append(true).open(&binary).unwrap().set_modified(modified).unwrap();
        let rules = root().join("infra/tests/fixtures/app.yaml");
        let script = root().join("infra/package.py");
        succeed(Command::new("python3").arg(script).arg(folder.path()).arg(rules));
        fs::read(folder.path().join("bootstrap.zip")).unwrap()
    };
    let old = pack(SystemTime::UNIX_EPOCH);
    assert!(old == pack(SystemTime::UNIX_EPOCH + Duration::from_hours(1)));
    let holds = |text: &[u8]| old.windows(text.len()).any(|window| window == text);
    assert!(holds(b"bootstrap") && holds(b"referee.yaml"));
}

fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
