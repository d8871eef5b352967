//! A sample of each table's items, in bounded memory.
//!
//! Items with the smallest hashes are kept, so that the sample does not depend on the order of the
//! items. Rare kinds are kept too: the sample is stratified by the words that keys begin with.

use std::collections::{BTreeMap, BinaryHeap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use twox_hash::XxHash3_64;

use super::entity::TYPE_NAMES;
use super::{InferError, Input};
use crate::data::{Item, JsonItem, KeySchema, KeyValue, Value, into_owned};

/// The maximum number of items of one table in the sample, and of all tables together.
const TABLE_ITEMS_MAX: usize = 12_000;
const ITEMS_MAX: usize = 40_000;
/// The maximum number of bytes of JSON that the sample of one table has, and of all together.
const TABLE_BYTES_MAX: usize = 12 << 20;
const BYTES_MAX: usize = 32 << 20;
/// The maximum number of strata of a table. Items of further ones share one.
const STRATA_MAX: usize = 1_024;
/// Items of more bytes are sampled without their long texts and lists.
const LONG_BYTES: usize = 8 << 10;
/// The maximum length of a text in such an item, and of a list.
const TEXT_MAX: usize = 256;
const LIST_MAX: usize = 50;

/// An item of the sample.
#[derive(Debug)]
pub(super) struct Row {
    /// The values of the key attributes, as text: a binary in base64.
    pub(super) key: Vec<String>,
    pub(super) item: Item<'static>,
}

/// The sample of one table.
#[derive(Debug, Default)]
pub(super) struct TableSample {
    pub(super) rows: Vec<Row>,
    /// The number of items in the table.
    pub(super) items: u64,
    /// The number of items without a valid key.
    pub(super) keyless: u64,
}

/// The values of an item's key attributes as text.
pub(super) fn key_texts(schema: &KeySchema, item: &Item<'_>) -> Option<Vec<String>> {
    let key = schema.key_of(item).ok()?;
    let text = |value: &KeyValue<'_>| match value {
        KeyValue::S(text) => text.to_string(),
        KeyValue::N(number) => number.as_str().to_owned(),
        KeyValue::B(bytes) => BASE64.encode(bytes),
    };
    Some(std::iter::once(&key.partition).chain(key.sort.as_ref()).map(text).collect())
}

/// Reads every item once.
pub(super) fn sample(
    input: &Input<'_>,
    schemas: &[KeySchema],
) -> Result<Vec<TableSample>, InferError> {
    let tables = schemas.len().max(1);
    let items_max = (ITEMS_MAX / tables).clamp(200, TABLE_ITEMS_MAX);
    let bytes_max = (BYTES_MAX / tables).clamp(1 << 17, TABLE_BYTES_MAX);
    let mut samplers: Vec<Sampler> =
        schemas.iter().map(|_| Sampler::new(items_max, bytes_max)).collect();
    input.each(&mut |table, text, item| {
        let (Some(sampler), Some(schema)) = (samplers.get_mut(table), schemas.get(table)) else {
            return;
        };
        sampler.items += 1;
        match key_texts(schema, item) {
            Some(key) => sampler.add(&key, text, item),
            None => sampler.keyless += 1,
        }
    })?;
    Ok(samplers.into_iter().zip(schemas).map(|(sampler, schema)| sampler.finish(schema)).collect())
}

struct Sampler {
    strata: BTreeMap<u64, BinaryHeap<(u64, Box<str>)>>,
    /// The maximum number of items of each stratum.
    depth: usize,
    kept: usize,
    bytes: usize,
    items_max: usize,
    bytes_max: usize,
    items: u64,
    keyless: u64,
}

impl Sampler {
    fn new(items_max: usize, bytes_max: usize) -> Self {
        Self {
            strata: BTreeMap::new(),
            depth: items_max,
            kept: 0,
            bytes: 0,
            items_max,
            bytes_max,
            items: 0,
            keyless: 0,
        }
    }

