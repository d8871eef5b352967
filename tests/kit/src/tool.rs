//! Runs the command-line tool in a folder that contains a rule file.

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::Expect;

use crate::transcript::transcript;

/// Creates a folder with this name and a rule file with this text, to run the tool in.
///
/// This is a macro because Cargo sets `CARGO_BIN_EXE_referee` only while it compiles a test suite.
#[macro_export]
macro_rules! tool {
    ($name:expr, $rules:expr $(,)?) => {
        $crate::tool::Tool::new(
            env!("CARGO_BIN_EXE_referee"),
            env!("CARGO_TARGET_TMPDIR"),
            $name,
            $rules,
        )
    };
}

/// A folder with a rule file.
pub struct Tool {
    binary: &'static str,
    folder: PathBuf,
}

impl Tool {
    /// Use [`tool!`](crate::tool!) instead, which passes the binary and the folder.
    pub fn new(binary: &'static str, folder: &str, name: &str, rules: &str) -> Self {
        let folder = Path::new(folder).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("referee.yaml"), rules).unwrap();
        Self { binary, folder }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.binary);
        command.args(arguments).current_dir(&self.folder).env_clear();
        command
    }

    #[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
    pub fn check(&self, arguments: &[&str], expected: Expect) {
        expected.assert_eq(&transcript(&mut self.command(arguments)));
    }
}
