//! Decides which shards of a stream may be read now.
//!
//! The changes of an item are in order only if a shard is read after its parent. A shard whose
//! parent was trimmed may be read at once.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.Processing>

use std::collections::BTreeMap;

use super::Start;
use super::progress::{Checkpoint, Progress};
use crate::streams::Shard;

/// The shards of a stream, and how far each has been read.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    nodes: BTreeMap<String, Node>,
}

#[derive(Debug)]
struct Node {
    parent: Option<String>,
    checkpoint: Option<Checkpoint>,
    is_being_read: bool,
    /// Whether to skip the records that already exist.
    is_from_latest: bool,
}

/// A shard to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ready {
    /// The shard's ID.
    pub(super) shard: String,
    /// How far it has been read.
    pub(super) checkpoint: Option<Checkpoint>,
    /// Whether to begin with the records that are written from now on.
    pub(super) is_from_latest: bool,
}

/// The known shards that are missing from a list of the stream's shards.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Missing {
    /// Shards that were read to their end: their progress can be forgotten.
    pub(super) drained: Vec<String>,
    /// Shards that were not: their remaining records are lost.
    pub(super) unread: Vec<String>,
}

impl Lineage {
    /// The shards of a stream with saved progress.
    pub(super) fn resume(progress: Progress) -> Self {
        let node = |checkpoint| Node {
            parent: None,
            checkpoint: Some(checkpoint),
            is_being_read: false,
            is_from_latest: false,
        };
        Self {
            nodes: progress
                .into_iter()
                .map(|(shard, checkpoint)| (shard, node(checkpoint)))
                .collect(),
        }
    }

    /// The shards of a stream without saved progress, and the checkpoints to save first. With
    /// [`Start::Latest`], existing records are skipped, and the checkpoints ensure that they are
    /// still skipped after a crash.
    pub(super) fn begin(start: Start, listed: Vec<Shard>, now_ms: i64) -> (Self, Progress) {
        let mut lineage = Self::default();
        lineage.update(listed.clone());
        if start == Start::TrimHorizon {
            return (lineage, Progress::new());
        }
        let mut progress = Progress::new();
        for shard in listed {
            let checkpoint =
                if shard.is_closed { Checkpoint::Drained } else { Checkpoint::Since(now_ms) };
            if let Some(node) = lineage.nodes.get_mut(&shard.id) {
                node.checkpoint = Some(checkpoint.clone());
                node.is_from_latest = !shard.is_closed;
            }
            progress.insert(shard.id, checkpoint);
        }
        (lineage, progress)
    }

    /// Adds new shards, and removes and returns the known shards that no longer exist.
    pub(super) fn update(&mut self, listed: Vec<Shard>) -> Missing {
        let mut missing = Missing::default();
        self.nodes.retain(|id, node| {
            if node.is_being_read || listed.iter().any(|shard| shard.id == *id) {
                return true;
            }
            let is_drained = node.checkpoint == Some(Checkpoint::Drained);
            if is_drained { &mut missing.drained } else { &mut missing.unread }.push(id.clone());
            false
        });
        for shard in listed {
            let node = self.nodes.entry(shard.id).or_insert(Node {
                parent: None,
                checkpoint: None,
                is_being_read: false,
                is_from_latest: false,
            });
            node.parent = shard.parent;
        }
        missing
    }

    /// Returns the shards that may be read now, and marks them as being read.
    pub(super) fn start_ready(&mut self) -> Vec<Ready> {
        let ids: Vec<String> = self
            .nodes
            .iter()
            .filter(|(_, node)| self.may_be_read(node))
            .map(|it| it.0.clone())
            .collect();
        let start = |id: String| {
            let node = self.nodes.get_mut(&id)?;
            node.is_being_read = true;
            let is_from_latest = std::mem::take(&mut node.is_from_latest);
            Some(Ready { shard: id, checkpoint: node.checkpoint.clone(), is_from_latest })
        };
        ids.into_iter().filter_map(start).collect()
    }

    /// Marks a shard as read to its end, or as far as it can be read.
    pub(super) fn finish(&mut self, shard: &str) {
        if let Some(node) = self.nodes.get_mut(shard) {
            node.is_being_read = false;
            node.checkpoint = Some(Checkpoint::Drained);
        }
    }

