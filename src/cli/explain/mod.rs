//! `referee explain`: explains a code, a kind of violation, a rule, an entity or a table, or how the
//! rules apply to an item.

mod code;
pub(super) mod declaration;
mod item;
pub(super) mod kind;
mod name;
pub(super) mod placement;
pub(super) mod rule;

use super::help::Example;
use super::rule_file::{missing, take_one};
use super::{Context, Failure, Outcome};

pub use code::markdown;
pub(super) use declaration::source;

pub(super) const EXAMPLES: &[Example] = &[
    ("Explain a code that `referee check` printed", "referee explain E040"),
    ("Explain a rule or an entity of referee.yaml in words", "referee explain task_owner"),
    ("Explain a kind of violation", "referee explain dangling_reference"),
    (
        "Show the references and mirrors of an item",
        r#"referee explain '{"pk": {"S": "user#1"}, "sk": {"S": "user#"}}'"#,
    ),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A diagnostic code, a kind of violation, the name of a rule, an entity or a table, or an item
    /// (at least its key) in DynamoDB JSON. An argument that ends in `.yaml` or `.yml` is the rule
    /// file.
    #[arg(value_name = "NAME|ITEM", required = true, num_args = 1..=2)]
    subject: Vec<String>,

    /// The item's table, by alias or by name in DynamoDB; required if the rule file has several.
    #[arg(long)]
    table: Option<String>,

    /// The item is in plain JSON, without the types of DynamoDB.
    #[arg(long)]
    plain: bool,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let subject = take_one(&arguments.subject, context)?.ok_or_else(|| missing("NAME|ITEM"))?;
    if crate::cli::item::is_item(subject) {
        item::explain(subject, arguments.table.as_deref(), arguments.plain, context)
    } else if is_code(subject) {
        code::explain(subject, context)
    } else {
        name::explain(subject, context)
    }
}

/// Whether a name has the form of a code, or almost: `E040`, `EO40`.
fn is_code(name: &str) -> bool {
    let Some(digits) = name.trim().strip_prefix(['E', 'e', 'W', 'w']) else { return false };
    let is_digit = |char: char| char.is_ascii_digit();
    let is_number = !digits.is_empty() && digits.chars().all(is_digit);
    is_number || (digits.len() == 3 && digits.chars().filter(|char| is_digit(*char)).count() == 2)
}
