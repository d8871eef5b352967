//! Prepares for watching: creates tables if requested, and compares the tables with the rules.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::cli::Failure;
use crate::cli::input::read_seed;
use crate::preflight::{differences, streamed};
use crate::replay;
use crate::rules::{Rules, codes};
use crate::store::description::Described;
use crate::store::{Action, DynamoDb, Store as _, Write};
use crate::streams::{Stream, Streams};
use crate::watch::checkpoint_schema;

/// Creates the missing tables, and returns their names.
pub(super) async fn create(
    store: &DynamoDb,
    rules: &Rules,
    checkpoint_table: Option<&str>,
) -> Result<BTreeSet<String>, Failure> {
    let mut created = BTreeSet::new();
    for schema in replay::schemas(rules).chain(checkpoint_table.map(checkpoint_schema)) {
        if store.describe(&schema.name).await? == Described::Missing {
            store.create(&schema).await?;
            created.insert(schema.name);
        }
    }
    Ok(created)
}

/// Writes the items of seeds to these tables.
pub(super) async fn seed(
    store: &DynamoDb,
    rules: &Rules,
    tables: &BTreeSet<String>,
    files: &[PathBuf],
) -> Result<(), Failure> {
    // The in-memory store validates the seed.
    let memory = replay::store(rules);
    for file in files {
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::Usage(format!("`{}`: {error}", file.display()))
        };
        let text = read_seed(file)?;
        replay::seed(&memory, &text).map_err(|error| wrong(&error))?;
    }
    for (table, items) in memory.dump() {
        for item in items.into_iter().filter(|_| tables.contains(&table)) {
            let action = Action::Put(item);
            let write = Write { table: table.clone(), action, condition: None };
            store.write(write).await?;
        }
    }
    Ok(())
}

/// Finds the streams of the tables whose changes the rules need. Fails if the tables differ from
/// the rules, and reports all differences together.
pub(in crate::cli) async fn streams(
    store: &DynamoDb,
    source: &Streams,
    rules: &Rules,
    message: &dyn Fn(&str),
) -> Result<Vec<Stream>, Failure> {
    let mut described = Vec::new();
    for table in &rules.tables {
        let table = store.describe(&table.name).await?;
        if let Described::Hidden(why) = &table {
            message(&format!("a table is not compared with the rules: {why}"));
        }
        described.push(table);
    }
    // A table that is still being created is read as soon as it is ready.
    let mut differences = differences(rules, &described);
    differences.retain(|difference| difference.code != &codes::NOT_READY);
    if !differences.is_empty() {
        let texts: Vec<String> = differences.iter().map(ToString::to_string).collect();
        let summary = "the tables do not match the rule file";
        return Err(Failure::Usage(format!("{summary}\n{}", texts.join("\n"))));
    }
    let mut streams = Vec::new();
    for table in streamed(rules) {
        streams.push(source.latest(&rules[table].name).await?);
    }
    if streams.is_empty() {
        let help = "help: every rule is off";
        return Err(Failure::Usage(format!("there is nothing to watch\n{help}")));
    }
    Ok(streams)
}

/// Checks that a table can store the checkpoint.
pub(super) async fn check_checkpoint_table(store: &DynamoDb, name: &str) -> Result<(), Failure> {
    let problem = match store.describe(name).await? {
        Described::Hidden(_) => return Ok(()),
        Described::Table(known) if known.key == checkpoint_schema(name).key => return Ok(()),
        Described::Table(_) => format!("table `{name}` does not have a checkpoint table's key"),
        Described::Missing => format!("the checkpoint table `{name}` does not exist"),
    };
    Err(Failure::Usage(format!(
        "{problem}\nhelp: create it: aws dynamodb create-table --table-name {name} --billing-mode \
         PAY_PER_REQUEST --attribute-definitions AttributeName=table,AttributeType=S \
         AttributeName=shard,AttributeType=S --key-schema AttributeName=table,KeyType=HASH \
         AttributeName=shard,KeyType=RANGE"
    )))
}
