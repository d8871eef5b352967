//! Measures how long it takes to find the entity of a key, by the number of entities in the table.
//!
//! The time must not grow with this number, because one table often contains all entities of an
//! application, and the key of each of its records is matched.

#![expect(clippy::expect_used, reason = "a benchmark whose setup fails cannot measure anything")]

use std::borrow::Cow;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use referee::data::{Key, KeyKind, KeyValue};
use referee::rules::matcher::Matcher;
use referee::rules::model::EntityId;
use referee::rules::template::{EntityKey, KeyTemplate, Template};

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

fn match_keys(criterion: &mut Criterion) {
    for (apart_by, templates, values) in LAYOUTS {
        let mut group = criterion.benchmark_group(format!("entities apart by {apart_by}"));
        for count in [10, 100, 1000] {
            // All names have the same length, so that the benchmarks differ only in the number of
            // entities.
            let kind = |number: usize| format!("entity{number:04}");
            let keys: Vec<_> =
                (0..count).map(|number| entity_key(templates, &kind(number))).collect();
            let entities: Vec<_> =
                keys.iter().enumerate().map(|(id, key)| (EntityId(id), key)).collect();
            let matcher = Matcher::new(&entities);
            let key = key(values, &kind(count / 2));
            assert!(find(&matcher, &keys, &key).is_some(), "the key matches an entity");
            group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
                bencher.iter(|| find(&matcher, &keys, black_box(&key)));
            });
        }
        group.finish();
    }
}

criterion_group!(matching, match_keys);
criterion_main!(matching);
