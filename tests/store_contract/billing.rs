//! The capacity units that requests consume.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>

use referee::data::Item;
use referee::store::scan::{Scan, Scanner as _};
use referee::store::{Query, Read, Store as _, Units, Write};
use serde_json::json;

use crate::harness::{APP, Harness, city, partition};
use crate::items::{
    absent, change, check, delete, exists, item, on, put, remove, sized, strings, take, update,
    value, with,
};
use crate::scans::whole;

const KB: usize = 1024;

fn key(sk: &str) -> Item<'static> {
    item(&json!({"pk": "p", "sk": sk}))
}

fn read_units(read: f64) -> Units {
    Units { read, write: 0.0 }
}

/// Makes the writes in order, and asserts the cost of each.
async fn costs<H: Harness>(h: &H, writes: Vec<(&str, Write, f64)>) {
    for (what, write, units) in writes {
        let answer = h.write(write).await.unwrap();
        assert_eq!(answer.units, Units { read: 0.0, write: units }, "{what}");
    }
}

/// The size of each item is rounded up to 4 KB. A missing item also costs one unit.
pub(crate) async fn reads<H: Harness>(h: H) {
    let app = h.table(APP);
    h.apply(put(&app, sized("p", "exact", 4 * KB))).await;
    h.apply(put(&app, sized("p", "over", 4 * KB + 1))).await;
    let read = |sk: &str| Read { table: app.clone(), key: key(sk), attributes: None };
    let few = Read { attributes: Some(vec!["sk".to_owned()]), ..read("over") };
    for (reads, units) in [
        (vec![read("none")], 1.0),
        (vec![read("exact")], 1.0),
        (vec![read("over")], 2.0),
        (vec![few], 2.0),
        (vec![read("exact"), read("over"), read("none")], 4.0),
    ] {
        assert_eq!(h.store().batch_get(reads).await.unwrap().units, read_units(units));
    }
}

/// The size of the page is rounded up, not the size of each item. A query of an index costs half as
/// much.
pub(crate) async fn queries<H: Harness>(h: H) {
    let app = h.table(APP);
    for sk in ["1", "2", "3"] {
        let item = sized("p", sk, 2 * KB);
        let item = with(with(item, "city", "Rome".into()), "n", value(&json!(1)));
        h.apply(put(&app, item)).await;
    }
    h.wait_for_indexes().await;
    let few = Some(vec!["sk".to_owned()]);
    for (query, units) in [
        (partition(&app, "none"), 1.0),
        (partition(&app, "p"), 2.0),
        (Query { attributes: few, ..partition(&app, "p") }, 2.0),
        (Query { limit: Some(1), ..partition(&app, "p") }, 1.0),
        (city(&app, "none"), 0.5),
        (city(&app, "Rome"), 1.0),
        (Query { limit: Some(1), ..city(&app, "Rome") }, 0.5),
    ] {
        assert_eq!(h.store().query(query).await.unwrap().units, read_units(units));
    }
}

/// The size of the page is rounded up. A scan costs half as much as a query of the table, unless it
/// is strongly consistent.
pub(crate) async fn scans<H: Harness>(h: H) {
    let app = h.table(APP);
    for sk in ["1", "2", "3"] {
        h.apply(put(&app, sized("p", sk, 2 * KB))).await;
    }
    let few = Some(vec!["sk".to_owned()]);
    for (scan, units) in [
        (whole(&app), 1.0),
        (Scan { is_consistent: true, ..whole(&app) }, 2.0),
        (Scan { attributes: few, ..whole(&app) }, 1.0),
        (Scan { limit: Some(1), ..whole(&app) }, 0.5),
    ] {
        assert_eq!(h.store().scan(scan).await.unwrap().units, read_units(units));
    }
}

