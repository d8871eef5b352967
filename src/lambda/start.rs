//! Initialization: creates the state that invocations share, and detects problems before the first
//! record.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::config::{Config, Problem, Sources, read};
use super::function::Function;
use super::log;
use super::queue::Sqs;
use crate::aws;
use crate::data::{Item, KeyKind, KeySchema, Number, Value};
use crate::engine::Engine;
use crate::metrics::Metrics;
use crate::preflight::tables_in_use;
use crate::rules::FILE_BYTES_MAX;
use crate::rules::model::{Mode, Rules, Table};
use crate::store::{DynamoDb, Read, Store as _, StoreError};

/// How long to wait for the tables' answers, in milliseconds. If a table has not answered by then,
/// the function starts anyway: Lambda limits the initialization to ten seconds.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
const PROBE_MS_MAX: u64 = 4_000;

/// Reads the configuration, creates the clients, and probes every table.
pub(super) async fn start(sources: &Sources<'_>) -> Result<Function, Vec<Problem>> {
    let (config, problems) = read(sources);
    let Some(Config { rules, metrics, namespace, logs_items, queue }) = config else {
        return Err(problems);
    };
    log::problems(&problems);
    let aws = aws::configure_function(sources.environment);
    let store = DynamoDb::new(&aws);
    let problems = probe(&rules, &store).await;
    if problems.iter().any(|problem| !problem.is_warning) {
        return Err(problems);
    }
    log::problems(&problems);
    let metrics = Metrics { sink: metrics.open_in_function(&aws), namespace };
    let observer = Engine::new(rules.clone().in_mode(Mode::Observe));
    let queue = queue.map(|url| Sqs::new(&aws, url));
    Ok(Function { engine: Engine::new(rules), observer, store, queue, metrics, logs_items })
}

/// Reads a file. A relative path is relative to the binary's folder if the file exists there, and
/// otherwise to the working directory.
pub(super) fn read_beside(path: &Path) -> io::Result<Vec<u8>> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(path)));
    let path = beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(path));
    let mut bytes = Vec::new();
    // One byte more than the maximum is enough to detect that the rule file is too long.
    File::open(path)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads an item, which need not exist, from each table that a rule uses.
///
/// This opens the connection before the first record. It also detects a missing table, a key that
/// differs from the rules and a missing permission to read, and it needs no permission that the
/// function does not need anyway.
async fn probe(rules: &Rules, store: &DynamoDb) -> Vec<Problem> {
    let store = store.until(Instant::now() + Duration::from_millis(PROBE_MS_MAX));
    let store = &store;
    let probes = tables_in_use(rules).into_iter().map(|table| async move {
        match store.batch_get(vec![probe_read(&rules[table])]).await {
            Ok(_) => None,
            Err(StoreError::Retry(text) | StoreError::Throttled(text)) => {
                Some(Problem { is_warning: true, text })
            }
            Err(StoreError::Fatal(text)) => Some(Problem { is_warning: false, text }),
            Err(StoreError::Rejected(error)) => {
                let key = key_in_rule_file(&rules[table].key);
                let text = format!("{error}\nhelp: the key of the table in the rule file is {key}");
                Some(Problem { is_warning: false, text })
            }
        }
    });
    join_all(probes).await.into_iter().flatten().collect()
}

fn probe_read(table: &Table) -> Read {
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

/// A key schema in the syntax of the rule file.
fn key_in_rule_file(key: &KeySchema) -> String {
    let attributes = key
        .attributes()
        .map(|attribute| format!("{}:{}", attribute.name, attribute.kind.as_type()));
    format!("[{}]", attributes.collect::<Vec<_>>().join(", "))
}
