//! The language as a JSON Schema, so that editors complete rule files.

use serde_json::{Map, Value, json};

use super::table::FILE;
use super::{Kind, Presence, Record, Word};

/// The JSON Schema (draft 2020-12) of rule files.
#[must_use]
pub fn schema() -> Value {
    let mut schema = record(&FILE);
    if let Value::Object(object) = &mut schema {
        object.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("title".to_owned(), json!("Referee rule file"));
    }
    schema
}

fn record(record: &Record) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in record.keys {
        let mut property = kind(&key.kind);
        if let Value::Object(object) = &mut property {
            object.insert("description".to_owned(), json!(describe(key.doc, &key.kind)));
            if let Presence::Default(value) = key.presence
                && let Ok(value) = serde_json::from_str::<Value>(value)
            {
                object.insert("default".to_owned(), value);
            }
        }
        if matches!(key.presence, Presence::Required) {
            required.push(key.name);
        }
        properties.insert(key.name.to_owned(), property);
    }
    json!({
        "type": "object",
        "description": record.doc,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn kind(this: &Kind) -> Value {
    match this {
        Kind::Version => json!({ "const": 1 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count => json!({ "type": "integer", "minimum": 1 }),
        Kind::Literal => json!({ "type": ["string", "number", "boolean"] }),
        Kind::Text(format) => match format.pattern {
            Some(pattern) => json!({ "type": "string", "pattern": pattern }),
            None => json!({ "type": "string" }),
        },
        Kind::Choice(words) => {
            json!({ "enum": words.iter().map(|word| word.text).collect::<Vec<_>>() })
        }
        Kind::List { of, count_min, count_max } => json!({
            "type": "array",
            "items": kind(of),
            "minItems": count_min,
            "maxItems": count_max,
        }),
        Kind::Map { keys, values, count_max } => {
            let mut map = json!({
                "type": "object",
                "additionalProperties": kind(values),
                "maxProperties": count_max,
            });
            if let (Value::Object(object), Some(pattern)) = (&mut map, keys.pattern) {
                object.insert("propertyNames".to_owned(), json!({ "pattern": pattern }));
            }
            map
        }
        Kind::Record(inner) => record(inner),
        Kind::Either(kinds) => json!({ "anyOf": kinds.iter().map(kind).collect::<Vec<_>>() }),
    }
}

/// The sentence, and what each word means.
fn describe(doc: &str, kind: &Kind) -> String {
    let Kind::Choice(words) = kind else { return doc.to_owned() };
    let meanings: Vec<_> =
        words.iter().map(|Word { text, doc, .. }| format!("`{text}`: {doc}")).collect();
    format!("{doc} {}.", meanings.join("; "))
}
