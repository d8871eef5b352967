//! Any bytes as Lambda's event: every record is read or rejected with a reason, nothing panics, and
//! the result agrees with Lambda's own event types where these can read the record.
//!
//! The first byte chooses the rules of a case under `events/`; the rest is the event.

#![no_main]

use std::sync::LazyLock;

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use kit::clocks::Patient;
use kit::fixture::Fixture;
use libfuzzer_sys::fuzz_target;
use referee::data::{Item, JsonItem, into_owned};
use referee::engine::{Engine, Origin, Outcome, StreamChange, decode_whole};
use referee::replay;
use referee::rules::Rules;
use serde_json::value::RawValue;

static ENGINES: LazyLock<Vec<Engine>> = LazyLock::new(|| {
    Fixture::all().into_iter().map(|fixture| Engine::new(fixture.rules)).collect()
});

fuzz_target!(|bytes: &[u8]| {
    let Some((case, event)) = bytes.split_first() else { return };
    let engine = &ENGINES[usize::from(*case) % ENGINES.len()];
    let Ok(batch) = replay::read_batch("event", event, None) else {
        // `aws_lambda_events` does not check the bytes that it skips. Only valid UTF-8 is compared.
        let theirs = std::str::from_utf8(event).is_ok_and(is_event_to_them);
        assert!(!theirs, "what `aws_lambda_events` reads as an event must be one");
        return;
    };
    let records: Vec<&RawValue> = batch.records.iter().map(|record| &**record).collect();
    for (position, record) in records.iter().enumerate() {
        check_record(engine.rules(), position, record);
    }
    check_outcome(engine, &records);
    if let Ok(batch) = engine.decode(std::str::from_utf8(event).expect("it was read")) {
        assert_eq!(batch, engine.decode_records(&records));
    }
});

fn is_event_to_them(text: &str) -> bool {
    serde_json::from_str::<Event>(text).is_ok()
}

/// Checks that a record is rejected with a reason, or that both readers agree on it, even after its
/// images are written and read again.
fn check_record(rules: &Rules, position: usize, record: &RawValue) {
    let ours = match decode_whole(rules, position, record) {
        Ok(ours) => ours,
        Err(rejected) => {
            assert_eq!(rejected.position, position);
            assert!(!rejected.error.is_empty());
            return;
        }
    };
    for image in [&ours.change.before, &ours.change.after].into_iter().flatten() {
        assert_eq!(reread(image), *image);
        assert_eq!(rules[ours.change.table].key.key_of(image).map(|_| ()), Ok(()));
    }
    // `aws_lambda_events` requires more fields than Referee, and may refuse a record that Referee
    // accepts.
    if let Ok(theirs) = serde_json::from_str::<EventRecord>(record.get()) {
        check_agreement(rules, &ours, &theirs);
    }
}

/// Checks that two readers that accept a record agree on everything except what `aws_lambda_events`
/// does not distinguish: fractions of a second, and images that the event's name excludes.
fn check_agreement(rules: &Rules, ours: &StreamChange<'_>, theirs: &EventRecord) {
    let table = &rules[ours.change.table];
    let arn = theirs.event_source_arn.as_deref().unwrap_or_default();
    assert!(arn.split('/').any(|part| part == table.name), "{arn}");
    assert_eq!(table.key.key_of(&reread(&theirs.change.keys)), Ok(ours.change.key.clone()));
    assert_eq!(theirs.change.sequence_number.as_deref(), Some(ours.sequence.as_str()));
    let event = match (&ours.change.before, &ours.change.after) {
        (None, Some(_)) => "INSERT",
        (Some(_), Some(_)) => "MODIFY",
        (Some(_), None) => "REMOVE",
        (None, None) => "nothing",
    };
    assert_eq!(theirs.event_name, event);
    if let Some(before) = &ours.change.before {
        assert_eq!(reread(&theirs.change.old_image), *before);
    }
    if let Some(after) = &ours.change.after {
        assert_eq!(reread(&theirs.change.new_image), *after);
    }
    // `aws_lambda_events` reads a missing time as 1970, and fractions of a second wrongly.
    let in_this_century = 0..4_000_000_000_000;
    if let Some(ours) = ours.created_ms.filter(|ms| ms % 1000 == 0 && in_this_century.contains(ms))
    {
        let theirs = theirs.change.approximate_creation_date_time;
        assert!(theirs.timestamp_subsec_nanos() != 0 || theirs.timestamp_millis() == ours);
    }
    let is_ttl = theirs.user_identity.as_ref().is_some_and(|identity| {
        identity.principal_id == "dynamodb.amazonaws.com" && identity.type_ == "Service"
    });
    assert_eq!(is_ttl, ours.origin == Origin::Ttl);
}

/// Writes an item as JSON and reads it again.
fn reread(item: &impl serde::Serialize) -> Item<'static> {
    let json = serde_json::to_string(item).expect("an item has a JSON");
    let JsonItem(item) = serde_json::from_str(&json).expect("what was accepted is readable");
    into_owned(item)
}

/// Checks that a record's result does not depend on the other records, and that processing is
/// deterministic.
fn check_outcome(engine: &Engine, records: &[&RawValue]) {
    let outcome = process(engine, records);
    assert_eq!(outcome.records, records.len());
    assert!(outcome.rejected.is_sorted_by_key(|rejected| rejected.position));
    for rejected in &outcome.rejected {
        assert!(rejected.position < records.len() && !rejected.error.is_empty());
    }
    assert!(outcome.violations.iter().all(|found| !found.id(engine.rules()).is_empty()));
    assert_eq!(process(engine, records), outcome);
    for (position, record) in records.iter().enumerate() {
        let Err(whole) = decode_whole(engine.rules(), position, record) else { continue };
        // A record is not rejected for an attribute that no rule uses.
        let alone = process(engine, &[*record]).rejected.pop();
        if alone.is_some_and(|alone| alone.error == whole.error) {
            assert!(outcome.rejected.contains(&whole), "rejected alone, but not with others");
        }
    }
}

fn process(engine: &Engine, records: &[&RawValue]) -> Outcome {
    let store = replay::store(engine.rules());
    pollster::block_on(engine.process(records, &store, &Patient))
        .expect("the tables of the rules exist")
}
