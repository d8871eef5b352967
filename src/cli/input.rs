//! Reads files and standard input, up to a maximum size.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::Failure;
use crate::rules::FILE_BYTES_MAX;

/// The maximum size of an event file: ten times what Lambda delivers at once, because a recorded
/// event may be indented.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const EVENT_BYTES_MAX: usize = 64 << 20;

/// The maximum size of a seed. The in-memory store needs several times as much memory for its
/// items.
const SEED_BYTES_MAX: usize = 256 << 20;

/// The maximum size of Terraform's JSON.
const TERRAFORM_BYTES_MAX: usize = 256 << 20;

/// Whether a file in a folder of events is one of them, by its name.
pub(super) fn is_event_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json" || extension == "jsonl")
}

/// Reads an event; `-` is standard input.
pub(super) fn read_event(path: &Path) -> Result<Vec<u8>, Failure> {
    read(path, EVENT_BYTES_MAX)
}

/// Reads the JSON of a plan or a state; `-` is standard input.
pub(super) fn read_terraform(path: &Path) -> Result<Vec<u8>, Failure> {
    read(path, TERRAFORM_BYTES_MAX)
}

/// Reads a seed; `-` is standard input.
pub(super) fn read_seed(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(path, SEED_BYTES_MAX)?)
        .map_err(|_| Failure::Usage(format!("`{}` is not UTF-8", path.display())))
}

/// Reads a rule file. A file that is too long is truncated to one byte more than the maximum, so
/// that it is still rejected.
pub(super) fn read_rules(path: &Path) -> io::Result<Vec<u8>> {
    read_beyond(File::open(path)?, FILE_BYTES_MAX)
}

fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let bytes = if path == Path::new("-") {
        read_beyond(io::stdin().lock(), bytes_max)
    } else {
        File::open(path).and_then(|file| read_beyond(file, bytes_max))
    };
    let bytes = bytes
        .map_err(|error| Failure::Usage(format!("cannot read `{}`: {error}", path.display())))?;
    if bytes.len() > bytes_max {
        return Err(Failure::Usage(format!(
            "`{}` is too long: the maximum is {bytes_max} bytes",
            path.display()
        )));
    }
    Ok(bytes)
}

/// Reads up to one byte more than the maximum. The extra byte shows that the input is too long.
fn read_beyond(source: impl Read, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
