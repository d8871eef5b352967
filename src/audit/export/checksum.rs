//! The MD5 checksums in a manifest. They detect damage, not an attack.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest as _, Md5};

/// An MD5 checksum that is computed piece by piece.
#[derive(Debug, Clone, Default)]
pub(super) struct Hasher(Md5);

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn finish(self) -> Checksum {
        Checksum(self.0.finalize().into())
    }
}

/// An MD5 checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checksum([u8; 16]);

impl Checksum {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    /// In base64, as in a manifest and in checksum files.
    pub(super) fn base64(self) -> String {
        BASE64.encode(self.0)
    }

    fn hex(self) -> String {
        use std::fmt::Write as _;
        self.0.iter().fold(String::new(), |mut text, byte| {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The `ETag` that S3 gives to content with this checksum, in the format of another one; `None`
    /// if that format does not depend on this checksum alone.
    ///
    /// DynamoDB uploads in parts. If there is one part, the `ETag` is the checksum of the checksum,
    /// followed by the count of parts. With more parts, it depends on their sizes, which are unknown.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
    pub(super) fn etag_like(self, etag: &str) -> Option<String> {
        match etag.split_once('-') {
            None => Some(self.hex()),
            Some((_, "1")) => Some(format!("{}-1", Self::of(&self.0).hex())),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A gzip file of nothing, as DynamoDB writes it for an empty partition.
    const EMPTY: [u8; 20] = [31, 139, 8, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    #[test]
    fn checksums_are_those_of_a_real_manifest() {
        let checksum = Checksum::of(&EMPTY);
        assert_eq!(checksum.base64(), "OXDoJgXH0Qm7NI/JTp7swA==");
        let etag = "67c8121a4701556ecf2fa9dda42c0269-1";
        assert_eq!(checksum.etag_like(etag).as_deref(), Some(etag));
    }

    #[test]
    fn only_the_etag_of_a_single_part_is_known() {
        let checksum = Checksum::of(b"");
        assert_eq!(checksum.etag_like("x").as_deref(), Some("d41d8cd98f00b204e9800998ecf8427e"));
        assert_eq!(checksum.etag_like("d41d8cd98f00b204e9800998ecf8427e-2"), None);
    }
}
