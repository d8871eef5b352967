//! Condition expressions.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>

use referee::store::Operand::{Equal, Less, LessOrEqual};
use referee::store::{Condition, Written};
use serde_json::json;

use crate::harness::{APP, Harness};
use crate::items::{absent, binary, compare, exists, item, on, path, put, strings, update, with};

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
