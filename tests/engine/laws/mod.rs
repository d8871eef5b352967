//! Laws that hold for every history, however it is delivered.
//!
//! The application writes at random and tampers with mirrors. Its records are delivered in random
//! batches, some of them twice.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod cases;
mod world;

use cases::{cascading, members, tasks, unsetting};
use proptest::prelude::*;
use proptest::sample::Index;
use referee::store::memory::StreamRecord;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(config(128))]

    /// Mirrors equal their sources, dangling references are reported, and the application's items
    /// are as the application wrote them.
    #[test]
    fn everything_wrong_is_reported_at_rest_and_redelivery_changes_nothing(
        case in prop_oneof![
            members("restore"),
            members("delete_source"),
            tasks(),
            cascading(),
            unsetting(),
        ],
        again: (Index, Index),
    ) {
        let mut world = case.world();
        world.drain(&case.lengths);
        world.assert_reported();
        if !case.rules.contains("on_delete") {
            world.assert_own(case.rules.contains("delete_source"));
        }
        let once = world.content();
        let (one, other) = (again.0.index(world.log.len() + 1), again.1.index(world.log.len() + 1));
        world.deliver_these(one.min(other), one.max(other));
        world.drain(&case.lengths);
        prop_assert_eq!(world.content(), once);
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn any_division_into_batches_gives_the_same_result(
        case in prop_oneof![members("restore"), members("delete_source"), tasks()],
    ) {
        let mut whole = case.world_undelivered();
        whole.drain(&[usize::MAX / 2]);
        let mut cut = case.world_undelivered();
        cut.drain(&case.lengths);
        prop_assert_eq!(cut.content(), whole.content());
        prop_assert_eq!(cut.dangling(), whole.dangling());
    }

    #[test]
    fn repairs_give_the_same_result_in_any_batches_and_order(
        case in prop_oneof![cascading(), unsetting()],
        places in prop::collection::vec(any::<Index>(), 16),
    ) {
        let mut whole = case.world_undelivered();
        whole.drain(&[usize::MAX / 2]);
        let mut cut = case.world_undelivered();
        cut.drain(&case.lengths);
        prop_assert_eq!(cut.content(), whole.content());
        let mut mixed = case.world_undelivered();
        mixed.log = mix(std::mem::take(&mut mixed.log), &places);
        mixed.drain(&case.lengths);
        prop_assert_eq!(mixed.content(), whole.content());
        whole.assert_whole();
    }

    /// Shorter batches may report more: a longer batch sees only the last value of an item.
    #[test]
    fn a_violation_has_the_same_id_in_every_delivery(
        mut case in prop_oneof![members("report"), tasks()],
    ) {
        case.rules = case.rules.replace("copy:", "mode: observe, copy:");
        let mut whole = case.world_undelivered();
        whole.drain(&[usize::MAX / 2]);
        let once = whole.ids();
        whole.deliver_these(0, whole.log.len());
        prop_assert_eq!(whole.ids(), once);
        let mut cut = case.world_undelivered();
        cut.drain(&case.lengths);
        prop_assert!(cut.ids().is_superset(&whole.ids()));
    }

    /// Messages are delivered twice, in any order.
    #[test]
    fn a_queue_for_suspects_changes_neither_the_result_nor_the_ids(
        case in prop_oneof![
            members("restore"),
            members("delete_source"),
            members("report"),
            tasks(),
            cascading(),
            unsetting(),
        ],
    ) {
        let mut without = case.world_undelivered();
        without.drain(&case.lengths);
        let mut with = case.world_undelivered();
        with.use_queue();
        with.drain(&case.lengths);
        prop_assert_eq!(with.content(), without.content());
        prop_assert_eq!(with.ids(), without.ids());
        with.assert_reported();
    }

    /// Unless a mirror's delete deletes its source, the order between items does not matter.
    #[test]
    fn the_order_between_items_does_not_change_the_result(
        case in prop_oneof![members("restore"), tasks()],
        places in prop::collection::vec(any::<Index>(), 16),
    ) {
        let mut in_order = case.world_undelivered();
        in_order.drain(&case.lengths);
        let mut mixed = case.world_undelivered();
        mixed.log = mix(std::mem::take(&mut mixed.log), &places);
        mixed.drain(&case.lengths);
        prop_assert_eq!(mixed.content(), in_order.content());
        mixed.assert_reported();
    }
}

/// Reorders the records, but keeps the order of each item's records.
fn mix(records: Vec<StreamRecord>, places: &[Index]) -> Vec<StreamRecord> {
    let mut mixed: Vec<StreamRecord> = Vec::new();
    for (record, place) in records.into_iter().zip(places.iter().cycle()) {
        let after = mixed.iter().rposition(|known| known.key == record.key).map_or(0, |it| it + 1);
        mixed.insert(after + place.index(mixed.len() - after + 1), record);
    }
    mixed
}
