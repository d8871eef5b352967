//! A recorded case: where its files are, and how its results differ from the expected ones.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::lines::{Change, changes};
use crate::cli::output::write_whole;
use crate::cli::replay::{Recorded, recorded};
use crate::cli::{Context, Failure, rule_file};

/// The maximum number of lines that are shown of a difference.
const SHOWN_MAX: usize = 40;

/// A folder with a case.
#[derive(Debug)]
pub(super) struct Case {
    folder: PathBuf,
}

/// How the content of a file differs from what was found.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    /// The file's name in the case.
    file: &'static str,
    /// The lines that differ, in order.
    lines: Vec<Change>,
}

/// The result of a case.
#[derive(Debug)]
pub(super) struct Tested {
    /// The path of its folder.
    pub(super) name: String,
    /// Why it could not be run.
    pub(super) error: Option<String>,
    /// What differs.
    pub(super) differences: Vec<Difference>,
    /// Whether the differences were written as expected results.
    pub(super) is_updated: bool,
}

/// The cases in these folders, each of which is a case or contains some.
pub(super) fn find(folders: &[&PathBuf]) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for folder in folders {
        let unreadable =
            |error| Failure::Usage(format!("cannot read `{}`: {error}", folder.display()));
        if is_case(folder) {
            cases.push(Case { folder: (*folder).clone() });
            continue;
        }
        let mut inner = std::fs::read_dir(folder)
            .and_then(|entries| entries.map(|it| Ok(it?.path())).collect::<Result<Vec<_>, _>>())
            .map_err(unreadable)?;
        inner.retain(|path| is_case(path));
        inner.sort();
        if inner.is_empty() {
            return Err(Failure::Usage(format!(
                "`{}` is no case and contains none: a case has its events in a folder `stream`",
                folder.display()
            )));
        }
        cases.extend(inner.into_iter().map(|folder| Case { folder }));
    }
    Ok(cases)
}

fn is_case(folder: &Path) -> bool {
    folder.join("stream").is_dir()
}

impl Case {
    /// The path of a file of the case, if the file exists.
    fn existing(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.join(name)).filter(|path| path.exists())
    }

    /// Replays the events of the case. Without a rule file of its own, it has the command's.
    pub(super) fn run(&self, context: &mut Context<'_>) -> Result<Recorded, Failure> {
        let own = self.existing("referee.yaml").unwrap_or_else(|| context.rules.clone());
        let common = std::mem::replace(&mut context.rules, own);
        let rules = rule_file::load(context);
        context.rules = common;
        let (seed, stream) = (self.existing("seed.json"), self.folder.join("stream"));
        recorded(rules?, &self.folder, seed.as_deref(), &stream, context.environment)
    }

    /// Compares the results with the expected ones, or writes them. `after.json` is compared only if
    /// it exists, or if nothing is expected yet.
    pub(super) fn compare(
        &self,
        found: &Recorded,
        updates: bool,
    ) -> Result<(Vec<Difference>, bool), Failure> {
        const EXPECTED: &str = "expected.jsonl";
        let is_new = self.existing(EXPECTED).is_none();
        let mut differences = Vec::new();
        for (file, found) in [(EXPECTED, &found.lines), ("after.json", &found.after)] {
            let path = self.folder.join(file);
            let expected = match self.existing(file) {
                Some(path) => std::fs::read_to_string(&path).map_err(|error| {
                    Failure::Usage(format!("cannot read `{}`: {error}", path.display()))
                })?,
                None if is_new => String::new(),
                None => continue,
            };
            if expected != *found {
                differences.push(Difference { file, lines: changes(&expected, found) });
                if updates {
                    write_whole(&path, found)?;
                }
            }
        }
        let is_updated = updates && !differences.is_empty();
        Ok((differences, is_updated))
    }
}

impl Tested {
    pub(super) fn new(case: &Case) -> Self {
        Self {
            name: case.folder.display().to_string(),
            error: None,
            differences: Vec::new(),
            is_updated: false,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.error.is_some() || (!self.differences.is_empty() && !self.is_updated)
    }

    /// The result in one word.
    pub(super) fn outcome(&self) -> &'static str {
        match (self.has_failed(), self.is_updated) {
            (true, _) => "failed",
            (false, true) => "updated",
            (false, false) => "passed",
        }
    }

    /// What is wrong, for people. Expected lines begin with `-`, and found ones with `+`.
    pub(super) fn details(&self) -> String {
        if !self.has_failed() {
            return String::new();
        }
        let mut text = self.error.as_ref().map(|it| format!("error: {it}\n")).unwrap_or_default();
        for Difference { file, lines } in &self.differences {
            let _ = writeln!(text, "{file} differs:");
            for line in lines.iter().take(SHOWN_MAX) {
                let _ = writeln!(text, "{line}");
            }
            let hidden = lines.len().saturating_sub(SHOWN_MAX);
            if hidden > 0 {
                let _ = writeln!(text, "… and {hidden} more lines");
            }
        }
        text
    }
}
