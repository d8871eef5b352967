//! What is compared of an item: all of its attributes, by value.

use std::hash::{Hash as _, Hasher};

use twox_hash::XxHash3_128;

use crate::data::Item;

/// The attributes that DynamoDB itself writes into the items of global tables of version 2017.11.29
/// (legacy). They describe the replication of an item and may differ by Region.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables_HowItWorks.html>
const OF_GLOBAL_TABLES: [&str; 3] =
    ["aws:rep:deleting", "aws:rep:updateregion", "aws:rep:updatetime"];

/// The hash of an item's content, or of one attribute.
///
/// Values that are equal in DynamoDB have the same hash: numbers count by value, and sets and maps
/// have no order. Among 10 billion values, the chance that any two different ones have the same
/// hash is below 1 in 10^18.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content(u128);

impl Content {
    /// The length of the encoded hash, in bytes.
    pub(super) const BYTES: usize = 16;

    pub(super) const fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0.to_le_bytes()
    }

    pub(super) const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }
}

/// Hashes items. It reuses its memory from item to item.
#[derive(Debug, Default)]
pub(super) struct ContentHasher {
    bytes: Bytes,
}

impl ContentHasher {
    /// The hash of an item.
    pub(super) fn item(&mut self, item: &Item<'_>) -> Content {
        self.bytes.0.clear();
        for (name, value) in compared(item) {
            (name, value).hash(&mut self.bytes);
        }
        Content(XxHash3_128::oneshot(&self.bytes.0))
    }

    /// The names of an item's attributes, sorted, each with the hash of its value.
    pub(super) fn attributes<'i>(
        &mut self,
        item: &'i Item<'_>,
    ) -> impl Iterator<Item = (&'i str, Content)> {
        compared(item).map(|(name, value)| {
            self.bytes.0.clear();
            value.hash(&mut self.bytes);
            (name, Content(XxHash3_128::oneshot(&self.bytes.0)))
        })
    }
}

/// The attributes that are compared.
fn compared<'i, 'v>(
    item: &'i Item<'v>,
) -> impl Iterator<Item = (&'i str, &'i crate::data::Value<'v>)> {
    let all = item.iter().map(|(name, value)| (&**name, value));
    all.filter(|(name, _)| !OF_GLOBAL_TABLES.contains(name))
}

/// The names of the attributes that differ, or that only one of two items has. The attributes must
/// be sorted by name.
pub(super) fn differing<'n>(
    one: impl Iterator<Item = (&'n str, Content)>,
    other: impl Iterator<Item = (&'n str, Content)>,
) -> Vec<String> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    let mut names = Vec::new();
    loop {
        let name = match (one.peek(), other.peek()) {
            (None, None) => return names,
            (Some((name, _)), None) | (None, Some((name, _))) => *name,
            (Some((first, _)), Some((second, _))) => (*first).min(*second),
        };
        let first = one.next_if(|(next, _)| *next == name);
        let second = other.next_if(|(next, _)| *next == name);
        if first != second {
            names.push(name.to_owned());
        }
    }
}

