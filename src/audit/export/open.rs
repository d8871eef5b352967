//! Opens the exports of all tables.

use std::collections::BTreeMap;

use super::error::ExportError;
use super::manifest::{self, TableArn};
use super::objects::Connect;
use super::place::{self, Place};
use super::table::Opened;
use super::window::{Export, chain};
use crate::data::{KeyAttribute, KeyKind, KeySchema};
use crate::rules::model::Rules;

/// Reads the manifests of all exports, without any data. There is one result for each table, in the
/// order of the tables in the rules.
pub fn open(
    places: &[Place],
    rules: &Rules,
    connect: Connect<'_>,
) -> Result<Vec<Opened>, ExportError> {
    let mut tables = by_table(places, connect, &mut |address, table| {
        if rules.table_named(table).is_some() {
            return Ok(());
        }
        let known = rules.table_names();
        Err(ExportError::ForeignTable { address, table: table.to_owned(), known })
    })?;
    let mut opened = Vec::new();
    for table in &rules.tables {
        let Some(exports) = tables.remove(&table.name) else { continue };
        only_one_table(&exports)?;
        let chain = chain(&table.name, exports)?;
        opened.extend(Opened::new(table.key.clone(), chain));
    }
    Ok(opened)
}

/// [`open`] without rules: the exports of any tables, in the order of their names. Of tables whose
/// key is unknown, only full exports can be read.
pub fn open_any(
    places: &[Place],
    key_of: &dyn Fn(&str) -> Option<KeySchema>,
    connect: Connect<'_>,
) -> Result<Vec<Opened>, ExportError> {
    let mut opened = Vec::new();
    for (table, exports) in by_table(places, connect, &mut |_, _| Ok(()))? {
        only_one_table(&exports)?;
        let chain = chain(&table, exports)?;
        // Without an incremental export, no key is looked at.
        let unknown = || KeySchema {
            partition: KeyAttribute { name: String::new(), kind: KeyKind::S },
            sort: None,
        };
        opened.extend(Opened::new(key_of(&table).unwrap_or_else(unknown), chain));
    }
    Ok(opened)
}

/// Finds exports, and groups them by their tables.
fn by_table(
    places: &[Place],
    connect: Connect<'_>,
    check: &mut dyn FnMut(String, &str) -> Result<(), ExportError>,
) -> Result<BTreeMap<String, Vec<Export>>, ExportError> {
    let mut tables = BTreeMap::<String, Vec<Export>>::new();
    for place in places {
        let (objects, path) = place::files_of(place, connect)?;
        let folder = place::find(objects, &path)?;
        let manifest = manifest::read(&folder)?;
        let table = &manifest.summary.table_arn.table;
        check(folder.address(), table)?;
        tables.entry(table.clone()).or_default().push(Export { folder, manifest });
    }
    Ok(tables)
}

/// Refuses exports of different tables with the same name: of other accounts or Regions, or of a
/// table that was deleted and created again.
fn only_one_table(exports: &[Export]) -> Result<(), ExportError> {
    let identity = |export: &Export| -> (TableArn, Option<String>) {
        let summary = &export.manifest.summary;
        (summary.table_arn.clone(), summary.table_id.clone())
    };
    let Some((first, rest)) = exports.split_first() else { return Ok(()) };
    match rest.iter().find(|export| identity(export) != identity(first)) {
        None => Ok(()),
        Some(other) => {
            let addresses = vec![first.folder.address(), other.folder.address()];
            let table = &first.manifest.summary.table_arn.table;
            let of = format!("exports of tables named `{table}`, but of different ones");
            Err(ExportError::Ambiguous { addresses, of })
        }
    }
}
