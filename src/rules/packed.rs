//! Rules in an environment variable, compressed.

use std::io::Read as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::FILE_BYTES_MAX;

/// Unpacks the value of `REFEREE_RULES_GZ`: gzip, as base64. The error continues a sentence that
/// begins with the variable's name.
pub fn unpack(packed: &str) -> Result<Vec<u8>, String> {
    let packed: String = packed.split_whitespace().collect();
    let packed =
        BASE64_STANDARD.decode(packed).map_err(|error| format!("is not base64: {error}"))?;
    let mut unpacked = Vec::new();
    // The 4 KB of Lambda's environment could unpack to gigabytes. One byte more than the maximum is
    // enough to detect that the rule file is too long.
    flate2::read::MultiGzDecoder::new(packed.as_slice())
        .take(FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| format!("is not base64-encoded gzip: {error}"))?;
    Ok(unpacked)
}
