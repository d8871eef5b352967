//! `referee explain`: what the code of a diagnostic means, or what the rules see in an item.

mod code;
mod item;

use super::{Context, Failure, Outcome};

pub use code::markdown;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A code, such as E040; or an item in DynamoDB's JSON, its key at least, such as
    /// '{"pk": {"S": "user#1"}, "sk": {"S": "user#"}}'.
    #[arg(value_name = "CODE|ITEM")]
    subject: String,

    /// The item's table, by its alias or its name in DynamoDB, if the rule file has several.
    #[arg(long)]
    table: Option<String>,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    if crate::cli::item::is_item(&arguments.subject) {
        item::explain(&arguments.subject, arguments.table.as_deref(), context)
    } else {
        code::explain(&arguments.subject, context)
    }
}
