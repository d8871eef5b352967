//! Only inflates the data files, with the library that Referee uses, on two threads; and the same
//! with the MD5 checksums, which is what any program does that verifies an export.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use flate2::bufread::MultiGzDecoder;
use md5::{Digest as _, Md5};

/// What to do with a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mode {
    /// Only inflate it, which also compares gzip's own checksum.
    Inflate,
    /// Inflate it, and compute the MD5 checksum that the manifest has.
    Verify,
}

impl Mode {
    /// The argument that selects this program.
    pub(crate) const fn argument(self) -> &'static str {
        match self {
            Self::Inflate => "inflate-only",
            Self::Verify => "verify-only",
        }
    }

    /// The mode that an argument selects.
    pub(crate) fn of(argument: &str) -> Option<Self> {
        [Self::Inflate, Self::Verify].into_iter().find(|mode| mode.argument() == argument)
    }
}

/// Reads all files of a folder.
pub(crate) fn run(folder: &Path, mode: Mode) {
    let files = Mutex::new(files(folder).into_iter());
    let next = || files.lock().expect("no thread panics").next();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(file) = next() {
                    std::hint::black_box(read(&file, mode));
                }
            });
        }
    });
}

/// The length of all files in a folder, as they are and inflated.
pub(crate) fn bytes(folder: &Path) -> (u64, u64) {
    let files = files(folder);
    let length = |file: &PathBuf| file.metadata().expect("the file exists").len();
    (files.iter().map(length).sum(), files.iter().map(|file| read(file, Mode::Inflate)).sum())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder exists");
    entries.map(|entry| entry.expect("the folder can be read").path()).collect()
}

/// Reads a file with the sizes of buffers that Referee uses, and returns the inflated length.
fn read(file: &Path, mode: Mode) -> u64 {
    let file = File::open(file).expect("the file exists");
    match mode {
        Mode::Inflate => inflate(file),
        Mode::Verify => {
            let mut md5 = Md5::new();
            let length = inflate(Hashed { source: file, md5: &mut md5 });
            std::hint::black_box(md5.finalize());
            length
        }
    }
}

fn inflate(source: impl Read) -> u64 {
    let mut inflated = MultiGzDecoder::new(BufReader::with_capacity(128 << 10, source));
    let mut buffer = vec![0; 256 << 10];
    let mut length = 0;
    loop {
        match inflated.read(&mut buffer).expect("the file is sound") {
            0 => return length,
            count => length += count as u64,
        }
    }
}

/// A source whose bytes are hashed as they are read.
struct Hashed<'h, R> {
    source: R,
    md5: &'h mut Md5,
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.md5.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
