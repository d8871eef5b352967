//! The filter criteria of an event source mapping, which decide which records reach the function.
//!
//! Supports the documented patterns that are useful for DynamoDB. Numeric comparisons are not
//! supported, because they never match: numbers in the records are strings.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html>

use serde_json::{Map, Value as Json};

/// A list of filters. A record passes if at least one filter matches it, or if the list is empty.
#[derive(Debug, Default)]
pub struct Filters(Vec<Map<String, Json>>);

impl Filters {
    /// Reads patterns. Fails on a pattern that a mapping would refuse, or that is not supported
    /// here.
    pub fn read(patterns: &[&str]) -> Result<Self, String> {
        // "By default, five filters per event source. You can request a quota increase for up to
        // 10 filters."
        if patterns.len() > 10 {
            return Err("more than ten filters".to_owned());
        }
        let filter = |pattern: &&str| {
            let json: Json = serde_json::from_str(pattern).map_err(|error| error.to_string())?;
            let Json::Object(fields) = json else { return Err(format!("{json} is not an object")) };
            // "DynamoDB event source mappings only support filtering on the `dynamodb` key."
            match fields.keys().find(|key| *key != "dynamodb") {
                Some(key) => Err(format!("`{key}` cannot be filtered on")),
                None => check(&fields).map(|()| fields),
            }
        };
        patterns.iter().map(filter).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a record reaches the function.
    pub fn pass(&self, record: &str) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let record: Json = serde_json::from_str(record).unwrap();
        self.0.iter().any(|fields| all_match(fields, Some(&record)))
    }
}

fn check(fields: &Map<String, Json>) -> Result<(), String> {
    fields.values().try_for_each(|pattern| match pattern {
        Json::Object(nested) => check(nested),
        Json::Array(tests) if !tests.is_empty() => tests.iter().try_for_each(check_test),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            Err(format!("{pattern} is neither an object nor a list of tests"))
        }
    })
}

fn check_test(test: &Json) -> Result<(), String> {
    match test {
        Json::String(_) | Json::Null => Ok(()),
        Json::Object(operator) => match operator.iter().next() {
            Some((name, Json::Bool(_))) if name == "exists" => Ok(()),
            Some((name, Json::String(_))) if name == "prefix" => Ok(()),
            Some((name, Json::Array(_))) if name == "anything-but" => Ok(()),
            _ => Err(format!("{test} is not a test that works on DynamoDB's records")),
        },
        Json::Bool(_) | Json::Number(_) | Json::Array(_) => {
            Err(format!("{test} never equals a value of DynamoDB's JSON"))
        }
    }
}

