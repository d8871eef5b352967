//! Files.

use fastrand::Rng;
use serde_json::json;

use super::{Found, Items, item, planted, rules, shown};
use crate::audit::replica::files::{Compared, compare};
use crate::audit::replica::{Concerns, Sides};
use crate::audit::{Archive, Options, Problem, Row, Stop};
use crate::data::{Key, KeyValue};
use crate::rules::model::TableId;

/// Items in memory, in chunks.
struct Lists(Vec<Vec<(TableId, String)>>);

impl Lists {
    fn new(items: &Items, random: &mut Rng) -> Self {
        let mut lists = vec![Vec::new(); random.usize(1..5)];
        for ((table, _), item) in items {
            let chunk = random.usize(..lists.len());
            lists[chunk].push((TableId(*table), item.to_string()));
        }
        Self(lists)
    }
}

impl Archive for Lists {
    fn chunks(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap()
    }

    fn items(&self) -> Option<u64> {
        None
    }

    fn name(&self, chunk: u32) -> String {
        format!("list {chunk}")
    }

    fn read(
        &self,
        chunk: u32,
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
        _: &mut dyn FnMut(Problem),
    ) -> Result<(), Stop> {
        (0..).zip(&self.0[chunk as usize]).try_for_each(|(row, (table, text))| {
            each(Row { row, table: *table, text: text.as_bytes() })
        })
    }
}

fn compared(
    original: &Lists,
    replica: &Lists,
    memory_bytes_max: usize,
    concerns: Concerns<'_>,
) -> (Found, Compared) {
    let temporary = std::env::temp_dir();
    let options =
        Options { threads: 3, memory_bytes_max, temporary, reports_unknown: false, now_ms: 0 };
    let mut found = Found::new();
    let each = |difference| {
        let (place, text) = shown(&difference);
        assert_eq!(found.insert(place, text), None, "reported twice");
        Ok(())
    };
    let archives = Sides { original: original as &dyn Archive, replica: replica as &dyn Archive };
    let compared = compare(rules(), archives, &options, concerns, each).unwrap();
    (found, compared)
}

#[test]
fn exactly_the_planted_differences_are_found() {
    let mut differences = 0;
    for seed in 0..100 {
        let mut random = Rng::with_seed(seed);
        let size = random.u32(..100);
        let (original, replica, planted) = planted(&mut random, size);
        let lists = [&original, &replica].map(|items| Lists::new(items, &mut random));
        let memory_bytes_max = if seed % 2 == 0 { 0 } else { usize::MAX };
        let (found, Compared { items, problems }) =
            compared(&lists[0], &lists[1], memory_bytes_max, &|_, _| true);
        assert_eq!(found, planted, "seed {seed}");
        assert_eq!(problems, []);
        let count = |items: &[u64]| usize::try_from(items.iter().sum::<u64>()).unwrap();
        assert_eq!(count(&items.original), original.len());
        assert_eq!(count(&items.replica), replica.len());
        differences += found.len();
    }
    assert!(differences > 500, "{differences}");
}

#[test]
fn only_the_keys_that_concern_are_compared() {
    let mut random = Rng::with_seed(1);
    let (original, replica, planted) = planted(&mut random, 300);
    let lists = [&original, &replica].map(|items| Lists::new(items, &mut random));
    let is_user = |_, key: &Key<'_>| matches!(key.partition, KeyValue::S(_));
    let (found, Compared { items, .. }) = compared(&lists[0], &lists[1], usize::MAX, &is_user);
    let of_users = planted.into_iter().filter(|((table, _), _)| *table == 0);
    assert_eq!(found, of_users.collect());
    assert_eq!((items.original[1], items.replica[1]), (0, 0));
}

#[test]
fn items_that_cannot_be_read_or_occur_twice_are_problems() {
    let same = item((0, 1), &json!({ "N": "1" })).to_string();
    let list = |texts: &[&str]| {
        Lists(vec![texts.iter().map(|text| (TableId(0), (*text).to_owned())).collect()])
    };
    let original = list(&[&same, "{", r#"{"pk": {"S": "x"}}"#]);
    let replica = list(&[&same, &same]);
    let (found, Compared { problems, .. }) =
        compared(&original, &replica, usize::MAX, &|_, _| true);
    assert_eq!(found, Found::new());
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    expect_test::expect![[r"
        `list 0` has a bad item 1: EOF while parsing an object
        `list 0` has a bad item 1: there is another item with its key; files of several exports may be mixed
        `list 0` has a bad item 2: key attribute `sk` is missing"]].assert_eq(&problems.join("\n"));
}
