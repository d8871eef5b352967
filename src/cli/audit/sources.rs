//! The sources of an audit.

use std::path::Path;
use std::sync::Arc;

use crate::audit::export::{self, ExportError, ObjectError, Objects, Place};
use crate::audit::{Archive, Archives, Dump, Exported};
use crate::cli::{Context, Failure};
use crate::preflight::tables_in_use;
use crate::rules::model::{Rules, TableId};

/// Opens the sources of an audit: dumps, and exports of one or more tables. Also returns the time of
/// the newest export, in milliseconds since 1970, if all sources are exports.
pub(super) fn open(
    sources: &[String],
    rules: &Rules,
    threads: usize,
    context: &mut Context<'_>,
) -> Result<(Archives, Option<i64>), Failure> {
    let found = find(sources, rules)?;
    let newest = found.exports.iter().map(|export| export.time().ms()).max();
    let exported_ms = newest.filter(|_| found.dumps.is_empty());
    if let Some(skew) = export::skew(&found.exports) {
        context.output.message(&format!("warning: {skew}\n"))?;
    }
    if found.dumps.is_empty() {
        require_every_table(rules, &found.exports)?;
    }
    Ok((found.into_archives(rules, threads, context)?, exported_ms))
}

/// Sources, of which no items were read yet.
pub(super) struct Sources {
    /// Dumps, each of all tables.
    pub(super) dumps: Vec<Dump>,
    /// Exports, by their tables.
    pub(super) exports: Vec<export::Opened>,
}

/// Finds the sources, and reads what they say about themselves.
pub(super) fn find(sources: &[String], rules: &Rules) -> Result<Sources, Failure> {
    let (exports, dumps): (Vec<_>, Vec<_>) = sources.iter().partition(|source| is_export(source));
    let dumps = dumps.into_iter().map(|dump| {
        Dump::open(Path::new(dump), rules)
            .map_err(|error| Failure::Usage(format!("cannot read `{dump}`: {error}")))
    });
    let dumps = dumps.collect::<Result<_, _>>()?;
    let places: Vec<Place> =
        exports.iter().map(|text| Place::parse(text)).collect::<Result<_, _>>()?;
    Ok(Sources { dumps, exports: export::open(&places, rules, &mut connect())? })
}

impl Sources {
    /// Prepares the sources for reading.
    pub(super) fn into_archives(
        self,
        rules: &Rules,
        threads: usize,
        context: &mut Context<'_>,
    ) -> Result<Archives, Failure> {
        let dumps = self.dumps.into_iter().map(|dump| Box::new(dump) as Box<dyn Archive>);
        let mut archives: Vec<_> = dumps.collect();
        for of_table in self.exports {
            for address in of_table.outdated() {
                let text =
                    format!("warning: `{address}` is older than the full export; it is ignored");
                context.output.message(&format!("{text}\n"))?;
            }
            let Some((table, _)) = rules.table_named(of_table.table()) else { continue };
            archives.push(Box::new(Exported::new(of_table.prepare(threads)?, table)));
        }
        Ok(Archives(archives))
    }
}

/// Refuses exports that leave out a table that the rules need: every reference to its items would
/// look broken.
fn require_every_table(rules: &Rules, opened: &[export::Opened]) -> Result<(), Failure> {
    let is_missing = |table: &TableId| {
        let name = &rules[*table].name;
        opened.iter().all(|of_table| of_table.table() != name)
    };
    let mut missing = tables_in_use(rules).into_iter().filter(is_missing);
    let Some(table) = missing.next() else { return Ok(()) };
    let name = &rules[table].name;
    Err(Failure::Usage(format!(
        "there is no export of table `{name}`, which the rules need\n\
         help: pass its export too, or name rules without it with `--rule`"
    )))
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        let text = error.to_string();
        if error.is_usage() { Self::Usage(text) } else { Self::Incomplete(text) }
    }
}

/// Whether a source is an export, and not a dump: a dump is one file.
pub(in crate::cli) fn is_export(source: &str) -> bool {
    let path = Path::new(source);
    source.starts_with("s3://") || path.is_dir() || path.ends_with("manifest-summary.json")
}

/// Returns a function that gives access to buckets. All buckets share one connection.
#[cfg(feature = "live")]
pub(in crate::cli) fn connect() -> impl FnMut(&str) -> Result<Arc<dyn Objects>, ObjectError> {
    let mut connection = None;
    move |bucket| {
        if connection.is_none() {
            let unreadable = |error: std::io::Error| ObjectError::Unreadable {
                address: format!("s3://{bucket}"),
                error: error.to_string(),
            };
            connection = Some(export::S3Connection::from_environment(None).map_err(unreadable)?);
        }
        let known = connection.as_ref().ok_or_else(|| ObjectError::NoS3(bucket.to_owned()))?;
        Ok(Arc::new(known.bucket(bucket)))
    }
}

#[cfg(not(feature = "live"))]
pub(in crate::cli) fn connect() -> impl FnMut(&str) -> Result<Arc<dyn Objects>, ObjectError> {
    |bucket| Err(ObjectError::NoS3(format!("s3://{bucket}")))
}
