//! Requests that DynamoDB refuses.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>

use std::fmt::Debug;

use referee::data::{Item, Value};
use referee::store::Operand::{Less, LessOrEqual};
use referee::store::{
    Action, Clause, Condition, Query, Read, SortCondition, Store as _, StoreError, Write, Written,
};
use serde_json::json;

use crate::harness::{APP, BINARIES, Harness, begins_with, city, equals, partition};
use crate::items::{
    absent, binaries, binary, change, compare, contains, delete, exists, item, nested, not,
    numbers, on, put, remove, set, sized, strings, take, update, value, with,
};
use crate::updates::rich;

/// Asserts that a request is rejected, and that the reason contains these words.
fn refused<T: Debug>(answer: Result<T, StoreError>, words: &str) {
    match answer {
        Err(StoreError::Rejected(message)) => {
            assert!(message.to_lowercase().contains(words), "`{message}` does not say `{words}`");
        }
        other => panic!("{other:?}, expected an error with `{words}`"),
    }
}

fn key(sk: &str) -> Item<'static> {
    item(&json!({"pk": "p", "sk": sk}))
}

fn read(table: &str, key: Item<'static>) -> Read {
    Read { table: table.to_owned(), key, attributes: None }
}

pub(crate) async fn reads<H: Harness>(h: H) {
    let app = h.table(APP);
    let of = |keys: Vec<Item<'static>>| keys.into_iter().map(|key| read(&app, key)).collect();
    let nothing: Vec<Read> = Vec::new();
    let many = (0..101).map(|number| read(&app, key(&number.to_string()))).collect();
    let bare = Read { attributes: Some(Vec::new()), ..read(&app, key("1")) };
    for (reads, words) in [
        (nothing, ""),
        (many, "too many items"),
        (of(vec![key("1"), key("2"), key("1")]), "contains duplicates"),
        (of(vec![item(&json!({"pk": "p"}))]), "key"),
        (of(vec![with(key("1"), "x", Value::Null)]), "key"),
        (of(vec![item(&json!({"pk": "p", "sk": 1}))]), "key"),
        (of(vec![key("")]), "empty string value. key: sk"),
        (vec![bare], "empty"),
    ] {
        refused(h.store().batch_get(reads).await, words);
    }
}

pub(crate) async fn queries<H: Harness>(h: H) {
    let app = h.table(APP);
    let whole = || partition(&app, "p");
    let by = |name: &str, value| (name.to_owned(), value);
    let number = SortCondition::BeginsWith("n".to_owned(), value(&json!(1)));
    let mistyped = SortCondition::Equals("sk".to_owned(), value(&json!(1)));
    for (query, words) in [
        (partition(&app, ""), "empty string value. key: pk"),
        (Query { partition: by("pk", binary(b"p")), ..whole() }, "does not match schema type"),
        (Query { sort: Some(begins_with("sk", "")), ..whole() }, "empty string value. key: sk"),
        (Query { sort: Some(mistyped), ..whole() }, "does not match schema type"),
        (Query { sort: Some(number), ..city(&app, "Rome") }, "incorrect operand type"),
        (Query { limit: Some(0), ..whole() }, "greater than or equal to 1"),
        (Query { attributes: Some(Vec::new()), ..whole() }, "empty"),
    ] {
        refused(h.store().query(query).await, words);
    }
    // An error in the rules or the index affects every record, so it is fatal.
    for query in [
        Query { partition: by("x", "p".into()), ..whole() },
        Query { sort: Some(equals("x", "1")), ..whole() },
    ] {
        let answer = h.store().query(query).await;
        assert!(
            matches!(&answer, Err(StoreError::Fatal(said)) if said.contains("missed key schema")),
            "{answer:?}"
        );
    }
}

