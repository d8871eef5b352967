//! Loads the rule file and reports its problems.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::input::read_rules;
use super::{Context, Failure, render};
use crate::rules::model::Mode;
use crate::rules::{self, Diagnostic, Level, Lines, Loaded, RuleSource, Rules};

/// The maximum number of problems printed as text.
const SHOWN_MAX: usize = 100;

#[derive(Serialize)]
struct Summary {
    #[serde(rename = "type")]
    kind: &'static str,
    errors: usize,
    warnings: usize,
}

/// The rule file of a command whose only argument it is.
#[derive(Debug, clap::Args)]
pub(super) struct RulesArg {
    /// The rule file, as with --rules.
    #[arg(value_name = "RULES")]
    file: Option<PathBuf>,
}

impl RulesArg {
    /// Makes it the rule file of the command.
    pub(super) fn apply(&self, context: &mut Context<'_>) -> Result<(), Failure> {
        self.file.as_ref().map_or(Ok(()), |file| choose(file, context))
    }
}

/// Takes the rule file out of a command's arguments: it is the one that ends in `.yaml` or `.yml`,
/// which no other argument does.
pub(super) fn take<'a, T: AsRef<OsStr>>(
    arguments: &'a [T],
    context: &mut Context<'_>,
) -> Result<Vec<&'a T>, Failure> {
    let is_rules = |argument: &&T| {
        let extension = Path::new(argument).extension();
        extension.is_some_and(|extension| extension == "yaml" || extension == "yml")
    };
    let (rules, others): (Vec<_>, Vec<_>) = arguments.iter().partition(is_rules);
    for file in rules {
        choose(Path::new(file), context)?;
    }
    Ok(others)
}

/// [`take`] for a command that has at most one other argument.
pub(super) fn take_one<'a, T: AsRef<OsStr>>(
    arguments: &'a [T],
    context: &mut Context<'_>,
) -> Result<Option<&'a T>, Failure> {
    match take(arguments, context)?.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        [_, second, ..] => {
            let second = Path::new(second).display();
            Err(Failure::Usage(format!("unexpected argument `{second}`")))
        }
    }
}

/// The error of a command without an argument that it needs.
pub(super) fn missing(name: &str) -> Failure {
    Failure::Usage(format!("the argument {name} is missing"))
}

fn choose(file: &Path, context: &mut Context<'_>) -> Result<(), Failure> {
    if context.are_rules_given {
        let (first, file) = (context.rules.display(), file.display());
        return Err(Failure::Usage(format!("two rule files are given: `{first}` and `{file}`")));
    }
    file.clone_into(&mut context.rules);
    context.are_rules_given = true;
    Ok(())
}

/// Reads the rule file and reports its problems.
pub(super) fn check(context: &mut Context<'_>) -> Result<Rules, Failure> {
    let (source, loaded) = read(&context.rules, context.environment);
    report(&source, &loaded.diagnostics, context)?;
    loaded.rules.ok_or(Failure::Rules)
}

/// Reads the rule file and reports its problems, together with those that `more` finds in valid
/// rules.
#[cfg(feature = "live")]
pub(super) fn check_with(
    context: &mut Context<'_>,
    more: impl FnOnce(&RuleSource, &Rules) -> Result<Vec<Diagnostic>, Failure>,
) -> Result<Rules, Failure> {
    let (source, Loaded { rules, mut diagnostics }) = read(&context.rules, context.environment);
    let found = rules.as_ref().map_or(Ok(Vec::new()), |rules| more(&source, rules));
    diagnostics.extend(found.iter().flatten().cloned());
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span(), diagnostic.code.id));
    report(&source, &diagnostics, context)?;
    let is_sound = !found?.iter().any(|diagnostic| diagnostic.level() == Level::Error);
    rules.filter(|_| is_sound).ok_or(Failure::Rules)
}

/// Reads the rule file for a command that applies it. Only `check` reports warnings: programs that
/// read the results of other commands do not expect them.
pub(super) fn load(context: &mut Context<'_>) -> Result<Rules, Failure> {
    let (source, loaded) = read(&context.rules, context.environment);
    if loaded.rules.is_none() {
        report(&source, &loaded.diagnostics, context)?;
    }
    loaded.rules.ok_or(Failure::Rules)
}

/// Reads the rule file for a command that runs it, in the mode set by the command line or the
/// environment.
pub(super) fn load_in_mode(observe: bool, context: &mut Context<'_>) -> Result<Rules, Failure> {
    const VARIABLE: &str = "REFEREE_MODE";
    let rules = load(context)?;
    if observe {
        return Ok(rules.in_mode(Mode::Observe));
    }
    match (context.environment)(VARIABLE).filter(|mode| !mode.is_empty()) {
        None => Ok(rules),
        Some(name) => match Mode::from_name(&name) {
            Some(mode) => Ok(rules.in_mode(mode)),
            None => Err(Failure::Usage(format!(
                "`{VARIABLE}` is `{name}`; it must be off, observe or enforce"
            ))),
        },
    }
}

fn read(path: &Path, environment: rules::Environment<'_>) -> (RuleSource, Loaded) {
    let name = path.display().to_string();
    let source = read_rules(path)
        .map_err(|error| rules::unreadable(&error))
        .and_then(|bytes| RuleSource::from_bytes(name.as_str(), bytes));
    match source {
        Ok(source) => {
            let loaded = rules::load(&source, environment);
            (source, loaded)
        }
        Err(problem) => (
            RuleSource { name, text: String::new() },
            Loaded { rules: None, diagnostics: vec![problem] },
        ),
    }
}

fn report(
    source: &RuleSource,
    diagnostics: &[Diagnostic],
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let count = |level| diagnostics.iter().filter(|it| it.level() == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    if context.json {
        let lines = Lines::of(&source.text);
        for diagnostic in diagnostics {
            context.output.json(&render::json(source, &lines, diagnostic))?;
        }
        context.output.json(&Summary { kind: "summary", errors, warnings })?;
        return Ok(());
    }
    for diagnostic in diagnostics.iter().take(SHOWN_MAX) {
        let text = render::human(source, diagnostic, context.colors.messages);
        context.output.message(&format!("{text}\n\n"))?;
    }
    // Suggest the first error, or the first warning if there are no errors.
    if let Some(first) = diagnostics.iter().min_by_key(|diagnostic| diagnostic.level()) {
        let hidden = diagnostics.len().saturating_sub(SHOWN_MAX);
        let hidden =
            if hidden > 0 { format!("; {hidden} more are not shown") } else { String::new() };
        context.output.message(&format!(
            "`{}` has {}{hidden}; run `referee explain {}` for details\n",
            source.name,
            counts(&[(errors, "error"), (warnings, "warning")]),
            first.code.id
        ))?;
    }
    Ok(())
}

/// Formats counts, as in `2 errors and 1 warning`. Zero counts are left out.
pub(super) fn counts(counted: &[(usize, &str)]) -> String {
    let parts: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| match (count, noun.strip_suffix('y')) {
            (1, _) => format!("1 {noun}"),
            (_, Some(stem)) => format!("{count} {stem}ies"),
            _ => format!("{count} {noun}s"),
        })
        .collect();
    match parts.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
