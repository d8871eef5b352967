//! `Scan`.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html>

use std::collections::BTreeSet;

use referee::data::{Item, Value};
use referee::store::scan::{SEGMENTS_MAX, Scan, Scanner as _};
use referee::store::{Page, StoreError, Units};
use serde_json::json;

use crate::harness::{APP, BINARIES, Harness, NUMBERS};
use crate::items::{binary, item, put, sized, with};

/// The first page of a scan of a whole table.
pub(crate) fn whole(table: &str) -> Scan {
    Scan {
        table: table.to_owned(),
        segment: 0,
        segments: 1,
        attributes: None,
        limit: None,
        is_consistent: false,
        start: None,
    }
}

async fn page<H: Harness>(h: &H, scan: Scan) -> Page {
    h.store().scan(scan).await.unwrap().value
}

/// Returns the items of each page of a segment, to the end.
async fn pages_of<H: Harness>(h: &H, mut scan: Scan) -> Vec<Vec<Item<'static>>> {
    let mut pages = Vec::new();
    loop {
        let page = page(h, scan.clone()).await;
        pages.push(page.items);
        if page.next.is_none() {
            return pages;
        }
        scan.start = page.next;
        assert!(pages.len() < 1_000, "the scan does not end");
    }
}

/// Returns the items of each segment.
async fn segments_of<H: Harness>(h: &H, scan: &Scan, segments: u32) -> Vec<Vec<Item<'static>>> {
    let mut all = Vec::new();
    for segment in 0..segments {
        let scan = Scan { segment, segments, ..scan.clone() };
        all.push(pages_of(h, scan).await.concat());
    }
    all
}

fn sorted(items: impl IntoIterator<Item = Item<'static>>) -> Vec<Item<'static>> {
    let mut items: Vec<_> = items.into_iter().collect();
    items.sort_by_key(|item| format!("{item:?}"));
    items
}

/// Each item is in exactly one segment, whatever the type of the key.
pub(crate) async fn everything<H: Harness>(h: H) {
    let (app, numbers, binaries) = (h.table(APP), h.table(NUMBERS), h.table(BINARIES));
    let mut expected = [Vec::new(), Vec::new(), Vec::new()];
    for number in 0..30_u8 {
        let items = [
            item(&json!({"pk": format!("p{}", number % 10), "sk": number.to_string(), "x": 1})),
            item(&json!({"id": number})),
            with(with(Item::new(), "id", binary(&[number])), "sk", binary(b"s")),
        ];
        for ((item, table), expected) in
            items.into_iter().zip([&app, &numbers, &binaries]).zip(&mut expected)
        {
            h.apply(put(table, item.clone())).await;
            expected.push(item);
        }
    }
    for (table, expected) in [&app, &numbers, &binaries].into_iter().zip(expected) {
        let expected = sorted(expected);
        for segments in [1, 2, 7] {
            let found = segments_of(&h, &whole(table), segments).await;
            assert_eq!(sorted(found.concat()), expected, "{segments} segments");
        }
    }
}

/// Also after an item with the starting key was deleted.
pub(crate) async fn pages<H: Harness>(h: H) {
    let app = h.table(APP);
    let key =
        |number: usize| item(&json!({"pk": (number % 3).to_string(), "sk": number.to_string()}));
    for number in 0..10 {
        h.apply(put(&app, key(number))).await;
    }
    for (limit, segments) in [(1, 1), (3, 1), (3, 2), (100, 2)] {
        let scan = Scan { limit: Some(limit), ..whole(&app) };
        let found = segments_of(&h, &scan, segments).await;
        assert_eq!(sorted(found.concat()), sorted((0..10).map(key)));
        for segment in 0..segments {
            let scan = Scan { segment, segments, ..scan.clone() };
            for page in pages_of(&h, scan).await {
                assert!(page.len() <= usize::try_from(limit).unwrap());
            }
        }
    }
    let first = page(&h, Scan { limit: Some(4), ..whole(&app) }).await;
    let next = first.next.unwrap();
    assert_eq!(first.items.last(), Some(&next));
    h.apply(crate::items::delete(&app, next.clone())).await;
    let rest = page(&h, Scan { start: Some(next), ..whole(&app) }).await;
    assert_eq!(sorted([first.items, rest.items].concat()), sorted((0..10).map(key)));
}

pub(crate) async fn megabyte<H: Harness>(h: H) {
    let app = h.table(APP);
    for sk in ["1", "2", "3", "4", "5"] {
        h.apply(put(&app, sized("p", sk, 300 * 1024))).await;
    }
    let pages = pages_of(&h, whole(&app)).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [4, 1]);
}

