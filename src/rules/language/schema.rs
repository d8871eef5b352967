//! Generates a JSON Schema of the rule language, which editors use to complete rule files.

use serde_json::{Map, Value, json};

use super::grammar::{Object, Presence, Shape, Word};
use super::table::FILE;

/// The JSON Schema (draft 2020-12) of rule files.
#[must_use]
pub fn schema() -> Value {
    let mut schema = object_schema(&FILE);
    if let Value::Object(members) = &mut schema {
        members.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        members.insert("title".to_owned(), json!("Referee rule file"));
    }
    schema
}

fn object_schema(object: &Object) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in object.fields {
        let mut property = shape_schema(&field.shape);
        if let Value::Object(members) = &mut property {
            members.insert("description".to_owned(), json!(describe(field.doc, &field.shape)));
            if let Presence::Default(value) = &field.presence {
                members.insert("default".to_owned(), value.to_json());
            }
        }
        if matches!(field.presence, Presence::Required) {
            required.push(field.name);
        }
        if let Some(synonym) = field.synonym {
            properties.insert(synonym.to_owned(), property.clone());
        }
        properties.insert(field.name.to_owned(), property);
    }
    json!({
        "type": "object",
        "description": object.doc,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn shape_schema(shape: &Shape) -> Value {
    match shape {
        Shape::Version => json!({ "const": 1 }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Count => json!({ "type": "integer", "minimum": 1 }),
        Shape::Literal => json!({ "type": ["string", "number", "boolean"] }),
        Shape::Text(format) => match format.pattern {
            Some(pattern) => json!({ "type": "string", "pattern": pattern }),
            None => json!({ "type": "string" }),
        },
        Shape::Choice(words) => {
            json!({ "enum": words.iter().map(|word| word.text).collect::<Vec<_>>() })
        }
        Shape::List { of, count_min, count_max } => json!({
            "type": "array",
            "items": shape_schema(of),
            "minItems": count_min,
            "maxItems": count_max,
        }),
        Shape::Map { keys, values, count_max } => {
            let mut map = json!({
                "type": "object",
                "additionalProperties": shape_schema(values),
                "maxProperties": count_max,
            });
            if let (Value::Object(members), Some(pattern)) = (&mut map, keys.pattern) {
                members.insert("propertyNames".to_owned(), json!({ "pattern": pattern }));
            }
            map
        }
        Shape::Object(object) => object_schema(object),
        Shape::Open { known, values, count_max, .. } => {
            let mut open = object_schema(known);
            if let Value::Object(members) = &mut open {
                members.insert("additionalProperties".to_owned(), shape_schema(values));
                let names = count_max.saturating_add(known.fields.len());
                members.insert("maxProperties".to_owned(), json!(names));
            }
            open
        }
        Shape::Setting(inner) => json!({
            "anyOf": [shape_schema(inner), { "type": "string", "pattern": r"\$\{" }]
        }),
        Shape::Either(shapes) => {
            json!({ "anyOf": shapes.iter().map(shape_schema).collect::<Vec<_>>() })
        }
    }
}

/// The description of a field: its sentence, followed by the meaning of each word it accepts.
fn describe(doc: &str, shape: &Shape) -> String {
    let (Shape::Choice(words) | Shape::Setting(Shape::Choice(words))) = shape else {
        return doc.to_owned();
    };
    let meanings: Vec<_> =
        words.iter().map(|Word { text, doc, .. }| format!("`{text}`: {doc}")).collect();
    format!("{doc} {}.", meanings.join("; "))
}
