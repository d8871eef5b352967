//! Which shards of a stream may be read now.
//!
//! Changes of one item come in order only if a shard is read after its parent. A parent that was
//! trimmed holds nobody up.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.Processing>

use std::collections::BTreeMap;

use super::From;
use super::progress::{Mark, Progress};
use crate::streams::Shard;

/// The shards of a stream, and how far each has been read.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    nodes: BTreeMap<String, Node>,
}

#[derive(Debug)]
struct Node {
    parent: Option<String>,
    mark: Option<Mark>,
    is_being_read: bool,
    /// Whether what it holds already is not wanted.
    is_from_latest: bool,
}

/// A shard to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ready {
    /// The shard's name.
    pub(super) shard: String,
    /// How far it has been read.
    pub(super) mark: Option<Mark>,
    /// Whether to begin with what is written from now on.
    pub(super) is_from_latest: bool,
}

/// What a list of shards tells of the ones that are no longer in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Missing {
    /// They were read to their end: nothing need be kept of them.
    pub(super) drained: Vec<String>,
    /// They were not: what they still held is lost.
    pub(super) unread: Vec<String>,
}

impl Lineage {
    /// A stream that a checkpoint knows.
    pub(super) fn resume(progress: Progress) -> Self {
        let node = |mark| Node {
            parent: None,
            mark: Some(mark),
            is_being_read: false,
            is_from_latest: false,
        };
        Self { nodes: progress.into_iter().map(|(shard, mark)| (shard, node(mark))).collect() }
    }

    /// A stream that no checkpoint knows, and its marks if not all of it is wanted: whoever
    /// begins with the latest leaves out what there is, and must know so after a crash.
    pub(super) fn begin(from: From, listed: Vec<Shard>, now_ms: i64) -> (Self, Progress) {
        let mut lineage = Self::default();
        lineage.update(listed.clone());
        if from == From::TrimHorizon {
            return (lineage, Progress::new());
        }
        let mut progress = Progress::new();
        for shard in listed {
            let mark = if shard.is_closed { Mark::Drained } else { Mark::Since(now_ms) };
            if let Some(node) = lineage.nodes.get_mut(&shard.id) {
                node.mark = Some(mark.clone());
                node.is_from_latest = !shard.is_closed;
            }
            progress.insert(shard.id, mark);
        }
        (lineage, progress)
    }

    /// Learns which shards there are now.
    pub(super) fn update(&mut self, listed: Vec<Shard>) -> Missing {
        let mut missing = Missing::default();
        self.nodes.retain(|id, node| {
            if node.is_being_read || listed.iter().any(|shard| shard.id == *id) {
                return true;
            }
            let is_drained = node.mark == Some(Mark::Drained);
            if is_drained { &mut missing.drained } else { &mut missing.unread }.push(id.clone());
            false
        });
        for shard in listed {
            let node = self.nodes.entry(shard.id).or_insert(Node {
                parent: None,
                mark: None,
                is_being_read: false,
                is_from_latest: false,
            });
            node.parent = shard.parent;
        }
        missing
    }

    /// Takes the shards that may be read now, and are not being read yet.
    pub(super) fn take_ready(&mut self) -> Vec<Ready> {
        let ids: Vec<String> = self
            .nodes
            .iter()
            .filter(|(_, node)| self.may_be_read(node))
            .map(|it| it.0.clone())
            .collect();
        let take = |id: String| {
            let node = self.nodes.get_mut(&id)?;
            node.is_being_read = true;
            let is_from_latest = std::mem::take(&mut node.is_from_latest);
            Some(Ready { shard: id, mark: node.mark.clone(), is_from_latest })
        };
        ids.into_iter().filter_map(take).collect()
    }

    /// A shard has been read to its end, or to where it was lost.
    pub(super) fn drained(&mut self, shard: &str) {
        if let Some(node) = self.nodes.get_mut(shard) {
            node.is_being_read = false;
            node.mark = Some(Mark::Drained);
        }
    }

    fn may_be_read(&self, node: &Node) -> bool {
        let is_drained = |node: &Node| node.mark == Some(Mark::Drained);
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
        lineage.take_ready().into_iter().map(|ready| ready.shard).collect()
    }

    fn after() -> Mark {
        Mark::After(SequenceNumber::parse("7").unwrap())
    }

