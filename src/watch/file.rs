//! Stores progress in a file, for one watcher at a time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::keeper::{KeepError, Keeper, Known, table_of};
use super::progress::{Checkpoint, Progress};
use crate::files::{beside, replace};
use crate::streams::Stream;

/// The version of the file format.
const VERSION: u32 = 1;

/// A progress file. It is replaced atomically, so that it is never incomplete.
#[derive(Debug)]
pub struct CheckpointFile {
    path: PathBuf,
    content: RefCell<Content>,
    /// A lock on a separate file, because the file itself is replaced.
    _lock: File,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    /// The progress by stream ARN.
    streams: BTreeMap<String, Progress>,
}

impl CheckpointFile {
    /// Opens a progress file, and creates it if it does not exist.
    pub fn open(path: &Path) -> Result<Self, KeepError> {
        let fatal = |what: String| KeepError::Fatal(format!("`{}`: {what}", path.display()));
        let lock = lock(&beside(path, ".lock")).map_err(fatal)?;
        let content = match std::fs::read(path) {
            Ok(bytes) => read(&bytes).map_err(fatal)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Content { version: VERSION, streams: BTreeMap::new() }
            }
            Err(error) => return Err(fatal(format!("the checkpoint cannot be read: {error}"))),
        };
        let file = Self { path: path.to_owned(), content: RefCell::new(content), _lock: lock };
        // Write now, so that a missing folder or permission is reported before the first batch.
        file.write()?;
        Ok(file)
    }

    fn write(&self) -> Result<(), KeepError> {
        let mut text = serde_json::to_string_pretty(&*self.content.borrow()).unwrap_or_default();
        text.push('\n');
        replace(&self.path, &text).map_err(|error| {
            let path = self.path.display();
            KeepError::Fatal(format!("`{path}`: the checkpoint cannot be written: {error}"))
        })
    }
}

impl Keeper for CheckpointFile {
    async fn load(&self, stream: &Stream) -> Result<Known, KeepError> {
        let mut content = self.content.borrow_mut();
        let of_table = |arn: &str| table_of(arn) == table_of(&stream.arn);
        let streams = content.streams.iter().filter(|(arn, _)| of_table(arn));
        let streams = streams.map(|(arn, progress)| (arn.clone(), progress.clone())).collect();
        content.streams.retain(|arn, _| *arn == stream.arn || !of_table(arn));
        Ok(Known::of(stream, streams))
    }

    async fn save(
        &self,
        stream: &Stream,
        shard: &str,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<(), KeepError> {
        {
            let mut content = self.content.borrow_mut();
            let progress = content.streams.entry(stream.arn.clone()).or_default();
            match checkpoint {
                Some(checkpoint) => progress.insert(shard.to_owned(), checkpoint.clone()),
                None => progress.remove(shard),
            };
        }
        self.write()
    }
}

fn read(bytes: &[u8]) -> Result<Content, String> {
    const HELP: &str = "help: use another file, or delete this one to start without a checkpoint";
    let content: Content = serde_json::from_slice(bytes)
        .map_err(|error| format!("not a checkpoint of `referee watch`: {error}\n{HELP}"))?;
    if content.version != VERSION {
        let version = content.version;
        return Err(format!("the checkpoint has version {version}, not {VERSION}\n{HELP}"));
    }
    Ok(content)
}

/// Keeps other watchers out. The operating system releases the lock when the process ends.
fn lock(path: &Path) -> Result<File, String> {
    let file = File::options().create(true).write(true).truncate(false).open(path);
    let file = file.map_err(|error| format!("the checkpoint cannot be locked: {error}"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err("another `referee watch` uses this checkpoint file\n\
             help: stop it, or use a separate file for each"
            .to_owned()),
        Err(TryLockError::Error(error)) => Err(format!("the checkpoint cannot be locked: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use futures_util::FutureExt as _;

    fn stream(label: &str) -> Stream {
        let arn = format!("arn:aws:dynamodb:eu-west-1:1:table/app/stream/{label}");
        Stream { arn, table: "app".to_owned() }
    }

    fn save(file: &CheckpointFile, label: &str, shard: &str, checkpoint: Option<&Checkpoint>) {
        file.save(&stream(label), shard, checkpoint).now_or_never().unwrap().unwrap();
    }

    fn load(file: &CheckpointFile, label: &str) -> Known {
        file.load(&stream(label)).now_or_never().unwrap().unwrap()
    }

    #[test]
    fn saved_progress_is_loaded_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.json");
        let file = CheckpointFile::open(&path).unwrap();
        assert_eq!(load(&file, "1"), Known::default());
        save(&file, "1", "a", Some(&Checkpoint::Drained));
        save(&file, "1", "b", Some(&Checkpoint::Since(7)));
        save(&file, "1", "c", Some(&Checkpoint::Drained));
        save(&file, "1", "c", None);
        drop(file);
        expect![[r#"
            {
              "version": 1,
              "streams": {
                "arn:aws:dynamodb:eu-west-1:1:table/app/stream/1": {
                  "a": "drained",
                  "b": {
                    "since": 7
                  }
                }
              }
            }
        "#]]
        .assert_eq(&std::fs::read_to_string(&path).unwrap());
        let file = CheckpointFile::open(&path).unwrap();
        let checkpoints =
            [("a".to_owned(), Checkpoint::Drained), ("b".to_owned(), Checkpoint::Since(7))];
        let known =
            Known { progress: Some(Progress::from(checkpoints)), has_unread_ancestor: false };
        assert_eq!(load(&file, "1"), known);
        // The table has a new stream.
        let known = Known { progress: None, has_unread_ancestor: true };
        assert_eq!(load(&file, "2"), known);
        assert_eq!(load(&file, "2"), Known::default());
    }

    #[test]
    fn two_watchers_cannot_share_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.json");
        let first = CheckpointFile::open(&path).unwrap();
        let error = CheckpointFile::open(&path).unwrap_err().to_string();
        assert!(error.contains("another `referee watch`"), "{error}");
        drop(first);
        CheckpointFile::open(&path).unwrap();
    }

    #[test]
    fn a_file_that_is_not_a_checkpoint_is_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        for text in ["", "hello", r#"{"version":2,"streams":{}}"#, r#"{"version":1}"#] {
            std::fs::write(&path, text).unwrap();
            let error = CheckpointFile::open(&path).unwrap_err().to_string();
            assert!(error.contains("\nhelp: "), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert!(CheckpointFile::open(&folder.path().join("none/checkpoint.json")).is_err());
    }
}