/// The key attributes of the next page's start are there even if they are not requested.
pub(crate) async fn projection<H: Harness>(h: H) {
    let app = h.table(APP);
    h.apply(put(&app, item(&json!({"pk": "p", "sk": "1", "x": 1, "y": 2})))).await;
    let attributes = Some(["y", "none"].map(str::to_owned).to_vec());
    let page = page(&h, Scan { attributes, limit: Some(1), ..whole(&app) }).await;
    assert_eq!(page.items, [item(&json!({"y": 2}))]);
    assert_eq!(page.next, Some(item(&json!({"pk": "p", "sk": "1"}))));
}

/// The items of one partition are in one segment.
pub(crate) async fn partitions<H: Harness>(h: H) {
    let app = h.table(APP);
    for number in 0..40 {
        let item = item(&json!({"pk": (number % 4).to_string(), "sk": number.to_string()}));
        h.apply(put(&app, item)).await;
    }
    let mut seen = BTreeSet::new();
    for items in segments_of(&h, &whole(&app), 5).await {
        let partition = |item: &Item<'static>| match item.get("pk") {
            Some(Value::S(text)) => text.to_string(),
            other => panic!("{other:?} is not a string"),
        };
        for partition in items.iter().map(partition).collect::<BTreeSet<_>>() {
            assert!(seen.insert(partition), "a partition is in two segments");
        }
    }
    assert_eq!(seen.len(), 4);
}

pub(crate) async fn nothing<H: Harness>(h: H) {
    let app = h.table(APP);
    for segments in [1, 1_000] {
        for segment in [0, segments - 1] {
            let answer = h.store().scan(Scan { segment, segments, ..whole(&app) }).await.unwrap();
            assert_eq!(answer.value, Page::default());
            // DynamoDB Local bills nothing.
            let half = Units { read: 0.5, write: 0.0 };
            assert!([Units::default(), half].contains(&answer.units), "{:?}", answer.units);
        }
    }
}

pub(crate) async fn refusals<H: Harness>(h: H) {
    let app = h.table(APP);
    for number in 0..10 {
        h.apply(put(&app, item(&json!({"pk": number.to_string(), "sk": "1"})))).await;
    }
    let halves = segments_of(&h, &whole(&app), 2).await;
    let elsewhere = halves[1].first().cloned();
    let short = Some(item(&json!({"pk": "1"})));
    let mistyped = Some(item(&json!({"pk": "1", "sk": 1})));
    for (scan, words) in [
        (Scan { segments: 0, ..whole(&app) }, "segment"),
        (Scan { segment: 2, segments: 2, ..whole(&app) }, "segment"),
        (Scan { segments: SEGMENTS_MAX + 1, ..whole(&app) }, "segments"),
        (Scan { limit: Some(0), ..whole(&app) }, "limit"),
        (Scan { attributes: Some(Vec::new()), ..whole(&app) }, "empty"),
        (Scan { start: elsewhere, segments: 2, ..whole(&app) }, "segment"),
        (Scan { start: short, ..whole(&app) }, "key"),
        (Scan { start: mistyped, ..whole(&app) }, "match"),
    ] {
        match h.store().scan(scan).await {
            Err(StoreError::Rejected(message)) => {
                assert!(message.to_lowercase().contains(words), "`{message}` says no `{words}`");
            }
            other => panic!("{other:?}, expected an error with `{words}`"),
        }
    }
    let none = h.store().scan(whole(&format!("{app}-none"))).await;
    assert!(matches!(none, Err(StoreError::Fatal(_))), "{none:?}");
}
