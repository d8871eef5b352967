//! A policy in HCL, formatted as `terraform fmt` does.

use std::fmt::Write as _;

use super::{Condition, Policy, Statement};

impl Policy {
    /// The policy as a data source of the Terraform AWS provider.
    /// <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>
    #[must_use]
    pub fn to_hcl(&self) -> String {
        let statements: Vec<String> = self.statements.iter().map(statement).collect();
        let statements = statements.join("\n");
        format!("data \"aws_iam_policy_document\" \"referee\" {{\n{statements}}}\n")
    }
}

fn statement(statement: &Statement) -> String {
    let attributes = [
        ("sid", quoted(&statement.sid)),
        ("actions", list("    ", &statement.actions)),
        ("resources", list("    ", &statement.resources)),
    ];
    let condition = statement.condition.as_ref().map(condition).unwrap_or_default();
    format!("  statement {{\n{}{condition}  }}\n", aligned("    ", &attributes))
}

fn condition(condition: &Condition) -> String {
    let attributes = [
        ("test", quoted(condition.operator)),
        ("variable", quoted(condition.key)),
        ("values", list("      ", &condition.values)),
    ];
    format!("\n    condition {{\n{}    }}\n", aligned("      ", &attributes))
}

/// One attribute per line. The values of adjacent single-line attributes are aligned.
fn aligned(indent: &str, attributes: &[(&str, String)]) -> String {
    let is_line = |(_, value): &(&str, String)| !value.contains('\n');
    let mut text = String::new();
    for run in attributes.chunk_by(|left, right| is_line(left) && is_line(right)) {
        let width = run.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, value) in run {
            let _ = writeln!(text, "{indent}{name:width$} = {value}");
        }
    }
    text
}

fn list(indent: &str, values: &[String]) -> String {
    if let [only] = values {
        return format!("[{}]", quoted(only));
    }
    let mut text = "[\n".to_owned();
    for value in values {
        let _ = writeln!(text, "{indent}  {},", quoted(value));
    }
    text + indent + "]"
}

/// A quoted string without template sequences.
/// <https://developer.hashicorp.com/terraform/language/expressions/strings>
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace("${", "$${").replace("%{", "%%{"))
}
