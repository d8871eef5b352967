//! Generates the tables of inputs and outputs in infra/README.md from the module's files.

use std::fmt::Write as _;
use std::fs;

use expect_test::expect_file;
use serde_json::Value as Json;
use tempfile::TempDir;

use super::terraform::Terraform;
use super::{read, root};

/// The end of the line that precedes the tables.
const GENERATED: &str = "--test infra -->\n";

/// Checks that the tables match the module's files.
pub(crate) fn tables_are_up_to_date() {
    let readme = read("infra/README.md");
    let (kept, _) = readme.split_once(GENERATED).unwrap();
    let inputs: Vec<Block> = ["rules", "", "recheck", "audit", "alarms"]
        .into_iter()
        .map(|part| if part.is_empty() { String::new() } else { format!("_{part}") })
        .flat_map(|part| blocks(&read(format!("infra/variables{part}.tf")), "variable"))
        .collect();
    let outputs = blocks(&read("infra/outputs.tf"), "output");
    let mut text = format!("{kept}{GENERATED}\n### Inputs\n\n");
    text.push_str("| name | type | default | description |\n|---|---|---|---|\n");
    for input in inputs {
        let kind = kind(&input.argument("type").unwrap());
        let default = input.argument("default").unwrap();
        let name = &input.name;
        let description = input.description();
        let _ = writeln!(text, "| `{name}` | `{kind}` | `{default}` | {description} |");
    }
    text.push_str("\n### Outputs\n\n| name | description |\n|---|---|\n");
    for output in outputs {
        let _ = writeln!(text, "| `{}` | {} |", output.name, output.description());
    }
    expect_file![root().join("infra/README.md")].assert_eq(&text);
}

/// Checks that each code block in the README can be planned, unchanged and without the others.
pub(crate) fn code_blocks_can_be_planned(terraform: &Terraform) {
    let readme = read("infra/README.md");
    let codes: Vec<&str> =
        readme.split("\n```hcl\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(codes.len() > 2);
    for code in codes {
        let plan = plan_beside_a_clone(terraform, code, "infra/tests/fixtures/app.yaml");
        assert!(plan["resource_changes"].as_array().unwrap().len() > 10);
    }
}

/// Returns the plan of code from the documentation with this rule file. Such code expects a clone of
/// the repository beside the configuration.
pub(crate) fn plan_beside_a_clone(terraform: &Terraform, code: &str, rules: &str) -> Json {
    let folder = TempDir::new().unwrap();
    let clone = folder.path().join("referee");
    let package = clone.join("target/lambda/referee-lambda");
    fs::create_dir_all(&package).unwrap();
    fs::copy(root().join("infra/placeholder.zip"), package.join("bootstrap.zip")).unwrap();
    std::os::unix::fs::symlink(root().join("infra"), clone.join("infra")).unwrap();
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    let provider = "provider \"aws\" {\n  region = \"eu-west-1\"\n}\n";
    fs::write(own.join("main.tf"), format!("{provider}\n{code}")).unwrap();
    fs::write(own.join("referee.yaml"), read(rules)).unwrap();
    terraform.enter(&own).plan(&[])
}

/// A block of a file that `terraform fmt` has formatted.
struct Block {
    name: String,
    lines: Vec<String>,
}

impl Block {
    /// Returns the text of an argument's value. Ignores the arguments of nested blocks.
    fn argument(&self, name: &str) -> Option<String> {
        let has_name = |line: &&String| {
            let argument = line.strip_prefix("  ").unwrap_or_default();
            argument.split_once(" = ").is_some_and(|(found, _)| found.trim_end() == name)
        };
        let line = self.lines.iter().find(has_name)?;
        line.split_once(" = ").map(|(_, value)| value.to_owned())
    }

    fn description(&self) -> String {
        let text = self.argument("description").unwrap();
        let text = text.trim_matches('"').replace("\\\"", "\"").replace("$${", "${");
        text.replace('|', "\\|")
    }
}

fn blocks(text: &str, kind: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix(&format!("{kind} \"")) {
            let name = name.trim_end_matches("\" {").to_owned();
            blocks.push(Block { name, lines: Vec::new() });
        } else if let Some(block) = blocks.last_mut() {
            block.lines.push(line.to_owned());
        }
    }
    blocks
}

/// Removes the arguments of a type: `object({…})` becomes `object`.
fn kind(written: &str) -> String {
    written.trim_end_matches("({").to_owned()
}
