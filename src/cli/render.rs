//! Diagnostics for people and for programs.

use annotate_snippets::{AnnotationKind, Group, Level as Title, Renderer, Snippet};
use serde_json::{Value, json};

use crate::rules::{Diagnostic, Label, Level, Lines, RuleSource, Span};

/// A diagnostic as a compiler shows it: the source's lines with the places marked.
#[must_use]
pub fn human(source: &RuleSource, diagnostic: &Diagnostic, color: bool) -> String {
    let title = match diagnostic.level() {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
    };
    let mut group =
        Group::with_title(title.primary_title(&*diagnostic.message).id(diagnostic.code.id));
    if !diagnostic.labels.is_empty() {
        group = group.element(snippet(source, &diagnostic.labels));
    }
    let notes = diagnostic.notes.iter().map(|note| Title::NOTE.message(&**note));
    let help = diagnostic.help.iter().map(|help| Title::HELP.message(&**help));
    let group = group.elements(notes).elements(help);
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// The lines that the labels are on; of a large file no more than that is laid out.
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
        let place = |offset: usize| offset.saturating_sub(start).min(text.len());
        kind.span(place(label.span.start)..place(label.span.end))
            .label((!label.text.is_empty()).then_some(&*label.text))
    });
    Snippet::source(text).path(&*source.name).line_start(first_line).annotations(annotations)
}

/// A diagnostic as an object of one line of JSON.
#[must_use]
pub fn json(source: &RuleSource, lines: &Lines<'_>, diagnostic: &Diagnostic) -> Value {
    let label = |label: &Label| {
        let mut value = place(lines, Some(label.span));
        value.insert("text".to_owned(), json!(label.text));
        value
    };
    let mut value = place(lines, diagnostic.span());
    value.insert("type".to_owned(), json!("diagnostic"));
    value.insert("code".to_owned(), json!(diagnostic.code.id));
    value.insert("severity".to_owned(), json!(diagnostic.level().word()));
    value.insert("message".to_owned(), json!(diagnostic.message));
    value.insert("file".to_owned(), json!(source.name));
    value.insert("labels".to_owned(), diagnostic.labels.iter().map(label).collect());
    value.insert("notes".to_owned(), json!(diagnostic.notes));
    value.insert("help".to_owned(), json!(diagnostic.help));
    Value::Object(value)
}

fn place(lines: &Lines<'_>, span: Option<Span>) -> serde_json::Map<String, Value> {
    let start = span.map(|span| lines.position(span.start));
    let end = span.map(|span| lines.position(span.end));
    [
        ("line", start.map(|start| start.line)),
        ("column", start.map(|start| start.column)),
        ("end_line", end.map(|end| end.line)),
        ("end_column", end.map(|end| end.column)),
    ]
    .into_iter()
    .map(|(name, number)| (name.to_owned(), json!(number)))
    .collect()
}
