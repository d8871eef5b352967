//! Prints a Rust function that sends the transaction with the builders of the AWS SDK.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::tree::Node;
use crate::guard::{ActionKind, TransactAction};

pub(super) fn text(actions: &[TransactAction]) -> String {
    let mut types = vec!["AttributeValue", "TransactWriteItem"];
    types.extend(actions.iter().map(|action| type_name(action.kind)));
    types.sort_unstable();
    types.dedup();
    let mut text = format!(
        "use aws_sdk_dynamodb::types::{{{}}};\nuse aws_sdk_dynamodb::{{Client, Error}};\n\n\
         async fn write(client: &Client) -> Result<(), Error> {{\n    client\n        \
         .transact_write_items()\n",
        types.join(", ")
    );
    for action in actions {
        write_action(action, &mut text);
    }
    text.push_str("        .send()\n        .await?;\n    Ok(())\n}\n");
    text
}

const fn type_name(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Put => "Put",
        ActionKind::Update => "Update",
        ActionKind::Delete => "Delete",
        ActionKind::Check => "ConditionCheck",
    }
}

fn write_action(action: &TransactAction, text: &mut String) {
    let name = type_name(action.kind);
    let method = match action.kind {
        ActionKind::Put => "put",
        ActionKind::Update => "update",
        ActionKind::Delete => "delete",
        ActionKind::Check => "condition_check",
    };
    for reason in &action.reasons {
        let _ = writeln!(text, "        // {reason}");
    }
    let _ = writeln!(
        text,
        "        .transact_items(\n            TransactWriteItem::builder()\n                \
         .{method}(\n                    {name}::builder()"
    );
    for (method, arguments) in calls(&Node::of_action(action)) {
        write_call(method, &arguments, text);
    }
    text.push_str(
        "                        .build()?,\n                )\n                .build(),\n        )\n",
    );
}

/// Writes a call on a builder, formatted as `rustfmt` does.
fn write_call(method: &str, arguments: &[String], text: &mut String) {
    const ARGUMENTS_WIDTH_MAX: usize = 60;
    const INDENT: &str = "                        ";
    let inline = arguments.join(", ");
    if arguments.len() == 1 || inline.chars().count() <= ARGUMENTS_WIDTH_MAX {
        let _ = writeln!(text, "{INDENT}.{method}({inline})");
        return;
    }
    let _ = writeln!(text, "{INDENT}.{method}(");
    for argument in arguments {
        let _ = writeln!(text, "{INDENT}    {argument},");
    }
    let _ = writeln!(text, "{INDENT})");
}

/// The calls that set the fields of an action on a builder: methods and their arguments.
fn calls(action: &Node) -> Vec<(&'static str, Vec<String>)> {
    let fields = match action {
        Node::Map(kinds) => match kinds.as_slice() {
            [(_, Node::Map(fields))] => fields.as_slice(),
            _ => &[],
        },
        Node::Text(_) | Node::Bytes(_) | Node::Flag(_) | Node::List(_) => &[],
    };
    let mut calls = Vec::new();
    for (name, field) in fields {
        let method = match name.as_str() {
            "TableName" => "table_name",
            "Item" => "item",
            "Key" => "key",
            "UpdateExpression" => "update_expression",
            "ConditionExpression" => "condition_expression",
            "ExpressionAttributeNames" => "expression_attribute_names",
            _ => "expression_attribute_values",
        };
        if let Node::Map(entries) = field {
            let arguments = |(name, of): &(String, Node)| vec![format!("{name:?}"), argument(of)];
            calls.extend(entries.iter().map(|entry| (method, arguments(entry))));
        } else {
            calls.push((method, vec![argument(field)]));
        }
    }
    calls
}

/// An argument of a builder: a string literal, or a value with its type.
fn argument(node: &Node) -> String {
    if let Node::Text(text) = node { format!("{text:?}") } else { value(node) }
}

/// A value with its type.
fn value(node: &Node) -> String {
    let Node::Map(tagged) = node else { return String::new() };
    let [(tag, inner)] = tagged.as_slice() else { return String::new() };
    let variant = match tag.as_str() {
        "BOOL" => "Bool",
        "NULL" => "Null",
        "SS" => "Ss",
        "NS" => "Ns",
        "BS" => "Bs",
        same => same,
    };
    let inner = match (variant, inner) {
        ("L", Node::List(list)) => {
            let elements: Vec<_> = list.iter().map(value).collect();
            format!("vec![{}]", elements.join(", "))
        }
        ("M", Node::Map(entries)) => {
            let entry =
                |(name, of): &(String, Node)| format!("({name:?}.to_owned(), {})", value(of));
            let entries: Vec<_> = entries.iter().map(entry).collect();
            format!("std::collections::HashMap::from([{}])", entries.join(", "))
        }
        (_, other) => owned(other),
    };
    format!("AttributeValue::{variant}({inner})")
}

/// The content of a value, without its type.
fn owned(node: &Node) -> String {
    match node {
        Node::Text(text) => format!("{text:?}.to_owned()"),
        Node::Flag(flag) => flag.to_string(),
        Node::Bytes(text) => {
            let bytes = BASE64.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec());
            let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte}u8")).collect();
            format!("aws_sdk_dynamodb::primitives::Blob::new([{}])", bytes.join(", "))
        }
        Node::List(list) => {
            let elements: Vec<_> = list.iter().map(owned).collect();
            format!("vec![{}]", elements.join(", "))
        }
        Node::Map(_) => String::new(),
    }
}
