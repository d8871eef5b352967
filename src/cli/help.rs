//! The parts that all help texts share: the exit codes and the layout of examples.

use std::fmt::Write as _;

use clap::CommandFactory as _;

use super::Cli;

/// The exit codes and what they mean.
const EXIT_CODES: [(u8, &str); 4] = [
    (0, "nothing is wrong"),
    (1, "violations (other than warnings) or rejected records were found"),
    (2, "the arguments, the rule file or an input file cannot be used"),
    (3, "the command could not finish"),
];

/// The heading of the options that every command has.
pub(super) const GLOBAL: &str = "Global options";

/// An example: what it does, and the command line.
pub(super) type Example = (&'static str, &'static str);

/// The definition of the command line, from which help, completions, manual pages and
/// `docs/cli.md` are generated.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// The exit codes, for the end of a help text.
pub(super) fn exit_codes() -> String {
    let mut text = "Exit codes:".to_owned();
    for (code, meaning) in EXIT_CODES {
        let _ = write!(text, "\n  {code}  {meaning}");
    }
    text
}

/// Examples and the exit codes, for the end of the help of a command.
pub(super) fn examples(examples: &[Example]) -> String {
    let mut text = "Examples:".to_owned();
    for (index, (what, line)) in examples.iter().enumerate() {
        let blank = if index == 0 { "" } else { "\n" };
        let _ = write!(text, "{blank}\n  # {what}\n  {line}");
    }
    text + "\n\n" + &exit_codes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a command line as a shell splits it, without escapes.
    fn words(line: &str) -> Vec<String> {
        let parts = line.split('\'').enumerate();
        let mut words = vec![String::new()];
        for (index, part) in parts {
            if index % 2 == 1 {
                words.last_mut().unwrap().push_str(part);
                continue;
            }
            let mut pieces = part.split(' ');
            words.last_mut().unwrap().push_str(pieces.next().unwrap());
            words.extend(pieces.map(str::to_owned));
        }
        words.retain(|word| !word.is_empty());
        words
    }

    /// The commands, without clap's own `help`.
    fn of(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
        command.get_subcommands().filter(|it| it.get_name() != "help")
    }

    /// The commands, and the commands of these.
    fn with_inner(command: &clap::Command) -> Vec<&clap::Command> {
        of(command).flat_map(|outer| std::iter::once(outer).chain(of(outer))).collect()
    }

    #[test]
    fn the_definition_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_that_parse() {
        let mut command = command();
        command.build();
        for subcommand in with_inner(&command) {
            let text = subcommand.get_after_help().unwrap().to_string();
            let lines = text.lines().filter(|line| line.starts_with("  referee "));
            let mut count = 0;
            for line in lines {
                let line = line.split(" > ").next().unwrap();
                let matches = command.clone().try_get_matches_from(words(line)).unwrap();
                let begins = format!("referee {}", matches.subcommand_name().unwrap());
                assert!(subcommand.get_bin_name().unwrap().starts_with(&begins), "{line}");
                count += 1;
            }
            assert!(count > 0, "{}", subcommand.get_name());
        }
    }
}
