//! Checksums, which detect files that are cut off or altered. They do not protect against intent.

use std::fmt;
use std::io::{self, Write};

use twox_hash::XxHash3_128;

/// A 128-bit checksum (XXH3), as 32 hexadecimal digits.
///
/// <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>
#[must_use]
pub fn checksum(bytes: &[u8]) -> String {
    format!("{:032x}", XxHash3_128::oneshot(bytes))
}

/// The checksum of everything that is written to it.
#[derive(Clone, Default)]
pub struct Checksum(XxHash3_128);

impl Checksum {
    /// The checksum so far, as 32 hexadecimal digits.
    #[must_use]
    pub fn digits(&self) -> String {
        format!("{:032x}", self.0.finish_128())
    }
}

impl Write for Checksum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.digits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_the_same_in_parts_and_as_a_whole() {
        let mut parts = Checksum::default();
        parts.write_all(b"one ").unwrap();
        parts.write_all(b"two").unwrap();
        assert_eq!(parts.digits(), checksum(b"one two"));
        assert_ne!(parts.digits(), checksum(b"one twp"));
        assert_eq!(parts.digits().len(), 32);
    }
}
