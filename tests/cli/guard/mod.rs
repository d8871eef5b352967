//! The transactions that `referee guard` prints.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

mod deletes;
mod entities;
mod puts;
mod replayed;
mod snippets;
mod updates;
mod verb;

use std::fmt::Write as _;

use expect_test::Expect;
use referee::data::JsonItem;
use referee::guard::{Operation, Refusal, Transaction, guard_entity, guard_item};
use referee::rules::model::{EntityId, TableId};
use referee::rules::{self, RuleSource, Rules};
use serde_json::Value as Json;

/// Companies, users, memberships with mirrors, and staff that `where` distinguishes.
const RULES: &str = "version: 1
tables:
  app: { key: [pk, sk] }
entities:
  company: { table: app, key: { pk: \"company#{company}\", sk: \"company#\" } }
  user: { table: app, key: { pk: \"user#{email}\", sk: \"user#\" } }
  profile: { table: app, key: { pk: \"user#{email}\", sk: profile } }
  member:
    table: app
    key: { pk: \"company#{company}\", sk: \"user#{email}\" }
    attributes: { role: S, note: S }
  member_of: { table: app, key: { pk: \"user#{email}\", sk: \"company#{company}\" } }
  admin:
    table: app
    key: { pk: \"staff#{staff}\", sk: \"staff#\" }
    where: { kind: admin }
  clerk:
    table: app
    key: { pk: \"staff#{staff}\", sk: \"staff#\" }
    attributes: { boss: S, deputy: S, \"at.site\": S, \"at.desk\": N, teams: SS }
    where: { kind: clerk }
  desk: { table: app, key: { pk: \"site#{site}\", sk: \"desk#{desk}\" } }
  team: { table: app, key: { pk: \"team#{team}\", sk: \"team#\" } }
references:
  member_company: { from: member, to: company }
  member_user: { from: member, to: user, find: { mirror: membership } }
  profile_user: { from: profile, to: user, on_delete: cascade }
  clerk_boss: { from: clerk, to: admin, on: { staff: \"{boss}\" }, required: true, find: none }
  clerk_deputy: { from: clerk, to: admin, on: { staff: \"{deputy}\" }, find: none }
  clerk_desk:
    { from: clerk, to: desk, on: { site: \"{at.site}\", desk: \"{at.desk}\" }, match: full, find: none }
  clerk_teams: { from: clerk, to: team, on: { team: \"{teams[*]}\" }, find: none }
mirrors:
  membership: { source: member, mirror: member_of, copy: [role] }
";

fn load(text: &str) -> Rules {
    let source = RuleSource { name: "rules".to_owned(), text: text.to_owned() };
    let loaded = rules::load(&source, &|_| None);
    loaded.rules.unwrap_or_else(|| panic!("{:?}\n{text}", loaded.diagnostics))
}

fn of_item(rules: &str, item: &str, operation: Operation) -> Result<Transaction, Refusal> {
    let JsonItem(item) = serde_json::from_str(item).unwrap();
    guard_item(&load(rules), TableId(0), &item, operation)
}

fn of_entity(rules: &str, name: &str, operation: Operation) -> Result<Transaction, Refusal> {
    let rules = load(rules);
    let place = rules.entities.iter().position(|entity| entity.name == name).unwrap();
    guard_entity(&rules, EntityId(place), operation)
}

/// A transaction with one action per line and its notes, or the refusal.
fn shown(guarded: Result<Transaction, Refusal>) -> String {
    let transaction = match guarded {
        Ok(transaction) => transaction,
        Err(refusal) => return format!("{refusal}\n"),
    };
    let mut text = String::new();
    let json: Json = serde_json::from_str(&transaction.to_json_line(false)).unwrap();
    for action in json["TransactItems"].as_array().unwrap() {
        let (kind, action) = action.as_object().unwrap().iter().next().unwrap();
        let about = action.get("Item").or(action.get("Key")).unwrap();
        write!(text, "{kind} {}", plain(about)).unwrap();
        for name in ["UpdateExpression", "ConditionExpression"] {
            if let Some(expression) = action.get(name) {
                write!(text, "\n    {}", filled(expression.as_str().unwrap(), action)).unwrap();
            }
        }
        text.push('\n');
    }
    for note in &transaction.notes {
        writeln!(text, "note: {note}").unwrap();
    }
    text
}

/// Attributes without their types.
fn plain(item: &Json) -> String {
    let value = |value: &Json| {
        let inner = value.as_object().unwrap().values().next().unwrap();
        inner.as_str().map_or_else(|| inner.to_string(), str::to_owned)
    };
    let entries = item.as_object().unwrap().iter();
    entries.map(|(name, of)| format!("{name}={}", value(of))).collect::<Vec<_>>().join(" ")
}

/// Replaces the placeholders in an expression by their values.
fn filled(expression: &str, action: &Json) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in expression.split(' ') {
        let bare = word.trim_matches(['(', ')', ',']);
        let value = action["ExpressionAttributeValues"].get(bare);
        words.push(match value {
            Some(value) => word.replace(bare, &value.to_string()),
            None => word.to_owned(),
        });
    }
    let mut text = words.join(" ");
    let names = action["ExpressionAttributeNames"].as_object().unwrap();
    for (placeholder, name) in names.iter().rev() {
        text = text.replace(placeholder.as_str(), name.as_str().unwrap());
    }
    text
}

#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
fn check(guarded: Result<Transaction, Refusal>, expected: Expect) {
    expected.assert_eq(&shown(guarded));
}
