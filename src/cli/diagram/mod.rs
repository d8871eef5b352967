//! `referee diagram`: draws the rules, and what is deployed for them.

mod er;
pub(in crate::cli) mod system;

use clap::{Subcommand, ValueEnum};

use super::help::{Example, examples};
use super::{Context, Failure, Outcome};
use crate::diagram::{Picture, dot, svg};
use crate::report;

pub(super) const EXAMPLES: &[Example] = &[
    ("Draw the entities and references as Mermaid, for a Markdown page", "referee diagram er"),
    (
        "Draw what a plan of Terraform deploys, and list what is wrong with it",
        "referee diagram system --terraform plan.json",
    ),
    ("Draw them as a picture", "referee diagram er --format svg > rules.svg"),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Draw the entities, their keys, and the rules between them.
    #[command(after_help = examples(er::EXAMPLES))]
    Er(er::Args),
    /// Draw what is deployed around the function, and list what is wrong with it.
    #[command(after_help = examples(system::EXAMPLES))]
    System(system::Args),
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    match &arguments.command {
        Command::Er(arguments) => er::run(arguments, context),
        Command::System(arguments) => system::run(arguments, context),
    }
}

/// The format of a diagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// Mermaid, which GitHub renders.
    Mermaid,
    /// The language of Graphviz.
    Dot,
    /// A picture.
    Svg,
    /// A page on which the picture can be moved, enlarged and searched.
    Html,
}

/// A picture in this format. Mermaid has several kinds of diagrams, so its text is an argument.
pub(in crate::cli) fn print(
    picture: &Picture,
    format: Format,
    mermaid: impl FnOnce(&Picture) -> String,
    page: impl FnOnce() -> report::Page,
) -> String {
    match format {
        Format::Mermaid => mermaid(picture),
        Format::Dot => dot::dot(picture),
        Format::Svg => svg::file(picture),
        Format::Html => page().html(),
    }
}
