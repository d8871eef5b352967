//! Items in plain JSON, without the types of DynamoDB: `{"pk": "user#1", "age": 42}`.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{Item, MAX_DEPTH, Number, Value, without_position};

/// Reads an item in plain JSON. A text becomes an `S`, a number an `N`, an array an `L`, and an
/// object an `M`: sets and binary values cannot be written like this.
///
/// # Errors
///
/// Says what is not JSON, or not possible in DynamoDB.
pub fn plain_item(text: &str) -> Result<Item<'static>, String> {
    let Value::M(item) = plain_value(text, 0)? else {
        return Err("an item is an object".to_owned());
    };
    Ok(item)
}

/// Reads a value from its text, because a parsed number might have lost digits.
fn plain_value(text: &str, depth: usize) -> Result<Value<'static>, String> {
    if depth > MAX_DEPTH {
        return Err(format!("a value is nested more than {MAX_DEPTH} levels deep"));
    }
    let wrong = |error: serde_json::Error| without_position(&error);
    let text = text.trim();
    match text.as_bytes().first() {
        Some(b'"') => Ok(Value::S(serde_json::from_str::<String>(text).map_err(wrong)?.into())),
        Some(b't' | b'f') => Ok(Value::Bool(serde_json::from_str(text).map_err(wrong)?)),
        Some(b'n') => serde_json::from_str(text).map(|()| Value::Null).map_err(wrong),
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(text).map_err(wrong)?;
            let values = list.into_iter().map(|value| plain_value(value.get(), depth + 1));
            Ok(Value::L(values.collect::<Result<_, _>>()?))
        }
        Some(b'{') => {
            let map: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(wrong)?;
            let attribute = |(name, value): (String, &RawValue)| {
                let value = plain_value(value.get(), depth + 1)
                    .map_err(|error| format!("attribute `{name}`: {error}"))?;
                Ok::<_, String>((name.into(), value))
            };
            Ok(Value::M(map.into_iter().map(attribute).collect::<Result<_, _>>()?))
        }
        _ => {
            serde_json::from_str::<&RawValue>(text).map_err(wrong)?;
            Number::parse(text.to_owned()).map(Value::N).map_err(|error| error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::JsonItem;

    #[test]
    fn plain_json_gets_types() {
        let plain = r#"{"s": "a\"b", "n": 12345678901234567890123456789012345678, "f": -1.50,
            "b": true, "z": null, "l": [1, "x", []], "m": {"in": {"n": 1e3}}}"#;
        let typed = r#"{"s": {"S": "a\"b"}, "n": {"N": "12345678901234567890123456789012345678"},
            "f": {"N": "-1.5"}, "b": {"BOOL": true}, "z": {"NULL": true},
            "l": {"L": [{"N": "1"}, {"S": "x"}, {"L": []}]},
            "m": {"M": {"in": {"M": {"n": {"N": "1000"}}}}}}"#;
        let JsonItem(typed) = serde_json::from_str(typed).unwrap();
        assert_eq!(plain_item(plain).unwrap(), typed);
    }

    #[test]
    fn what_is_no_item_is_refused() {
        let deep = format!("{{\"a\": {}1{}}}", "[".repeat(40), "]".repeat(40));
        for (text, error) in [
            ("", "EOF while parsing a value"),
            ("[]", "an item is an object"),
            ("{\"a\": 1e999}", "attribute `a`: "),
            ("{\"a\": x}", "expected value"),
            (&deep, "attribute `a`: a value is nested more than 32 levels deep"),
        ] {
            let found = plain_item(text).unwrap_err();
            assert!(found.starts_with(error), "{text}: {found}");
        }
    }
}
