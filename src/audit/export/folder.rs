//! The folder of an export, and the small files in it.

use std::io::Read as _;
use std::sync::Arc;

use super::error::ExportError;
use super::objects::{ObjectError, Objects, within};

/// The maximum size of a manifest that is read: a data file takes about 250 bytes.
const MANIFEST_BYTES_MAX: u64 = 256 << 20;

/// A folder of an export.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    pub(super) objects: Arc<dyn Objects>,
    pub(super) path: String,
}

impl Folder {
    /// The address for messages.
    pub(super) fn address(&self) -> String {
        self.objects.address(&self.path)
    }

    pub(super) fn address_of(&self, name: &str) -> String {
        self.objects.address(&within(&self.path, name))
    }

    /// Reads a small file; `None` if it does not exist.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ExportError> {
        let path = within(&self.path, name);
        let source = match self.objects.open(&path) {
            Ok(source) => source,
            Err(ObjectError::Missing(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut bytes = Vec::new();
        let read = source.take(MANIFEST_BYTES_MAX).read_to_end(&mut bytes);
        read.map_err(|error| ObjectError::of_read(self.objects.address(&path), error))?;
        Ok(Some(bytes))
    }
}
