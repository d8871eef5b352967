//! What is done before anything is followed: tables are made where that was asked for, and checked
//! against the rules.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::tell::Teller;
use crate::cli::Failure;
use crate::cli::input::read_seed;
use crate::preflight::{differences, streamed};
use crate::replay;
use crate::rules::{Rules, codes};
use crate::store::description::Described;
use crate::store::{Action, DynamoDb, Store as _, Write};
use crate::streams::{Stream, Streams};
use crate::watch::checkpoint_schema;

/// Makes the tables that are not there, and tells which of the rules' tables these were.
pub(super) async fn create(
    store: &DynamoDb,
    rules: &Rules,
    checkpoint_table: Option<&str>,
) -> Result<BTreeSet<String>, Failure> {
    let mut made = BTreeSet::new();
    for schema in replay::schemas(rules).chain(checkpoint_table.map(checkpoint_schema)) {
        if store.describe(&schema.name).await? == Described::Missing {
            store.create(&schema).await?;
            made.insert(schema.name);
        }
    }
    Ok(made)
}

/// Puts the items of seeds into these tables.
pub(super) async fn seed(
    store: &DynamoDb,
    rules: &Rules,
    tables: &BTreeSet<String>,
    files: &[PathBuf],
) -> Result<(), Failure> {
    // The embedded store finds what is wrong with a seed.
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

/// The streams of the tables whose changes the rules must see. Everything in which the tables do
/// not agree with the rules is told at once.
pub(super) async fn streams(
    store: &DynamoDb,
    source: &Streams,
    rules: &Rules,
    teller: &Teller<'_, '_>,
) -> Result<Vec<Stream>, Failure> {
    let mut described = Vec::new();
    for table in &rules.tables {
        let table = store.describe(&table.name).await?;
        if let Described::Hidden(why) = &table {
            teller.message(&format!("a table is not compared with the rules: {why}"));
        }
        described.push(table);
    }
    // What is being made is followed as soon as it can be.
    let mut differences = differences(rules, &described);
    differences.retain(|difference| difference.code != &codes::NOT_READY);
    if !differences.is_empty() {
        let told: Vec<String> = differences.iter().map(ToString::to_string).collect();
        let summary = "the tables do not agree with the rule file";
        return Err(Failure::Usage(format!("{summary}\n{}", told.join("\n"))));
    }
    let mut streams = Vec::new();
    for table in streamed(rules) {
        streams.push(source.latest(&rules[table].name).await?);
    }
    if streams.is_empty() {
        let help = "help: no rule is on that looks at items";
        return Err(Failure::Usage(format!("there is nothing to watch\n{help}")));
    }
    Ok(streams)
}

/// Tells whether progress can be kept in a table.
pub(super) async fn check_checkpoint_table(store: &DynamoDb, name: &str) -> Result<(), Failure> {
    let problem = match store.describe(name).await? {
        Described::Hidden(_) => return Ok(()),
        Described::Table(known) if known.key == checkpoint_schema(name).key => return Ok(()),
        Described::Table(_) => format!("table `{name}` has not the key of a checkpoint table"),
        Described::Missing => format!("there is no table `{name}` to keep a checkpoint in"),
    };
    Err(Failure::Usage(format!(
        "{problem}\nhelp: make one: aws dynamodb create-table --table-name {name} --billing-mode \
         PAY_PER_REQUEST --attribute-definitions AttributeName=table,AttributeType=S \
         AttributeName=shard,AttributeType=S --key-schema AttributeName=table,KeyType=HASH \
         AttributeName=shard,KeyType=RANGE"
    )))
}
