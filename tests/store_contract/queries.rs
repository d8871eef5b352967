//! `Query`.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html>

use referee::data::{Item, Value};
use referee::store::{Page, Query};
use serde_json::json;

use crate::harness::{APP, BINARIES, Harness, begins_with, city, equals, partition};
use crate::items::{binary, delete, item, put, sized, update, with};

/// Returns the string that each item of a page has in this attribute.
fn texts(page: &Page, name: &str) -> Vec<String> {
    let text = |item: &Item<'_>| match item.get(name) {
        Some(Value::S(text)) => text.to_string(),
        other => panic!("{other:?} is not a string"),
    };
    page.items.iter().map(text).collect()
}

async fn put_sorted<H: Harness>(h: &H, table: &str, pk: &str, sort_keys: &[&str]) {
    for sk in sort_keys {
        h.apply(put(table, item(&json!({"pk": pk, "sk": sk})))).await;
    }
}

pub(crate) async fn strings<H: Harness>(h: H) {
    let app = h.table(APP);
    put_sorted(&h, &app, "p", &["b", "é", "a", "B", "aa", "😀", "\u{ffee}"]).await;
    put_sorted(&h, &app, "other", &["c"]).await;
    let page = h.query(partition(&app, "p")).await;
    assert_eq!(texts(&page, "sk"), ["B", "a", "aa", "b", "é", "\u{ffee}", "😀"]);
    assert_eq!(page.next, None);
    assert_eq!(h.query(partition(&app, "none")).await, Page::default());
}

pub(crate) async fn binaries<H: Harness>(h: H) {
    let table = h.table(BINARIES);
    let key = |sk: &[u8]| with(with(Item::new(), "id", binary(b"p")), "sk", binary(sk));
    for sk in [&b"\x80"[..], b"\x7f", b"\x7f\x00", b"\xff"] {
        h.apply(put(&table, key(sk))).await;
    }
    let query = Query { partition: ("id".to_owned(), binary(b"p")), ..partition(&table, "") };
    let expected = [&b"\x7f"[..], b"\x7f\x00", b"\x80", b"\xff"].map(key);
    assert_eq!(h.query(query).await.items, expected);
}

pub(crate) async fn sort<H: Harness>(h: H) {
    let app = h.table(APP);
    put_sorted(&h, &app, "p", &["user", "user#", "user#1", "user#10", "user$", "usera"]).await;
    let query = Query { sort: Some(begins_with("sk", "user#")), ..partition(&app, "p") };
    assert_eq!(texts(&h.query(query).await, "sk"), ["user#", "user#1", "user#10"]);
    let query = Query { sort: Some(equals("sk", "user#1")), ..partition(&app, "p") };
    assert_eq!(texts(&h.query(query).await, "sk"), ["user#1"]);
    let query = Query { sort: Some(equals("sk", "use")), ..partition(&app, "p") };
    assert_eq!(h.query(query).await, Page::default());
}

pub(crate) async fn projection<H: Harness>(h: H) {
    let app = h.table(APP);
    h.apply(put(&app, item(&json!({"pk": "p", "sk": "1", "x": 1, "y": 2})))).await;
    let attributes = Some(["y", "none"].map(str::to_owned).to_vec());
    let page = h.query(Query { attributes, limit: Some(1), ..partition(&app, "p") }).await;
    assert_eq!(page.items, [item(&json!({"y": 2}))]);
    assert_eq!(page.next, Some(item(&json!({"pk": "p", "sk": "1"}))));
}

/// A page with as many items as the limit has a `next` key, even if no item follows.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
pub(crate) async fn limit<H: Harness>(h: H) {
    let app = h.table(APP);
    put_sorted(&h, &app, "p", &["1", "2", "3"]).await;
    let limited = |limit, start| Query { limit: Some(limit), start, ..partition(&app, "p") };
    let page = h.query(limited(2, None)).await;
    assert_eq!(texts(&page, "sk"), ["1", "2"]);
    assert_eq!(page.next, Some(item(&json!({"pk": "p", "sk": "2"}))));
    let page = h.query(limited(1, page.next)).await;
    assert_eq!(texts(&page, "sk"), ["3"]);
    assert_eq!(page.next, Some(item(&json!({"pk": "p", "sk": "3"}))));
    assert_eq!(h.query(limited(1, page.next)).await, Page::default());
    assert_eq!(h.query(limited(4, None)).await.next, None);
}

