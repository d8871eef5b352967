//! Tests `referee record` on DynamoDB Local.

use super::world::World;

pub(crate) fn a_recording_replays(endpoint: &str) {
    let world = World::new("record", endpoint);
    world.create();
    world.join("ada");
    world.join("eve");
    let recorded = world.referee(&["record", "--once", "--batch-size", "2", "events"]);
    assert_eq!(recorded.code, 0, "{recorded:?}");
    assert!(recorded.stderr.contains("recording `watch-record`"), "{recorded:?}");
    // The seed has four items.
    assert!(recorded.stderr.contains("recorded 6 records in 3 files"), "{recorded:?}");
    assert!(!world.has_mirror("ada"), "recording writes nothing");

    let replayed = world.run_locally(&["replay", "--json", "events"]);
    assert_eq!(replayed.code, 1, "{replayed:?}");
    assert_eq!(replayed.totals(["violations", "rejected"]), [1, 0]);
    let lines = replayed.lines();
    let puts: Vec<_> = lines.iter().filter(|line| line["op"] == "put").collect();
    assert_eq!(puts.len(), 2, "{replayed:?}");

    let again = world.referee(&["record", "--once", "events"]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("help: name a new folder"), "{again:?}");
}
