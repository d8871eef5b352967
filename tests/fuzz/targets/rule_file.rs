//! Any bytes as a rule file: each problem can be printed, and rules that load can be used by every
//! part of the program.

#![no_main]

use libfuzzer_sys::fuzz_target;
use referee::cli::{human, json};
use referee::data::{Item, Key};
use referee::engine::Engine;
use referee::guard::{Language, Operation, Transaction, guard_entity, guard_item};
use referee::iam::{Deployment, policy};
use referee::integrity::inspect::inspect;
use referee::replay::{self, Batch, Options};
use referee::rules::model::{EntityId, Rules, TableId};
use referee::rules::{self, Level, Lines, Locations, RuleSource};
use serde_json::json;
use serde_json::value::to_raw_value;

fuzz_target!(|bytes: &[u8]| {
    let source = match RuleSource::from_bytes("referee.yaml", bytes.to_vec()) {
        Ok(source) => source,
        Err(diagnostic) => {
            let nothing = RuleSource { name: "referee.yaml".to_owned(), text: String::new() };
            let _ = human(&nothing, &diagnostic, false);
            return;
        }
    };
    let loaded = rules::load(&source, &|name| (name == "STAGE").then(|| "dev".to_owned()));
    let lines = Lines::of(&source.text);
    for diagnostic in &loaded.diagnostics {
        let shown = human(&source, diagnostic, false);
        assert!(shown.contains(diagnostic.code.id), "{shown}");
        serde_json::to_string(&json(&source, &lines, diagnostic)).expect("it has a JSON");
        for label in &diagnostic.labels {
            assert!(label.span.of(&source.text).is_some(), "{diagnostic:?}");
        }
    }
    let is_sound = loaded.diagnostics.iter().all(|it| it.level() == Level::Warning);
    assert_eq!(loaded.rules.is_some(), is_sound, "{:?}", loaded.diagnostics);
    if let Some(rules) = loaded.rules {
        check_places(&source, &rules);
        check_policy(&rules);
        check_entities(&rules);
    }
});

/// Checks that every table of the rules has a location in the file.
fn check_places(source: &RuleSource, rules: &Rules) {
    let places = Locations::of(source);
    for table in &rules.tables {
        let span = places.table(&table.alias).expect("a table has a place");
        assert!(span.of(&source.text).is_some());
    }
}

fn check_policy(rules: &Rules) {
    let deployment = Deployment::anywhere("referee");
    let policy = policy(rules, &deployment);
    assert!(!policy.to_hcl().is_empty());
    serde_json::to_string(&policy).expect("a policy has a JSON");
    let mut sids: Vec<_> = policy.statements.iter().map(|statement| &statement.sid).collect();
    sids.sort();
    sids.dedup();
    assert_eq!(sids.len(), policy.statements.len(), "statements have names of their own");
}

/// Checks the guards of each entity, and an example item of it.
fn check_entities(rules: &Rules) {
    let engine = Engine::new(rules.clone());
    for (id, entity) in rules.entities.iter().enumerate() {
        for operation in [Operation::Put, Operation::Update, Operation::Delete] {
            guard_entity(rules, EntityId(id), operation).iter().for_each(check_texts);
        }
        // Every key template overlaps with itself, which gives an example key.
        let key = entity.key.overlap(&entity.key).expect("it has a key");
        let schema = &rules[entity.table].key;
        if schema.check(&key).is_err() {
            continue;
        }
        let item = schema.item_of(&key);
        check_example(&engine, entity.table, &key, &item);
    }
}

fn check_example(engine: &Engine, table: TableId, key: &Key<'_>, item: &Item<'_>) {
    let rules = engine.rules();
    let sightings = inspect(rules, table, key, item);
    assert!(!sightings.is_empty(), "{key:?} is of its entity");
    for operation in [Operation::Put, Operation::Update, Operation::Delete] {
        guard_item(rules, table, item, operation).iter().for_each(check_texts);
    }
    let name = &rules[table].name;
    let record = |event: &str, image: &str, sequence: &str| {
        json!({
            "eventName": event,
            "eventSourceARN": format!("arn:aws:dynamodb:eu-west-1:1:table/{name}/stream/1"),
            "dynamodb": { "Keys": item, "SequenceNumber": sequence, image: item },
        })
    };
    let records = [record("INSERT", "NewImage", "1"), record("REMOVE", "OldImage", "2")];
    let batch = |record: &serde_json::Value| Batch {
        file: "example".to_owned(),
        records: to_raw_value(record).into_iter().collect(),
    };
    let store = replay::store(rules);
    let batches = records.iter().map(batch).collect();
    replay::replay(engine, &store, batches, Options::default(), |_| {}).expect("it ends");
}

/// Checks that a transaction can be printed in every language, and that its JSON is valid.
fn check_texts(transaction: &Transaction) {
    for language in [Language::JavaScript, Language::Python, Language::Rust] {
        assert!(!transaction.to_text(language).is_empty());
    }
    for language in [Language::Cli, Language::Checks] {
        let text = transaction.to_text(language);
        serde_json::from_str::<serde_json::Value>(&text).expect("it is JSON");
    }
    for checks_only in [false, true] {
        let line = transaction.to_json_line(checks_only);
        assert!(!line.contains('\n'));
        serde_json::from_str::<serde_json::Value>(&line).expect("it is JSON");
    }
}
