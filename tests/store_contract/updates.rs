//! Update expressions.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html>

use referee::data::{Item, Value};
use referee::store::{Clause, Written};
use serde_json::{Value as Json, json};

use crate::harness::{APP, Harness};
use crate::items::{
    absent, binaries, change, delete, exists, item, numbers, on, put, remove, set, strings, take,
    value, with,
};

fn key() -> Item<'static> {
    item(&json!({"pk": "p", "sk": "1"}))
}

/// An item with every kind of value that a path can point to.
pub(crate) fn rich() -> Item<'static> {
    let plain = item(&json!({
        "pk": "p", "sk": "1", "text": "x", "list": ["0", "1", "2", "3"],
        "map": {"inner": "y", "list": ["a", "b"]},
    }));
    let plain = with(plain, "strings", strings(&["a", "b", "c"]));
    let plain = with(plain, "numbers", numbers(&["1", "2", "3"]));
    let plain = with(plain, "bytes", binaries(&[b"\x00", b"\xff"]));
    with(plain, "sets", Value::L(vec![strings(&["a", "b"]), "t".into()]))
}

/// Asserts that one attribute has this value after an update, and that all others are unchanged.
async fn assert_result<H: Harness>(
    h: &H,
    clauses: Vec<Clause>,
    name: &str,
    after: Option<Value<'static>>,
) {
    let app = h.table(APP);
    h.apply(put(&app, rich())).await;
    h.apply(change(&app, key(), clauses.clone())).await;
    let mut expected = rich();
    expected.remove(name);
    expected.extend(after.map(|value| (name.to_owned().into(), value)));
    assert_eq!(h.item(&app, key()).await, Some(expected), "{clauses:?}");
}

/// Asserts that an update succeeds and changes nothing.
async fn assert_unchanged<H: Harness>(h: &H, clause: Clause) {
    assert_result(h, vec![clause], "text", Some("x".into())).await;
}

/// The indexes of removed elements are their indexes before the update.
pub(crate) async fn removes<H: Harness>(h: H) {
    let inner = |json: Json| Some(value(&json));
    for (paths, name, after) in [
        (vec!["text"], "text", None),
        (vec!["list"], "list", None),
        (vec!["map.inner"], "map", inner(json!({"list": ["a", "b"]}))),
        (vec!["map.list[0]"], "map", inner(json!({"inner": "y", "list": ["b"]}))),
        (vec!["map.list[1]", "map.inner"], "map", inner(json!({"list": ["a"]}))),
        (vec!["list[0]"], "list", inner(json!(["1", "2", "3"]))),
        (vec!["list[0]", "list[2]"], "list", inner(json!(["1", "3"]))),
        (vec!["list[2]", "list[0]"], "list", inner(json!(["1", "3"]))),
        (vec!["list[1]", "list[9]"], "list", inner(json!(["0", "2", "3"]))),
        (vec!["list[0]", "list[1]", "list[2]", "list[3]"], "list", inner(json!([]))),
    ] {
        assert_result(&h, paths.into_iter().map(remove).collect(), name, after).await;
    }
    for path in ["none", "map.none", "list[4]", "map.list[9]"] {
        assert_unchanged(&h, remove(path)).await;
    }
}

/// A set that becomes empty is removed, even from a list.
pub(crate) async fn deletes<H: Harness>(h: H) {
    let list = |elements: Vec<Value<'static>>| Some(Value::L(elements));
    let both = || strings(&["a", "b"]);
    for (clauses, name, after) in [
        (vec![take("strings", strings(&["a", "z"]))], "strings", Some(strings(&["b", "c"]))),
        (vec![take("strings", strings(&["c", "a", "b"]))], "strings", None),
        (vec![take("numbers", numbers(&["1.0", "0.3e1"]))], "numbers", Some(numbers(&["2"]))),
        (vec![take("bytes", binaries(&[b"\x00"]))], "bytes", Some(binaries(&[b"\xff"]))),
        (vec![take("sets[0]", strings(&["a"]))], "sets", list(vec![strings(&["b"]), "t".into()])),
        (vec![take("sets[0]", both())], "sets", list(vec!["t".into()])),
        (vec![take("sets[0]", both()), remove("sets[1]")], "sets", list(Vec::new())),
    ] {
        assert_result(&h, clauses, name, after).await;
    }
    for path in ["strings", "none", "map.none", "list[9]"] {
        assert_unchanged(&h, take(path, strings(&["z"]))).await;
    }
}

