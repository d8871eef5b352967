//! Measures how long it takes to find the entity of a key, by the number of entities in the table.
//!
//! The time must not grow with this number, because one table often contains all entities of an
//! application, and the key of each of its records is matched.

#![expect(clippy::expect_used, reason = "a benchmark whose setup fails cannot measure anything")]

use std::borrow::Cow;
use std::hint::black_box;
use std::time::Instant;

use referee::data::{Key, KeyKind, KeyValue};
use referee::rules::matcher::Matcher;
use referee::rules::model::EntityId;
use referee::rules::template::{EntityKey, KeyTemplate, Template};

/// The numbers of entities.
const COUNTS: [usize; 3] = [10, 100, 1000];

/// How often a call is measured, and how many calls are measured at once.
const ROUNDS: usize = 21;
const CALLS: u32 = 100_000;

/// The ways in which the entities of a table can differ. Each has a name for the benchmark, the
/// templates of an entity, and one of its keys, both as partition and sort key. `KIND` stands for
/// the entity.
const LAYOUTS: [(&str, [&str; 2], [&str; 2]); 3] = [
    ("partition key", ["KIND#{id}", "profile"], ["KIND#0123456789", "profile"]),
    ("sort key", ["tenant#{tenant}", "KIND#{id}"], ["tenant#42", "KIND#0123456789"]),
    ("both keys", ["KIND#{id}", "KIND#{id}"], ["KIND#0123456789", "KIND#0123456789"]),
];

fn entity_key(templates: [&str; 2], kind: &str) -> EntityKey {
    let [partition, sort] = templates.map(|text| {
        let template = Template::parse(&text.replace("KIND", kind)).expect("the template is valid");
        KeyTemplate::new(template, KeyKind::S).expect("a string key accepts any template")
    });
    EntityKey::new(partition, Some(sort), '#')
}

fn key(values: [&str; 2], kind: &str) -> Key<'static> {
    let [partition, sort] = values.map(|text| KeyValue::S(Cow::Owned(text.replace("KIND", kind))));
    Key { partition, sort: Some(sort) }
}

/// Returns the first entity that the key matches, and the number of its captures.
fn find(matcher: &Matcher, entities: &[EntityKey], key: &Key<'_>) -> Option<(EntityId, usize)> {
    matcher.candidates(key).iter().find_map(|id| {
        let captures = entities.get(id.0)?.parse(key)?;
        Some((*id, captures.len()))
    })
}

fn main() {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::TableStyle::new());
    table.set_header(
        std::iter::once("entities apart by".to_owned())
            .chain(COUNTS.map(|count| format!("{count} entities"))),
    );
    for (apart_by, templates, values) in LAYOUTS {
        let times = COUNTS.map(|count| {
            // All names have the same length, so that only the number of entities differs.
            let kind = |number: usize| format!("entity{number:04}");
            let keys: Vec<_> =
                (0..count).map(|number| entity_key(templates, &kind(number))).collect();
            let entities: Vec<_> =
                keys.iter().enumerate().map(|(id, key)| (EntityId(id), key)).collect();
            let matcher = Matcher::new(&entities);
            let key = key(values, &kind(count / 2));
            assert!(find(&matcher, &keys, &key).is_some(), "the key matches an entity");
            format!("{} ns", nanoseconds(|| find(&matcher, &keys, black_box(&key))))
        });
        table.add_row(std::iter::once(apart_by.to_owned()).chain(times));
    }
    let text = format!("Finding the entity of a key:\n{}\n", table.trim_fmt());
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()).expect("stdout is open");
}

/// The duration of a call: the median of all rounds.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn nanoseconds<T>(call: impl Fn() -> T) -> u128 {
    let mut times: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            (0..CALLS).for_each(|_| drop(black_box(call())));
            start.elapsed().as_nanos() / u128::from(CALLS)
        })
        .collect();
    times.sort_unstable();
    times.get(ROUNDS / 2).copied().expect("there are rounds")
}
