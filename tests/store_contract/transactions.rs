//! `TransactWriteItems`.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>

use referee::data::Item;
use referee::store::Operand::{Equal, LessOrEqual};
use referee::store::{CancellationReason, Condition, StoreError, Transacted, Write};
use serde_json::json;

use crate::harness::{APP, Harness, NUMBERS};
use crate::items::{
    absent, change, check, compare, contains, delete, exists, item, not, numbers, on, put, remove,
    sized, strings, take, update, value, with,
};
use crate::updates::rich;

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

/// Updates of parts of items, and conditions on them, work as they do outside a transaction.
pub(crate) async fn parts<H: Harness>(h: H) {
    let app = h.table(APP);
    let rich_key = || key("1");
    h.apply(put(&app, rich())).await;
    let actions = |wanted: &str| {
        let clauses = vec![remove("list[0]"), take("strings", strings(&["a", "b", "c"]))];
        let condition = Condition::All(vec![
            contains("list", wanted.into()),
            not(exists("none")),
            not(compare("list[0]", Equal, &json!("1"))),
        ]);
        vec![
            put(&app, key("put")),
            on(condition, change(&app, rich_key(), clauses)),
            check(&app, key("none"), not(contains("x", "x".into()))),
        ]
    };
    let reasons = vec![
        CancellationReason::None,
        CancellationReason::ConditionFailed(Some(rich())),
        CancellationReason::None,
    ];
    let canceled = h.transact(actions("z")).await.unwrap().value;
    assert_eq!(canceled, Transacted::Canceled(reasons));
    assert_eq!(h.item(&app, rich_key()).await, Some(rich()));
    assert_eq!(h.transact(actions("3")).await.unwrap().value, Transacted::Applied);
    let mut expected = with(rich(), "list", value(&json!(["1", "2", "3"])));
    expected.remove("strings");
    assert_eq!(h.item(&app, rich_key()).await, Some(expected));
}

/// An update that does not fit its item cancels the transaction. Its condition is checked first.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#API_TransactWriteItems_Errors>
pub(crate) async fn in_the_way<H: Harness>(h: H) {
    let app = h.table(APP);
    h.apply(put(&app, rich())).await;
    let path = "document path provided in the update expression is invalid";
    let mistyped = "operand in the update expression has an incorrect data type";
    for (clause, words) in [
        (remove("none.x"), path),
        (remove("text[0]"), path),
        (take("none[0]", strings(&["a"])), path),
        (take("text", strings(&["a"])), mistyped),
        (take("strings", numbers(&["1"])), mistyped),
    ] {
        let action = change(&app, key("1"), vec![clause]);
        cancels(&h, action.clone(), words).await;
        let actions = vec![on(exists("none"), action), put(&app, key("put"))];
        let reasons =
            vec![CancellationReason::ConditionFailed(Some(rich())), CancellationReason::None];
        assert_eq!(h.transact(actions).await.unwrap().value, Transacted::Canceled(reasons));
    }
}

/// The values in expressions count towards the size of a transaction. Existing items do not.
pub(crate) async fn payload<H: Harness>(h: H) {
    let app = h.table(APP);
    let keys: Vec<_> = (0..14).map(|number| number.to_string()).collect();
    for sk in &keys {
        h.apply(put(&app, sized("p", sk, 300 * 1024))).await;
    }
    let of_each = |action: &dyn Fn(Item<'static>) -> Write| -> Vec<Write> {
        keys.iter().map(|sk| action(key(sk))).collect()
    };
    let large = || json!("x".repeat(300 * 1024));
    for actions in [
        of_each(&|key| check(&app, key, not(compare("x", LessOrEqual, &large())))),
        of_each(&|key| update(&app, key, &[("x", large())])),
        of_each(&|key| put(&app, with(key, "x", value(&large())))),
    ] {
        match h.transact(actions).await {
            Err(StoreError::Rejected(message)) => assert!(message.contains("4MB"), "{message}"),
            other => panic!("{other:?}"),
        }
    }
    for actions in [
        of_each(&|key| check(&app, key, exists("x"))),
        of_each(&|key| update(&app, key, &[("y", json!(1))])),
        of_each(&|key| delete(&app, key)),
    ] {
        assert_eq!(h.transact(actions).await.unwrap().value, Transacted::Applied);
    }
    assert_eq!(h.item(&app, key("13")).await, None);
}

/// An invalid item cancels the transaction, and the error is reported for the action on this item.
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

/// An update that is invalid for every item also cancels the transaction, and the error is reported
/// for this action.
pub(crate) async fn invalid_update<H: Harness>(h: H) {
    let action = update(&h.table(APP), key("1"), &[("pk", json!("q"))]);
    cancels(&h, action, "part of the key").await;
}

/// Asserts that an action cancels a transaction, and that the reason is reported for this action.
async fn cancels<H: Harness>(h: &H, action: Write, words: &str) {
    let app = h.table(APP);
    h.apply(put(&app, key("there"))).await;
    let actions = vec![put(&app, key("put")), action, check(&app, key("there"), absent("pk"))];
    let Transacted::Canceled(reasons) = h.transact(actions).await.unwrap().value else {
        panic!("it was applied, expected: {words}");
    };
    let [CancellationReason::None, CancellationReason::Invalid(message), last] = &reasons[..]
    else {
        panic!("{reasons:?}, expected: {words}");
    };
    assert!(message.to_lowercase().contains(words), "{message}");
    // AWS does not document whether the other conditions are still checked.
    assert!(
        matches!(last, CancellationReason::ConditionFailed(Some(_)) | CancellationReason::None),
        "{last:?}"
    );
    assert_eq!(h.item(&app, key("put")).await, None);
}

fn key(sk: &str) -> Item<'static> {
    item(&json!({"pk": "p", "sk": sk}))
}