pub(crate) async fn megabyte<H: Harness>(h: H) {
    let app = h.table(APP);
    for sk in ["1", "2", "3", "4", "5"] {
        h.apply(put(&app, sized("p", sk, 300 * 1024))).await;
    }
    let page = h.query(partition(&app, "p")).await;
    assert_eq!(texts(&page, "sk"), ["1", "2", "3", "4"]);
    assert_eq!(page.next, Some(item(&json!({"pk": "p", "sk": "4"}))));
    let page = h.query(Query { start: page.next, ..partition(&app, "p") }).await;
    assert_eq!(texts(&page, "sk"), ["5"]);
    assert_eq!(page.next, None);
}

pub(crate) async fn start<H: Harness>(h: H) {
    let app = h.table(APP);
    put_sorted(&h, &app, "p", &["1", "2", "3"]).await;
    let page = h.query(Query { limit: Some(2), ..partition(&app, "p") }).await;
    h.apply(delete(&app, item(&json!({"pk": "p", "sk": "2"})))).await;
    let page = h.query(Query { start: page.next, ..partition(&app, "p") }).await;
    assert_eq!(texts(&page, "sk"), ["3"]);
}

/// Items without the index's key attributes are not in the index.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-indexes-general-sparse-indexes.html>
pub(crate) async fn index<H: Harness>(h: H) {
    let app = h.table(APP);
    for (sk, n) in [("a", 10), ("b", 9), ("c", -1)] {
        h.apply(put(&app, item(&json!({"pk": sk, "sk": sk, "city": "Rome", "n": n, "x": "all"}))))
            .await;
    }
    h.apply(put(&app, item(&json!({"pk": "d", "sk": "d", "city": "Rome"})))).await;
    h.apply(put(&app, item(&json!({"pk": "e", "sk": "e", "n": 1})))).await;
    h.wait_for_indexes().await;
    let page = h.query(city(&app, "Rome")).await;
    assert_eq!(texts(&page, "sk"), ["c", "b", "a"]);
    assert_eq!(texts(&page, "x"), ["all", "all", "all"]);
    assert_eq!(page.next, None);
}

pub(crate) async fn index_changes<H: Harness>(h: H) {
    let app = h.table(APP);
    let key = || item(&json!({"pk": "p", "sk": "1"}));
    h.apply(put(&app, item(&json!({"pk": "p", "sk": "1", "city": "Rome", "n": 1})))).await;
    h.apply(update(&app, key(), &[("city", json!("Oslo")), ("x", json!("moved"))])).await;
    h.wait_for_indexes().await;
    assert_eq!(h.query(city(&app, "Rome")).await, Page::default());
    assert_eq!(texts(&h.query(city(&app, "Oslo")).await, "x"), ["moved"]);
    h.apply(delete(&app, key())).await;
    h.wait_for_indexes().await;
    assert_eq!(h.query(city(&app, "Oslo")).await, Page::default());
}

/// The `next` key of a page of an index contains the key attributes of the index and of the table.
/// The order of items with the same index key is not specified.
pub(crate) async fn index_pages<H: Harness>(h: H) {
    let app = h.table(APP);
    for sk in ["1", "2", "3"] {
        h.apply(put(&app, item(&json!({"pk": "p", "sk": sk, "city": "Rome", "n": 1})))).await;
    }
    h.wait_for_indexes().await;
    let mut seen = Vec::new();
    let mut query = Query { limit: Some(1), ..city(&app, "Rome") };
    for _ in 0..3 {
        let page = h.query(query.clone()).await;
        let found = texts(&page, "sk").remove(0);
        let next = item(&json!({"pk": "p", "sk": found, "city": "Rome", "n": 1}));
        assert_eq!(page.next, Some(next));
        query.start = page.next;
        seen.push(found);
    }
    assert_eq!(h.query(query).await, Page::default());
    seen.sort();
    assert_eq!(seen, ["1", "2", "3"]);
}
