//! What `replay` and `audit` say about items that match no entity, and about entities and rules that
//! match no item.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::{Expect, expect};
use kit::transcript::transcript;
use serde_json::{Value as Json, json};

const RULES: &str = r#"version: 1
tables: { app: { key: [pk, sk] } }
entities:
  company: { table: app, key: { pk: "compny#{company}", sk: "company#" } }
  member: { table: app, key: { pk: "company#{company}", sk: "user#{user}" }, attributes: { boss: S } }
  post: { table: app, key: { pk: "post#{post}", sk: "of#{parent}" }, where: { parentType: POST } }
  photo: { table: app, key: { pk: "post#{post}", sk: "of#{parent}" }, where: { parentType: PHOTO } }
references:
  member_company: { from: member, to: company }
  member_boss: { from: member, to: member, on: { user: "{boss}" } }
  post_of: { from: post, to: company, on: { company: "{parent}" }, find: none }
  photo_of: { from: photo, to: company, on: { company: "{parent}" }, find: none, mode: off }
"#;

fn item(pk: &str, sk: &str, parent: Option<&str>) -> Json {
    let mut item = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
    if let Some(parent) = parent {
        item["parentType"] = json!({ "S": parent });
    }
    item
}

/// A folder with the rules, and these items as a dump and as an event that inserts them.
fn folder(name: &str, items: &[Json]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("coverage").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let records: Vec<Json> = items
        .iter()
        .enumerate()
        .map(|(number, item)| {
            json!({
                "eventName": "INSERT",
                "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "Keys": { "pk": item["pk"], "sk": item["sk"] },
                    "NewImage": item,
                    "SequenceNumber": format!("{}", 100 + number),
                },
                "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/app/stream/x",
            })
        })
        .collect();
    std::fs::write(folder.join("referee.yaml"), RULES).unwrap();
    std::fs::write(folder.join("event.json"), json!({ "Records": records }).to_string()).unwrap();
    std::fs::write(folder.join("tables.json"), json!({ "app": items }).to_string()).unwrap();
    folder
}

#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
fn check(folder: &Path, arguments: &str, expected: Expect) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
    command.args(arguments.split(' ')).current_dir(folder).env_clear();
    expected.assert_eq(&transcript(&mut command));
}

fn misspelled(name: &str) -> PathBuf {
    let items = [
        item("company#acme", "company#", None),
        item("company#acme", "note#1", None),
        item("post#1", "of#acme", Some("Post")),
    ];
    folder(name, &items)
}

#[test]
fn a_replay_names_the_nearest_entity_and_what_never_matched() {
    let folder = misspelled("replayed");
    check(
        &folder,
        "replay event.json",
        expect![[r#"
            exit code 0
            --- stdout
            3 records in 1 batch: 0 violations, 0 writes, 0 rejected
            0 requests, 0 read units, 0 write units
            3 records match no entity, for example app: company#acme / company#
              the nearest entity is `company`: the template of `pk` is `compny#{company}`, and the key differs after `comp`
            no record matched: entities `company`, `member`, `post`; rules `member_company`, `member_boss`, `post_of`
            --- stderr
        "#]],
    );
    check(
        &folder,
        "replay event.json --json",
        expect![[r#"
        exit code 0
        --- stdout
        {"type":"summary","records":3,"batches":1,"violations":0,"writes":0,"rejected":0,"requests":0,"read_units":0.0,"write_units":0.0,"unmatched":3,"unmatched_example":{"table":"app","key":{"pk":{"S":"company#acme"},"sk":{"S":"company#"}},"nearest":"company","difference":"the template of `pk` is `compny#{company}`, and the key differs after `comp`"},"never_matched":{"entities":["company","member","post"],"rules":["member_company","member_boss","post_of"]}}
        --- stderr
    "#]],
    );
}

#[test]
fn an_audit_names_the_nearest_entity_and_what_never_matched() {
    let folder = misspelled("audited");
    check(
        &folder,
        "audit tables.json --threads 1",
        expect![[r#"
        exit code 0
        --- stdout
         rule             checked   broken   %
        ──────────────────────────────────────────
         member_company   0         0        0.00
         member_boss      0         0        0.00
         post_of          0         0        0.00

        3 items, 3 without an entity: 0 violations, 0 warnings
        3 items match no entity, for example app: company#acme / company#
          the nearest entity is `company`: the template of `pk` is `compny#{company}`, and the key differs after `comp`
        no item matched: entities `company`, `member`, `post`; rules `member_company`, `member_boss`, `post_of`
        --- stderr
    "#]],
    );
    check(
        &folder,
        "audit tables.json --threads 1 --json",
        expect![[r#"
        exit code 0
        --- stdout
        {"type":"summary","complete":true,"items":3,"unknown":3,"violations":0,"warnings":0,"problems":0,"unmatched_example":{"table":"app","key":{"pk":{"S":"company#acme"},"sk":{"S":"company#"}},"nearest":"company","difference":"the template of `pk` is `compny#{company}`, and the key differs after `comp`"},"never_matched":{"entities":["company","member","post"],"rules":["member_company","member_boss","post_of"]},"rules":[{"rule":"member_company","checked":0,"broken":0,"percent":0.0},{"rule":"member_boss","checked":0,"broken":0,"percent":0.0},{"rule":"post_of","checked":0,"broken":0,"percent":0.0}]}
        --- stderr
    "#]],
    );
}

#[test]
fn a_discriminator_that_no_entity_has_is_reported() {
    let folder = folder("discriminator", &[item("post#1", "of#acme", Some("post"))]);
    check(
        &folder,
        "replay event.json",
        expect![[r#"
            exit code 0
            --- stdout
            1 record in 1 batch: 0 violations, 0 writes, 0 rejected
            0 requests, 0 read units, 0 write units
            1 record matches no entity, for example app: post#1 / of#acme
              the nearest entity is `post`: `where` requires `parentType` to be `POST`, and it is `post`
            no record matched: entities `company`, `member`, `post`; rules `member_company`, `member_boss`, `post_of`
            --- stderr
        "#]],
    );
}

#[test]
fn items_of_no_entity_are_findings_only_if_that_is_asked_for() {
    let folder = folder("strict", &[item("other", "other", None)]);
    check(
        &folder,
        "replay event.json --strict",
        expect![[r#"
        exit code 1
        --- stdout
        1 record in 1 batch: 0 violations, 0 writes, 0 rejected
        0 requests, 0 read units, 0 write units
        1 record matches no entity, for example app: other / other
          the nearest entity is `post`: the template of `pk` is `post#{post}`, and the key differs from the first character
        no record matched: entities `company`, `member`, `post`; rules `member_company`, `member_boss`, `post_of`
        --- stderr
    "#]],
    );
    check(
        &folder,
        "audit tables.json --threads 1 --strict",
        expect![[r#"
        exit code 1
        --- stdout
         rule             checked   broken   %
        ──────────────────────────────────────────
         member_company   0         0        0.00
         member_boss      0         0        0.00
         post_of          0         0        0.00

        1 item, 1 without an entity: 0 violations, 0 warnings
        1 item matches no entity, for example app: other / other
          the nearest entity is `post`: the template of `pk` is `post#{post}`, and the key differs from the first character
        no item matched: entities `company`, `member`, `post`; rules `member_company`, `member_boss`, `post_of`
        --- stderr
    "#]],
    );
}
