use std::cell::Cell;

use futures_util::FutureExt as _;

use super::*;
use crate::store::Memory;

/// A clock that is set by hand.
struct Time(Cell<i64>);

impl Clock for Time {
    fn now_ms(&self) -> i64 {
        self.0.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        self.0.set(time_ms);
    }
}

type Table<'t> = CheckpointTable<'t, Memory, Time>;

fn stream(label: &str) -> Stream {
    let arn = format!("arn:aws:dynamodb:eu-west-1:1:table/app/stream/{label}");
    Stream { arn, table: "app".to_owned() }
}

fn load(table: &Table<'_>, label: &str) -> Result<Known, KeepError> {
    table.load(&stream(label)).now_or_never().unwrap()
}

fn save(table: &Table<'_>, shard: &str, checkpoint: Option<&Checkpoint>) -> Result<(), KeepError> {
    table.save(&stream("1"), shard, checkpoint).now_or_never().unwrap()
}

fn renew(table: &Table<'_>) -> Result<(), KeepError> {
    table.renew().now_or_never().unwrap()
}

fn with_two(test: impl FnOnce(&Time, &Table<'_>, &Table<'_>)) {
    let memory = Memory::new([checkpoint_schema("kept")]);
    let time = Time(Cell::new(1_000_000));
    let watcher = |owner: &str| CheckpointTable::new(&memory, &time, "kept", owner.to_owned());
    test(&time, &watcher("one"), &watcher("two"));
}

#[test]
fn the_next_watcher_loads_the_saved_checkpoints() {
    with_two(|_, one, two| {
        assert_eq!(load(one, "1"), Ok(Known::default()));
        let after = Checkpoint::After(SequenceNumber::parse("170000000000000000001").unwrap());
        let checkpoints = [("a", Checkpoint::Drained), ("b", Checkpoint::Since(7)), ("c", after)];
        for (shard, checkpoint) in &checkpoints {
            save(one, shard, Some(checkpoint)).unwrap();
        }
        save(one, "d", Some(&Checkpoint::Drained)).unwrap();
        save(one, "d", None).unwrap();
        one.release().now_or_never().unwrap();
        let checkpoints = checkpoints.map(|(shard, checkpoint)| (shard.to_owned(), checkpoint));
        let progress = Some(Progress::from(checkpoints));
        assert_eq!(load(two, "1"), Ok(Known { progress, has_unread_ancestor: false }));
    });
}

#[test]
fn progress_of_a_replaced_stream_is_forgotten() {
    with_two(|_, one, _| {
        load(one, "1").unwrap();
        save(one, "a", Some(&Checkpoint::Since(7))).unwrap();
        assert_eq!(load(one, "2"), Ok(Known { progress: None, has_unread_ancestor: true }));
        assert_eq!(load(one, "2"), Ok(Known::default()));
    });
}

#[test]
fn a_second_watcher_is_refused() {
    with_two(|time, one, two| {
        load(one, "1").unwrap();
        let refusal = load(two, "1").unwrap_err();
        expect_test::expect![[r"
            another `referee watch` follows the streams of `arn:aws:dynamodb:eu-west-1:1:table/app`: one
            help: stop it; if it was killed, wait 30 s until its lease expires"]]
        .assert_eq(&refusal.to_string());
        for _ in 0..9 {
            time.0.set(time.0.get() + LEASE_MS / 3);
            renew(one).unwrap();
            load(two, "1").unwrap_err();
        }
        one.release().now_or_never().unwrap();
        load(two, "1").unwrap();
    });
}

#[test]
fn a_watcher_that_lost_its_lease_saves_nothing() {
    with_two(|time, one, two| {
        load(one, "1").unwrap();
        save(one, "a", Some(&Checkpoint::Since(1))).unwrap();
        time.0.set(time.0.get() + LEASE_MS + 1);
        load(two, "1").unwrap();
        save(two, "a", Some(&Checkpoint::Drained)).unwrap();
        assert!(matches!(save(one, "a", Some(&Checkpoint::Since(2))), Err(KeepError::Fatal(_))));
        assert!(matches!(renew(one), Err(KeepError::Fatal(_))));
        one.release().now_or_never().unwrap();
        renew(two).unwrap();
        let progress = Some(Progress::from([("a".to_owned(), Checkpoint::Drained)]));
        assert_eq!(load(two, "1"), Ok(Known { progress, has_unread_ancestor: false }));
    });
}
