//! Condition expressions.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>

use referee::data::Value;
use referee::store::Operand::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
use referee::store::{Condition, Transacted, Written};
use serde_json::json;

use crate::harness::{APP, Harness};
use crate::items::{
    self, absent, binary, compare, contains, exists, item, not, on, path, put, strings, update,
    value, with,
};
use crate::updates::rich;

pub(crate) async fn hold<H: Harness>(h: H) {
    let app = h.table(APP);
    let before = json!({
        "pk": "p", "sk": "1", "text": "b", "number": 10, "null": null, "flag": true,
        "map": {"inner": 1, "null": null}, "list": [1],
    });
    let before = with(item(&before), "set", strings(&["a", "b"]));
    let before = with(before, "bytes", binary(b"\x7f"));
    h.apply(put(&app, before)).await;
    let bytes = |operand, bytes| Condition::Compare(path("bytes"), operand, binary(bytes));
    let set = |texts| Condition::Compare(path("set"), Equal, strings(texts));
    for (condition, expected) in [
        (exists("text"), true),
        (exists("null"), true),
        (exists("map.null"), true),
        (exists("map.none"), false),
        (exists("text.inner"), false),
        (absent("none"), true),
        (absent("null"), false),
        (absent("none.inner"), true),
        (compare("text", Equal, &json!("b")), true),
        (compare("text", Less, &json!("ba")), true),
        (compare("text", Less, &json!("B")), false),
        (compare("text", LessOrEqual, &json!("b")), true),
        (compare("number", Less, &json!(9)), false),
        (compare("number", Less, &json!(10.5)), true),
        (compare("number", Equal, &json!(1e1)), true),
        (compare("number", Equal, &json!("10")), false),
        (compare("number", Less, &json!("9")), false),
        (compare("none", LessOrEqual, &json!(9)), false),
        (compare("number", Greater, &json!(10)), false),
        (compare("number", GreaterOrEqual, &json!(10)), true),
        (compare("number", Greater, &json!("9")), false),
        (compare("none", Greater, &json!(9)), false),
        (compare("null", Equal, &json!(null)), true),
        (compare("flag", Equal, &json!(true)), true),
        (compare("list", Equal, &json!([1])), true),
        (compare("map", Equal, &json!({"inner": 1})), false),
        (compare("map.inner", Equal, &json!(1)), true),
        (bytes(Less, b"\x80"), true),
        (bytes(Less, b"\x7e"), false),
        (set(&["a", "b"]), true),
        (set(&["a"]), false),
        (Condition::All(vec![exists("text"), absent("null")]), false),
        (Condition::Any(vec![absent("text"), exists("null")]), true),
    ] {
        let key = item(&json!({"pk": "p", "sk": "1"}));
        let write = on(condition.clone(), update(&app, key, &[("seen", json!(1))]));
        let holds = h.write(write).await.unwrap().value == Written::Applied;
        assert_eq!(holds, expected, "{condition:?}");
    }
}

/// Asserts for each condition whether it holds for the item `p`/`1`, which may be missing.
async fn check<H: Harness>(h: &H, conditions: Vec<(Condition, bool)>) {
    let app = h.table(APP);
    for (condition, expected) in conditions {
        let key = item(&json!({"pk": "p", "sk": "1"}));
        let actions = vec![items::check(&app, key, condition.clone())];
        let holds = h.transact(actions).await.unwrap().value == Transacted::Applied;
        assert_eq!(holds, expected, "{condition:?}");
    }
}

