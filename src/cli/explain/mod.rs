//! `referee explain`: explains a diagnostic code, or how the rules apply to an item.

mod code;
mod item;

use super::help::Example;
use super::{Context, Failure, Outcome};

pub use code::markdown;

pub(super) const EXAMPLES: &[Example] = &[
    ("Explain a code that `referee check` printed", "referee explain E040"),
    (
        "Show the references and mirrors of an item",
        r#"referee explain '{"pk": {"S": "user#1"}, "sk": {"S": "user#"}}'"#,
    ),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A diagnostic code, or an item (at least its key) in DynamoDB JSON.
    #[arg(value_name = "CODE|ITEM")]
    subject: String,

    /// The item's table, by alias or by name in DynamoDB; required if the rule file has several.
    #[arg(long)]
    table: Option<String>,

    /// The item is in plain JSON, without the types of DynamoDB.
    #[arg(long)]
    plain: bool,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    if crate::cli::item::is_item(&arguments.subject) {
        item::explain(&arguments.subject, arguments.table.as_deref(), arguments.plain, context)
    } else {
        code::explain(&arguments.subject, context)
    }
}
