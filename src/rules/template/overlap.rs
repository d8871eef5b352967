//! Whether two templates share a key.