pub(crate) async fn starting_keys<H: Harness>(h: H) {
    let app = h.table(APP);
    let ones = || Query { sort: Some(begins_with("sk", "1")), ..partition(&app, "p") };
    for (query, start) in [
        (partition(&app, "p"), item(&json!({"pk": "p"}))),
        (partition(&app, "p"), with(key("1"), "x", Value::Null)),
        (partition(&app, "p"), item(&json!({"pk": "p", "sk": 1}))),
        (partition(&app, "p"), item(&json!({"pk": "q", "sk": "1"}))),
        (ones(), key("0")),
        (ones(), key("2")),
        (city(&app, "Rome"), key("1")),
        (city(&app, "Rome"), item(&json!({"pk": "p", "sk": "1", "city": "Oslo", "n": 1}))),
    ] {
        refused(h.store().query(Query { start: Some(start), ..query }).await, "");
    }
}

pub(crate) async fn keys<H: Harness>(h: H) {
    let (app, binaries) = (h.table(APP), h.table(BINARIES));
    let empty_binary = with(with(Item::new(), "id", binary(b"")), "sk", binary(b"x"));
    let long = |pk: usize, sk: usize| item(&json!({"pk": "p".repeat(pk), "sk": "s".repeat(sk)}));
    for (write, words) in [
        (put(&app, item(&json!({"pk": "p"}))), "key"),
        (put(&app, item(&json!({"pk": 1, "sk": "1"}))), "type mismatch for key"),
        (put(&app, item(&json!({"pk": "", "sk": "1"}))), "empty string value. key: pk"),
        (put(&app, key("")), "empty string value. key: sk"),
        (put(&binaries, empty_binary), "empty binary value. key: id"),
        (put(&app, long(2049, 1)), "2048 bytes"),
        (put(&app, long(1, 1025)), "1024 bytes"),
        (delete(&app, item(&json!({"pk": "p"}))), "key"),
        (delete(&app, with(key("1"), "x", Value::Null)), "key"),
        (delete(&app, item(&json!({"pk": "p", "sk": 1}))), "key"),
        (update(&app, key(""), &[("x", json!(1))]), "empty string value. key: sk"),
    ] {
        refused(h.write(write).await, words);
    }
    h.apply(put(&app, long(2048, 1024))).await;
}

pub(crate) async fn items<H: Harness>(h: H) {
    let app = h.table(APP);
    let in_index = |city, n| with(with(key("1"), "city", city), "n", n);
    let one = || value(&json!(1));
    let unordered = compare("x", Less, &json!(true));
    let listed = compare("x", LessOrEqual, &json!([]));
    for (write, words) in [
        (put(&app, sized("p", "1", 400 * 1024 + 1)), "exceeded the maximum allowed size"),
        (put(&app, with(key("1"), "x", nested(32))), "nesting levels"),
        (put(&app, with(key("1"), "x", Value::Ss(Vec::new()))), "may not be empty"),
        (put(&app, in_index(one(), one())), "type mismatch for index key"),
        (put(&app, with(key("1"), "n", "1".into())), "type mismatch for index key"),
        (put(&app, in_index("".into(), one())), "empty string value. indexname: by_city"),
        (on(unordered, put(&app, key("1"))), "incorrect operand type"),
        (on(listed, put(&app, key("1"))), "incorrect operand type"),
    ] {
        refused(h.write(write).await, words);
        assert_eq!(h.item(&app, key("1")).await, None);
    }
    h.apply(put(&app, sized("p", "1", 400 * 1024))).await;
    h.apply(put(&app, with(key("1"), "x", nested(31)))).await;
}

