//! The checkpoint of a live audit: a file from which `--resume` continues after a stop, an error or
//! a crash.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::segments::TableScan;
use crate::audit::Tally;
use crate::files::replace;

/// The version of the file format.
const VERSION: u32 = 1;

/// The content of a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The version of the file format. It is the first key, so that a person can see it.
    version: u32,
    /// The hash of the rules.
    rules: String,
    /// When the audit began, in milliseconds since 1970.
    pub started_ms: i64,
    /// The tables and how far their segments are.
    pub tables: Vec<TableScan>,
    /// How much of the log belongs to these pages. What follows is of pages that are read again.
    pub log: LogLength,
    /// What was looked at in these pages.
    pub tally: Tally,
}

/// The length of a log of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogLength {
    /// In bytes.
    pub bytes: u64,
    /// The number of items.
    pub rows: u64,
}

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file does not exist.
    #[error(
        "`{path}`: there is no checkpoint\nhelp: start without `--resume`, or name the folder of \
         an unfinished audit with `--state`"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("`{path}`: the checkpoint cannot be {verb}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What failed.
        verb: &'static str,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not a checkpoint, or was altered or cut off.
    #[error("`{path}`: not a checkpoint of `referee audit`, or an incomplete one: {error}\n{HELP}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: serde_json::Error,
    },
    /// The file has the format of another release.
    #[error("`{path}`: the checkpoint has version {version}, not {VERSION}\n{HELP}")]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// The rules have changed.
    #[error(
        "`{path}`: the checkpoint belongs to other rules, or to another release of Referee\n{HELP}"
    )]
    Rules {
        /// The file.
        path: PathBuf,
    },
    /// The audit is of other tables.
    #[error("`{path}`: the checkpoint is of {found}, and the rules name {expected}\n{HELP}")]
    Tables {
        /// The file.
        path: PathBuf,
        /// Its tables.
        found: String,
        /// The tables of the rules.
        expected: String,
    },
}

const HELP: &str = "help: delete the folder, and start the audit again without `--resume`";

impl Checkpoint {
    /// The checkpoint of an audit that begins now. `rules` is the hash of the rules.
    #[must_use]
    pub fn new(rules: String, started_ms: i64, tables: Vec<TableScan>) -> Self {
        let (log, tally) = (LogLength::default(), Tally::default());
        Self { version: VERSION, rules, started_ms, tables, log, tally }
    }

    /// Reads a checkpoint of these rules and tables. A checkpoint of anything else is refused.
    pub fn open(path: &Path, rules: &str, tables: &[&str]) -> Result<Self, CheckpointError> {
        let path_of = || path.to_owned();
        let bytes = std::fs::read(path).map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                return CheckpointError::Missing { path: path_of() };
            }
            CheckpointError::File { path: path_of(), verb: "read", error }
        })?;
        let unreadable = |error| CheckpointError::Unreadable { path: path_of(), error };
        // Another version may have other keys.
        let Version { version } = serde_json::from_slice(&bytes).map_err(unreadable)?;
        if version != u64::from(VERSION) {
            return Err(CheckpointError::Version { path: path_of(), version });
        }
        let checkpoint: Self = serde_json::from_slice(&bytes).map_err(unreadable)?;
        if checkpoint.rules != rules {
            return Err(CheckpointError::Rules { path: path_of() });
        }
        let found: Vec<_> = checkpoint.tables.iter().map(|table| table.table.as_str()).collect();
        if found != tables {
            let (found, expected) = (names(&found), names(tables));
            return Err(CheckpointError::Tables { path: path_of(), found, expected });
        }
        Ok(checkpoint)
    }

    /// Replaces the file atomically. What the checkpoint refers to must be on disk already.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let failed =
            |error| CheckpointError::File { path: path.to_owned(), verb: "written", error };
        let mut text = serde_json::to_string(self).map_err(|error| failed(error.into()))?;
        text.push('\n');
        replace(path, &text).map_err(failed)
    }
}

/// The part of the content that every version has.
#[derive(Deserialize)]
struct Version {
    version: u64,
}