    fn add(&mut self, key: &[String], text: &str, item: &Item<'_>) {
        let mut stratum = stratum(key, item);
        if self.strata.len() >= STRATA_MAX && !self.strata.contains_key(&stratum) {
            stratum = 0;
        }
        let hash = XxHash3_64::oneshot(text.as_bytes());
        let heap = self.strata.entry(stratum).or_default();
        if heap.len() >= self.depth && heap.peek().is_none_or(|(largest, _)| *largest <= hash) {
            return;
        }
        let text: Box<str> =
            if text.len() > LONG_BYTES { shortened(item).into() } else { text.into() };
        self.bytes += text.len();
        self.kept += 1;
        heap.push((hash, text));
        if heap.len() > self.depth
            && let Some((_, dropped)) = heap.pop()
        {
            self.bytes -= dropped.len();
            self.kept -= 1;
        }
        while (self.kept > self.items_max || self.bytes > self.bytes_max) && self.depth > 8 {
            self.shrink();
        }
    }

    /// Halves what is kept of the largest strata.
    fn shrink(&mut self) {
        let longest = self.strata.values().map(BinaryHeap::len).max().unwrap_or(0);
        self.depth = (longest.min(self.depth) * 3 / 4).max(8);
        for heap in self.strata.values_mut() {
            while heap.len() > self.depth {
                let Some((_, dropped)) = heap.pop() else { break };
                self.bytes -= dropped.len();
                self.kept -= 1;
            }
        }
    }

    fn finish(self, schema: &KeySchema) -> TableSample {
        let mut texts: Vec<_> = self.strata.into_values().flatten().collect();
        texts.sort();
        let rows = texts.iter().filter_map(|(_, text)| {
            let JsonItem(item) = serde_json::from_str(text).ok()?;
            let key = key_texts(schema, &item)?;
            Some(Row { key, item: into_owned(item) })
        });
        TableSample { rows: rows.collect(), items: self.items, keyless: self.keyless }
    }
}

/// A hash of what is probably the kind of an item: the words its keys begin with, and its type.
fn stratum(key: &[String], item: &Item<'_>) -> u64 {
    let mut text = String::new();
    for value in key {
        let mut separators = 0;
        for char in value.chars().take(32) {
            if !char.is_alphanumeric() {
                separators += 1;
            }
            if char.is_ascii_digit() || (separators > 1 && !char.is_alphanumeric()) {
                break;
            }
            text.push(char);
        }
        // A word without a separator behind it is a value rather than a label.
        if separators == 0 && value.len() > 12 {
            text.clear();
        }
        text.push('\u{1f}');
    }
    for name in TYPE_NAMES {
        if let Some(Value::S(value)) = item.get::<str>(name) {
            text.push_str(value);
            break;
        }
    }
    XxHash3_64::oneshot(text.as_bytes()).max(1)
}

/// The JSON of an item without long texts and lists.
fn shortened(item: &Item<'_>) -> String {
    let short: Item<'_> =
        item.iter().map(|(name, value)| (name.clone(), short_value(value))).collect();
    serde_json::to_string(&short).unwrap_or_default()
}

fn short_value<'v>(value: &Value<'v>) -> Value<'v> {
    match value {
        Value::S(text) if text.len() > 2048 => {
            Value::S(text.chars().take(TEXT_MAX).collect::<String>().into())
        }
        Value::B(bytes) if bytes.len() > 2048 => Value::Null,
        Value::L(list) => Value::L(list.iter().take(LIST_MAX).map(short_value).collect()),
        Value::Ss(set) => Value::Ss(set.iter().take(LIST_MAX).cloned().collect()),
        Value::Ns(set) => Value::Ns(set.iter().take(LIST_MAX).cloned().collect()),
        Value::Bs(_) => Value::Null,
        Value::M(map) => Value::M(
            map.iter()
                .take(LIST_MAX)
                .map(|(name, value)| (name.clone(), short_value(value)))
                .collect(),
        ),
        Value::S(_) | Value::N(_) | Value::B(_) | Value::Bool(_) | Value::Null => value.clone(),
    }
}