    #[test]
    fn a_child_is_read_after_its_parent() {
        let (mut lineage, progress) = Lineage::begin(From::TrimHorizon, family(), 0);
        assert!(progress.is_empty());
        assert_eq!(ready(&mut lineage), ["a"]);
        assert!(ready(&mut lineage).is_empty());
        lineage.drained("a");
        assert_eq!(ready(&mut lineage), ["b", "c"]);
        lineage.drained("b");
        assert_eq!(ready(&mut lineage), ["d"]);
    }

    #[test]
    fn a_trimmed_parent_holds_nobody_up() {
        let mut lineage = Lineage::default();
        lineage.update(vec![shard("b", Some("a"), false)]);
        assert_eq!(ready(&mut lineage), ["b"]);
    }

    #[test]
    fn from_latest_the_past_counts_as_read() {
        let (mut lineage, progress) = Lineage::begin(From::Latest, family(), 99);
        let taken = lineage.take_ready();
        let latest = |shard: &str| Ready {
            shard: shard.to_owned(),
            mark: Some(Mark::Since(99)),
            is_from_latest: true,
        };
        assert_eq!(taken, [latest("c"), latest("d")]);
        assert_eq!(progress.len(), 4);
        assert_eq!(progress.get("a"), Some(&Mark::Drained));
        // What is written after a crash is not left out.
        let mut resumed = Lineage::resume(progress);
        resumed.update(family());
        let expected = taken
            .into_iter()
            .map(|ready| Ready { is_from_latest: false, ..ready })
            .collect::<Vec<_>>();
        assert_eq!(resumed.take_ready(), expected);
    }

    #[test]
    fn a_checkpoint_is_taken_up_where_it_was_left() {
        let known = [("a", Mark::Drained), ("b", after()), ("x", after()), ("y", Mark::Drained)];
        let known = known.map(|(shard, mark)| (shard.to_owned(), mark));
        let mut lineage = Lineage::resume(Progress::from(known));
        let missing = lineage.update(family());
        assert_eq!(missing.unread, ["x"]);
        assert_eq!(missing.drained, ["y"]);
        let marks: Vec<_> =
            lineage.take_ready().into_iter().map(|ready| (ready.shard, ready.mark)).collect();
        assert_eq!(marks, [("b".to_owned(), Some(after())), ("c".to_owned(), None)]);
    }

    #[test]
    fn what_is_being_read_is_left_to_its_reader() {
        let (mut lineage, _) = Lineage::begin(From::TrimHorizon, family(), 0);
        assert_eq!(ready(&mut lineage), ["a"]);
        let without = || family().into_iter().skip(1).collect();
        assert_eq!(lineage.update(without()), Missing::default());
        assert!(ready(&mut lineage).is_empty());
        lineage.drained("a");
        assert_eq!(lineage.update(without()).drained, ["a"]);
        assert_eq!(ready(&mut lineage), ["b", "c"]);
    }

    proptest! {
        /// Whatever the tree, and whoever is ready first: every shard is read, once, and after its
        /// parent.
        #[test]
        fn every_shard_is_read_after_its_parent(
            parents in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
            order in prop::collection::vec(any::<prop::sample::Index>(), 20),
        ) {
            let name = |place: usize| format!("{place:02}");
            let shards: Vec<Shard> = parents
                .iter()
                .enumerate()
                .map(|(place, parent)| {
                    // The root, or any earlier one.
                    let parent = (place > 0).then(|| name(parent.index(place)));
                    Shard { id: name(place), parent, is_closed: true }
                })
                .collect();
            let (mut lineage, _) = Lineage::begin(From::TrimHorizon, shards.clone(), 0);
            let mut reading: Vec<String> = Vec::new();
            let mut done: Vec<String> = Vec::new();
            for choice in order {
                for taken in ready(&mut lineage) {
                    let node = shards.iter().find(|shard| shard.id == taken).unwrap();
                    prop_assert!(node.parent.as_ref().is_none_or(|parent| done.contains(parent)));
                    reading.push(taken);
                }
                if !reading.is_empty() {
                    let shard = reading.remove(choice.index(reading.len()));
                    lineage.drained(&shard);
                    done.push(shard);
                }
            }
            done.sort();
            prop_assert_eq!(done, (0..shards.len()).map(name).collect::<Vec<_>>());
        }
    }
}