/// Whether all fields match: a pattern with several fields joins them with "and".
fn all_match(fields: &Map<String, Json>, value: Option<&Json>) -> bool {
    fields.iter().all(|(name, pattern)| {
        let field = value.and_then(|value| value.get(name));
        match pattern {
            Json::Object(nested) => all_match(nested, field),
            // The tests of one field are joined with "or".
            Json::Array(tests) => tests.iter().any(|test| passes(test, field)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
        }
    })
}

fn passes(test: &Json, value: Option<&Json>) -> bool {
    if let Some(wanted) = test.get("exists") {
        // "Exists only works on the leaf nodes in your event source JSON."
        let is_leaf = value.is_some_and(|value| !value.is_object());
        return Json::Bool(is_leaf) == *wanted;
    }
    let Some(value) = value else { return false };
    if let Json::Array(elements) = value {
        // One matching element of a list or string set is enough.
        return elements.iter().any(|element| passes(test, Some(element)));
    }
    match (test.get("prefix"), test.get("anything-but")) {
        (Some(Json::String(prefix)), _) => {
            value.as_str().is_some_and(|text| text.starts_with(prefix))
        }
        (_, Some(Json::Array(others))) => !others.contains(value),
        _ => value == test,
    }
}

pub const TESTS: &[(&str, fn())] = &[
    ("a_filter_compares_as_documented", compares),
    ("filters_are_joined_with_or", filters_are_joined_with_or),
    ("a_filter_on_the_new_image_drops_deletes", drops_deletes),
    ("patterns_that_never_match_are_refused", refused),
];

fn record() -> Json {
    serde_json::json!({
        "eventName": "MODIFY",
        "dynamodb": {
            "Keys": { "pk": { "S": "company#acme" } },
            "NewImage": {
                "pk": { "S": "company#acme" },
                "size": { "N": "12" },
                "note": { "S": "" },
                "tags": { "SS": ["a", "b"] },
                "nothing": { "NULL": true },
            },
        },
    })
}

fn pass(patterns: &[&str]) -> bool {
    Filters::read(patterns).unwrap().pass(&record().to_string())
}

fn compares() {
    let image = |image: &str| pass(&[&format!(r#"{{"dynamodb":{{"NewImage":{image}}}}}"#)]);
    for (pattern, expected) in [
        (r#"{"pk":{"S":["company#acme"]}}"#, true),
        (r#"{"pk":{"S":["company#Acme"]}}"#, false),
        (r#"{"pk":{"S":["other","company#acme"]}}"#, true),
        (r#"{"pk":{"S":[{"prefix":"company#"}]}}"#, true),
        (r#"{"pk":{"S":[{"prefix":"user#"}]}}"#, false),
        (r#"{"pk":{"S":[{"anything-but":["company#acme"]}]}}"#, false),
        (r#"{"pk":{"S":[{"anything-but":["company#x"]}]}}"#, true),
        // `anything-but` does not match a missing field.
        (r#"{"other":{"S":[{"anything-but":["x"]}]}}"#, false),
        (r#"{"size":{"N":["12"]}}"#, true),
        (r#"{"note":{"S":[""]}}"#, true),
        (r#"{"tags":{"SS":["b"]}}"#, true),
        (r#"{"size":{"N":[{"exists":true}]}}"#, true),
        (r#"{"size":{"S":[{"exists":false}]}}"#, true),
        (r#"{"gone":{"S":[{"exists":false}]}}"#, true),
        // A value that is not a leaf does not exist.
        (r#"{"size":[{"exists":true}]}"#, false),
        (r#"{"pk":{"S":["company#acme"]},"size":{"N":["13"]}}"#, false),
    ] {
        assert_eq!(image(pattern), expected, "{pattern}");
    }
    assert!(pass(&[]));
}

fn filters_are_joined_with_or() {
    let none = r#"{"dynamodb":{"Keys":{"pk":{"S":["x"]}}}}"#;
    let one = r#"{"dynamodb":{"Keys":{"pk":{"S":["company#acme"]}}}}"#;
    assert!(!pass(&[none]));
    assert!(pass(&[none, one]));
}

fn drops_deletes() {
    let mut remove = record();
    remove["dynamodb"].as_object_mut().unwrap().remove("NewImage");
    let on_image =
        Filters::read(&[r#"{"dynamodb":{"NewImage":{"pk":{"S":[{"prefix":"company#"}]}}}}"#]);
    assert!(!on_image.unwrap().pass(&remove.to_string()));
    let on_keys = Filters::read(&[r#"{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"company#"}]}}}}"#]);
    assert!(on_keys.unwrap().pass(&remove.to_string()));
}

fn refused() {
    for pattern in [
        r#"{"dynamodb":{"NewImage":{"size":{"N":[{"numeric":[">",1]}]}}}}"#,
        r#"{"dynamodb":{"NewImage":{"size":{"N":[12]}}}}"#,
        r#"{"dynamodb":{"NewImage":{"size":{"N":"12"}}}}"#,
        r#"{"dynamodb":{"NewImage":{"size":{"N":[]}}}}"#,
        r#"{"eventName":["INSERT"]}"#,
        "[]",
        "{",
    ] {
        assert!(Filters::read(&[pattern]).is_err(), "{pattern}");
    }
    assert!(Filters::read(&["{}"; 11]).is_err());
}
