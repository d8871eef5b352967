//! Prints a transaction as code or JSON.

mod dialect;
mod rust;
mod tree;

use super::{ActionKind, TransactAction, Transaction};
use dialect::{JAVASCRIPT, JSON, PYTHON};
use tree::Node;

/// A language that a transaction can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// JSON for `aws dynamodb transact-write-items --cli-input-json`.
    Cli,
    /// JSON of the condition checks only, to add to another transaction.
    Checks,
    /// JavaScript with AWS SDK version 3.
    JavaScript,
    /// Python with boto3.
    Python,
    /// Rust with the AWS SDK.
    Rust,
}

impl Transaction {
    /// Prints the transaction in this language.
    #[must_use]
    pub fn to_text(&self, language: Language) -> String {
        match language {
            Language::Cli => JSON.file(&self.tree()),
            Language::Checks => JSON.file(&self.checks()),
            Language::JavaScript => javascript(&self.actions),
            Language::Python => python(&self.actions),
            Language::Rust => rust::text(&self.actions),
        }
    }

    /// Prints the transaction, or only its condition checks, as JSON on one line.
    #[must_use]
    pub fn to_json_line(&self, checks_only: bool) -> String {
        JSON.inline(&if checks_only { self.checks() } else { self.tree() })
    }

    fn tree(&self) -> Node {
        let actions = self.actions.iter().map(Node::of_action).collect();
        Node::Map(vec![("TransactItems".to_owned(), Node::List(actions))])
    }

    fn checks(&self) -> Node {
        let checks = self.actions.iter().filter(|action| action.kind == ActionKind::Check);
        Node::List(checks.map(Node::of_action).collect())
    }
}

fn javascript(actions: &[TransactAction]) -> String {
    let items = items(actions, &JAVASCRIPT, "    ", "//");
    format!(
        "import {{ DynamoDBClient, TransactWriteItemsCommand }} from \"@aws-sdk/client-dynamodb\";\n\n\
         const client = new DynamoDBClient({{}});\n\n\
         await client.send(\n  new TransactWriteItemsCommand({{\n    TransactItems: [\n{items}    ],\n  \
         }}),\n);\n"
    )
}

fn python(actions: &[TransactAction]) -> String {
    let items = items(actions, &PYTHON, "    ", "#");
    let has_bytes = actions.iter().any(|action| Node::of_action(action).has_bytes());
    let import = if has_bytes { "import base64\n\n" } else { "" };
    format!(
        "{import}import boto3\n\nclient = boto3.client(\"dynamodb\")\n\n\
         client.transact_write_items(\n    TransactItems=[\n{items}    ]\n)\n"
    )
}

/// Prints the actions, each below a comment with its reasons.
fn items(
    actions: &[TransactAction],
    dialect: &dialect::Dialect,
    indent: &str,
    comment: &str,
) -> String {
    let indent = format!("{indent}{}", dialect.indent);
    let mut text = String::new();
    for action in actions {
        for reason in &action.reasons {
            text.extend([&indent, comment, " ", reason, "\n"]);
        }
        let item = dialect.broken(&Node::of_action(action), indent.len());
        text.extend([&indent, item.as_str(), ",\n"]);
    }
    text
}
