//! The sources to infer from, and what they say about their tables.

use std::path::Path;

use super::file::{ItemFile, Layout};
use super::{Args, model};
use crate::audit::export::{self, Place};
use crate::audit::{Archive, Archives, Exported};
use crate::cli::Failure;
use crate::cli::audit::sources::{connect, is_export};
use crate::data::KeySchema;
use crate::infer::InputTable;
use crate::rules::model::{Rules, TableId};

/// The sources, and the tables whose items they have.
pub(super) struct Sources {
    pub(super) archive: Archives,
    pub(super) tables: Vec<InputTable>,
    /// Whether these are only some of the items.
    pub(super) is_sample: bool,
    /// The folder of temporary files, which is removed at the end.
    temporary: Option<tempfile::TempDir>,
}

/// Opens all sources. `rules` is a rule file whose tables have the keys.
pub(super) fn open(arguments: &Args, rules: Option<&Rules>) -> Result<Sources, Failure> {
    let arguments = &Known { arguments, rules };
    let mut sources = Sources::empty();
    let (exports, files): (Vec<_>, Vec<_>) =
        arguments.arguments.sources.iter().partition(|source| is_export(source));
    sources.add_exports(&exports, arguments)?;
    for (position, file) in files.iter().enumerate() {
        sources.add_file(file, position, arguments)?;
    }
    for table in &mut sources.tables {
        if let Some(key) = key_of(&table.name, arguments) {
            table.key = Some(key);
        }
    }
    Ok(sources)
}

/// What is known about the tables besides the sources.
struct Known<'a> {
    arguments: &'a Args,
    rules: Option<&'a Rules>,
}

/// The key that the command line names for a table, or else that of the rule file.
fn key_of(table: &str, known: &Known<'_>) -> Option<KeySchema> {
    let keys = &known.arguments.key;
    let named = keys.iter().find(|(name, _)| name.as_deref() == Some(table));
    let any = || keys.iter().find(|(name, _)| name.is_none());
    let of_rules = || known.rules?.table_named(table).map(|(_, key)| key.clone());
    named.or_else(any).map(|(_, key)| key.clone()).or_else(of_rules)
}

/// A table's name made of a file's name: 3 to 255 letters, digits, `_`, `-` and `.`.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
fn table_name(stem: &str) -> String {
    let is_valid = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
    let name: String =
        stem.chars().take(255).map(|char| if is_valid(char) { char } else { '_' }).collect();
    if name.len() < 3 { format!("{name}_items") } else { name }
}

impl Sources {
    /// No sources.
    pub(super) const fn empty() -> Self {
        Self {
            archive: Archives(Vec::new()),
            tables: Vec::new(),
            is_sample: false,
            temporary: None,
        }
    }

    /// Keeps a folder of temporary files until the end.
    pub(super) fn keep(&mut self, folder: tempfile::TempDir) {
        self.temporary = Some(folder);
    }

    /// The number of a table; a new one if it is not known.
    pub(super) fn table(&mut self, table: InputTable) -> TableId {
        if let Some(at) = self.tables.iter().position(|known| known.name == table.name) {
            return TableId(at);
        }
        self.tables.push(table);
        TableId(self.tables.len() - 1)
    }

    fn named(&mut self, name: &str) -> TableId {
        let name = name.to_owned();
        self.table(InputTable { name, key: None, indexes: Vec::new(), ttl: None })
    }

    fn add_exports(&mut self, exports: &[&String], known: &Known<'_>) -> Result<(), Failure> {
        let places: Vec<Place> =
            exports.iter().map(|text| Place::parse(text)).collect::<Result<_, _>>()?;
        let opened = export::open_any(&places, &|table| key_of(table, known), &mut connect())?;
        for of_table in opened {
            let name = of_table.table().to_owned();
            if of_table.files().iter().any(export::DataFile::is_incremental)
                && key_of(&name, known).is_none()
            {
                return Err(Failure::Usage(format!(
                    "the key of table `{name}` must be known to read its incremental exports\n\
                     help: name it with `--key`, such as `--key pk,sk`, or give a rule file that \
                     has the table with `--rules`"
                )));
            }
            let table = self.named(&name);
            let prepared = of_table.prepare(known.arguments.threads.unwrap_or(1))?;
            self.archive.0.push(Box::new(Exported::new(prepared, table)));
        }
        Ok(())
    }

    fn add_file(&mut self, file: &str, position: usize, known: &Known<'_>) -> Result<(), Failure> {
        let path = Path::new(file);
        let unreadable = |error| Failure::Usage(format!("cannot read `{file}`: {error}"));
        let spooled;
        let path = if file == "-" {
            let folder = tempfile::tempdir().map_err(|error| unreadable(error.to_string()))?;
            spooled = folder.path().join("items.jsonl");
            let mut copy =
                std::fs::File::create(&spooled).map_err(|error| unreadable(error.to_string()))?;
            std::io::copy(&mut std::io::stdin().lock(), &mut copy)
                .map_err(|error| unreadable(error.to_string()))?;
            self.keep(folder);
            spooled.as_path()
        } else {
            path
        };
        let layout = super::file::layout(path).map_err(unreadable)?;
        if layout == Layout::Model {
            return self.add_model(path, file);
        }
        let names = &known.arguments.table;
        let given = names.get(position).or_else(|| names.first());
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let default = match given {
            Some(given) => given.clone(),
            None if file == "-" => "items".to_owned(),
            None => stem.map_or_else(|| "items".to_owned(), |stem| table_name(&stem)),
        };
        let names = match &layout {
            Layout::Dump(names) => names.clone(),
            Layout::Scan | Layout::List | Layout::Lines | Layout::Model => vec![default],
        };
        let tables = names.iter().map(|name| (name.clone(), self.named(name))).collect();
        let archive = ItemFile::new(path.to_owned(), layout, tables).map_err(unreadable)?;
        self.archive.0.push(Box::new(archive));
        Ok(())
    }

    fn add_model(&mut self, path: &Path, file: &str) -> Result<(), Failure> {
        let unreadable = |error: String| Failure::Usage(format!("cannot read `{file}`: {error}"));
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        for (table, rows) in model::read(&text).map_err(unreadable)? {
            let table = self.table(table);
            let rows: Box<dyn Archive> = Box::new(model::Rows { table, rows });
            self.archive.0.push(rows);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::table_name;

    #[test]
    fn the_names_of_files_become_names_of_tables() {
        for (stem, expected) in [
            ("orders", "orders"),
            ("ab", "ab_items"),
            ("", "_items"),
            ("my items (2)", "my_items__2_"),
        ] {
            assert_eq!(table_name(stem), expected, "{stem}");
        }
    }
}
