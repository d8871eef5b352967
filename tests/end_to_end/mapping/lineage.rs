//! Decides which shards of a stream may be read: parents before their children.
//!
//! "Because shards have a lineage (parent and children), an application must always process a
//! parent shard before it processes a child shard."
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>

use std::collections::BTreeSet;

use referee::streams::Shard;

/// Returns the shards that may be read now, given the shards that have been read to the end. A
/// parent that is no longer listed has been trimmed, so its children may be read.
pub(super) fn readable<'s>(
    shards: &'s [Shard],
    finished: &'s BTreeSet<String>,
) -> impl Iterator<Item = &'s Shard> {
    let is_listed = |id: &String| shards.iter().any(|shard| shard.id == *id);
    shards.iter().filter(move |shard| {
        let waits = shard.parent.as_ref().is_some_and(|id| is_listed(id) && !finished.contains(id));
        !waits && !finished.contains(&shard.id)
    })
}

pub(super) const TESTS: &[(&str, fn())] =
    &[("a_child_shard_waits_for_its_parent", a_child_shard_waits_for_its_parent)];

fn a_child_shard_waits_for_its_parent() {
    let shard = |id: &str, parent: Option<&str>| Shard {
        id: id.to_owned(),
        parent: parent.map(str::to_owned),
        is_closed: false,
    };
    // `b` and `c` are the halves of `a`. The parent of `d` has been trimmed.
    let shards = [
        shard("b", Some("a")),
        shard("a", None),
        shard("c", Some("a")),
        shard("d", Some("gone")),
        shard("e", Some("c")),
    ];
    let after = |finished: &[&str]| {
        let finished = finished.iter().map(|&id| id.to_owned()).collect();
        readable(&shards, &finished).map(|shard| shard.id.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(after(&[]), "a d");
    assert_eq!(after(&["a"]), "b c d");
    assert_eq!(after(&["a", "c", "d"]), "b e");
}
