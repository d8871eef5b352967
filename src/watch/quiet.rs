//! Whether all that there is has been read.
//!
//! A shard that is not closed never says that it is at its end, and an empty page may have records
//! behind it. So it is called quiet when nothing has come of any shard for a number of reads: a
//! batch of one table may write to another.

use std::collections::BTreeMap;

/// How many reads in a row bring nothing before a shard counts as quiet: two seconds of them.
const EMPTY_READS_MIN: u32 = 8;

/// The reads of each open shard that brought nothing since anything came, by stream and shard.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    empty_reads: BTreeMap<(String, String), u32>,
}

impl Quiet {
    /// A shard is being read.
    pub(super) fn open(&mut self, stream: &str, shard: &str) {
        self.empty_reads.insert((stream.to_owned(), shard.to_owned()), 0);
    }

    /// A shard is no longer being read.
    pub(super) fn close(&mut self, stream: &str, shard: &str) {
        self.empty_reads.remove(&(stream.to_owned(), shard.to_owned()));
    }

    /// A shard was read, and nothing came.
    pub(super) fn nothing_came(&mut self, stream: &str, shard: &str) {
        if let Some(reads) = self.empty_reads.get_mut(&(stream.to_owned(), shard.to_owned())) {
            *reads = reads.saturating_add(1);
        }
    }

    /// Something came.
    pub(super) fn something_came(&mut self) {
        self.empty_reads.values_mut().for_each(|reads| *reads = 0);
    }

    /// Whether nothing has come of any open shard for a while.
    pub(super) fn is_quiet(&self) -> bool {
        self.empty_reads.values().all(|reads| *reads >= EMPTY_READS_MIN)
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
        let nothing_comes = |quiet: &mut Quiet, stream: &str| {
            (0..EMPTY_READS_MIN).for_each(|_| quiet.nothing_came(stream, "a"));
        };
        nothing_comes(&mut quiet, "0");
        assert!(!quiet.is_quiet());
        nothing_comes(&mut quiet, "1");
        assert!(quiet.is_quiet());
        quiet.something_came();
        nothing_comes(&mut quiet, "1");
        assert!(!quiet.is_quiet());
        quiet.close("0", "a");
        assert!(quiet.is_quiet());
    }
}
