//! The formats in which `referee replay`, `explain` and `guard` accept events and items.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value as Json, json};

const CASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/events/company-user");

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("replay_formats").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn referee(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
    command.args(arguments).args(["--rules", &format!("{CASE}/referee.yaml")]);
    command.current_dir(folder).env_clear().output().unwrap()
}

/// The events of the case.
fn events() -> Vec<Json> {
    let names = ["01-members-join.json", "02-role-changes.json", "03-user-leaves.json"];
    let read = |name| std::fs::read_to_string(format!("{CASE}/stream/{name}")).unwrap();
    names.into_iter().map(|name| serde_json::from_str(&read(name)).unwrap()).collect()
}

/// What a replay of the case prints and leaves in the tables, without what identifies its records.
fn replayed(folder: &Path, events: &[&str]) -> (Vec<Json>, String) {
    let mut arguments = vec!["replay", "--json", "--dump", "dump.json", "--seed"];
    let seed = format!("{CASE}/seed.json");
    arguments.push(&seed);
    arguments.extend(events);
    let output = referee(&arguments, folder);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let line = |text: &str| {
        let mut line: Json = serde_json::from_str(text).unwrap();
        line.as_object_mut().unwrap().retain(|name, _| !["id", "sequence"].contains(&&**name));
        line
    };
    let dump = std::fs::read_to_string(folder.join("dump.json")).unwrap();
    (lines.lines().map(line).collect(), without_fences(&dump))
}

/// A dump without the fences of its mirrors, which are sequence numbers.
fn without_fences(dump: &str) -> String {
    let digits = |line: &str| line.bytes().filter(u8::is_ascii_digit).count();
    dump.lines().filter(|line| digits(line) < 30).collect()
}

/// Replays the events after this change of each, and compares the result with that of the originals.
fn same_after(name: &str, change: impl Fn(Json) -> String) {
    let folder = folder(name);
    let expected = replayed(&folder, &[&format!("{CASE}/stream")]);
    for (index, event) in events().into_iter().enumerate() {
        std::fs::write(folder.join(format!("{index}.json")), change(event)).unwrap();
    }
    let found = replayed(&folder, &["0.json", "1.json", "2.json"]);
    assert_eq!(found, expected, "{name}");
}

fn records(event: &mut Json) -> &mut Vec<Json> {
    event["Records"].as_array_mut().unwrap()
}

/// An event as `aws dynamodbstreams get-records` prints it, with this time.
fn printed(mut event: Json, time: impl Fn(i64) -> Json) -> String {
    for record in records(&mut event) {
        record.as_object_mut().unwrap().remove("eventSourceARN");
        let created = &mut record["dynamodb"]["ApproximateCreationDateTime"];
        *created = time(created.as_i64().unwrap());
    }
    event["NextShardIterator"] = "arn:aws:dynamodb:eu-west-1:…|1|AAAA".into();
    event.to_string()
}

/// A record as Kinesis Data Streams for DynamoDB carries it.
fn kinesis(record: &Json, micros: bool) -> Json {
    let mut record = record.clone();
    record.as_object_mut().unwrap().remove("eventSourceARN");
    record["tableName"] = "app".into();
    record["recordFormat"] = "application/json".into();
    let stream = record["dynamodb"].as_object_mut().unwrap();
    let seconds = stream["ApproximateCreationDateTime"].as_i64().unwrap();
    // The order of records of the same second.
    let number: i64 = stream["SequenceNumber"].as_str().unwrap()[24..].parse().unwrap();
    let time = if micros { seconds * 1_000_000 + number } else { seconds * 1_000 };
    if micros {
        stream.insert("ApproximateCreationDateTimePrecision".into(), "MICROSECOND".into());
    }
    stream.insert("ApproximateCreationDateTime".into(), time.into());
    stream.remove("SequenceNumber");
    stream.remove("StreamViewType");
    record
}

#[test]
fn records_of_the_aws_cli_are_replayed() {
    same_after("cli_numbers", |event| printed(event, |seconds| json!(seconds)));
    same_after("cli_texts", |event| {
        printed(event, |seconds| {
            // All of them are of the same day.
            let second = seconds - 1_763_596_800;
            let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
            format!("2025-11-20T{:02}:{minute:02}:{second:02}+02:00", hour + 2).into()
        })
    });
}

#[test]
fn arrays_and_lines_of_records_are_replayed() {
    same_after("pipes", |event| event["Records"].to_string());
    same_after("lines", |mut event| {
        let mut lines = String::new();
        for record in records(&mut event) {
            writeln!(lines, "{record}").unwrap();
        }
        lines
    });
}

#[test]
fn the_events_of_failed_invocations_are_replayed() {
    let failure = |event: &Json| {
        json!({
            "requestContext": {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 1},
            "version": "1.0",
            "DDBStreamBatchInfo": {"shardId": "shardId-1", "startSequenceNumber": "1"},
            "payload": event.to_string(),
        })
    };
    same_after("failure", |event| failure(&event).to_string());
    same_after("message", |event| {
        json!({"Messages": [{"MessageId": "1", "Body": failure(&event).to_string()}]}).to_string()
    });
    same_after("queue", |event| {
        let message = json!({
            "messageId": "1", "eventSource": "aws:sqs", "body": failure(&event).to_string(),
        });
        json!({"Records": [message]}).to_string()
    });
}