/// The larger image of the item, before or after the write, determines the cost. A write whose
/// condition fails is billed too.
pub(crate) async fn writes<H: Harness>(h: H) {
    let app = h.table(APP);
    let small = || update(&app, key("1"), &[("x", json!("small"))]);
    costs(
        &h,
        vec![
            ("a delete of a missing item", delete(&app, key("1")), 1.0),
            ("a put of exactly a unit", put(&app, sized("p", "1", KB)), 1.0),
            ("a put of more", put(&app, sized("p", "1", 3 * KB + 1)), 4.0),
            ("a condition that fails", on(absent("pk"), put(&app, key("1"))), 4.0),
            ("an update that makes it small", small(), 4.0),
            ("an update of a small item", small(), 1.0),
            (
                "a condition that fails on a missing item",
                on(exists("pk"), delete(&app, key("2"))),
                1.0,
            ),
            ("a removal from a missing item", change(&app, key("3"), vec![remove("x")]), 1.0),
            ("a removal of a missing attribute", change(&app, key("1"), vec![remove("y")]), 1.0),
            (
                "a deletion of elements that do not exist",
                change(&app, key("1"), vec![take("y", strings(&["a"]))]),
                1.0,
            ),
            ("a put over a large item", put(&app, sized("p", "1", 2 * KB)), 2.0),
            ("a removal of a large attribute", change(&app, key("1"), vec![remove("x")]), 2.0),
            ("a put that makes it large again", put(&app, sized("p", "1", 2 * KB)), 2.0),
            ("a delete of a large item", delete(&app, key("1")), 2.0),
        ],
    )
    .await;
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes>
pub(crate) async fn indexes<H: Harness>(h: H) {
    let app = h.table(APP);
    let entry = |city: &str, x: &str| {
        put(&app, item(&json!({"pk": "p", "sk": "1", "city": city, "n": 1, "x": x})))
    };
    let large = with(with(sized("p", "2", 2 * KB), "city", "Rome".into()), "n", value(&json!(1)));
    costs(
        &h,
        vec![
            ("a new entry", entry("Rome", "a"), 2.0),
            ("no change", entry("Rome", "a"), 1.0),
            ("a changed attribute", entry("Rome", "b"), 2.0),
            ("a changed index key", entry("Oslo", "b"), 3.0),
            ("a condition that fails", on(absent("pk"), entry("Rome", "b")), 1.0),
            ("a removed index key", change(&app, key("1"), vec![remove("city")]), 2.0),
            (
                "the index's sort key while the item is not in the index",
                change(&app, key("1"), vec![remove("n")]),
                1.0,
            ),
            ("the entry again", entry("Oslo", "b"), 2.0),
            ("a removed entry", put(&app, key("1")), 2.0),
            ("never an entry", put(&app, with(key("1"), "x", "a".into())), 1.0),
            ("a large entry", put(&app, large), 6.0),
            ("a large entry removed", delete(&app, key("2")), 6.0),
        ],
    )
    .await;
}

/// A transaction costs twice as much as its writes would cost individually, even if it is
/// cancelled.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>
pub(crate) async fn transactions<H: Harness>(h: H) {
    let app = h.table(APP);
    h.apply(put(&app, sized("p", "there", 2 * KB))).await;
    for (actions, units) in [
        (vec![put(&app, sized("p", "1", KB + 1)), check(&app, key("none"), absent("pk"))], 6.0),
        (vec![check(&app, key("there"), exists("pk"))], 4.0),
        (vec![delete(&app, key("1")), check(&app, key("there"), absent("pk"))], 8.0),
        (vec![put(&app, item(&json!({"pk": "p", "sk": "2", "city": "Rome", "n": 1})))], 4.0),
        (vec![check(&app, key("2"), exists("city"))], 2.0),
        (vec![change(&app, key("there"), vec![remove("none")])], 4.0),
        (vec![change(&app, key("2"), vec![remove("city")])], 4.0),
    ] {
        let answer = h.transact(actions).await.unwrap();
        assert_eq!(answer.units, Units { read: 0.0, write: units });
    }
}
