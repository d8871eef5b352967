//! Starting: everything that is made once, and everything that can be known to be wrong before
//! there is a record.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::config::{Config, Problem, Sources, read};
use super::function::Function;
use super::log;
use crate::aws;
use crate::data::{Item, KeyKind, KeySchema, Number, Value};
use crate::engine::Engine;
use crate::metrics::Metrics;
use crate::rules::FILE_BYTES_MAX;
use crate::rules::model::{Mode, Rules, Table, TableId};
use crate::store::{DynamoDb, Read, Store as _, StoreError};

/// How long the tables may take to answer before the function starts without having heard of them.
/// Lambda gives an initialization ten seconds.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
const GREETING_MS_MAX: u64 = 4_000;

/// Reads the configuration, makes the clients, and asks every table for an item.
pub(super) async fn start(sources: &Sources<'_>) -> Result<Function, Vec<Problem>> {
    let (config, problems) = read(sources);
    let Some(Config { rules, metrics, namespace, logs_items }) = config else {
        return Err(problems);
    };
    log::problems(&problems);
    let aws = aws::configure(None).await;
    let store = DynamoDb::new(&aws);
    let problems = greet(&rules, &store).await;
    if problems.iter().any(|problem| !problem.is_warning) {
        return Err(problems);
    }
    log::problems(&problems);
    let metrics = Metrics { sink: metrics.open(&aws), namespace };
    Ok(Function { engine: Engine::new(rules), store, metrics, logs_items })
}

/// Reads a file that a relative path leads to from the binary, or else from the working folder.
pub(super) fn read_beside(path: &Path) -> io::Result<Vec<u8>> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(path)));
    let place = beside.filter(|place| place.exists()).unwrap_or_else(|| PathBuf::from(path));
    let mut bytes = Vec::new();
    // One byte more than a rule file may have tells that it is too long.
    File::open(place)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Asks each table that a rule looks at for an item that need not exist.
///
/// The connection is then there when the first record comes; and whether the table is there, its
/// key is as the rules say, and the role may read it, is told without any right that the function
/// does not need anyway.
async fn greet(rules: &Rules, store: &DynamoDb) -> Vec<Problem> {
    let store = store.until(Instant::now() + Duration::from_millis(GREETING_MS_MAX));
    let store = &store;
    let greetings = tables_in_use(rules).map(|table| async move {
        match store.batch_get(vec![greeting(table)]).await {
            Ok(_) => None,
            Err(StoreError::Retry(reason)) => Some(Problem { is_warning: true, text: reason }),
            Err(StoreError::Fatal(text)) => Some(Problem { is_warning: false, text }),
            Err(StoreError::Rejected(error)) => {
                let key = told(&table.key);
                let text =
                    format!("{error}\nhelp: in the rule file, the key of the table is {key}");
                Some(Problem { is_warning: false, text })
            }
        }
    });
    join_all(greetings).await.into_iter().flatten().collect()
}

fn tables_in_use(rules: &Rules) -> impl Iterator<Item = &Table> {
    let references = rules.references.iter().filter(|rule| rule.mode != Mode::Off);
    let mirrors = rules.mirrors.iter().filter(|rule| rule.mode != Mode::Off);
    let entities = references
        .flat_map(|rule| [rule.from, rule.to])
        .chain(mirrors.flat_map(|rule| [rule.source, rule.mirror]));
    let mut tables: Vec<TableId> = entities.map(|entity| rules[entity].table).collect();
    tables.sort_unstable();
    tables.dedup();
    tables.into_iter().map(|table| &rules[table])
}

fn greeting(table: &Table) -> Read {
    let key: Item<'static> = table
        .key
        .attributes()
        .map(|attribute| {
            let value = match attribute.kind {
                KeyKind::S => Value::S("_referee".into()),
                KeyKind::N => Value::N(Number::ZERO),
                KeyKind::B => Value::B(vec![0].into()),
            };
            (attribute.name.clone().into(), value)
        })
        .collect();
    let attributes = Some(vec![table.key.partition.name.clone()]);
    Read { table: table.name.clone(), key, attributes }
}

/// A key schema as the rule file writes it.
fn told(key: &KeySchema) -> String {
    let attributes = key.attributes();
    let told =
        attributes.map(|attribute| format!("{}:{}", attribute.name, attribute.kind.as_type()));
    format!("[{}]", told.collect::<Vec<_>>().join(", "))
}
