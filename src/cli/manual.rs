//! Generates the command-line reference in Markdown from the definition of the command line.

use std::fmt::Write as _;

use clap::{Arg, Command};

use super::help::{GLOBAL, command, exit_codes};

/// The reference of every command: usage, arguments, options and examples.
#[must_use]
pub fn manual() -> String {
    let mut command = command();
    command.build();
    let mut text = String::new();
    write_summary(&command, &mut text);
    let global = |arg: &&Arg| arg.get_help_heading() == Some(GLOBAL);
    text.push_str("\n## Global options\n\n");
    write_options(command.get_arguments().filter(global), &mut text);
    text.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for line in exit_codes().lines().skip(1) {
        if let Some((code, meaning)) = line.trim().split_once("  ") {
            let _ = writeln!(text, "| {code} | {meaning} |");
        }
    }
    for subcommand in subcommands(&command) {
        write_subcommand(subcommand, "##", &mut text);
    }
    text
}

/// The commands, without clap's own `help`.
fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|it| it.get_name() != "help")
}

fn write_summary(command: &Command, text: &mut String) {
    text.push_str("| command | what it does |\n|---|---|\n");
    for subcommand in subcommands(command) {
        let (name, about) = (subcommand.get_name(), about(subcommand));
        let _ = writeln!(text, "| [`referee {name}`](#referee-{name}) | {about} |");
    }
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn write_subcommand(command: &Command, heading: &str, text: &mut String) {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace("\n       ", "\n");
    let _ = write!(
        text,
        "\n{heading} {}\n\n{}.\n\n```text\n{usage}\n```\n",
        command.get_bin_name().unwrap_or_default(),
        about(command)
    );
    let positionals: Vec<&Arg> = command.get_positionals().collect();
    if !positionals.is_empty() {
        text.push_str("\n| argument | meaning |\n|---|---|\n");
        for arg in positionals {
            let _ = writeln!(text, "| {} | {} |", code(&value_name(arg)), meaning(arg));
        }
    }
    for heading in headings(command) {
        let of_heading = |arg: &&Arg| arg.get_help_heading() == heading;
        let _ = write!(text, "\n{}:\n\n", heading.unwrap_or("Options"));
        write_options(options(command).filter(of_heading), text);
    }
    if let Some(after) = command.get_after_help() {
        let after = after.to_string();
        let (examples, _) = after.split_once("\n\nExit codes:").unwrap_or((&after, ""));
        let lines: Vec<&str> = examples.lines().skip(1).map(str::trim_start).collect();
        let _ = write!(text, "\n```sh\n{}\n```\n", lines.join("\n"));
    }
    for inner in subcommands(command) {
        write_subcommand(inner, &format!("{heading}#"), text);
    }
}

/// The visible options of a command, without those that every command has.
fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| {
        !arg.is_positional()
            && !arg.is_hide_set()
            && arg.get_help_heading() != Some(GLOBAL)
            && !matches!(arg.get_id().as_str(), "help" | "version")
    })
}

/// Whether an option takes no value.
fn is_flag(arg: &Arg) -> bool {
    !arg.get_action().takes_values()
}

/// The headings of a command's options, in the order of the help.
fn headings(command: &Command) -> Vec<Option<&str>> {
    let mut headings = Vec::new();
    for heading in options(command).map(Arg::get_help_heading) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    headings.sort_by_key(Option::is_some);
    headings
}

fn write_options<'a>(options: impl Iterator<Item = &'a Arg>, text: &mut String) {
    text.push_str("| option | meaning |\n|---|---|\n");
    for arg in options {
        let name = arg.get_long().unwrap_or_default();
        let value = if is_flag(arg) { String::new() } else { format!(" {}", value_name(arg)) };
        let _ = writeln!(text, "| {} | {} |", code(&format!("--{name}{value}")), meaning(arg));
    }
}

/// Formats code for a cell of a table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

fn value_name(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { arg.get_id().to_string().to_uppercase() } else { names.join(" ") }
}

/// What an argument means: its help, its possible values, its default and its environment variable.
fn meaning(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let mut text = help.replace('|', "\\|").replace('<', "&lt;");
    if !is_flag(arg) {
        let values: Vec<String> = arg
            .get_possible_values()
            .iter()
            .map(|value| match value.get_help() {
                Some(help) => format!("`{}`: {help}", value.get_name()),
                None => format!("`{}`", value.get_name()),
            })
            .collect();
        if !values.is_empty() {
            let _ = write!(text, "<br>{}", values.join("<br>"));
        }
        if let Some(default) = arg.get_default_values().first() {
            let _ = write!(text, "<br>Default: `{}`", default.to_string_lossy());
        }
    }
    if let Some(variable) = arg.get_env() {
        let _ = write!(text, "<br>Environment variable: `{}`", variable.to_string_lossy());
    }
    text
}
