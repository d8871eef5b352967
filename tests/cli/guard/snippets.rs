//! The languages: each golden file is read by the tools of its language.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use expect_test::expect_file;
use referee::guard::{Language, Operation, Transaction};

use crate::guard::of_item;

/// A transaction with values of every type, and strings with special characters.
fn transaction() -> Transaction {
    let rules = "version: 1
tables: { things: { key: [id] }, parts: { key: [\"digest:B\", \"part:N\"] } }
entities:
  thing:
    table: things
    key: { id: \"thing#{thing}\" }
    attributes: { label: B, part: N, next: S, \"name-with.dots\": S }
    where: { kind: thing, \"of.size\": 1 }
  part: { table: parts, key: { digest: \"{digest}\", part: \"{part}\" } }
references:
  thing_part: { from: thing, to: part, on: { digest: \"{label}\", part: \"{part}\" }, find: none }
  thing_next: { from: thing, to: thing, on: { thing: \"{next}\" }, find: none }
";
    let item = r#"{
        "id": {"S": "thing#1"}, "kind": {"S": "thing"}, "label": {"B": "AAECAw=="},
        "part": {"N": "7"}, "next": {"S": "it's \"2\"\n\\ ${x} {y} é"},
        "of": {"M": {"size": {"N": "1"}, "no": {"NULL": true}}}, "new": {"BOOL": false},
        "some": {"L": [{"S": "a"}, {"BOOL": true}]}, "texts": {"SS": ["a", "b"]},
        "numbers": {"NS": ["1", "2.5"]}, "sums": {"BS": ["/w=="]}, "a-b": {"S": "x"}
    }"#;
    of_item(rules, item, Operation::Put).unwrap()
}

/// Asserts that a tool accepts a text, if the tool is installed.
fn assert_accepted(program: &str, arguments: &[&str], text: &str) {
    let mut command = Command::new(program);
    // Run the tool outside this project, so that the project's settings do not apply.
    command.args(arguments).current_dir(env!("CARGO_TARGET_TMPDIR"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut tool) = command.spawn() else { return };
    tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&said));
}

#[test]
fn json_for_the_command_line() {
    let text = transaction().to_text(Language::Cli);
    expect_file!["snippet.json"].assert_eq(&text);
    let line = transaction().to_json_line(false);
    let [text, line] =
        [text, line].map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap());
    assert_eq!(text, line);
    let checks = transaction().to_text(Language::Checks);
    let checks: serde_json::Value = serde_json::from_str(&checks).unwrap();
    assert_eq!(checks.as_array().unwrap(), &text["TransactItems"].as_array().unwrap()[1..]);
}

#[test]
fn javascript() {
    let text = transaction().to_text(Language::JavaScript);
    expect_file!["snippet.mjs"].assert_eq(&text);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/guard/snippet.mjs");
    assert_accepted("node", &["--check", file.to_str().unwrap()], "");
}

#[test]
fn python() {
    let text = transaction().to_text(Language::Python);
    expect_file!["snippet.py"].assert_eq(&text);
    assert_accepted("python3", &["-c", "import ast, sys; ast.parse(sys.stdin.read())"], &text);
}

/// The tests on real tables compile and run the printed code.
#[test]
fn rust() {
    let text = transaction().to_text(Language::Rust);
    expect_file!["snippet.rs"].assert_eq(&text);
    assert_accepted("rustfmt", &["--check", "--edition", "2024"], &text);
}
