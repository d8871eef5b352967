//! Tests `referee watch` on DynamoDB Local, if it runs.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

mod record;
mod world;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use aws_sdk_dynamodb::types::StreamViewType;
use expect_test::expect;
use kit::endpoint;
use libtest_mimic::Trial;
use referee::store::Action;
use serde_json::json;

use world::{Watcher, World, check, item};

/// A test. Its argument is the endpoint.
type Test = fn(&str);

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 13] = [
        ("mirrors_are_written_and_violations_are_reported", mirrors_and_violations),
        ("a_watcher_resumes_from_its_checkpoint", stop_and_resume),
        ("a_killed_watcher_loses_no_record", kill_and_resume),
        ("a_terminated_watcher_finishes_its_batch", terminate),
        ("from_latest_ignores_earlier_records", latest),
        ("a_new_stream_of_the_table_is_reported", another_stream),
        ("a_poison_record_does_not_block_the_others", poisoned),
        ("two_tables_are_watched_at_once", two_tables),
        ("a_checkpoint_table_allows_one_watcher_at_a_time", checkpoint_table),
        ("observe_mode_writes_nothing", observe),
        ("tables_that_do_not_fit_the_rules_are_reported_at_the_start", differences),
        ("make_up_runs_the_example", up),
        ("a_recording_of_a_stream_replays", record::a_recording_replays),
    ];
    let trial = |(name, test): (&str, Test)| {
        endpoint::trial(format!("watch::{name}"), move |endpoint| {
            test(endpoint);
            Ok(())
        })
    };
    let mut trials: Vec<Trial> = tests.into_iter().map(trial).collect();
    trials.push(Trial::test("watch::contradictory_arguments_are_refused", || {
        refusals();
        Ok(())
    }));
    trials
}

