//! Writes exports into a temporary folder, and reads them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kit::export::{DataFile, Export, item_line};
use referee::audit::export::{
    ExportError, ObjectError, Objects, Opened, Place, Problem, RowError, TableExport, open,
};
use referee::rules::{self, RuleSource, Rules};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

pub(crate) const RULES: &str = "
version: 1
tables:
  app: { key: [pk, sk] }
  log: { key: [id:N] }
entities:
  user: { table: app, key: { pk: 'user#{user}', sk: profile } }
  entry: { table: log, key: { id: '{id}' }, attributes: { user: S } }
references:
  entry_user: { from: entry, to: user, on: { user: '{user}' }, find: none }
";

pub(crate) const TIME: &str = "2026-11-20T08:00:00.000Z";

pub(crate) fn rules() -> Rules {
    let source = RuleSource { name: "rules".to_owned(), text: RULES.to_owned() };
    let loaded = rules::load(&source, &|_| None);
    assert_eq!(loaded.diagnostics, []);
    loaded.rules.unwrap()
}

/// A user with some other content.
pub(crate) fn user(name: &str, content: &str) -> Json {
    json!({ "pk": { "S": format!("user#{name}") }, "sk": { "S": "profile" }, "is": { "S": content } })
}

/// A folder that stands for a bucket.
pub(crate) struct Bucket(TempDir);

impl Bucket {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a full export of `app` with these items, in as many files as there are lists.
    pub(crate) fn full(&self, files: &[&[Json]]) -> PathBuf {
        self.full_of("01-full", TIME, files)
    }

    pub(crate) fn full_of(&self, id: &str, time: &str, files: &[&[Json]]) -> PathBuf {
        Export::full("app", id, time).write(self.path(), &data_files(files))
    }

    /// Opens the exports in these folders.
    pub(crate) fn open(&self, places: &[&Path]) -> Result<Vec<Opened>, String> {
        open_at(places).map_err(|error| self.short(&error.to_string()))
    }

    /// Reads these exports of one table: the items by key, and the problems.
    pub(crate) fn read(&self, places: &[&Path]) -> (BTreeMap<String, Json>, Vec<Problem>) {
        let mut opened = self.open(places).unwrap();
        assert_eq!(opened.len(), 1);
        read_table(&opened.pop().unwrap().prepare(2).unwrap())
    }

    /// The problems of these exports, as text.
    pub(crate) fn problems(&self, places: &[&Path]) -> String {
        let (_, problems) = self.read(places);
        let mut text = String::new();
        for problem in problems {
            let _ = writeln!(text, "{}", self.short(&problem.to_string()));
        }
        text
    }

    /// A text without the path of the folder.
    pub(crate) fn short(&self, text: &str) -> String {
        text.replace(self.path().to_str().unwrap(), "…")
    }
}

pub(crate) fn data_files(files: &[&[Json]]) -> Vec<DataFile> {
    let file = |items: &&[Json]| DataFile::new(&items.iter().map(item_line).collect::<Vec<_>>());
    files.iter().map(file).collect()
}

pub(crate) fn open_at(places: &[&Path]) -> Result<Vec<Opened>, ExportError> {
    let places: Vec<Place> =
        places.iter().map(|path| Place::parse(path.to_str().unwrap()).unwrap()).collect();
    let mut no_s3 = |bucket: &str| -> Result<Arc<dyn Objects>, ObjectError> {
        Err(ObjectError::NoS3(bucket.to_owned()))
    };
    open(&places, &rules(), &mut no_s3)
}

/// The items of a table by key, and the problems. Two items with one key fail, unless a file is
/// damaged.
pub(crate) fn read_table(table: &TableExport) -> (BTreeMap<String, Json>, Vec<Problem>) {
    let mut items = BTreeMap::new();
    let mut problems = table.problems().to_vec();
    let mut has_duplicates = false;
    for file in 0..u32::try_from(table.files().len()).unwrap() {
        let checked = table
            .read(file, |_, line| {
                let item = serde_json::from_slice::<Json>(line)
                    .map_err(|error| RowError::Invalid(error.to_string()))?;
                let other = items.insert(format!("{} {}", item["pk"], item["id"]), item);
                has_duplicates |= other.is_some();
                Ok(())
            })
            .unwrap();
        problems.extend(checked.problems);
    }
    assert!(!has_duplicates || !problems.is_empty());
    (items, problems)
}

/// The items as [`read_table`] returns them.
pub(crate) fn by_key(items: impl IntoIterator<Item = Json>) -> BTreeMap<String, Json> {
    items.into_iter().map(|item| (format!("{} {}", item["pk"], item["id"]), item)).collect()
}
