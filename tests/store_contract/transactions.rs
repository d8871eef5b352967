//! `TransactWriteItems`.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>

use referee::data::Item;
use referee::store::{CancellationReason, Transacted, Write};
use serde_json::json;

use crate::harness::{APP, Harness, NUMBERS};
use crate::items::{absent, check, delete, exists, item, on, put, sized, update, value, with};

pub(crate) async fn applied<H: Harness>(h: H) {
    let (app, numbers) = (h.table(APP), h.table(NUMBERS));
    h.apply(put(&app, key("gone"))).await;
    let actions = vec![
        put(&app, key("put")),
        update(&app, key("updated"), &[("x", json!(1))]),
        on(exists("pk"), delete(&app, key("gone"))),
        check(&app, key("none"), absent("pk")),
        put(&numbers, item(&json!({"id": 1}))),
    ];
    assert_eq!(h.transact(actions).await.unwrap().value, Transacted::Applied);
    assert_eq!(h.item(&app, key("put")).await, Some(key("put")));
    assert_eq!(
        h.item(&app, key("updated")).await,
        Some(with(key("updated"), "x", value(&json!(1))))
    );
    assert_eq!(h.item(&app, key("gone")).await, None);
    assert_eq!(h.item(&app, key("none")).await, None);
    assert!(h.item(&numbers, item(&json!({"id": 1}))).await.is_some());
}

pub(crate) async fn canceled<H: Harness>(h: H) {
    let app = h.table(APP);
    h.apply(put(&app, key("there"))).await;
    let actions = vec![
        put(&app, key("put")),
        check(&app, key("none"), exists("pk")),
        on(absent("pk"), delete(&app, key("there"))),
        update(&app, key("updated"), &[("x", json!(1))]),
    ];
    let reasons = vec![
        CancellationReason::None,
        CancellationReason::ConditionFailed(None),
        CancellationReason::ConditionFailed(Some(key("there"))),
        CancellationReason::None,
    ];
    assert_eq!(h.transact(actions).await.unwrap().value, Transacted::Canceled(reasons));
    assert_eq!(h.item(&app, key("put")).await, None);
    assert_eq!(h.item(&app, key("there")).await, Some(key("there")));
    assert_eq!(h.item(&app, key("updated")).await, None);
}

pub(crate) async fn checks<H: Harness>(h: H) {
    let app = h.table(APP);
    let key = item(&json!({"pk": "p", "sk": "1"}));
    let actions = vec![check(&app, key.clone(), absent("pk"))];
    assert_eq!(h.transact(actions.clone()).await.unwrap().value, Transacted::Applied);
    assert_eq!(h.item(&app, key.clone()).await, None);
    h.apply(put(&app, key.clone())).await;
    let reasons = vec![CancellationReason::ConditionFailed(Some(key))];
    assert_eq!(h.transact(actions).await.unwrap().value, Transacted::Canceled(reasons));
}

/// What is wrong with one item cancels the transaction, and is told of that item.
pub(crate) async fn invalid<H: Harness>(h: H) {
    let app = h.table(APP);
    let half = json!("x".repeat(200 * 1024));
    h.apply(put(&app, sized("p", "large", 300 * 1024))).await;
    for (action, words) in [
        (put(&app, item(&json!({"pk": "p", "sk": 1}))), "type mismatch for key"),
        (
            put(&app, item(&json!({"pk": "p", "sk": "1", "city": 1, "n": 1}))),
            "type mismatch for index key",
        ),
        (update(&app, key("large"), &[("y", half)]), "exceeded the maximum allowed size"),
    ] {
        cancels(&h, action, words).await;
    }
}

/// So does what is wrong whatever the item is.
pub(crate) async fn invalid_update<H: Harness>(h: H) {
    let action = update(&h.table(APP), key("1"), &[("pk", json!("q"))]);
    cancels(&h, action, "part of the key").await;
}

/// Asserts that an action cancels a transaction with others, and is told from them.
async fn cancels<H: Harness>(h: &H, action: Write, words: &str) {
    let app = h.table(APP);
    h.apply(put(&app, key("there"))).await;
    let actions = vec![put(&app, key("put")), action, check(&app, key("there"), absent("pk"))];
    let Transacted::Canceled(reasons) = h.transact(actions).await.unwrap().value else {
        panic!("it was made, in spite of: {words}");
    };
    let [CancellationReason::None, CancellationReason::Invalid(message), last] = &reasons[..]
    else {
        panic!("{reasons:?}, in spite of: {words}");
    };
    assert!(message.to_lowercase().contains(words), "{message}");
    assert!(matches!(last, CancellationReason::ConditionFailed(Some(_))), "{last:?}");
    assert_eq!(h.item(&app, key("put")).await, None);
}

fn key(sk: &str) -> Item<'static> {
    item(&json!({"pk": "p", "sk": sk}))
}
