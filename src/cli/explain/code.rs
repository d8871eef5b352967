//! Explains a diagnostic code.

use serde::Serialize;

use crate::cli::{Context, Failure, Outcome, render};
use crate::rules::{self, Code, RuleSource, codes};

#[derive(Serialize)]
struct CodeLine {
    #[serde(rename = "type")]
    kind: &'static str,
    code: &'static str,
    severity: &'static str,
    summary: &'static str,
    explanation: &'static str,
    wrong: Option<&'static str>,
    right: &'static str,
}

pub(super) fn explain(id: &str, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let Some(code) = codes::find(id) else {
        let suggestion = codes::suggest(id)
            .unwrap_or_else(|| "errors have codes from E001, warnings from W001".to_owned());
        return Err(Failure::Usage(format!("there is no code `{id}`; {suggestion}")));
    };
    if context.json {
        context.output.json(&CodeLine {
            kind: "code",
            code: code.id,
            severity: code.level().word(),
            summary: code.summary,
            explanation: code.explanation,
            wrong: code.wrong,
            right: code.right,
        })?;
    } else {
        context.output.result(&markdown(code))?;
    }
    Ok(Outcome::Clean)
}

/// The full explanation of a code: its meaning, an example with its diagnostics, and the corrected
/// example.
#[must_use]
pub fn markdown(code: &Code) -> String {
    let mut text = format!("## {}: {}\n\n{}\n", code.id, code.summary, wrap(code.explanation));
    if let Some(wrong) = code.wrong {
        let printed = diagnostics_of(code, wrong).join("\n\n");
        let parts = ["\nWrong:\n\n```yaml\n", wrong, "```\n\n```text\n", &printed, "\n```\n"];
        text.extend(parts);
        text.extend(["\nRight:\n\n```yaml\n", code.right, "```\n"]);
    }
    text
}

/// The diagnostics with this code that an example causes.
fn diagnostics_of(code: &Code, example: &str) -> Vec<String> {
    let source = RuleSource { name: "referee.yaml".to_owned(), text: codes::complete(example) };
    let loaded = rules::load(&source, &|_| None);
    let diagnostics = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.code == code);
    diagnostics.map(|diagnostic| render::human(&source, diagnostic, false)).collect()
}

/// Breaks a text into lines of a readable length.
fn wrap(text: &str) -> String {
    const WIDTH: usize = 90;
    let mut wrapped = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            wrapped.push('\n');
            width = 0;
        } else if width > 0 {
            wrapped.push(' ');
            width += 1;
        }
        wrapped.push_str(word);
        width += length;
    }
    wrapped
}
