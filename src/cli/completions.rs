//! `referee completions`: prints the completion script for a shell.

use clap_complete::{Shell, generate};

use super::help::{Example, command};
use super::{Context, Failure, Outcome};

pub(super) const EXAMPLES: &[Example] = &[
    (
        "Install completions for bash",
        "referee completions bash > ~/.local/share/bash-completion/completions/referee",
    ),
    (
        "Install completions for fish",
        "referee completions fish > ~/.config/fish/completions/referee.fish",
    ),
    (
        "Install completions for zsh, in a folder of $fpath",
        "referee completions zsh > ~/.zfunc/_referee",
    ),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut command(), "referee", &mut script);
    context.output.result(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Clean)
}
