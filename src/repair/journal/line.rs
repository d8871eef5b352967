//! The lines of a journal: JSON, each with a checksum.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Entry, JournalError, Outcome, State};
use crate::data::{Item, JsonItem, into_owned, without_position};
use crate::integrity::finding::ItemName;
use crate::repair::checksum::checksum;
use crate::repair::planned::PlannedWrite;
use crate::rules::model::Rules;
use crate::wording::ItemLine;

const FORMAT: &str = "referee-repair-journal";
/// The version of the format.
pub(super) const VERSION: u64 = 1;

/// A line and its checksum.
#[derive(Debug, Deserialize)]
struct Sealed<'l> {
    #[serde(borrow)]
    sum: Cow<'l, str>,
    #[serde(borrow)]
    entry: &'l RawValue,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'l> {
    Journal {
        format: &'l str,
        version: u64,
        rules: &'l str,
        plan: &'l str,
    },
    Began {
        number: u64,
        finding: &'l str,
        rule: &'l str,
        action: &'static str,
        #[serde(flatten)]
        item: Option<ItemLine<'l>>,
        before: Option<&'l Item<'static>>,
        after: Option<&'l Item<'static>>,
    },
    Ended {
        number: u64,
        outcome: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<&'l str>,
    },
    Undo {
        number: u64,
    },
}

#[derive(Debug, Deserialize)]
struct HeaderText<'l> {
    #[serde(borrow)]
    format: Cow<'l, str>,
    version: u64,
    #[serde(borrow, default)]
    rules: Cow<'l, str>,
    #[serde(borrow, default)]
    plan: Cow<'l, str>,
}

#[derive(Debug, Deserialize)]
struct BeganText<'l> {
    number: u64,
    #[serde(borrow)]
    finding: Cow<'l, str>,
    #[serde(borrow)]
    rule: Cow<'l, str>,
    #[serde(borrow)]
    table: Cow<'l, str>,
    #[serde(borrow)]
    key: JsonItem<'l>,
    #[serde(borrow)]
    before: Option<JsonItem<'l>>,
    #[serde(borrow)]
    after: Option<JsonItem<'l>>,
}

#[derive(Debug, Deserialize)]
struct EventText<'l> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'l, str>,
    number: u64,
    #[serde(borrow, default)]
    outcome: Cow<'l, str>,
}

/// The first line.
pub(super) fn header(rules: &str, plan: &str) -> Vec<u8> {
    sealed(&Line::Journal { format: FORMAT, version: VERSION, rules, plan })
}

/// The line that a write is begun.
pub(super) fn began(rules: &Rules, write: &PlannedWrite) -> Vec<u8> {
    sealed(&Line::Began {
        number: write.number,
        finding: &write.claim.id,
        rule: &write.claim.rule,
        action: write.action.name(),
        item: write.item().map(|item| ItemLine::new(rules, item)),
        before: write.before.as_ref(),
        after: write.after.as_ref(),
    })
}

/// The line that taking a write back is begun.
pub(super) fn undo(number: u64) -> Vec<u8> {
    sealed(&Line::Undo { number })
}

/// The line with the outcome of a write, or of taking it back.
pub(super) fn ended(number: u64, outcome: &Outcome) -> Vec<u8> {
    sealed(&Line::Ended { number, outcome: outcome.name(), detail: outcome.detail() })
}

fn sealed(line: &Line<'_>) -> Vec<u8> {
    // Items have only text keys, so this never fails.
    let entry = serde_json::to_string(line).unwrap_or_default();
    format!("{{\"sum\":\"{}\",\"entry\":{entry}}}\n", checksum(entry.as_bytes())).into_bytes()
}

/// The text of a line without its checksum, if the line is whole.
pub(super) fn open(bytes: &[u8]) -> Result<&str, String> {
    let text = bytes.strip_suffix(b"\n").ok_or("it is cut off")?;
    let Sealed { sum, entry } =
        serde_json::from_slice(text).map_err(|error| without_position(&error))?;
    if sum == checksum(entry.get().as_bytes()) {
        Ok(entry.get())
    } else {
        Err("its checksum is wrong".to_owned())
    }
}

/// Checks that the first line is that of a journal of these rules, and of this plan if one is given.
pub(super) fn check_header(
    text: &str,
    rules: &str,
    plan: Option<&str>,
) -> Result<(), JournalError> {
    let header: HeaderText<'_> = serde_json::from_str(text).map_err(|_| JournalError::OtherFile)?;
    if header.format != FORMAT {
        Err(JournalError::OtherFile)
    } else if header.version != VERSION {
        Err(JournalError::Version(header.version))
    } else if header.rules != rules {
        Err(JournalError::OtherRules)
    } else if plan.is_some_and(|plan| header.plan != plan) {
        Err(JournalError::OtherPlan)
    } else {
        Ok(())
    }
}

/// What another line says about a write.
pub(super) fn event(text: &str) -> Result<(u64, State), String> {
    let EventText { kind, number, outcome } =
        serde_json::from_str(text).map_err(|error| without_position(&error))?;
    let state = match &*kind {
        "began" => Some(State::Begun),
        "undo" => Some(State::UndoBegun),
        "ended" => Outcome::state_named(&outcome),
        _ => None,
    };
    state.map(|state| (number, state)).ok_or_else(|| "it is unexpected".to_owned())
}

/// The write that a line begins.
pub(super) fn entry(text: &str, rules: &Rules) -> Result<Entry, String> {
    let text: BeganText<'_> =
        serde_json::from_str(text).map_err(|error| without_position(&error))?;
    let (table, schema) = rules
        .table_named(&text.table)
        .ok_or_else(|| format!("the rule file has no table `{}` in DynamoDB", text.table))?;
    let key = schema.key_of(&text.key.0).map_err(|error| error.to_string())?.into_owned();
    let image = |image: Option<JsonItem<'_>>| image.map(|JsonItem(item)| into_owned(item));
    Ok(Entry {
        number: text.number,
        rule: text.rule.into_owned(),
        finding: text.finding.into_owned(),
        item: ItemName { table, key },
        before: image(text.before),
        after: image(text.after),
    })
}