fn mirrors_and_violations(endpoint: &str) {
    let world = World::new("mirrors", endpoint);
    let watcher = world.watch(&["--create-tables", "--seed", "seed.json"]);
    watcher.wait_for("watching");
    world.join("ada");
    watcher.wait_for("user#ada@example.com / company#acme");
    world.join("eve");
    watcher.wait_for("violation");
    assert!(world.has_mirror("ada") && world.has_mirror("eve"));
    Watcher::wait_for_own_records();
    check(
        &watcher.stop("INT"),
        &expect![[r#"
            exit code 1
            --- stdout
            put        app: user#ada@example.com / company#acme, for `membership`
            put        app: user#eve@example.com / company#acme, for `membership`
            violation  dangling_reference of `member_user`: app: company#acme / user#eve@example.com -> app: user#eve@example.com / user# (reported): the referenced `user` does not exist
            --- stderr
            watching `watch-mirrors`
            stopping after the current batches; a second signal stops at once
            stopped after 8 records: 1 violation and 2 writes
        "#]],
    );
}

fn stop_and_resume(endpoint: &str) {
    let world = World::new("resume", endpoint);
    let arguments = ["--json", "--once", "--checkpoint", "checkpoint.json"];
    world.create();
    for name in ["ada", "bob", "eve"] {
        world.join(name);
    }
    let first = world.run(&arguments);
    // The records of four items of the seed, three memberships and three mirrors.
    assert_eq!(first.totals(["records", "writes", "violations"]), [10, 3, 1]);
    world.join("kim");
    let second = world.run(&arguments);
    assert_eq!(second.totals(["records", "writes", "violations"]), [2, 1, 1]);
    let third = world.run(&arguments);
    assert_eq!(third.totals(["records", "writes", "violations"]), [0, 0, 0]);
    assert_eq!([first.code, second.code, third.code], [1, 1, 0]);
}

fn kill_and_resume(endpoint: &str) {
    const MEMBERS: usize = 40;
    let world = World::new("kill", endpoint);
    world.create();
    for number in 0..MEMBERS {
        world.join(&number.to_string());
    }
    let arguments = ["--json", "--batch-size", "3", "--checkpoint", "checkpoint.json"];
    for round in 1..=3 {
        let watcher = world.watch(&arguments);
        watcher.wait_until(|text| text.matches("\"write\"").count() >= 4 * round);
        watcher.kill();
    }
    let last = world.run(&[&arguments[..], &["--once"]].concat());
    assert_eq!(last.code, 1, "{last:?}");
    assert!((0..MEMBERS).all(|number| world.has_mirror(&number.to_string())));
    assert!(last.stderr.contains("from the checkpoint"), "{last:?}");
    // The last watcher did not start again from the beginning of the stream.
    let [records] = last.totals(["records"]);
    assert!(records < 2 * MEMBERS as u64, "{records}");
}

fn terminate(endpoint: &str) {
    const MEMBERS: u64 = 100;
    let world = World::new("terminate", endpoint);
    world.create();
    for number in 0..MEMBERS {
        world.join(&number.to_string());
    }
    let arguments = ["--json", "--batch-size", "7", "--checkpoint", "checkpoint.json"];
    let watcher = world.watch(&arguments);
    watcher.wait_for("\"write\"");
    let first = watcher.stop("TERM");
    let last = world.run(&[&arguments[..], &["--once"]].concat());
    let [first_writes, first_records] = first.totals(["writes", "records"]);
    let [last_writes, last_records] = last.totals(["writes", "records"]);
    // Nothing was lost, and nothing was processed twice: there is one record for each item of the
    // seed, each member and each mirror.
    assert_eq!(first_writes + last_writes, MEMBERS);
    assert_eq!(first_records + last_records, 4 + 2 * MEMBERS);
    assert!(first_writes > 0);
}

fn latest(endpoint: &str) {
    let world = World::new("latest", endpoint);
    world.create();
    world.join("ada");
    let arguments = ["--json", "--from", "latest", "--checkpoint", "checkpoint.json"];
    let watcher = world.watch(&arguments);
    watcher.wait_for("watching");
    // The watcher opens its iterator shortly after this message.
    sleep(Duration::from_millis(500));
    world.join("bob");
    watcher.wait_for("user#bob@example.com");
    let stopped = watcher.stop("INT");
    assert_eq!(stopped.totals(["records", "writes"]), [2, 1]);
    assert!(world.has_mirror("bob") && !world.has_mirror("ada"));
}

fn another_stream(endpoint: &str) {
    let world = World::new("another", endpoint);
    world.create();
    world.run(&["--once", "--checkpoint", "checkpoint.json"]);
    world.set_stream(None);
    world.join("ada");
    world.set_stream(Some(StreamViewType::NewAndOldImages));
    world.join("bob");
    let output = world.run(&["--once", "--checkpoint", "checkpoint.json"]);
    check(
        &output,
        &expect![[r#"
            exit code 0
            --- stdout
            put        app: user#bob@example.com / company#acme, for `membership`
            --- stderr
            watching `watch-another`
            warning: RECORDS OF TABLE `watch-another` WERE LOST: the table has a newer stream than the one in the checkpoint
            help: these changes were not checked, and mirrors may be stale
            stopped after 2 records: 1 write
            no record matched: entities `company`, `user`
        "#]],
    );
}

fn poisoned(endpoint: &str) {
    let world = World::new("poisoned", endpoint);
    world.create();
    // An item of almost 400 KB. Its mirror also has a mark, and would therefore exceed the maximum
    // size.
    let role = "x".repeat(409_560);
    world.put(&json!({"pk": {"S": "company#acme"}, "sk": {"S": "user#a"}, "role": {"S": role}}));
    world.join("ada");
    let output = world.run(&["--json", "--once"]);
    assert_eq!(output.code, 1);
    assert!(world.has_mirror("ada"));
    let rejected = output.lines().into_iter().find(|line| line["type"] == "rejected").unwrap();
    let keys: Vec<_> = rejected.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["error", "event", "payload", "record", "sequence", "type"]);
    let payload = &rejected["payload"];
    assert_eq!(payload["dynamodb"]["NewImage"]["role"]["S"], role);
    assert_eq!(payload["dynamodb"]["SequenceNumber"], rejected["sequence"]);
    assert_eq!(output.totals(["rejected"]), [1]);
}

fn two_tables(endpoint: &str) {
    let world = World::new("two", endpoint);
    let rules = "version: 1
tables:
  one: { name: watch-two-one, key: [pk, sk] }
  two: { name: watch-two-two, key: [pk, sk] }
entities:
  member: { table: one, key: { pk: \"company#{company}\", sk: \"user#{email}\" } }
  member_of: { table: two, key: { pk: \"user#{email}\", sk: \"company#{company}\" } }
mirrors:
  membership: { source: member, mirror: member_of }
";
    fs::write(world.folder.join("referee.yaml"), rules).unwrap();
    world.delete("watch-two-one");
    world.delete("watch-two-two");
    let watcher = world.watch(&["--create-tables", "--checkpoint", "checkpoint.json"]);
    watcher.wait_for("watching `watch-two-two`");
    let [source, mirror] = [("company#acme", "user#ada"), ("user#ada", "company#acme")]
        .map(|(pk, sk)| json!({"pk": {"S": pk}, "sk": {"S": sk}}));
    world.write("watch-two-one", Action::Put(item(&source)));
    watcher.wait_for("put ");
    // Another client deletes the mirror, which is in the second table.
    world.write("watch-two-two", Action::Delete(item(&mirror)));
    watcher.wait_for("violation");
    Watcher::wait_for_own_records();
    check(
        &watcher.stop("INT"),
        &expect![[r#"
            exit code 1
            --- stdout
            put        two: user#ada / company#acme, for `membership`
            repairing  two: user#ada / company#acme: put, for `membership`
            put        two: user#ada / company#acme, for `membership`
            violation  mirror_missing of `membership`: two: user#ada / company#acme -> one: company#acme / user#ada (repaired): the source exists and its mirror does not
            --- stderr
            watching `watch-two-one`
            watching `watch-two-two`
            stopping after the current batches; a second signal stops at once
            stopped after 4 records: 1 violation and 2 writes
        "#]],
    );
    assert!(world.item("watch-two-two", &mirror).is_some());
}

fn checkpoint_table(endpoint: &str) {
    let world = World::new("checkpoint", endpoint);
    world.create();
    world.delete("watch-checkpoint-kept");
    let arguments = ["--checkpoint-table", "watch-checkpoint-kept"];
    check(
        &world.run(&arguments),
        &expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: the checkpoint table `watch-checkpoint-kept` does not exist
        help: create it: aws dynamodb create-table --table-name watch-checkpoint-kept --billing-mode PAY_PER_REQUEST --attribute-definitions AttributeName=table,AttributeType=S AttributeName=shard,AttributeType=S --key-schema AttributeName=table,KeyType=HASH AttributeName=shard,KeyType=RANGE
    "#]],
    );
    let watcher = world.watch(&[&arguments[..], &["--create-tables"]].concat());
    watcher.wait_for("watching");
    world.join("ada");
    watcher.wait_for("put ");
    let second = world.run(&arguments);
    assert_eq!(second.code, 3);
    for part in ["another `referee watch` follows the streams of `", "`: process "] {
        assert!(second.stderr.contains(part), "{second:?}");
    }
    assert!(second.stderr.contains("\nhelp: stop it"), "{second:?}");
    Watcher::wait_for_own_records();
    assert_eq!(watcher.stop("TERM").code, 0);
    let third = world.run(&[&arguments[..], &["--once", "--json"]].concat());
    assert_eq!((third.code, third.totals(["records"])), (0, [0]), "{third:?}");
}

fn observe(endpoint: &str) {
    let world = World::new("observe", endpoint);
    world.create();
    world.join("ada");
    let output = world.run(&["--observe", "--once"]);
    assert!(!world.has_mirror("ada"));
    check(
        &output,
        &expect![[r#"
            exit code 1
            --- stdout
            would put        app: user#ada@example.com / company#acme, for `membership`
            violation  mirror_missing of `membership`: app: user#ada@example.com / company#acme -> app: company#acme / user#ada@example.com (would_repair): the source exists and its mirror does not
            --- stderr
            watching `watch-observe`
            stopped after 5 records: 1 violation
            no record matched: entity `member_of`
        "#]],
    );
}

fn differences(endpoint: &str) {
    let world = World::new("differences", endpoint);
    check(
        &world.run(&[]),
        &expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: the tables do not match the rule file
        table `watch-differences` does not exist
        help: check the `name` of table `app` in the rule file, the endpoint, the account and the Region
    "#]],
    );
    world.create();
    world.set_stream(None);
    check(
        &world.run(&[]),
        &expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: the tables do not match the rule file
        table `watch-differences` has no stream
        help: enable it: aws dynamodb update-table --table-name watch-differences --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES
    "#]],
    );
    world.set_stream(Some(StreamViewType::KeysOnly));
    check(
        &world.run(&[]),
        &expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: the tables do not match the rule file
        the stream of table `watch-differences` has the view type KEYS_ONLY; Referee needs NEW_AND_OLD_IMAGES
        help: a stream's view type cannot be changed: disable the stream with aws dynamodb update-table --table-name watch-differences --stream-specification StreamEnabled=false, and then enable it: aws dynamodb update-table --table-name watch-differences --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES
    "#]],
    );
}

fn up(endpoint: &str) {
    let mut world = World::new("up", endpoint);
    "app".clone_into(&mut world.table);
    world.delete("app");
    let mut command = Command::new(Path::new("tests/tools/up.sh").canonicalize().unwrap());
    command.env(endpoint::VARIABLE, endpoint).env("REFEREE_BINARY", env!("CARGO_BIN_EXE_referee"));
    let watcher = Watcher::spawn(&world, command);
    watcher.wait_for(&format!("--endpoint-url {endpoint} --table-name app"));
    world.join("ada");
    world.join("eve");
    watcher.wait_for("Z violation");
    assert!(world.has_mirror("ada"));
    assert_eq!(watcher.stop("INT").code, 1);
}

fn refusals() {
    let refused = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        let output = command.arg("watch").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8(output.stderr).unwrap();
        stderr.lines().next().unwrap().to_owned()
    };
    let output = [
        refused(&["--create-tables"]),
        refused(&["--checkpoint", "a", "--checkpoint-table", "b"]),
        refused(&["--batch-size", "1001"]),
        refused(&["--endpoint-url", "localhost:8000"]),
        refused(&["--from", "yesterday"]),
    ];
    expect![[r#"
        error: the following required arguments were not provided:
        error: the argument '--checkpoint <FILE>' cannot be used with '--checkpoint-table <NAME>'
        error: invalid value '1001' for '--batch-size <N>': 1001 is not in 1..=1000
        error: invalid value 'localhost:8000' for '--endpoint-url <URL>': it must begin with http:// or https://
        error: invalid value 'yesterday' for '--from <POSITION>'"#]].assert_eq(&output.join("\n"));
}
