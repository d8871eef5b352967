//! `BatchGetItem`.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>

use referee::data::Item;
use referee::store::{Read, Store as _};
use serde_json::json;

use crate::harness::{APP, BINARIES, Harness, NUMBERS};
use crate::items::{binary, item, put, with};

fn read(table: &str, key: Item<'static>) -> Read {
    Read { table: table.to_owned(), key, attributes: None }
}

pub(crate) async fn order<H: Harness>(h: H) {
    let (app, numbers) = (h.table(APP), h.table(NUMBERS));
    let first = item(&json!({"pk": "a", "sk": "1", "x": "first"}));
    let second = item(&json!({"id": 7, "x": "second"}));
    h.apply(put(&app, first.clone())).await;
    h.apply(put(&numbers, second.clone())).await;
    let reads = vec![
        read(&numbers, item(&json!({"id": 7}))),
        read(&app, item(&json!({"pk": "a", "sk": "0"}))),
        read(&app, item(&json!({"pk": "a", "sk": "1"}))),
    ];
    let answer = h.store().batch_get(reads).await.unwrap();
    assert_eq!(answer.value, [Some(second), None, Some(first)]);
}

pub(crate) async fn projection<H: Harness>(h: H) {
    let app = h.table(APP);
    h.apply(put(&app, item(&json!({"pk": "a", "sk": "1", "x": 1, "y": {"z": 2}, "w": 3})))).await;
    let attributes = Some(["sk", "y", "none"].map(str::to_owned).to_vec());
    let read = Read { attributes, ..read(&app, item(&json!({"pk": "a", "sk": "1"}))) };
    let answer = h.store().batch_get(vec![read]).await.unwrap();
    assert_eq!(answer.value, [Some(item(&json!({"sk": "1", "y": {"z": 2}})))]);
}

pub(crate) async fn key_types<H: Harness>(h: H) {
    let (numbers, binaries) = (h.table(NUMBERS), h.table(BINARIES));
    h.apply(put(&numbers, item(&json!({"id": 1.50, "x": 1})))).await;
    assert_eq!(
        h.item(&numbers, item(&json!({"id": 1.5}))).await,
        Some(item(&json!({"id": 1.5, "x": 1})))
    );
    assert_eq!(h.item(&numbers, item(&json!({"id": -1.5}))).await, None);
    let key = |sk: &[u8]| with(with(Item::new(), "id", binary(b"\xff")), "sk", binary(sk));
    h.apply(put(&binaries, key(b"\x00"))).await;
    assert_eq!(h.item(&binaries, key(b"\x00")).await, Some(key(b"\x00")));
    assert_eq!(h.item(&binaries, key(b"\x01")).await, None);
}
