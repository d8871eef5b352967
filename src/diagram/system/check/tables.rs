//! Tables, their streams and who reads them.

use std::collections::BTreeSet;

use crate::diagram::system::deployment::{Area, Stream, Table};
use crate::diagram::system::finding::{Finding, Kind};
use crate::diagram::system::ids;
use crate::diagram::system::part::Part;
use crate::diagram::system::system::System;
use crate::preflight::{STREAM_VIEW, stream_off_and_on, stream_on, streamed, ttl_notes, with_ttl};
use crate::rules::model::TableId;

/// More readers of a shard are throttled.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>
const READERS_MAX: usize = 2;

pub(super) fn check(system: &System<'_>, found: &mut Vec<Finding>) {
    let (streamed, with_ttl) = (streamed(system.rules), with_ttl(system.rules));
    for (id, part) in &system.tables {
        let name = &system.rules[*id].name;
        let mut add = |kind, message: String, help: String| {
            found.push(Finding { kind, subject: ids::table(name), message, help });
        };
        let deployed = part.as_ref().filter(|it| system.is_deployed(it, Area::Tables));
        if let Some(table) = deployed {
            if !table.shown().exists {
                let message = format!("table `{name}` does not exist");
                let help =
                    "check the `name` of the table in the rule file, the account and the Region";
                add(Kind::TableMissing, message, help.to_owned());
                continue;
            }
            description(system, *id, table, &mut add);
            if streamed.contains(id) {
                stream(name, table, &mut add);
            }
            if with_ttl.contains(id) {
                for note in ttl_notes(system.rules, *id, &table.shown().ttl) {
                    let help = "correct `ttl` of the table in the rule file, or the table";
                    add(Kind::TtlDiffers, note, help.to_owned());
                }
            }
        }
        if streamed.contains(id) {
            readers(system, name, &mut add);
        }
    }
}

type Add<'a> = &'a mut dyn FnMut(Kind, String, String);

fn description(system: &System<'_>, id: TableId, table: &Part<Table>, add: Add<'_>) {
    let declared = &system.rules[id];
    let Some(key) = table.known(|it| it.key.clone()).filter(|key| *key != declared.key) else {
        return;
    };
    let text = |key: &crate::data::KeySchema| {
        let attributes = key.attributes();
        let attributes = attributes.map(|it| format!("`{}` ({})", it.name, it.kind.as_type()));
        attributes.collect::<Vec<_>>().join(", ")
    };
    let (name, actual, expected) = (&declared.name, text(&key), text(&declared.key));
    let message = format!("table `{name}` has the key {actual}, but the rule file says {expected}");
    let help = format!("correct the `key` of table `{}` in the rule file", declared.alias);
    add(Kind::TableKey, message, help);
}

fn stream(name: &str, table: &Part<Table>, add: Add<'_>) {
    match table.known(|it| it.stream.clone()) {
        Some(Stream::Off) => {
            add(Kind::NoStream, format!("table `{name}` has no stream"), stream_on(name));
        }
        Some(Stream::On(view)) if view != STREAM_VIEW => {
            let message = format!(
                "the stream of table `{name}` has the view type {view}; Referee needs {STREAM_VIEW}"
            );
            add(Kind::StreamView, message, stream_off_and_on(name));
        }
        Some(Stream::On(_)) | None => {}
    }
}

fn readers(system: &System<'_>, name: &str, add: Add<'_>) {
    let ours = system.our_mappings().filter(|(_, it)| it.table() == Some(name));
    let ours: Vec<_> = ours.map(|(_, mapping)| mapping).collect();
    let function = system.function_name();
    let is_enabled = |it: &Option<bool>| *it != Some(false);
    if ours.is_empty() && system.covers(Area::Mappings) {
        let message = format!(
            "no event source mapping of function `{function}` reads the stream of table `{name}`, so \
             its changes are not checked"
        );
        let help = "create one, with ReportBatchItemFailures; check older items with `referee audit \
                    --live`";
        add(Kind::TableNotRead, message, help.to_owned());
    }
    let states: Vec<_> = ours.iter().map(|mapping| mapping.known(|it| it.is_enabled)).collect();
    if !states.is_empty() && !states.iter().any(is_enabled) {
        let message = format!(
            "the event source mapping from table `{name}` to function `{function}` is disabled, so \
             changes are not checked"
        );
        let help =
            "enable it; the stream keeps changes for 24 hours, so check older ones with an audit";
        add(Kind::MappingDisabled, message, help.to_owned());
    }
    let all = system.mappings.iter().filter(|it| {
        it.table() == Some(name)
            && system.is_deployed(it, Area::Mappings)
            && it.known(|mapping| mapping.is_enabled) != Some(false)
    });
    let readers: BTreeSet<String> = all
        .map(|it| it.shown().function.clone().unwrap_or_else(|| it.shown().id.clone()))
        .collect();
    if readers.len() > READERS_MAX {
        let names: Vec<_> = readers.iter().map(|name| format!("`{name}`")).collect();
        let message = format!(
            "{} functions read the stream of table `{name}`, but each shard allows {READERS_MAX} \
             readers: {}",
            readers.len(),
            names.join(", ")
        );
        let help = "let one function pass the records on, for example through EventBridge";
        add(Kind::TooManyReaders, message, help.to_owned());
    }
}