/// Collects what is hashed: one pass over one block is faster than many short ones.
#[derive(Debug, Default)]
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;
    use serde_json::{Map, Value as Json, json};

    use super::*;
    use crate::data::JsonItem;

    fn content(item: &Json) -> Content {
        let text = item.to_string();
        let JsonItem(item) = serde_json::from_str(&text).unwrap();
        ContentHasher::default().item(&item)
    }

    fn names(one: &Json, other: &Json) -> Vec<String> {
        let (one, other) = (one.to_string(), other.to_string());
        let JsonItem(one) = serde_json::from_str(&one).unwrap();
        let JsonItem(other) = serde_json::from_str(&other).unwrap();
        let (mut first, mut second) = (ContentHasher::default(), ContentHasher::default());
        differing(first.attributes(&one), second.attributes(&other))
    }

    /// A number, and other ways to write it.
    fn numbers(whole: i32) -> [String; 4] {
        [
            whole.to_string(),
            format!("{whole}.00"),
            format!("{whole}0e-1"),
            format!("{whole}0000E-4"),
        ]
    }

    /// A value as two texts that DynamoDB treats as equal.
    fn value() -> impl Strategy<Value = (Json, Json)> {
        let number = (any::<i32>(), 0..4_usize)
            .prop_map(|(it, form)| (numbers(it), form))
            .prop_map(|(forms, form)| (json!({ "N": forms[0] }), json!({ "N": forms[form] })));
        let text = "[a-c]{0,3}".prop_map(|text| (json!({ "S": text }), json!({ "S": text })));
        let flag = any::<bool>().prop_map(|it| (json!({ "BOOL": it }), json!({ "BOOL": it })));
        let set = btree_set("[a-c]{1,3}", 1..4).prop_map(|set| {
            let backwards: Vec<_> = set.iter().rev().cloned().collect();
            (json!({ "SS": set }), json!({ "SS": backwards }))
        });
        let numbers = btree_set(any::<i32>(), 1..4).prop_map(|set| {
            let plain: Vec<_> = set.iter().map(ToString::to_string).collect();
            let odd: Vec<_> = set.iter().rev().map(|it| numbers(*it)[2].clone()).collect();
            (json!({ "NS": plain }), json!({ "NS": odd }))
        });
        let leaf = prop_oneof![number, text, flag, set, numbers];
        leaf.prop_recursive(3, 20, 4, |inner| {
            let list = vec(inner.clone(), 0..4).prop_map(|list| {
                let (one, other): (Vec<_>, Vec<_>) = list.into_iter().unzip();
                (json!({ "L": one }), json!({ "L": other }))
            });
            let map = btree_map("[a-c]{1,2}", inner, 0..4).prop_map(|map| {
                let one: Map<_, _> =
                    map.iter().map(|(name, (one, _))| (name.clone(), one.clone())).collect();
                let other: Map<_, _> =
                    map.into_iter().rev().map(|(name, (_, other))| (name, other)).collect();
                (json!({ "M": one }), json!({ "M": other }))
            });
            prop_oneof![list, map]
        })
    }

    proptest! {
        #[test]
        fn values_that_are_equal_in_dynamodb_are_the_same((one, other) in value()) {
            let (one, other) = (json!({ "a": one }), json!({ "a": other }));
            prop_assert_eq!(content(&one), content(&other));
            prop_assert!(names(&one, &other).is_empty());
        }

        #[test]
        fn different_values_differ((one, _) in value(), (other, _) in value()) {
            prop_assume!(one != other);
            let (one, other) = (json!({ "a": one, "b": one }), json!({ "a": other, "b": one }));
            prop_assert_ne!(content(&one), content(&other));
            prop_assert_eq!(names(&one, &other), ["a"]);
        }
    }

    #[test]
    fn attributes_on_one_side_differ() {
        let one = json!({ "a": { "N": "1" }, "c": { "S": "" }, "d": { "NULL": true } });
        let other = json!({ "b": { "N": "1" }, "c": { "B": "" }, "d": { "NULL": true } });
        assert_eq!(names(&one, &other), ["a", "b", "c"]);
        assert_eq!(names(&one, &one), Vec::<String>::new());
    }

    /// `{"a": {"S": "bc"}}` and `{"ab": {"S": "c"}}` have the same letters.
    #[test]
    fn names_and_values_are_told_apart() {
        assert_ne!(content(&json!({"a": {"S": "bc"}})), content(&json!({"ab": {"S": "c"}})));
        let lists = [json!({"L": [{"L": []}, {"L": []}]}), json!({"L": [{"L": [{"L": []}]}]})];
        let [one, other] = lists.map(|list| content(&json!({ "a": list })));
        assert_ne!(one, other);
    }

    #[test]
    fn only_the_attributes_of_legacy_global_tables_are_ignored() {
        let plain = json!({ "a": { "N": "1" } });
        for name in ["aws:rep:deleting", "aws:rep:updatetime", "aws:rep:updateregion"] {
            let other = json!({ "a": { "N": "1" }, name: { "S": "eu-west-1" } });
            assert_eq!(content(&plain), content(&other));
            assert!(names(&plain, &other).is_empty());
        }
        for name in ["aws:rep:", "aws:rep:updatetimes", "aws:rep:UpdateTime", "_referee"] {
            let other = json!({ "a": { "N": "1" }, name: { "S": "eu-west-1" } });
            assert_ne!(content(&plain), content(&other));
            assert_eq!(names(&plain, &other), [name]);
        }
    }
}