fn names(tables: &[&str]) -> String {
    let names: Vec<_> = tables.iter().map(|table| format!("`{table}`")).collect();
    if names.is_empty() { "no table".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::live::segments::{At, Segment};
    use crate::data::{Item, Value};
    use expect_test::expect;

    fn checkpoint() -> Checkpoint {
        let key = Item::from([
            ("pk".into(), "user#\"é\"".into()),
            ("sk".into(), Value::B(vec![0, 255].into())),
        ]);
        let segment = Segment { at: At::After(key), pages: 2, items: 300, units: 12.5 };
        let done = Segment { at: At::End, pages: 1, items: 0, units: 0.5 };
        let segments = vec![segment, done, Segment::default()];
        let mut checkpoint = Checkpoint::new(
            "a1b2".to_owned(),
            1_700_000_000_000,
            vec![
                TableScan { table: "app".to_owned(), segments },
                TableScan::new("log".to_owned(), 1),
            ],
        );
        checkpoint.log = LogLength { bytes: 4_096, rows: 300 };
        checkpoint.tally = Tally {
            items: 300,
            unknown: 1,
            entities: vec![299],
            references: vec![7],
            mirrors: vec![],
        };
        checkpoint
    }

    fn open(path: &Path) -> Result<Checkpoint, String> {
        let opened = Checkpoint::open(path, "a1b2", &["app", "log"]);
        let folder = path.parent().unwrap().display().to_string();
        opened.map_err(|error| error.to_string().replace(&folder, "…"))
    }

    #[test]
    fn a_saved_checkpoint_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.json");
        checkpoint().save(&path).unwrap();
        expect![[r#"
            {"version":1,"rules":"a1b2","started_ms":1700000000000,"tables":[{"table":"app","segments":[{"at":{"after":{"pk":{"S":"user#\"é\""},"sk":{"B":"AP8="}}},"pages":2,"items":300,"units":12.5},{"at":"end","pages":1,"items":0,"units":0.5},{"at":"start","pages":0,"items":0,"units":0.0}]},{"table":"log","segments":[{"at":"start","pages":0,"items":0,"units":0.0}]}],"log":{"bytes":4096,"rows":300},"tally":{"items":300,"unknown":1,"entities":[299],"references":[7],"mirrors":[]}}
        "#]]
        .assert_eq(&std::fs::read_to_string(&path).unwrap());
        assert_eq!(open(&path), Ok(checkpoint()));
        // Only the checkpoint itself is left.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_checkpoint_of_anything_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.json");
        let mut errors = open(&path).unwrap_err() + "\n";
        checkpoint().save(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        for other in [
            text.replace("\"version\":1", "\"version\":2,\"new\":[]"),
            text.replace("a1b2", "c3d4"),
            text.replace(":\"log\"", ":\"logs\""),
            text.replace("\"pages\"", "\"sheets\""),
            text.replace("\"AP8=\"", "\"?\""),
            String::new(),
            "notes".to_owned(),
        ] {
            std::fs::write(&path, other).unwrap();
            errors += &(open(&path).unwrap_err() + "\n");
        }
        expect![[r"
            `…/audit.json`: there is no checkpoint
            help: start without `--resume`, or name the folder of an unfinished audit with `--state`
            `…/audit.json`: the checkpoint has version 2, not 1
            help: delete the folder, and start the audit again without `--resume`
            `…/audit.json`: the checkpoint belongs to other rules, or to another release of Referee
            help: delete the folder, and start the audit again without `--resume`
            `…/audit.json`: the checkpoint is of `app`, `logs`, and the rules name `app`, `log`
            help: delete the folder, and start the audit again without `--resume`
            `…/audit.json`: not a checkpoint of `referee audit`, or an incomplete one: unknown field `sheets`, expected one of `at`, `pages`, `items`, `units` at line 1 column 161
            help: delete the folder, and start the audit again without `--resume`
            `…/audit.json`: not a checkpoint of `referee audit`, or an incomplete one: attribute `sk`: a binary value is not base64: Invalid symbol 63, offset 0. at line 1 column 41
            help: delete the folder, and start the audit again without `--resume`
            `…/audit.json`: not a checkpoint of `referee audit`, or an incomplete one: EOF while parsing a value at line 1 column 0
            help: delete the folder, and start the audit again without `--resume`
            `…/audit.json`: not a checkpoint of `referee audit`, or an incomplete one: expected ident at line 1 column 2
            help: delete the folder, and start the audit again without `--resume`
        "]].assert_eq(&errors);
    }

    #[test]
    fn a_checkpoint_that_is_cut_off_anywhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.json");
        checkpoint().save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        // The last byte is a line break.
        for length in 0..bytes.len() - 1 {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert!(open(&path).is_err(), "{length} bytes");
        }
    }
}