#[test]
fn records_of_kinesis_are_replayed_in_the_order_of_their_times() {
    same_after("kinesis_decoded", |mut event| {
        let all = records(&mut event);
        // The first one comes twice, and all of them in reverse.
        let mut lines = kinesis(&all[0], true).to_string();
        for record in all.iter().rev() {
            write!(lines, "\n{}", kinesis(record, true)).unwrap();
        }
        lines
    });
    same_after("kinesis_lambda", |mut event| {
        let carried = |record: &Json| {
            let data = BASE64_STANDARD.encode(kinesis(record, false).to_string());
            json!({"eventSource": "aws:kinesis", "kinesis": {"partitionKey": "1", "data": data}})
        };
        json!({"Records": records(&mut event).iter().map(carried).collect::<Vec<_>>()}).to_string()
    });
}

#[test]
fn what_looks_like_an_event_is_explained() {
    let folder = folder("lookalikes");
    for (content, help) in [
        (r#"{"Items": [], "Count": 0}"#, "pass it with `--seed`"),
        (r#"{"Item": {}}"#, "to `referee explain`"),
        (r#"{"StreamDescription": {}}"#, "its records with `get-records`"),
        (r#"{"ShardIterator": "x"}"#, "pass the iterator to `aws dynamodbstreams get-records`"),
        (r#"{"Table": {}}"#, "`referee check --live` compares"),
        (r#"{"manifestFilesS3Key": "x"}"#, "pass the export's folder to `referee audit`"),
        (r#"{"detail-type": "x", "detail": {}}"#, "replay what a pipe"),
        (r#"{"DDBStreamBatchInfo": {}}"#, "from its `startSequenceNumber`"),
    ] {
        std::fs::write(folder.join("it.json"), content).unwrap();
        let output = referee(&["replay", "it.json"], &folder);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && text.contains(help), "{content}: {text}");
        assert!(text.contains("\nhelp: "), "{text}");
    }
}

#[test]
fn events_are_replayed_in_the_order_of_the_numbers_in_their_names() {
    let folder = folder("order");
    let expected = replayed(&folder, &[&format!("{CASE}/stream")]);
    let stream = folder.join("stream");
    std::fs::create_dir(&stream).unwrap();
    for (name, event) in ["batch-2", "batch-10", "batch-0100"].into_iter().zip(events()) {
        std::fs::write(stream.join(format!("{name}.json")), event.to_string()).unwrap();
    }
    assert_eq!(replayed(&folder, &["stream"]), expected);
}

#[test]
fn a_seed_can_be_what_the_aws_cli_prints_or_plain_json() {
    let folder = folder("seeds");
    let typed = [
        json!({"pk": {"S": "user#1"}, "sk": {"S": "user#"}, "n": {"N": "1.5"}}),
        json!({"pk": {"S": "user#2"}, "sk": {"S": "user#"}, "l": {"L": [{"BOOL": true}]}}),
    ];
    let plain = [
        json!({"pk": "user#1", "sk": "user#", "n": 1.5}),
        json!({"pk": "user#2", "sk": "user#", "l": [true]}),
    ];
    let event = json!({"Records": []}).to_string();
    std::fs::write(folder.join("none.json"), event).unwrap();
    let dumped = |seed: &str, arguments: &[&str]| {
        std::fs::write(folder.join("seed.json"), seed).unwrap();
        let fixed = ["replay", "--seed", "seed.json", "--dump", "dump.json", "none.json"];
        let output = referee(&[&fixed[..], arguments].concat(), &folder);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{seed}: {text}");
        std::fs::read_to_string(folder.join("dump.json")).unwrap()
    };
    let expected = dumped(&json!({"app": typed}).to_string(), &[]);
    assert_eq!(dumped(&json!({"Items": typed, "Count": 2}).to_string(), &[]), expected);
    assert_eq!(dumped(&json!({"Responses": {"app": typed}}).to_string(), &[]), expected);
    let lines = format!("{}\n{}\n", json!({"Item": typed[0]}), typed[1]);
    assert_eq!(dumped(&lines, &["--table", "app"]), expected);
    assert_eq!(dumped(&json!({"app": plain}).to_string(), &["--plain"]), expected);
}

#[test]
fn an_item_can_be_what_the_aws_cli_prints_or_plain_json() {
    let folder = folder("items");
    let item = r#"{"pk": {"S": "user#1"}, "sk": {"S": "user#"}}"#;
    let printed = format!(r#"{{"Item": {item}}}"#);
    let plain = r#"{"pk": "user#1", "sk": "user#"}"#;
    let explained = referee(&["explain", item], &folder);
    assert_eq!(explained.status.code(), Some(0));
    assert_eq!(referee(&["explain", &printed], &folder).stdout, explained.stdout);
    assert_eq!(referee(&["explain", "--plain", plain], &folder).stdout, explained.stdout);
    let guarded = referee(&["guard", item], &folder);
    assert_eq!(referee(&["guard", "--plain", plain], &folder).stdout, guarded.stdout);
    let output = referee(&["explain", plain], &folder);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("help: it is plain JSON: add `--plain`"), "{text}");
}

#[test]
fn an_unwritable_dump_is_found_before_the_run() {
    let folder = folder("unwritable");
    let stream = format!("{CASE}/stream");
    let output = referee(&["replay", "--json", "--dump", "absent/dump.json", &stream], &folder);
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
}
