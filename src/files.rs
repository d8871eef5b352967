//! Atomic replacement of files.

use std::fs::File;
use std::io::{Result, Write as _};
use std::path::{Path, PathBuf};

/// Replaces a file's content atomically: even after a crash, the file has either the whole old
/// content or the whole new content.
pub(crate) fn replace(path: &Path, text: &str) -> Result<()> {
    replace_bytes(path, text.as_bytes())
}

/// Like [`replace`], for content that need not be text.
pub(crate) fn replace_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    let unfinished = beside(path, ".unfinished");
    write(&unfinished, bytes).and_then(|()| std::fs::rename(&unfinished, path)).inspect_err(|_| {
        // A failure to delete the temporary file is ignored, because the first error matters more.
        let _ = std::fs::remove_file(&unfinished);
    })
}

/// Fails if [`replace`] could not create its temporary file beside this path.
pub(crate) fn check_replaceable(path: &Path) -> Result<()> {
    let unfinished = beside(path, ".unfinished");
    File::create(&unfinished)?;
    std::fs::remove_file(&unfinished)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The path with this suffix appended to the file name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
