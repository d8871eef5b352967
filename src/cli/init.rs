//! `referee init`: writes a rule file to start from.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use super::help::Example;
use super::{Context, Failure, Outcome};

/// The content of the written rule file.
const STARTER: &str = include_str!("starter.yaml");

pub(super) const EXAMPLES: &[Example] = &[
    ("Write referee.yaml", "referee init"),
    ("Write another file, overwriting it if it exists", "referee init --force rules.yaml"),
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to write; default: the value of --rules.
    file: Option<PathBuf>,

    /// Overwrite the file if it exists.
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Args, context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let path = arguments.file.as_ref().unwrap_or(&context.rules).clone();
    let name = path.display().to_string();
    let mut options = OpenOptions::new();
    options.write(true);
    if arguments.force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let written = options.open(&path).and_then(|mut file| file.write_all(STARTER.as_bytes()));
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(Failure::Usage(format!(
                "`{name}` already exists; use `--force` to overwrite it"
            )));
        }
        Err(error) => return Err(Failure::File(name, error)),
    }
    let check = if arguments.file.is_some() { format!(" --rules {name}") } else { String::new() };
    context.output.message(&format!(
        "wrote `{name}`; adapt it to your tables, then run `referee check{check}`\n"
    ))?;
    Ok(Outcome::Clean)
}
