//! Splits a stream into lines, without copying them.

use std::io::{self, ErrorKind, Read};
use std::ops::ControlFlow;

use memchr::memchr_iter;

/// The initial size of the buffer. It is small enough for a processor's cache, so that lines are
/// parsed while they are in it, and large enough for most lines.
const BUFFER_BYTES: usize = 256 << 10;

/// The maximum length of a line. An item of 400 KB takes a few megabytes as JSON, and a changed
/// item has two images.
const LINE_BYTES_MAX: usize = 32 << 20;

/// Calls `each` with the index of each line that is not empty and the line, until the stream ends
/// or `each` breaks.
///
/// `rows` counts the lines, also if reading fails.
#[expect(clippy::indexing_slicing, reason = "the indexes are those of bytes that were just read")]
pub(super) fn for_each(
    source: &mut impl Read,
    rows: &mut u32,
    mut each: impl FnMut(u32, &[u8]) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    let mut yield_line = |line: &[u8]| {
        if line.is_empty() {
            return ControlFlow::Continue(());
        }
        let row = *rows;
        *rows = rows.saturating_add(1);
        each(row, line)
    };
    let mut buffer = vec![0; BUFFER_BYTES];
    // The length of the incomplete line at the beginning of the buffer.
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            if buffer.len() >= LINE_BYTES_MAX {
                let text = format!("a line is longer than {LINE_BYTES_MAX} bytes");
                return Err(io::Error::new(ErrorKind::InvalidData, text));
            }
            buffer.resize(buffer.len() * 2, 0);
        }
        let count = match source.read(&mut buffer[filled..]) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = filled + count;
        if count == 0 {
            return Ok(yield_line(&buffer[..end]));
        }
        let mut start = 0;
        for newline in memchr_iter(b'\n', &buffer[filled..end]) {
            let line = &buffer[start..filled + newline];
            if yield_line(line).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            start += line.len() + 1;
        }
        buffer.copy_within(start..end, 0);
        filled = end - start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns at most this many bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(buffer.len());
            self.0.read(&mut buffer[..most])
        }
    }

    fn split(text: &[u8], step: usize) -> io::Result<Vec<(u32, Vec<u8>)>> {
        let mut lines = Vec::new();
        let mut rows = 0;
        let _ = for_each(&mut Slow(text, step), &mut rows, |row, line| {
            lines.push((row, line.to_vec()));
            ControlFlow::Continue(())
        })?;
        assert_eq!(rows as usize, lines.len());
        Ok(lines)
    }

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let long = [b"x".repeat(3 * BUFFER_BYTES), b"y".to_vec()].concat();
        for text in [b"a\nbc\n\n\nd".as_slice(), b"\n", b"", b"a", &long] {
            let expected: Vec<_> =
                text.split(|byte| *byte == b'\n').filter(|it| !it.is_empty()).collect();
            for step in [1, 2, 3, 5, BUFFER_BYTES, usize::MAX] {
                if step < 5 && text.len() > 100 {
                    continue;
                }
                let lines = split(text, step).unwrap();
                assert_eq!(lines.iter().map(|(_, line)| &**line).collect::<Vec<_>>(), expected);
                assert!(lines.iter().zip(0..).all(|((row, _), index)| *row == index));
            }
        }
    }

    #[test]
    fn a_line_has_a_maximum_length() {
        let line = b"x".repeat(LINE_BYTES_MAX);
        assert!(split(&line, usize::MAX).is_err());
        assert_eq!(split(&line[1..], usize::MAX).unwrap().len(), 1);
    }

    #[test]
    fn reading_ends_when_the_caller_breaks() {
        let mut rows = 0;
        let ended = for_each(&mut b"a\nb\nc\n".as_slice(), &mut rows, |row, _| {
            if row == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(ended.unwrap().is_break());
        assert_eq!(rows, 2);
    }
}
