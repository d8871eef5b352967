//! Diagnostics as text and as JSON.

use annotate_snippets::{AnnotationKind, Group, Level as Title, Origin, Renderer, Snippet};
use serde::Serialize;

use crate::rules::{Diagnostic, Label, Level, Lines, RuleSource, Span};

/// Renders a diagnostic as compilers do: the source lines with the spans marked.
#[must_use]
pub fn human(source: &RuleSource, diagnostic: &Diagnostic, color: bool) -> String {
    let title = match diagnostic.level() {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
    };
    let mut group =
        Group::with_title(title.primary_title(&*diagnostic.message).id(diagnostic.code.id));
    group = if diagnostic.labels.is_empty() {
        group.element(Origin::path(&*source.name))
    } else {
        group.element(snippet(source, &diagnostic.labels))
    };
    let notes = diagnostic.notes.iter().map(|note| Title::NOTE.message(&**note));
    let help = diagnostic.help.iter().map(|help| Title::HELP.message(&**help));
    let group = group.elements(notes).elements(help);
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// Returns only the lines with labels, because laying out a large file is slow.
fn snippet<'s>(
    source: &'s RuleSource,
    labels: &'s [Label],
) -> Snippet<'s, annotate_snippets::Annotation<'s>> {
    let lines = Lines::of(&source.text);
    let all = labels.iter().map(|label| label.span).reduce(Span::join).unwrap_or_default();
    let first_line = lines.position(all.start).line;
    let start = lines.start_of(first_line);
    let end = lines.start_of(lines.position(all.end).line + 1);
    let text = source.text.get(start..end).unwrap_or_default();
    let annotations = labels.iter().enumerate().map(|(at, label)| {
        let kind = if at == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let within = |offset: usize| offset.saturating_sub(start).min(text.len());
        kind.span(within(label.span.start)..within(label.span.end))
            .label((!label.text.is_empty()).then_some(&*label.text))
    });
    Snippet::source(text).path(&*source.name).line_start(first_line).annotations(annotations)
}

/// Renders a diagnostic as a JSON object.
#[must_use]
pub fn json<'d>(
    source: &'d RuleSource,
    lines: &Lines<'_>,
    diagnostic: &'d Diagnostic,
) -> impl Serialize + use<'d> {
    DiagnosticLine {
        kind: "diagnostic",
        code: diagnostic.code.id,
        severity: diagnostic.level().word(),
        message: &diagnostic.message,
        file: &source.name,
        range: range(lines, diagnostic.span()),
        help: diagnostic.help.as_deref(),
        notes: &diagnostic.notes,
        labels: diagnostic
            .labels
            .iter()
            .map(|label| LabelObject { range: range(lines, Some(label.span)), text: &label.text })
            .collect(),
    }
}

#[derive(Serialize)]
struct DiagnosticLine<'d> {
    #[serde(rename = "type")]
    kind: &'static str,
    code: &'static str,
    severity: &'static str,
    message: &'d str,
    file: &'d str,
    #[serde(flatten)]
    range: Range,
    help: Option<&'d str>,
    notes: &'d [String],
    labels: Vec<LabelObject<'d>>,
}

#[derive(Serialize)]
struct LabelObject<'d> {
    #[serde(flatten)]
    range: Range,
    text: &'d str,
}

/// A range in the file. All fields are `null` for problems with the file itself.
#[derive(Serialize)]
struct Range {
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
}

fn range(lines: &Lines<'_>, span: Option<Span>) -> Range {
    let start = span.map(|span| lines.position(span.start));
    let end = span.map(|span| lines.position(span.end));
    Range {
        line: start.map(|start| start.line),
        column: start.map(|start| start.column),
        end_line: end.map(|end| end.line),
        end_column: end.map(|end| end.column),
    }
}
