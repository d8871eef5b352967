//! Configuration: read from the environment once, and validated completely before any record is
//! processed.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use crate::metrics::{Destination, NAMESPACE};
use crate::rules::model::Mode;
use crate::rules::{self, Diagnostic, Level, Lines, Position, RuleSource, Rules};

/// The default path of the rule file.
const RULE_FILE: &str = "referee.yaml";

/// The function's configuration.
#[derive(Debug)]
pub(super) struct Config {
    /// The rules, in the mode that the environment sets.
    pub(super) rules: Rules,
    /// The destination of metrics.
    pub(super) metrics: Destination,
    /// The namespace of metrics.
    pub(super) namespace: String,
    /// Whether the log may contain items.
    pub(super) logs_items: bool,
    /// The URL of the queue on which suspects wait, if there is one.
    pub(super) queue: Option<String>,
}

/// A problem with the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// Whether the function can still run.
    pub(super) is_warning: bool,
    /// The problem, its location and a fix.
    pub(super) text: String,
}

impl Problem {
    fn error(text: impl Into<String>) -> Self {
        Self { is_warning: false, text: text.into() }
    }
}

/// The sources of the configuration.
pub(super) struct Sources<'s> {
    /// Reads an environment variable.
    pub(super) environment: &'s dyn Fn(&str) -> Option<String>,
    /// Reads a file.
    pub(super) read: &'s dyn Fn(&Path) -> io::Result<Vec<u8>>,
}

/// Reads the configuration, and returns all of its problems at once.
///
/// Invariant: a configuration is returned if and only if no problem is an error.
pub(super) fn read(sources: &Sources<'_>) -> (Option<Config>, Vec<Problem>) {
    let mut problems = Vec::new();
    let rules = rules(sources, &mut problems);
    let mut one_of = |name, allowed: &[&str]| match variable(sources, name) {
        Some(value) if !allowed.contains(&value.as_str()) => {
            let (last, first) = allowed.split_last().unwrap_or((&"", &[]));
            let first = first.join(", ");
            problems.push(Problem::error(format!(
                "`{name}` is `{value}`, but must be {first} or {last}"
            )));
            None
        }
        value => value,
    };
    let mode = one_of("REFEREE_MODE", &["off", "observe", "enforce"]);
    let metrics = one_of("REFEREE_METRICS", &Destination::NAMES);
    let logs_items = one_of("REFEREE_LOG_ITEMS", &["true", "false"]);
    let mode = mode.as_deref().and_then(Mode::from_name);
    if metrics.as_deref() == Some("emf")
        && let Some(level) = level_that_drops_metrics(sources)
    {
        problems.push(Problem::error(format!(
            "`REFEREE_METRICS` is `emf`, but lines with metrics have the level INFO, and Lambda \
             drops them because `AWS_LAMBDA_LOG_LEVEL` is `{level}`\n\
             help: set the function's application log level to INFO, or REFEREE_METRICS to \
             `cloudwatch`"
        )));
    }
    let namespace = variable(sources, "REFEREE_NAMESPACE").unwrap_or_else(|| NAMESPACE.to_owned());
    if !is_namespace(&namespace) {
        problems.push(Problem::error(format!(
            "`REFEREE_NAMESPACE` is `{namespace}`, which CloudWatch does not accept as a namespace\n\
             help: use up to 255 letters, digits, spaces and `.-_/#:`; do not begin with \
             `AWS/` or `:`"
        )));
    }
    let queue = variable(sources, "REFEREE_RECHECK_QUEUE");
    if let Some(url) = queue.as_ref().filter(|url| !is_queue(url)) {
        problems.push(Problem::error(format!(
            "`REFEREE_RECHECK_QUEUE` is `{url}`, which is not the URL of a standard queue\n\
             help: use the URL that SQS shows, such as \
             `https://sqs.eu-west-1.amazonaws.com/123456789012/referee-recheck`"
        )));
    }
    let is_valid = problems.iter().all(|problem| problem.is_warning);
    let config = rules.filter(|_| is_valid).map(|rules| Config {
        rules: match mode {
            Some(mode) => rules.in_mode(mode),
            None => rules,
        },
        metrics: metrics
            .as_deref()
            .and_then(Destination::from_name)
            .unwrap_or(Destination::CloudWatch),
        namespace,
        logs_items: logs_items.as_deref() == Some("true"),
        queue,
    });
    (config, problems)
}

/// The value of a variable. An empty one counts as unset, because deployment tools set variables
/// without a value to an empty string.
fn variable(sources: &Sources<'_>, name: &str) -> Option<String> {
    (sources.environment)(name).filter(|value| !value.is_empty())
}

