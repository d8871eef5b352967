//! No input causes a panic, and good records beside a bad one are processed.

use std::sync::LazyLock;

use proptest::prelude::*;
use referee::engine::{DecodeError, Engine, records};
use referee::replay::{self, read_batch};
use serde_json::{Value as Json, json};

use crate::decode::generated::value;
use crate::decode::process;
use kit::fixture::Fixture;

/// Each fixture's engine, and the fixture's records.
static RECORDED: LazyLock<Vec<(Engine, Vec<Json>)>> = LazyLock::new(|| {
    let records_of = |fixture: &Fixture| {
        let records = fixture.batches.iter().flat_map(|batch| &batch.records);
        records.map(|record| serde_json::from_str(record.get()).unwrap()).collect()
    };
    Fixture::all()
        .into_iter()
        .map(|fixture| (Engine::new(fixture.rules.clone()), records_of(&fixture)))
        .collect()
});

/// Generates any JSON value.
fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,8}".prop_map(|text| json!(text)),
        value(),
    ];
    let name = prop_oneof![
        "[a-z]{1,3}",
        Just("Records".to_owned()),
        Just("dynamodb".to_owned()),
        Just("Keys".to_owned()),
        Just("S".to_owned()),
        Just("pk".to_owned()),
    ];
    leaf.prop_recursive(4, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| json!(list)),
            prop::collection::btree_map(name.clone(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// Collects every location in a value, as JSON pointers.
fn locations(value: &Json, at: &str, locations: &mut Vec<String>) {
    locations.push(at.to_owned());
    match value {
        Json::Object(map) => {
            for (name, inner) in map {
                self::locations(inner, &format!("{at}/{name}"), locations);
            }
        }
        Json::Array(list) => {
            for (place, inner) in list.iter().enumerate() {
                self::locations(inner, &format!("{at}/{place}"), locations);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// Processes a bad record between two good ones. Asserts that no good record is rejected.
fn process_beside(engine: &Engine, good: &Json, bad: &Json) -> Result<(), TestCaseError> {
    let event = json!({"Records": [good, bad, good]}).to_string();
    decode_at_once(engine, &event)?;
    let store = replay::store(engine.rules());
    let outcome = process(engine, &store, &records(&event).unwrap());
    prop_assert_eq!(outcome.records, 3);
    prop_assert!(outcome.rejected.iter().all(|rejected| rejected.position == 1), "{:?}", outcome);
    Ok(())
}

/// Decodes an event. Asserts that the result is the same as if its records were decoded one by one.
fn decode_at_once(engine: &Engine, event: &str) -> Result<(), TestCaseError> {
    match engine.decode(event) {
        Ok(batch) => {
            prop_assert_eq!(batch, engine.decode_records(&records(event).unwrap()));
        }
        Err(DecodeError::Event(_)) => prop_assert!(records(event).is_err()),
        Err(DecodeError::Stream(_)) => prop_assert!(records(event).is_ok()),
    }
    Ok(())
}

#[test]
fn a_null_record_does_not_affect_the_others() {
    for (engine, recorded) in &*RECORDED {
        process_beside(engine, &recorded[0], &Json::Null).unwrap();
    }
}

#[test]
fn all_batches_of_a_case_can_be_one_event() {
    for (engine, recorded) in &*RECORDED {
        let text = json!({"Records": recorded}).to_string();
        decode_at_once(engine, &text).unwrap();
        let batch = read_batch("whole", text.as_bytes(), None).unwrap();
        let records: Vec<_> = batch.records.iter().map(|record| &**record).collect();
        let store = replay::store(engine.rules());
        assert_eq!(process(engine, &store, &records).records, recorded.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_cause_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_batch("any", &bytes, None);
    }

    #[test]
    fn arbitrary_json_causes_no_panic(event in json()) {
        let _ = records(&event.to_string());
    }

    #[test]
    fn an_arbitrary_record_does_not_affect_the_others(bad in json(), which: prop::sample::Index) {
        let (engine, recorded) = &RECORDED[which.index(RECORDED.len())];
        let good = recorded.iter().find(|record| record["eventName"] == "INSERT");
        if let Some(good) = good {
            process_beside(engine, good, &bad)?;
        }
    }

    #[test]
    fn a_mutated_record_does_not_affect_the_others(
        which: (prop::sample::Index, prop::sample::Index, prop::sample::Index),
        value in json(),
    ) {
        let (engine, recorded) = &RECORDED[which.0.index(RECORDED.len())];
        let good = &recorded[0];
        let mut bad = recorded[which.1.index(recorded.len())].clone();
        let mut all = Vec::new();
        locations(&bad, "", &mut all);
        *bad.pointer_mut(&all[which.2.index(all.len())]).unwrap() = value;
        process_beside(engine, good, &bad)?;
    }

    /// An event with bytes replaced anywhere is read or refused, without a panic.
    #[test]
    fn an_event_with_replaced_bytes_causes_no_panic(
        which: (prop::sample::Index, prop::sample::Index, prop::sample::Index),
        bytes in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let (engine, recorded) = &RECORDED[which.0.index(RECORDED.len())];
        let mut text = json!({"Records": recorded}).to_string().into_bytes();
        let (from, to) = (which.1.index(text.len()), which.2.index(text.len()));
        text.splice(from.min(to)..(from.min(to) + 3).min(from.max(to)), bytes);
        if let Ok(batch) = read_batch("replaced", &text, None) {
            let records: Vec<_> = batch.records.iter().map(|record| &**record).collect();
            let store = replay::store(engine.rules());
            prop_assert_eq!(process(engine, &store, &records).records, records.len());
        }
    }
}
