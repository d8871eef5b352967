//! Decides whether all existing records have been read.
//!
//! An open shard never reports its end, and records may follow an empty page. A shard therefore
//! counts as quiet if it has returned no record for some time. All shards must be quiet at the same
//! time, because processing a record of one table may write to another.

use std::collections::BTreeMap;

/// How long a shard must return no records before it counts as quiet.
const QUIET_MS_MIN: i64 = 2_000;

/// How long each open shard has returned only empty pages, by stream and shard, in milliseconds of
/// waits between the pages.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    empty_ms: BTreeMap<(String, String), i64>,
}

impl Quiet {
    /// Adds a shard that is being read.
    pub(super) fn open(&mut self, stream: &str, shard: &str) {
        self.empty_ms.insert((stream.to_owned(), shard.to_owned()), 0);
    }

    /// Removes a shard that is no longer being read.
    pub(super) fn close(&mut self, stream: &str, shard: &str) {
        self.empty_ms.remove(&(stream.to_owned(), shard.to_owned()));
    }

    /// Adds an empty page of a shard, and the wait after it.
    pub(super) fn add_empty_page(&mut self, stream: &str, shard: &str, pause_ms: i64) {
        if let Some(empty_ms) = self.empty_ms.get_mut(&(stream.to_owned(), shard.to_owned())) {
            *empty_ms = empty_ms.saturating_add(pause_ms);
        }
    }

    /// Resets all times, because a record came.
    pub(super) fn reset(&mut self) {
        self.empty_ms.values_mut().for_each(|empty_ms| *empty_ms = 0);
    }

    /// Whether no record has come from any open shard for long enough.
    pub(super) fn is_quiet(&self) -> bool {
        self.empty_ms.values().all(|empty_ms| *empty_ms >= QUIET_MS_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_busy_shard_keeps_all_from_being_quiet() {
        let mut quiet = Quiet::default();
        assert!(quiet.is_quiet());
        quiet.open("0", "a");
        quiet.open("1", "a");
        quiet.add_empty_page("0", "a", QUIET_MS_MIN);
        assert!(!quiet.is_quiet());
        quiet.add_empty_page("1", "a", QUIET_MS_MIN);
        assert!(quiet.is_quiet());
        quiet.reset();
        quiet.add_empty_page("1", "a", QUIET_MS_MIN);
        assert!(!quiet.is_quiet());
        quiet.close("0", "a");
        assert!(quiet.is_quiet());
    }

    /// The time counts, not the number of pages.
    #[test]
    fn a_shard_is_quiet_after_two_seconds_whatever_the_wait_between_pages() {
        for pause_ms in [1, 100, 250, 2_000] {
            let mut quiet = Quiet::default();
            quiet.open("0", "a");
            let mut empty_ms = 0;
            while !quiet.is_quiet() {
                quiet.add_empty_page("0", "a", pause_ms);
                empty_ms += pause_ms;
            }
            assert_eq!(empty_ms, 2_000, "{pause_ms}");
        }
    }
}