/// `contains` matches an element of a set or list, or a part of a string or binary.
pub(crate) async fn parts<H: Harness>(h: H) {
    h.apply(put(&h.table(APP), rich())).await;
    let text = |text: &str| Value::from(text);
    let number = |json| value(&json);
    let first = |text: &str| compare("list[0]", Equal, &json!(text));
    let conditions = vec![
        (contains("text", text("x")), true),
        (contains("text", text("")), true),
        (contains("text", text("xx")), false),
        (contains("text", number(json!(1))), false),
        (contains("text", strings(&["x"])), false),
        (contains("strings", text("a")), true),
        (contains("strings", text("ab")), false),
        (contains("strings", strings(&["a"])), false),
        (contains("numbers", number(json!(1.0))), true),
        (contains("numbers", text("1")), false),
        (contains("bytes", binary(b"\x00")), true),
        (contains("bytes", binary(b"")), false),
        (contains("list", text("3")), true),
        (contains("list", number(json!(3))), false),
        (contains("list", number(json!(["0"]))), false),
        (contains("sets", strings(&["b", "a"])), true),
        (contains("sets[0]", text("a")), true),
        (contains("sets[1]", text("t")), true),
        (contains("sets[2]", text("t")), false),
        (contains("map", text("inner")), false),
        (contains("map.list", text("b")), true),
        (contains("map.none", text("b")), false),
        (contains("none", text("b")), false),
        (contains("pk", text("p")), true),
        (exists("list[3]"), true),
        (exists("list[4]"), false),
        (absent("list[4]"), true),
        (absent("text[0]"), true),
        (absent("strings[0]"), true),
        (first("0"), true),
        (first("1"), false),
        (compare("list[4]", Equal, &json!("0")), false),
        (compare("map.list[1]", Less, &json!("c")), true),
        (compare("map.list[1]", Greater, &json!("a")), true),
        (compare("map.list[1]", Greater, &json!("b")), false),
        (compare("map.list[1]", GreaterOrEqual, &json!("b")), true),
        (not(compare("none", Greater, &json!(1))), true),
        (not(first("0")), false),
        (not(compare("list[4]", Equal, &json!("0"))), true),
        (not(compare("none", Less, &json!(1))), true),
        (not(compare("text", Less, &json!(1))), true),
        (not(contains("strings", text("a"))), false),
        (not(contains("none", text("a"))), true),
        (not(not(exists("text"))), true),
        (not(Condition::Any(vec![first("0"), exists("none")])), false),
        (not(Condition::All(vec![first("0"), exists("none")])), true),
        (Condition::All(vec![not(exists("none")), not(first("1"))]), true),
        (Condition::Any(vec![not(exists("text")), exists("list")]), true),
        (Condition::All(vec![not(exists("none")), exists("nothing")]), false),
    ];
    check(&h, conditions).await;
    let bytes = with(item(&json!({"pk": "p", "sk": "1"})), "bytes", binary(b"\x00\x01\x02"));
    h.apply(put(&h.table(APP), bytes)).await;
    let conditions = [(&b"\x01\x02"[..], true), (b"", true), (b"\x00\x02", false)]
        .map(|(part, expected)| (contains("bytes", binary(part)), expected));
    check(&h, conditions.into()).await;
}

/// A missing item has no attributes, not even its key.
pub(crate) async fn nothing<H: Harness>(h: H) {
    let conditions = vec![
        (exists("pk"), false),
        (not(exists("pk")), true),
        (absent("list[0]"), true),
        (compare("pk", Equal, &json!("p")), false),
        (not(compare("pk", Equal, &json!("p"))), true),
        (contains("text", "".into()), false),
        (not(contains("text", "x".into())), true),
    ];
    check(&h, conditions).await;
}

/// The condition that keeps an old change from undoing a newer one.
pub(crate) async fn fence<H: Harness>(h: H) {
    let app = h.table(APP);
    let fenced = |fence: &str| {
        let item = item(&json!({"pk": "p", "sk": "1", "_referee": {"rule": "r", "fence": fence}}));
        let owned = compare("_referee.rule", Equal, &json!("r"));
        let newer = compare("_referee.fence", Less, &json!(fence));
        let condition = Condition::Any(vec![absent("pk"), Condition::All(vec![owned, newer])]);
        on(condition, put(&app, item))
    };
    for (fence, applied) in [("002", true), ("001", false), ("002", false), ("010", true)] {
        let holds = h.write(fenced(fence)).await.unwrap().value == Written::Applied;
        assert_eq!(holds, applied, "{fence}");
    }
    let fence = h
        .item(&app, item(&json!({"pk": "p", "sk": "1"})))
        .await
        .and_then(|item| path("_referee.fence").lookup(&item).cloned());
    assert_eq!(fence, Some("010".into()));
}