pub(crate) async fn updates<H: Harness>(h: H) {
    let app = h.table(APP);
    let before = with(sized("p", "1", 300 * 1024), "m", value(&json!({})));
    h.apply(put(&app, before.clone())).await;
    let set = |set: &[_]| update(&app, key("1"), set);
    let twice = "two document paths overlap";
    let path = "document path provided in the update expression is invalid";
    let half = json!("x".repeat(200 * 1024));
    for (write, words) in [
        (set(&[("sk", json!("2"))]), "attribute sk. this attribute is part of the key"),
        (set(&[("pk.x", json!("2"))]), "attribute pk. this attribute is part of the key"),
        (set(&[("y", json!(1)), ("y", json!(2))]), twice),
        (set(&[("m.y", json!(1)), ("m", json!(2))]), twice),
        (set(&[("none.y", json!(1))]), path),
        (set(&[("x.y", json!(1))]), path),
        (set(&[("m.none.y", json!(1))]), path),
        (update(&app, key("none"), &[("m.y", json!(1))]), path),
        (set(&[("y", half)]), "exceeded the maximum allowed size"),
        (set(&[("city", json!(""))]), "empty string value"),
    ] {
        refused(h.write(write).await, words);
    }
    let clauses = vec![Clause::Set(crate::items::path("m.y"), nested(31))];
    let deep = Action::Update { key: key("1"), clauses };
    let deep = Write { table: app.clone(), action: deep, condition: None };
    refused(h.write(deep).await, "nesting levels");
    assert_eq!(h.item(&app, key("1")).await, Some(before));
    assert_eq!(h.item(&app, key("none")).await, None);
}

/// An update can create the last segment of a path, but not its parents.
pub(crate) async fn paths<H: Harness>(h: H) {
    let app = h.table(APP);
    h.apply(put(&app, rich())).await;
    for text in [
        "none.x",
        "text.x",
        "list.x",
        "map.none.x",
        "none[0]",
        "text[0]",
        "map[0]",
        "strings[0]",
        "map.none[0]",
    ] {
        for clause in [remove(text), set(text, &json!(1)), take(text, strings(&["a"]))] {
            for sk in ["1", "none"] {
                let words = "document path provided in the update expression is invalid";
                let write = change(&app, key(sk), vec![clause.clone()]);
                refused(h.write(write.clone()).await, words);
                let answer = h.write(on(exists("none"), write)).await.unwrap();
                assert!(matches!(answer.value, Written::ConditionFailed(_)), "{answer:?}");
            }
        }
    }
    assert_eq!(h.item(&app, key("1")).await, Some(rich()));
    assert_eq!(h.item(&app, key("none")).await, None);
}

pub(crate) async fn clauses<H: Harness>(h: H) {
    let app = h.table(APP);
    let before = with(rich(), "city", "Rome".into());
    h.apply(put(&app, before.clone())).await;
    let some = || strings(&["a"]);
    let one = || json!(1);
    let overlap = "two document paths overlap";
    let conflict = "two document paths conflict";
    let part_of_key = "this attribute is part of the key";
    let scalar = "key attributes must be scalars";
    let mistyped = "operand in the update expression has an incorrect data type";
    for (clauses, words) in [
        (vec![remove("list"), remove("list[0]")], overlap),
        (vec![remove("list[0]"), remove("list[0]")], overlap),
        (vec![remove("text"), set("text", &one())], overlap),
        (vec![set("map.inner", &one()), remove("map")], overlap),
        (vec![take("strings", some()), remove("strings")], overlap),
        (vec![remove("list[0]"), remove("list.x")], conflict),
        (vec![set("map.inner", &one()), remove("map[0]")], conflict),
        (vec![remove("pk")], part_of_key),
        (vec![remove("sk.x")], part_of_key),
        (vec![remove("pk[0]")], part_of_key),
        (vec![take("pk", some())], part_of_key),
        (vec![remove("city.x")], scalar),
        (vec![set("city[0]", &one())], scalar),
        (vec![set("city", &json!(""))], "update a secondary index key to a value"),
        (vec![take("city", some())], mistyped),
        (vec![take("text", some())], mistyped),
        (vec![take("list", some())], mistyped),
        (vec![take("list[0]", some())], mistyped),
        (vec![take("strings", numbers(&["1"]))], mistyped),
        (vec![take("none", "a".into())], "operator: delete, operand type: string"),
        (vec![take("none", value(&json!(["a"])))], "operator: delete, operand type: list"),
        (vec![take("none", strings(&[]))], "may not be empty"),
        (vec![set("none", &json!(1)), take("strings", binaries(&[]))], "should not be empty"),
        (vec![Clause::Set(crate::items::path("list[0]"), nested(31))], "nesting levels"),
    ] {
        refused(h.write(change(&app, key("1"), clauses)).await, words);
    }
    assert_eq!(h.item(&app, key("1")).await, Some(before));
}

