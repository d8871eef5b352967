//! `PutItem`, `UpdateItem`, `DeleteItem`.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html>

use referee::data::Item;
use referee::store::Written;
use serde_json::json;

use crate::harness::{APP, Harness};
use crate::items::{self, absent, exists, item, on};

fn key() -> Item<'static> {
    item(&json!({"pk": "p", "sk": "1"}))
}

pub(crate) async fn put<H: Harness>(h: H) {
    let app = h.table(APP);
    h.apply(items::put(&app, item(&json!({"pk": "p", "sk": "1", "x": 1})))).await;
    let second = item(&json!({"pk": "p", "sk": "1", "y": [1, "", null, {"z": true}]}));
    h.apply(items::put(&app, second.clone())).await;
    assert_eq!(h.item(&app, key()).await, Some(second));
}

pub(crate) async fn update<H: Harness>(h: H) {
    let app = h.table(APP);
    let before = json!({"pk": "p", "sk": "1", "x": 1, "m": {"a": 1, "b": {}}});
    h.apply(items::put(&app, item(&before))).await;
    let set = [("x", json!("new")), ("m.a", json!(2)), ("m.b.c", json!([])), ("y", json!(null))];
    h.apply(items::update(&app, key(), &set)).await;
    let after = json!({"pk": "p", "sk": "1", "x": "new", "y": null, "m": {"a": 2, "b": {"c": []}}});
    assert_eq!(h.item(&app, key()).await, Some(item(&after)));
}

pub(crate) async fn upsert<H: Harness>(h: H) {
    let app = h.table(APP);
    h.apply(items::update(&app, key(), &[("x", json!(1))])).await;
    let expected = item(&json!({"pk": "p", "sk": "1", "x": 1}));
    assert_eq!(h.item(&app, key()).await, Some(expected));
}

pub(crate) async fn delete<H: Harness>(h: H) {
    let app = h.table(APP);
    h.apply(items::delete(&app, key())).await;
    h.apply(items::put(&app, key())).await;
    h.apply(items::delete(&app, key())).await;
    assert_eq!(h.item(&app, key()).await, None);
}

pub(crate) async fn condition_failed<H: Harness>(h: H) {
    let app = h.table(APP);
    let old = item(&json!({"pk": "p", "sk": "1", "x": 1}));
    h.apply(items::put(&app, old.clone())).await;
    let other = item(&json!({"pk": "p", "sk": "2"}));
    for (write, found) in [
        (on(absent("pk"), items::put(&app, key())), Some(old.clone())),
        (on(exists("y"), items::update(&app, key(), &[("x", json!(2))])), Some(old.clone())),
        (on(exists("y"), items::delete(&app, key())), Some(old.clone())),
        (on(exists("pk"), items::update(&app, other.clone(), &[("x", json!(2))])), None),
        (on(exists("pk"), items::delete(&app, other.clone())), None),
    ] {
        let answer = h.write(write.clone()).await.unwrap();
        assert_eq!(answer.value, Written::ConditionFailed(found), "{write:?}");
    }
    assert_eq!(h.item(&app, key()).await, Some(old));
    assert_eq!(h.item(&app, other).await, None);
    h.apply(on(exists("x"), items::delete(&app, key()))).await;
    h.apply(on(absent("pk"), items::put(&app, key()))).await;
}

/// DynamoDB checks the paths of an update only if its condition holds.
pub(crate) async fn condition_first<H: Harness>(h: H) {
    let app = h.table(APP);
    let write = on(exists("m"), items::update(&app, key(), &[("m.x", json!(1))]));
    assert_eq!(h.write(write).await.unwrap().value, Written::ConditionFailed(None));
}
