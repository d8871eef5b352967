//! The command-line tool, as a process beside a rule file.

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::Expect;

use crate::transcript::transcript;

/// A folder with a rule file.
pub(crate) struct Tool {
    folder: PathBuf,
}

impl Tool {
    pub(crate) fn new(name: &str, rules: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("referee.yaml"), rules).unwrap();
        Self { folder }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.args(arguments).current_dir(&self.folder).env_clear();
        command
    }

    #[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
    pub(crate) fn check(&self, arguments: &[&str], expected: Expect) {
        expected.assert_eq(&transcript(&mut self.command(arguments)));
    }
}
