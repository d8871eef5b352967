//! Bad input to `referee replay`. The message has the location and a fix, the exit code is right,
//! and no file is left half-written.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use expect_test::expect;

const CASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/events/company-user");

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("replay_input").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn replay(folder: &Path, arguments: &[&str]) -> Output {
    let rules = format!("{CASE}/referee.yaml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
    command.args(["replay", "--rules", &rules]).args(arguments);
    command.current_dir(folder).env_clear().output().unwrap()
}

/// For a file with each content, the exit code and the first line of the output.
fn outputs(folder: &Path, option: &[&str], contents: &[&[u8]]) -> String {
    let mut all = String::new();
    for content in contents {
        std::fs::write(folder.join("it.json"), content).unwrap();
        let stream = format!("{CASE}/stream");
        let arguments =
            [option, &["it.json"][..], if option.is_empty() { &[] } else { &[&stream] }];
        let output = replay(folder, &arguments.concat());
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        let first = text.lines().next().unwrap_or_default();
        let code = output.status.code().unwrap().to_string();
        all.extend([&code, " ", first, "\n"]);
    }
    all
}

#[test]
fn invalid_events_are_refused_or_rejected() {
    let contents: &[&[u8]] = &[
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        br#"{"key1": "value1"}"#,
        br#"{"Records": {}}"#,
        br#"{"Records": [{"eventSource": "aws:sqs", "body": "x"}]}"#,
        br#"{"Records": [null]}"#,
        br#"{"Records": [{"eventName": "INSERT"}]}"#,
    ];
    expect![[r#"
        2 error: `it.json`: the event is not JSON: EOF while parsing a value at line 1 column 0
        2 error: `it.json`: the event is not JSON: expected ident at line 1 column 2
        2 error: `it.json`: the event is not UTF-8: the first invalid byte is at 0
        2 error: `it.json`: the event has no list of `Records`, which every stream event has: invalid length 0, expected an object with `Records` at line 1 column 2
        2 error: `it.json`: the event has no list of `Records`, which every stream event has: missing field `Records` at line 1 column 18
        2 error: `it.json`: the event has no list of `Records`, which every stream event has: invalid type: map, expected a sequence at line 1 column 12
        1 rejected: it.json, record 0: the record comes from `aws:sqs`, not from a DynamoDB stream
        1 rejected: it.json, record 0: the record is not one of a DynamoDB stream: invalid type: null, expected an object
        1 rejected: it.json, record 0: the record has no `eventSourceARN`, which names its table
    "#]].assert_eq(&outputs(&folder("events"), &[], contents));
}

#[test]
fn invalid_seeds_are_refused() {
    let contents: &[&[u8]] = &[
        b"[]",
        br#"{"app": {}}"#,
        br#"{"users": []}"#,
        br#"{"app": [{"pk": "user#1"}]}"#,
        br#"{"app": [{"pk": {"S": "user#1"}}]}"#,
        br#"{"app": [{"pk": {"N": "1"}, "sk": {"S": "x"}}]}"#,
        br#"{"app": [{"pk": {"S": "1"}, "sk": {"S": "x"}}, {"pk": {"S": "1"}, "sk": {"S": "x"}}]}"#,
    ];
    expect![[r#"
        2 error: `it.json`: the seed is not of the form {"<table name in DynamoDB>": [<item in DynamoDB JSON>, …]}: invalid type: sequence, expected a map at line 1 column 0
        2 error: `it.json`: the seed is not of the form {"<table name in DynamoDB>": [<item in DynamoDB JSON>, …]}: invalid type: map, expected a sequence at line 1 column 8
        2 error: `it.json`: table `users` is not in the rule file, which has `app`
        2 error: `it.json`: item 1 of table `app`: attribute `pk`: invalid type: string "user#1", expected a value with its type, such as {"S": "text"}
        2 error: `it.json`: item 1 of table `app`: ValidationException: One or more parameter values were invalid: Missing the key sk in the item
        2 error: `it.json`: item 1 of table `app`: ValidationException: One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N
        2 error: `it.json`: item 2 of table `app`: an item with this key already exists
    "#]].assert_eq(&outputs(&folder("seeds"), &["--seed"], contents));
}

/// A sparse file of zeros takes no space, but reading it would take long.
#[test]
fn files_beyond_the_size_limit_are_refused() {
    let folder = folder("long");
    let output_of = |arguments: &[&str], bytes: u64| {
        let file = std::fs::File::create(folder.join("it")).unwrap();
        file.set_len(bytes).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        let output = command.args(arguments).current_dir(&folder).env_clear().output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        format!("{} {}", output.status.code().unwrap(), text.lines().next().unwrap())
    };
    let rules = format!("{CASE}/referee.yaml");
    expect!["2 error: `it` is too long: the maximum is 67108864 bytes"]
        .assert_eq(&output_of(&["replay", "--rules", &rules, "it"], (64 << 20) + 1));
    let seed = ["replay", "--rules", &rules, "--seed", "it", CASE];
    expect!["2 error: `it` is too long: the maximum is 268435456 bytes"]
        .assert_eq(&output_of(&seed, (256 << 20) + 1));
    expect!["2 error[E003]: the rule file is longer than 1048576 bytes"]
        .assert_eq(&output_of(&["check", "--rules", "it"], 1 << 40));
}

#[test]
fn a_folder_without_events_and_a_missing_file_are_refused() {
    let folder = folder("nothing");
    for (argument, expected) in
        [(".", "has no events"), ("absent.json", "cannot read `absent.json`")]
    {
        let output = replay(&folder, &[argument]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains(expected));
    }
}

#[test]
fn an_unknown_mode_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_referee"))
        .args(["replay", "--rules", &format!("{CASE}/referee.yaml"), CASE])
        .env("REFEREE_MODE", "shadow")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    expect![[r#"
        error: `REFEREE_MODE` is `shadow`; it must be off, observe or enforce
    "#]]
    .assert_eq(&String::from_utf8(output.stderr).unwrap());
}

#[test]
fn a_dump_is_written_completely_or_not_at_all() {
    let folder = folder("dump");
    let stream = format!("{CASE}/stream");
    let output = replay(&folder, &["--dump", "absent/dump.json", &stream]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stderr).unwrap().contains("absent/dump.json"));
    std::fs::write(folder.join("old.json"), "old").unwrap();
    assert_eq!(replay(&folder, &["--dump", "old.json", &stream]).status.code(), Some(1));
    assert!(std::fs::read_to_string(folder.join("old.json")).unwrap().starts_with("{\n  \"app\""));
    let left: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["old.json"]);
}

/// A device is written to, not replaced. If the write fails, the replay fails.
#[cfg(target_os = "linux")]
#[test]
fn a_dump_to_a_full_disk_exits_with_incomplete() {
    use std::os::unix::fs::FileTypeExt as _;
    let stream = format!("{CASE}/stream");
    let output = replay(&folder("full"), &["--dump", "/dev/full", &stream]);
    assert_eq!(output.status.code(), Some(3));
    assert!(std::fs::metadata("/dev/full").unwrap().file_type().is_char_device());
}

#[test]
fn the_same_chaos_seed_gives_the_same_output() {
    let stream = format!("{CASE}/stream");
    let seed = format!("{CASE}/seed.json");
    let run = || replay(&folder("chaos"), &["--json", "--chaos", "7", "--seed", &seed, &stream]);
    assert_eq!(run().stdout, run().stdout);
}
