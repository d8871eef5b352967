//! `referee guard`: prints a transaction that fails instead of breaking a reference.

use clap::ValueEnum;

use super::help::Example;
use super::{Context, Failure, Outcome, item, rule_file};
use crate::guard::{Language, Operation, Refusal, Transaction, guard_entity, guard_item};
use crate::rules::Rules;

pub(super) const EXAMPLES: &[Example] = &[
    ("Print Python code that writes an item of an entity", "referee guard member --format python"),
    (
        "Print the condition checks of an item",
        r#"referee guard --format checks '{"pk": {"S": "user#1"}, "sk": {"S": "user#"}}'"#,
    ),
    (
        "Print the transaction that deletes an item of an entity",
        "referee guard user --operation delete",
    ),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name of an entity, or an item in DynamoDB JSON. An argument that ends in `.yaml` or
    /// `.yml` is the rule file.
    #[arg(value_name = "ENTITY|ITEM", required = true, num_args = 1..=2)]
    subject: Vec<String>,

    /// The write to guard.
    #[arg(long, value_enum, default_value_t = WriteKind::Put)]
    operation: WriteKind,

    /// The table of the item, by alias or by name in DynamoDB; required if the rule file has several.
    /// Of an entity in several tables, one of them.
    #[arg(long)]
    table: Option<String>,

    /// The item is in plain JSON, without the types of DynamoDB.
    #[arg(long)]
    plain: bool,

    /// The output format.
    #[arg(long, value_enum, default_value_t = Format::Cli)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WriteKind {
    /// Write the whole item.
    Put,
    /// Set the given attributes.
    Update,
    /// Delete the item.
    Delete,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON for `aws dynamodb transact-write-items --cli-input-json`.
    Cli,
    /// JavaScript with AWS SDK version 3.
    Js,
    /// Python with boto3.
    Python,
    /// Rust with the AWS SDK.
    Rust,
    /// JSON of the condition checks only.
    Checks,
}

impl WriteKind {
    const fn operation(self) -> Operation {
        match self {
            Self::Put => Operation::Put,
            Self::Update => Operation::Update,
            Self::Delete => Operation::Delete,
        }
    }
}

impl Format {
    const fn language(self) -> Language {
        match self {
            Self::Cli => Language::Cli,
            Self::Js => Language::JavaScript,
            Self::Python => Language::Python,
            Self::Rust => Language::Rust,
            Self::Checks => Language::Checks,
        }
    }
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let is_json = matches!(arguments.format, Format::Cli | Format::Checks);
    if context.json && !is_json {
        return Err(Failure::Usage(
            "`--json` requires `--format cli` or `--format checks`".to_owned(),
        ));
    }
    let subject = rule_file::take_one(&arguments.subject, context)?;
    let subject = subject.ok_or_else(|| rule_file::missing("ENTITY|ITEM"))?;
    let rules = rule_file::load(context)?;
    let transaction = match guarded(subject, arguments, &rules)? {
        Ok(transaction) => transaction,
        Err(Refusal::Impossible(why)) => return Err(Failure::Usage(why)),
        Err(refusal @ Refusal::Broken(_)) => {
            context.output.message(&format!("{refusal}\n"))?;
            return Ok(Outcome::Findings);
        }
    };
    if context.json {
        let line = transaction.to_json_line(arguments.format == Format::Checks);
        context.output.result(&format!("{line}\n"))?;
    } else {
        context.output.result(&transaction.to_text(arguments.format.language()))?;
    }
    for note in &transaction.notes {
        context.output.message(&format!("note: {note}\n"))?;
    }
    Ok(Outcome::Clean)
}

fn guarded(
    subject: &str,
    arguments: &Args,
    rules: &Rules,
) -> Result<Result<Transaction, Refusal>, Failure> {
    let table = arguments.table.as_deref();
    let operation = arguments.operation.operation();
    if item::is_item(subject) {
        let item = item::read(subject, arguments.plain)?;
        let table = item::find_table(rules, table)?;
        return Ok(guard_item(rules, table, &item, operation));
    }
    if table.is_some() && rules.entities_named(subject).count() == 1 {
        let why = "`--table` applies only to items; an entity names its own table";
        return Err(Failure::Usage(why.to_owned()));
    }
    Ok(guard_entity(rules, item::find_entity_in(rules, subject, table)?, operation))
}
