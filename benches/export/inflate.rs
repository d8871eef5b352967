//! Only inflates the data files, with the library that Referee uses, on two threads.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use flate2::bufread::MultiGzDecoder;

/// The argument that selects this program.
pub(crate) const MODE: &str = "inflate-only";

/// Inflates all files of a folder.
pub(crate) fn run(folder: &Path) {
    let files = Mutex::new(files(folder).into_iter());
    let next = || files.lock().expect("no thread panics").next();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(file) = next() {
                    std::hint::black_box(inflate(&file));
                }
            });
        }
    });
}

/// The length of all files in a folder, as they are and inflated.
pub(crate) fn bytes(folder: &Path) -> (u64, u64) {
    let files = files(folder);
    let length = |file: &PathBuf| file.metadata().expect("the file exists").len();
    (files.iter().map(length).sum(), files.iter().map(|file| inflate(file)).sum())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder exists");
    entries.map(|entry| entry.expect("the folder can be read").path()).collect()
}

/// Inflates a file with the sizes of buffers that Referee uses, and returns the length.
fn inflate(file: &Path) -> u64 {
    let file = File::open(file).expect("the file exists");
    let mut inflated = MultiGzDecoder::new(BufReader::with_capacity(128 << 10, file));
    let mut buffer = vec![0; 256 << 10];
    let mut length = 0;
    loop {
        match inflated.read(&mut buffer).expect("the file is sound") {
            0 => return length,
            count => length += count as u64,
        }
    }
}