    fn may_be_read(&self, node: &Node) -> bool {
        let is_drained = |node: &Node| node.checkpoint == Some(Checkpoint::Drained);
        let parent = node.parent.as_ref().and_then(|parent| self.nodes.get(parent));
        !node.is_being_read && !is_drained(node) && parent.is_none_or(is_drained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::SequenceNumber;
    use proptest::prelude::*;

    fn shard(id: &str, parent: Option<&str>, is_closed: bool) -> Shard {
        Shard { id: id.to_owned(), parent: parent.map(str::to_owned), is_closed }
    }

    /// A parent, its two children, and a grandchild of one of them.
    fn family() -> Vec<Shard> {
        vec![
            shard("a", None, true),
            shard("b", Some("a"), true),
            shard("c", Some("a"), false),
            shard("d", Some("b"), false),
        ]
    }

    fn ready(lineage: &mut Lineage) -> Vec<String> {
        lineage.start_ready().into_iter().map(|ready| ready.shard).collect()
    }

    fn after() -> Checkpoint {
        Checkpoint::After(SequenceNumber::parse("7").unwrap())
    }

    #[test]
    fn a_child_is_read_after_its_parent() {
        let (mut lineage, progress) = Lineage::begin(Start::TrimHorizon, family(), 0);
        assert!(progress.is_empty());
        assert_eq!(ready(&mut lineage), ["a"]);
        assert!(ready(&mut lineage).is_empty());
        lineage.finish("a");
        assert_eq!(ready(&mut lineage), ["b", "c"]);
        lineage.finish("b");
        assert_eq!(ready(&mut lineage), ["d"]);
    }

    #[test]
    fn a_shard_whose_parent_was_trimmed_is_read_at_once() {
        let mut lineage = Lineage::default();
        lineage.update(vec![shard("b", Some("a"), false)]);
        assert_eq!(ready(&mut lineage), ["b"]);
    }

    #[test]
    fn starting_with_the_latest_skips_existing_records() {
        let (mut lineage, progress) = Lineage::begin(Start::Latest, family(), 99);
        let started = lineage.start_ready();
        let latest = |shard: &str| Ready {
            shard: shard.to_owned(),
            checkpoint: Some(Checkpoint::Since(99)),
            is_from_latest: true,
        };
        assert_eq!(started, [latest("c"), latest("d")]);
        assert_eq!(progress.len(), 4);
        assert_eq!(progress.get("a"), Some(&Checkpoint::Drained));
        // Records written after a crash are not skipped.
        let mut resumed = Lineage::resume(progress);
        resumed.update(family());
        let expected = started
            .into_iter()
            .map(|ready| Ready { is_from_latest: false, ..ready })
            .collect::<Vec<_>>();
        assert_eq!(resumed.start_ready(), expected);
    }

    #[test]
    fn reading_resumes_from_the_checkpoint() {
        let known = [
            ("a", Checkpoint::Drained),
            ("b", after()),
            ("x", after()),
            ("y", Checkpoint::Drained),
        ];
        let known = known.map(|(shard, checkpoint)| (shard.to_owned(), checkpoint));
        let mut lineage = Lineage::resume(Progress::from(known));
        let missing = lineage.update(family());
        assert_eq!(missing.unread, ["x"]);
        assert_eq!(missing.drained, ["y"]);
        let checkpoints: Vec<_> = lineage
            .start_ready()
            .into_iter()
            .map(|ready| (ready.shard, ready.checkpoint))
            .collect();
        assert_eq!(checkpoints, [("b".to_owned(), Some(after())), ("c".to_owned(), None)]);
    }

    #[test]
    fn a_trimmed_shard_is_kept_while_it_is_being_read() {
        let (mut lineage, _) = Lineage::begin(Start::TrimHorizon, family(), 0);
        assert_eq!(ready(&mut lineage), ["a"]);
        let without = || family().into_iter().skip(1).collect();
        assert_eq!(lineage.update(without()), Missing::default());
        assert!(ready(&mut lineage).is_empty());
        lineage.finish("a");
        assert_eq!(lineage.update(without()).drained, ["a"]);
        assert_eq!(ready(&mut lineage), ["b", "c"]);
    }

    proptest! {
        /// For any tree of shards and any order in which they are finished, every shard is read
        /// once, after its parent.
        #[test]
        fn every_shard_is_read_after_its_parent(
            parents in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
            order in prop::collection::vec(any::<prop::sample::Index>(), 20),
        ) {
            let name = |number: usize| format!("{number:02}");
            let shards: Vec<Shard> = parents
                .iter()
                .enumerate()
                .map(|(number, parent)| {
                    // The first shard is the root. Any other has an earlier one as its parent.
                    let parent = (number > 0).then(|| name(parent.index(number)));
                    Shard { id: name(number), parent, is_closed: true }
                })
                .collect();
            let (mut lineage, _) = Lineage::begin(Start::TrimHorizon, shards.clone(), 0);
            let mut reading: Vec<String> = Vec::new();
            let mut done: Vec<String> = Vec::new();
            for choice in order {
                for started in ready(&mut lineage) {
                    let node = shards.iter().find(|shard| shard.id == started).unwrap();
                    prop_assert!(node.parent.as_ref().is_none_or(|parent| done.contains(parent)));
                    reading.push(started);
                }
                if !reading.is_empty() {
                    let shard = reading.remove(choice.index(reading.len()));
                    lineage.finish(&shard);
                    done.push(shard);
                }
            }
            done.sort();
            prop_assert_eq!(done, (0..shards.len()).map(name).collect::<Vec<_>>());
        }
    }
}
