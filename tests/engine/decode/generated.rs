//! Generated values and items.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// Generates an attribute's value of any type, in DynamoDB's JSON.
pub(crate) fn value() -> impl Strategy<Value = Json> {
    let text = || "\\PC{0,6}";
    let number = || "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,9})?(e-?[0-9])?";
    let binary = || prop_oneof![Just("AA=="), Just("/w=="), Just("AAEC"), Just("")];
    let leaf = prop_oneof![
        text().prop_map(|text| json!({"S": text})),
        number().prop_map(|number| json!({"N": number})),
        binary().prop_map(|binary| json!({"B": binary})),
        any::<bool>().prop_map(|flag| json!({"BOOL": flag})),
        Just(json!({"NULL": true})),
        prop::collection::btree_set("[a-z]{0,3}", 1..4).prop_map(|set| json!({"SS": set})),
        prop::collection::btree_set(any::<i16>(), 1..4).prop_map(|set| {
            json!({"NS": set.iter().map(ToString::to_string).collect::<Vec<_>>()})
        }),
        prop::collection::btree_set(binary(), 1..3).prop_map(|set| json!({"BS": set})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|list| json!({"L": list})),
            prop::collection::btree_map("[a-z]{1,2}", inner, 0..3)
                .prop_map(|map| json!({"M": map})),
        ]
    })
}

/// Generates an item without its key.
pub(crate) fn attributes() -> impl Strategy<Value = Json> {
    prop::collection::btree_map("[a-z_.]{1,4}", value(), 0..4).prop_map(|map| json!(map))
}