/// Elements beyond the end of a list are appended, in the order of their indexes.
pub(crate) async fn sets_elements<H: Harness>(h: H) {
    let to = |place: usize, text: &str| set(&format!("list[{place}]"), &json!(text));
    for (clauses, after) in [
        (vec![to(1, "z")], json!(["0", "z", "2", "3"])),
        (vec![to(4, "z")], json!(["0", "1", "2", "3", "z"])),
        (vec![to(9, "y"), to(7, "x"), to(4, "w")], json!(["0", "1", "2", "3", "w", "x", "y"])),
        (vec![to(1, "z"), remove("list[0]")], json!(["z", "2", "3"])),
        (vec![remove("list[0]"), to(9, "z")], json!(["1", "2", "3", "z"])),
        (vec![remove("list[4]"), to(9, "z")], json!(["0", "1", "2", "3", "z"])),
    ] {
        assert_result(&h, clauses, "list", Some(value(&after))).await;
    }
}

/// An update may have several kinds of clauses. All of them refer to the item before the update.
pub(crate) async fn mixes<H: Harness>(h: H) {
    let app = h.table(APP);
    h.apply(put(&app, rich())).await;
    let clauses = vec![
        remove("list[0]"),
        set("map.inner", &json!("z")),
        take("strings", strings(&["a"])),
        remove("text"),
        set("added", &json!(1)),
        take("numbers", numbers(&["1", "2", "3"])),
        remove("list[1]"),
        set("list[2]", &json!("w")),
    ];
    h.apply(change(&app, key(), clauses)).await;
    let mut expected = rich();
    for gone in ["text", "numbers"] {
        expected.remove(gone);
    }
    let plain = json!({"list": ["w", "3"], "map": {"inner": "z", "list": ["a", "b"]}, "added": 1});
    expected.extend(item(&plain));
    let expected = with(expected, "strings", strings(&["b", "c"]));
    assert_eq!(h.item(&app, key()).await, Some(expected));
}

/// An update creates a missing item if it sets an attribute, or if it has no clauses.
pub(crate) async fn upserts<H: Harness>(h: H) {
    let app = h.table(APP);
    let condition_fails = on(exists("pk"), change(&app, key(), vec![remove("x")]));
    let answer = h.write(condition_fails).await.unwrap();
    assert_eq!(answer.value, Written::ConditionFailed(None));
    assert_eq!(h.item(&app, key()).await, None);
    for (clauses, after) in [
        (vec![remove("x"), set("y", &json!(1))], json!({"pk": "p", "sk": "1", "y": 1})),
        (Vec::new(), json!({"pk": "p", "sk": "1"})),
    ] {
        h.apply(on(absent("pk"), change(&app, key(), clauses))).await;
        assert_eq!(h.item(&app, key()).await, Some(item(&after)));
        h.apply(delete(&app, key())).await;
    }
}

/// In AWS, an update that only removes attributes or elements does not create a missing item.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValueUpdate.html>
pub(crate) async fn takes_from_nothing<H: Harness>(h: H) {
    let app = h.table(APP);
    let takes =
        [vec![remove("x")], vec![take("x", strings(&["a"]))], vec![remove("x"), remove("y")]];
    for clauses in takes {
        h.apply(change(&app, key(), clauses.clone())).await;
        h.apply(on(absent("pk"), change(&app, key(), clauses.clone()))).await;
        h.transact(vec![change(&app, key(), clauses)]).await.unwrap();
        assert_eq!(h.item(&app, key()).await, None);
    }
    assert!(h.stream(&app).await.is_empty());
}