/// The function's log level, if Lambda drops lines with metrics because of it.
///
/// With the format JSON, Lambda treats lines without a level as `INFO`. With the format text, it
/// drops nothing.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>
fn level_that_drops_metrics(sources: &Sources<'_>) -> Option<String> {
    let is_json = variable(sources, "AWS_LAMBDA_LOG_FORMAT")
        .is_some_and(|format| format.eq_ignore_ascii_case("json"));
    let level = variable(sources, "AWS_LAMBDA_LOG_LEVEL").filter(|_| is_json)?.to_uppercase();
    matches!(level.as_str(), "WARN" | "ERROR" | "FATAL").then_some(level)
}

/// Whether CloudWatch accepts this namespace.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>
fn is_namespace(text: &str) -> bool {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || ".-_/#: ".contains(character);
    text.len() <= 255
        && text.chars().all(is_allowed)
        && !text.trim().is_empty()
        && !text.starts_with(':')
        && !text.starts_with("AWS/")
}

/// Whether this may be the URL of a queue whose messages can be delayed one by one. SQS does not allow
/// that for FIFO queues, whose names end with `.fifo`.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html>
fn is_queue(text: &str) -> bool {
    let is_url = text.starts_with("https://") || text.starts_with("http://");
    let name = text.rsplit('/').next().unwrap_or_default();
    let is_fifo = name.rsplit_once('.').is_some_and(|(_, kind)| kind == "fifo");
    is_url && !text.contains(char::is_whitespace) && !is_fifo
}

fn rules(sources: &Sources<'_>, problems: &mut Vec<Problem>) -> Option<Rules> {
    let names = ["REFEREE_RULES", "REFEREE_RULES_JSON", "REFEREE_RULES_GZ"];
    let values = names.map(|name| variable(sources, name).map(|value| (name, value)));
    let source = match values.into_iter().flatten().collect::<Vec<_>>().as_slice() {
        [] => file(sources, RULE_FILE),
        [("REFEREE_RULES", path)] => file(sources, path),
        [("REFEREE_RULES_JSON", text)] => {
            Ok(RuleSource { name: "REFEREE_RULES_JSON".to_owned(), text: text.clone() })
        }
        [(name, packed)] => rules::unpack(packed)
            .map_err(|error| Problem::error(format!("`{name}` {error}")))
            .and_then(|bytes| source(name, bytes)),
        [(first, _), (second, _), ..] => {
            let text = format!("`{first}` and `{second}` are both set\nhelp: set only one of them");
            Err(Problem::error(text))
        }
    };
    match source {
        Ok(source) => {
            let loaded = rules::load(&source, sources.environment);
            problems.extend(loaded.diagnostics.iter().map(|it| problem(&source, it)));
            loaded.rules
        }
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}

fn file(sources: &Sources<'_>, path: &str) -> Result<RuleSource, Problem> {
    let bytes = (sources.read)(Path::new(path)).map_err(|error| {
        Problem::error(format!(
            "the rule file `{path}` cannot be read: {error}\n\
             help: include it in the package (`cargo lambda deploy --include {path}`), or set \
             REFEREE_RULES_JSON to the rules"
        ))
    })?;
    source(path, bytes)
}

fn source(name: &str, bytes: Vec<u8>) -> Result<RuleSource, Problem> {
    let empty = RuleSource { name: name.to_owned(), text: String::new() };
    RuleSource::from_bytes(name, bytes).map_err(|diagnostic| problem(&empty, &diagnostic))
}

/// A diagnostic in the format of the log: each location with an excerpt of its line.
fn problem(source: &RuleSource, diagnostic: &Diagnostic) -> Problem {
    let lines = Lines::of(&source.text);
    let mut text = format!("{}: {}", diagnostic.code.id, diagnostic.message);
    for label in &diagnostic.labels {
        let Position { line, column } = lines.position(label.span.start);
        let shown = source.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let shown = excerpt(shown, column.saturating_sub(1));
        let _ = write!(text, "\n  {}:{line}:{column}: `{shown}`", source.name);
        if !label.text.is_empty() {
            let _ = write!(text, ": {}", label.text);
        }
    }
    if diagnostic.labels.is_empty() {
        let _ = write!(text, "\n  {}", source.name);
    }
    for note in &diagnostic.notes {
        let _ = write!(text, "\nnote: {note}");
    }
    if let Some(help) = &diagnostic.help {
        let _ = write!(text, "\nhelp: {help}");
    }
    Problem { is_warning: diagnostic.level() == Level::Warning, text }
}

/// An excerpt of a line around a column, because rules in JSON are often one long line.
fn excerpt(line: &str, column_chars: usize) -> String {
    const SHOWN_CHARS: usize = 80;
    const BEFORE_CHARS: usize = 30;
    let all_chars = line.chars().count();
    if all_chars <= SHOWN_CHARS {
        return line.trim().to_owned();
    }
    let start = column_chars.saturating_sub(BEFORE_CHARS);
    let shown: String = line.chars().skip(start).take(SHOWN_CHARS).collect();
    let before = if start > 0 { "…" } else { "" };
    let after = if start + SHOWN_CHARS < all_chars { "…" } else { "" };
    format!("{before}{shown}{after}")
}

#[cfg(test)]
mod tests;
