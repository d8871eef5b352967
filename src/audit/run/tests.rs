//! Suspects are described from excerpts, and from the archive if they have none.

use std::sync::Mutex;

use super::*;
use crate::data::KeyValue;
use crate::rules::{RuleSource, load};

/// `visit` has a key of a number, so that its references are decoded.
const RULES: &str = r#"version: 1
tables:
  app: { key: [pk] }
  counter: { key: ["no:N"] }
entities:
  user: { table: app, key: { pk: "user#{user}" } }
  task:
    table: app
    key: { pk: "task#{task}" }
    where: { kind: task }
    attributes: { owner: S, seen: N }
  visit: { table: counter, key: { no: "{no}" } }
  note: { table: app, key: { pk: "note#{note}" }, attributes: { owner: S } }
references:
  note_owner: { from: note, to: user, on: { user: "{owner}" }, find: none }
  task_owner: { from: task, to: user, on: { user: "{owner}" }, find: none }
  task_visit: { from: task, to: visit, on: { no: "{seen}" }, find: none }
"#;

/// Items of the table `app`, and the rows that were read again.
struct Lines<'l> {
    lines: &'l [String],
    read_again: Mutex<Vec<u32>>,
}

impl Archive for Lines<'_> {
    fn chunks(&self) -> u32 {
        1
    }

    fn items(&self) -> Option<u64> {
        None
    }

    fn name(&self, _: u32) -> String {
        "lines".to_owned()
    }

    fn read(
        &self,
        _: u32,
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
        _: &mut dyn FnMut(Problem),
    ) -> Result<(), Stop> {
        let mut rows = (0..).zip(self.lines);
        rows.try_for_each(|(row, line)| each(Row { row, table: TableId(0), text: line.as_bytes() }))
    }

    fn read_rows(
        &self,
        _: u32,
        rows: &[u32],
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.read_again.lock().unwrap().extend(rows);
        rows.iter().try_for_each(|row| {
            let text = self.lines[*row as usize].as_bytes();
            each(Row { row: *row, table: TableId(0), text })
        })
    }
}

/// The keys of the items with findings and the rules, the rows that were read again, and the rows
/// with problems.
fn audited(lines: &[String]) -> (Vec<String>, Vec<u32>, usize) {
    audited_under(RULES, lines)
}

/// Likewise, by these rules.
fn audited_under(rules: &str, lines: &[String]) -> (Vec<String>, Vec<u32>, usize) {
    let source = RuleSource { name: "rules".to_owned(), text: rules.to_owned() };
    let rules = load(&source, &|_| None).rules.unwrap();
    let archive = Lines { lines, read_again: Mutex::default() };
    let options = Options {
        now_ms: 0,
        threads: 2,
        memory_bytes_max: 0,
        temporary: std::env::temp_dir(),
        reports_unknown: true,
    };
    let mut found = Vec::new();
    let audited = audit(&rules, &archive, &options, &Progress::default(), |finding| {
        let item = finding.referencing.unwrap();
        let KeyValue::S(key) = item.key.partition else { panic!("the key is a string") };
        found.push(format!("{key} {}", finding.rule));
        Ok(())
    });
    (found, archive.read_again.into_inner().unwrap(), audited.unwrap().problems.len())
}

fn item(pk: &str, others: &str) -> String {
    format!(r#"{{"x":{{"N":"1"}},"pk":{{"S":"{pk}"}}{others}}}"#)
}

#[test]
fn suspects_are_described_without_reading_them_again() {
    let (found, read_again, problems) = audited(&[
        item("user#1", ""),
        item("note#1", r#","owner":{"S":"2"}"#),
        item("note#2", r#","owner":{"S":"1"}"#),
        item("note#3", r#","owner":{"S":"\u0032"}"#),
        item("note#4", r#","owner":{"N":"2"}"#),
        item("task#1", r#","kind":{"S":"task"},"owner":{"S":"2"},"seen":{"N":"3"}"#),
        item("task#2", r#","kind":{"S":"other"},"owner":{"S":"2"},"seen":{"N":"3"}"#),
        item("user#1", ""),
    ]);
    let expected = [
        "note#1 note_owner",
        "note#3 note_owner",
        "note#4 note_owner",
        "task#1 task_owner",
        "task#1 task_visit",
        "task#2 app",
    ];
    assert_eq!(found, expected);
    assert_eq!((read_again, problems), (vec![], 1));
}

#[test]
fn suspects_with_long_values_are_read_again() {
    let long = |pk: &str| item(pk, &format!(r#","owner":{{"S":"{}"}}"#, "x".repeat(5_000)));
    let short = |pk: &str| item(pk, r#","owner":{"S":"2"}"#);
    let lines = [short("note#1"), long("note#2"), long("user#1"), short("note#3"), long("note#4")];
    let (found, read_again, problems) = audited(&lines);
    assert_eq!(found, [1, 2, 3, 4].map(|number| format!("note#{number} note_owner")));
    assert_eq!((read_again, problems), (vec![1, 4], 0));
}

#[test]
fn rules_to_one_index_may_disagree_on_whether_an_expired_item_exists() {
    let rules = r#"version: 1
tables: { app: { key: [pk], ttl: ttl } }
entities:
  user: { table: app, key: { pk: "user#{user}" } }
  note: { table: app, key: { pk: "note#{note}" }, attributes: { owner: S } }
references:
  reader: { from: note, to: { entity: user, index: byMail, key: { mail: "{mail}" } }, on: { mail: "{owner}" }, find: none }
  writer: { from: note, to: { entity: user, index: byMail, key: { mail: "{mail}" } }, on: { mail: "{owner}" }, find: none, expired: absent }
"#;
    let expired = item("user#1", r#", "mail": {"S": "a"}, "ttl": {"N": "-1"}"#);
    let note = item("note#1", r#", "owner": {"S": "a"}"#);
    let (found, _, _) = audited_under(rules, &[expired, note]);
    assert_eq!(found, ["note#1 writer"]);
}