pub(crate) async fn conditions<H: Harness>(h: H) {
    let app = h.table(APP);
    let scalar = "key attributes must be scalars";
    for (condition, words) in [
        (exists("pk[0]"), scalar),
        (not(absent("sk.x")), scalar),
        (contains("city.x", "x".into()), scalar),
        (not(compare("x", Less, &json!([]))), "incorrect operand type"),
        (contains("x", strings(&[])), "may not be empty"),
        (Condition::Any(vec![exists("x"), contains("x", numbers(&[]))]), "may not be empty"),
        (contains("x", nested(33)), "nesting levels"),
    ] {
        refused(h.write(on(condition, put(&app, key("1")))).await, words);
        assert_eq!(h.item(&app, key("1")).await, None);
    }
}

/// If an action is invalid for every item, the transaction fails.
pub(crate) async fn actions<H: Harness>(h: H) {
    let app = h.table(APP);
    let change = |clause| change(&app, key("1"), vec![clause]);
    let overlapping = vec![remove("list"), remove("list[0]")];
    for (action, words) in [
        (crate::items::change(&app, key("1"), overlapping), "two document paths overlap"),
        (crate::items::change(&app, key("1"), Vec::new()), "the expression can not be empty"),
        (change(take("x", "a".into())), "operator: delete"),
        (change(take("x", strings(&[]))), "may not be empty"),
        (change(remove("city.x")), "must be scalars"),
        (change(set("city", &json!(""))), "update a secondary index key to a value"),
        (on(compare("x", Less, &json!([])), delete(&app, key("1"))), "incorrect operand type"),
        (on(exists("pk.x"), delete(&app, key("1"))), "must be scalars"),
        (delete(&app, key("")), "empty string value. key: sk"),
        (put(&app, with(key("1"), "x", nested(32))), "nesting levels"),
        (put(&app, sized("p", "1", 400 * 1024 + 1)), "item size has exceeded"),
    ] {
        let absent = crate::items::check(&app, key("none"), exists("pk"));
        refused(h.transact(vec![put(&app, key("put")), action, absent]).await, words);
    }
    assert_eq!(h.item(&app, key("put")).await, None);
}

pub(crate) async fn transactions<H: Harness>(h: H) {
    let app = h.table(APP);
    let bare_check = Write { table: app.clone(), action: Action::Check(key("1")), condition: None };
    let many = (0..101).map(|number| put(&app, key(&number.to_string()))).collect();
    let large = (0..11).map(|number| put(&app, sized("p", &number.to_string(), 390 * 1024)));
    let twice = vec![put(&app, key("1")), on(exists("pk"), delete(&app, key("1")))];
    for (actions, words) in [
        (Vec::new(), "greater than or equal to 1"),
        (many, "less than or equal to 100"),
        (twice, "multiple operations on one item"),
        (vec![bare_check], "condition"),
        (large.collect(), "4mb"),
    ] {
        refused(h.transact(actions).await, words);
    }
    // DynamoDB supports condition checks only within transactions.
    refused(h.write(crate::items::check(&app, key("1"), absent("pk"))).await, "transactions");
}

/// Errors that only an operator can fix.
pub(crate) async fn set_up<H: Harness>(h: H) {
    let app = h.table(APP);
    let none = format!("{app}-none");
    let unknown_index = Query { index: Some("none".to_owned()), ..city(&app, "Rome") };
    let errors = [
        h.store().batch_get(vec![read(&none, key("1"))]).await.unwrap_err(),
        h.store().query(partition(&none, "p")).await.unwrap_err(),
        h.store().query(unknown_index).await.unwrap_err(),
        h.write(put(&none, key("1"))).await.unwrap_err(),
        h.transact(vec![put(&none, key("1"))]).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, StoreError::Fatal(_)), "{error:?}");
    }
}
