//! Explains a name: a kind of violation, or a rule, an entity or a table of the rule file.

use serde::Serialize;

use super::{declaration, kind, rule};
use crate::cli::{Context, Failure, Outcome, rule_file};
use crate::integrity::finding::Kind;
use crate::rules::did_you_mean;
use crate::rules::model::{EntityId, MirrorId, ReferenceId, Rules, TableId};

#[derive(Serialize)]
struct Line<'l> {
    #[serde(rename = "type")]
    kind: &'static str,
    of: &'static str,
    name: &'l str,
    text: String,
}

/// The maximum length of a line of an explanation.
const WIDTH: usize = 90;

pub(super) fn explain(name: &str, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    if let Some(kind) = Kind::from_name(name) {
        return print("kind", name, &kind::explain(kind), context);
    }
    let rules = rule_file::load(context)?;
    let explanations = find(&rules, name);
    if explanations.is_empty() {
        return Err(unknown(&rules, name));
    }
    for (index, (of, text)) in explanations.iter().enumerate() {
        if index > 0 && !context.json {
            context.output.result("\n")?;
        }
        print(of, name, text, context)?;
    }
    Ok(Outcome::Clean)
}

/// The explanations of everything in the rule file that has this name.
fn find(rules: &Rules, name: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let position =
        |mut names: Box<dyn Iterator<Item = &String> + '_>| names.position(|known| known == name);
    let references = Box::new(rules.references.iter().map(|rule| &rule.name));
    if let Some(id) = position(references).map(ReferenceId) {
        found.push(("reference", rule::reference(rules, id)));
    }
    if let Some(id) = position(Box::new(rules.mirrors.iter().map(|it| &it.name))).map(MirrorId) {
        found.push(("mirror", rule::mirror(rules, id)));
    }
    if let Some(id) = position(Box::new(rules.entities.iter().map(|it| &it.name))).map(EntityId) {
        found.push(("entity", declaration::entity(rules, id)));
    }
    if let Some(id) = position(Box::new(rules.tables.iter().map(|it| &it.alias))).map(TableId) {
        found.push(("table", declaration::table(rules, id)));
    }
    found
}

fn unknown(rules: &Rules, name: &str) -> Failure {
    let references = rules.reference_rules().map(|(_, rule)| rule.name.as_str());
    let mut names: Vec<&str> = references
        .chain(rules.mirrors.iter().map(|rule| rule.name.as_str()))
        .chain(rules.entities.iter().map(|entity| entity.name.as_str()))
        .chain(rules.tables.iter().map(|table| table.alias.as_str()))
        .collect();
    for kind in Kind::names() {
        names.push(kind);
    }
    let help = did_you_mean(name, names).map(|help| format!("; {help}")).unwrap_or_default();
    Failure::Usage(format!(
        "`{name}` is no code, no kind of violation, and no rule, entity or table of the rule \
         file{help}"
    ))
}

fn print(
    of: &'static str,
    name: &str,
    text: &str,
    context: &mut Context<'_>,
) -> Result<Outcome, Failure> {
    if context.json {
        let text = text.to_owned();
        context.output.json(&Line { kind: "explanation", of, name, text })?;
    } else {
        let lines = text.lines().map(|line| wrap(line, WIDTH) + "\n");
        context.output.result(&lines.collect::<String>())?;
    }
    Ok(Outcome::Clean)
}

/// Breaks a line at spaces. A line that begins with spaces keeps its indentation, and its
/// continuation is indented further.
fn wrap(line: &str, width_max: usize) -> String {
    let indentation = line.len() - line.trim_start().len();
    let mut wrapped = " ".repeat(indentation);
    let mut width = indentation;
    let mut is_first = true;
    for word in line.trim_start().split(' ') {
        let length = word.chars().count();
        if !is_first && width + 1 + length > width_max {
            let deeper = if indentation > 0 { indentation + 2 } else { 0 };
            wrapped.push('\n');
            wrapped.push_str(&" ".repeat(deeper));
            width = deeper;
        } else if !is_first {
            wrapped.push(' ');
            width += 1;
        }
        wrapped.push_str(word);
        width += length;
        is_first = false;
    }
    wrapped
}
