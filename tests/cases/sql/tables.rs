//! Tables: read from dumps, and varied, so that they have more kinds of values.

use std::borrow::Cow;

use fastrand::Rng;
use kit::oracle::Dump;
use referee::data::{Item, JsonItem, Number, Value, into_owned};
use referee::rules::Rules;
use serde_json::Value as Json;

/// A text that occurs instead of `a b` in some tables, in keys and elsewhere.
const ODD: [&str; 8] = [
    "it's",
    r#""quoted" \ back\\slash"#,
    "line\nfeed \t tab",
    "${var} $1 {x} [y] (z) %_",
    "𝄞 é ",
    "2024-01",
    "a.b|c/d~e",
    r#"","N":"1.0","SS":["b","a"]"#,
];

/// Reads a dump.
pub(super) fn read(rules: &Rules, text: &str) -> Dump {
    let mut dump: Dump = rules.tables.iter().map(|it| (it.name.clone(), Vec::new())).collect();
    let tables: Json = serde_json::from_str(text).unwrap();
    for (table, items) in tables.as_object().unwrap() {
        dump.insert(table.clone(), items.as_array().unwrap().iter().map(item).collect());
    }
    dump
}

/// Reads an item.
pub(super) fn item(json: &Json) -> Item<'static> {
    into_owned(serde_json::from_str::<JsonItem<'_>>(&json.to_string()).unwrap().0)
}

/// Replaces some values by others: odd texts, long texts, and deep values.
pub(super) fn vary(rules: &Rules, dump: &mut Dump, rng: &mut Rng) {
    let odd = ODD[rng.usize(..ODD.len())];
    for table in &rules.tables {
        for item in dump.get_mut(&table.name).unwrap() {
            for (_, value) in item.iter_mut() {
                replace(value, odd);
            }
            let is_key = |name: &str| table.key.names().any(|key| key == name);
            for (name, value) in item.iter_mut().filter(|(name, _)| !is_key(name)) {
                // The same value for the same number, so that a mirror remains equal.
                if let (Value::N(number), "v" | "w") = (&*value, name.as_ref()) {
                    *value = deep(number.as_str().parse().unwrap_or(0));
                } else if *value == Value::from("3") && rng.u8(..4) == 0 {
                    *value = Value::S("x".repeat(rng.usize(1000..2100)).into());
                }
            }
        }
    }
}

fn replace(value: &mut Value<'static>, odd: &'static str) {
    if let Value::S(text) = value {
        *text = text.replace("a b", odd).into();
    } else if let Value::L(list) = value {
        for value in list {
            replace(value, odd);
        }
    } else if let Value::M(item) = value {
        for (_, value) in item.iter_mut() {
            replace(value, odd);
        }
    } else if let Value::Ss(set) = value {
        for text in set.iter_mut().filter(|text| *text == "a b") {
            *text = odd.into();
        }
        set.sort();
    }
}

/// A value of some type, with further values inside it.
fn deep(number: u32) -> Value<'static> {
    let texts = |texts: &[&'static str]| {
        let mut set: Vec<Cow<'static, str>> = texts.iter().map(|it| (*it).into()).collect();
        set.sort();
        Value::Ss(set)
    };
    let numeric = |text: String| Number::parse(text).unwrap();
    let n = |text: &str| Value::N(numeric(text.to_owned()));
    let map = |entries: Vec<(&'static str, Value<'static>)>| {
        Value::M(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
    };
    match number % 6 {
        0 => texts(&["]", r#"",""#, r"\", "b"]),
        1 => map(vec![
            ("SS", texts(&["z", "a", "[\"x\"]"])),
            ("N", map(vec![("M", n("0.00120")), ("y", texts(&["q"]))])),
            ("a", Value::L(vec![Value::Ns(vec![numeric("-2".into()), numeric("10".into())])])),
        ]),
        2 => Value::Ns((0..5).map(|it| numeric(format!("{it}.5"))).collect()),
        3 => Value::Bs(vec![b"a".as_slice().into(), b"b".as_slice().into()]),
        4 => Value::L(vec![
            n("1e20"),
            Value::Null,
            Value::Bool(true),
            Value::S(r#"{"N":"1.0"}"#.into()),
        ]),
        _ => n(&format!("-{number}.25e-7")),
    }
}
