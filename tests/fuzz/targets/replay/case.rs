//! A case under `events/` as JSON, and edits of it.

use std::fmt;

use arbitrary::Arbitrary;
use referee::integrity::mark::MARK;
use referee::replay::{self, Batch};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value as Json, json};

use kit::fixture::Fixture;

/// A recorded case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The initial items, by table.
    seed: Json,
    /// The records, each with the number of its batch.
    pub(crate) records: Vec<(usize, Json)>,
}

/// A change to one record, or to one item of the seed.
#[derive(Debug, Arbitrary)]
pub(crate) struct Edit {
    /// The number of the record or item.
    part: u8,
    change: Change,
}

#[derive(Debug, Arbitrary)]
enum Change {
    /// A value is replaced by a value from another location.
    Copy { to: u16, from_part: u8, from: u16 },
    /// A value is replaced by a text.
    Text { to: u16, text: [u8; 2] },
    /// A value is replaced by a number.
    Number { to: u16, number: i16 },
    /// A value is removed.
    Remove { at: u16 },
    /// A record is removed.
    Drop,
    /// A record is repeated before another record, in the batch of that record.
    Repeat { at: u8 },
    /// A record begins a new batch.
    Cut,
    /// A record and all later ones are delayed by this many seconds.
    Delay { seconds: u16 },
}

impl Case {
    pub(crate) fn of(fixture: &Fixture) -> Self {
        let seed = serde_json::from_str(&replay::dump(&fixture.store())).unwrap();
        let read = |record: &RawValue| serde_json::from_str::<Json>(record.get()).unwrap();
        let batches = fixture.batches.iter().enumerate();
        let records = batches
            .flat_map(|(at, batch)| batch.records.iter().map(move |record| (at, read(record))));
        Self { seed, records: records.collect() }
    }

    pub(crate) fn seed(&self) -> String {
        self.seed.to_string()
    }

    pub(crate) fn seed_without_marks(&self) -> String {
        let mut seed = self.seed.clone();
        let tables = seed.as_object_mut().into_iter().flat_map(Map::values_mut);
        for item in tables.filter_map(Json::as_array_mut).flatten() {
            item.as_object_mut().and_then(|item| item.remove(MARK));
        }
        seed.to_string()
    }

    pub(crate) fn batches(&self) -> Vec<Batch> {
        let runs = self.records.chunk_by(|(one, _), (next, _)| one == next);
        runs.map(|run| Batch {
            file: "case".to_owned(),
            records: run.iter().map(|(_, record)| to_raw_value(record).unwrap()).collect(),
        })
        .collect()
    }

    pub(crate) fn apply(&mut self, edit: &Edit) {
        let part = usize::from(edit.part);
        match &edit.change {
            Change::Copy { to, from_part, from } => {
                let Some(source) = self.part(usize::from(*from_part)) else { return };
                let value = source.pointer(&place(source, *from)).cloned().unwrap_or_default();
                self.set(part, *to, value);
            }
            Change::Text { to, text } => {
                self.set(part, *to, json!(String::from_utf8_lossy(text)));
            }
            Change::Number { to, number } => self.set(part, *to, json!(number)),
            Change::Remove { at } => self.remove(part, *at),
            Change::Drop => {
                if part < self.records.len() {
                    self.records.remove(part);
                }
            }
            Change::Repeat { at } => self.repeat(part, usize::from(*at)),
            Change::Cut => {
                let later = self.records.iter_mut().skip(part);
                later.for_each(|(batch, _)| *batch += 1);
            }
            Change::Delay { seconds } => {
                for (_, record) in self.records.iter_mut().skip(part) {
                    let time = record.pointer_mut("/dynamodb/ApproximateCreationDateTime");
                    if let Some(time) = time {
                        *time = json!(time.as_f64().unwrap_or_default() + f64::from(*seconds));
                    }
                }
            }
        }
    }

    /// Returns a record or an item of the seed. The numbers of the items follow those of the
    /// records.
    fn part(&mut self, part: usize) -> Option<&mut Json> {
        let records = self.records.iter_mut().map(|(_, record)| record);
        let tables = self.seed.as_object_mut().into_iter().flat_map(Map::values_mut);
        let items = tables.filter_map(Json::as_array_mut).flatten();
        let mut parts: Vec<_> = records.chain(items).collect();
        let place = part % parts.len().max(1);
        (place < parts.len()).then(|| parts.swap_remove(place))
    }

    fn set(&mut self, part: usize, to: u16, value: Json) {
        if let Some(part) = self.part(part)
            && let Some(old) = part.pointer_mut(&place(part, to))
        {
            *old = value;
        }
    }

    fn remove(&mut self, part: usize, at: u16) {
        let Some(part) = self.part(part) else { return };
        let place = place(part, at);
        let Some((parent, name)) = place.rsplit_once('/') else { return };
        match part.pointer_mut(parent) {
            Some(Json::Object(map)) => {
                map.remove(&name.replace("~1", "/").replace("~0", "~"));
            }
            Some(Json::Array(list)) => {
                list.remove(name.parse().unwrap());
            }
            _ => {}
        }
    }

    fn repeat(&mut self, part: usize, at: usize) {
        if let Some((_, record)) = self.records.get(part).cloned() {
            let at = at % self.records.len();
            let batch = self.records[at].0;
            self.records.insert(at, (batch, record));
        }
    }
}

/// Prints the case as files for `referee replay`, to reproduce a failure.
impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "seed.json: {}", self.seed)?;
        for (at, run) in self.records.chunk_by(|(one, _), (next, _)| one == next).enumerate() {
            let records: Vec<_> = run.iter().map(|(_, record)| record).collect();
            write!(formatter, "\nstream/{at:02}.json: {}", json!({ "Records": records }))?;
        }
        Ok(())
    }
}

/// Returns one of the locations in a value, as a JSON pointer.
fn place(value: &Json, number: u16) -> String {
    let mut places = Vec::new();
    collect_places(value, String::new(), &mut places);
    let place = usize::from(number) % places.len();
    places.swap_remove(place)
}

fn collect_places(value: &Json, at: String, places: &mut Vec<String>) {
    match value {
        Json::Object(map) => {
            for (name, inner) in map {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect_places(inner, format!("{at}/{name}"), places);
            }
        }
        Json::Array(list) => {
            for (place, inner) in list.iter().enumerate() {
                collect_places(inner, format!("{at}/{place}"), places);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
    places.push(at);
}
