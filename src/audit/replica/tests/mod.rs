//! Comparisons of random tables with copies of them, held against a plain comparison of maps.

mod files;
mod live;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fastrand::Rng;
use serde_json::{Value as Json, json};

use crate::data::{Key, KeyValue};
use crate::rules::{RuleSource, Rules, load};

const RULES: &str = r#"version: 1
tables:
  app: { key: [pk, sk] }
  log: { key: [id:N] }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: profile } }
  entry: { table: log, key: { id: "{id}" }, attributes: { user: S } }
references:
  entry_user: { from: entry, to: user, on: { user: "{user}" }, find: none }
"#;

fn rules() -> &'static Rules {
    static PARSED: LazyLock<Rules> = LazyLock::new(|| {
        let source = RuleSource { name: "referee.yaml".to_owned(), text: RULES.to_owned() };
        load(&source, &|_| None).rules.unwrap()
    });
    &PARSED
}

/// A table of the rules, and the number in the key of an item.
type Place = (usize, u32);

/// The items of one side.
type Items = BTreeMap<Place, Json>;

/// What differs, as text.
type Found = BTreeMap<Place, String>;

/// An item of one of the two tables, with a value.
fn item((table, number): Place, value: &Json) -> Json {
    if table == 0 {
        return json!({ "pk": { "S": "user" }, "sk": { "S": number.to_string() }, "a": value });
    }
    json!({ "id": { "N": number.to_string() }, "a": value, "b": { "NULL": true } })
}

fn place_of(table: usize, key: &Key<'_>) -> Place {
    let number = key.sort.as_ref().unwrap_or(&key.partition);
    let number = match number {
        KeyValue::S(text) => text.to_string(),
        KeyValue::N(number) => number.to_string(),
        KeyValue::B(_) => panic!("no key is binary"),
    };
    (table, number.parse().unwrap())
}

/// A random table, a copy of it with planted differences, and these.
fn planted(random: &mut Rng, size: u32) -> (Items, Items, Found) {
    let (mut original, mut replica, mut found) = (Items::new(), Items::new(), Found::new());
    for number in 0..size {
        let place = (random.usize(..2), number);
        let value = random.u8(..3);
        let same = item(place, &json!({ "N": value.to_string() }));
        let mut copy = item(place, &json!({ "N": format!("{value}.0") }));
        match random.u8(..20) {
            0 => {
                original.insert(place, same);
                found.insert(place, "missing".to_owned());
            }
            1 => {
                replica.insert(place, copy);
                found.insert(place, "extra".to_owned());
            }
            2 => {
                copy["a"] = json!({ "N": "9" });
                copy["c"] = json!({ "S": "more" });
                original.insert(place, same);
                replica.insert(place, copy);
                found.insert(place, "different a, c".to_owned());
            }
            3 => {
                copy["a"] = json!({ "S": value.to_string() });
                original.insert(place, same);
                replica.insert(place, copy);
                found.insert(place, "different a".to_owned());
            }
            _ => {
                original.insert(place, same);
                replica.insert(place, copy);
            }
        }
    }
    (original, replica, found)
}

/// A difference as text.
fn shown(difference: &super::Difference) -> (Place, String) {
    let text = match &difference.kind {
        super::Kind::Different { attributes } => format!("different {}", attributes.join(", ")),
        kind @ (super::Kind::Missing | super::Kind::Extra) => kind.name().to_owned(),
    };
    (place_of(difference.table.0, &difference.key), text)
}
