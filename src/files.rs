//! Files that are there as a whole or not at all.

use std::fs::File;
use std::io::{Result, Write as _};
use std::path::{Path, PathBuf};

/// Puts a text in the place of a file: it is there as a whole, or the old one is, even if the
/// machine stops in between.
pub(crate) fn replace(path: &Path, text: &str) -> Result<()> {
    let unfinished = beside(path, ".unfinished");
    write(&unfinished, text).and_then(|()| std::fs::rename(&unfinished, path)).inspect_err(|_| {
        // What is left of it says nothing that the error does not.
        let _ = std::fs::remove_file(&unfinished);
    })
}

fn write(path: &Path, text: &str) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The file of the same name with this behind it.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
