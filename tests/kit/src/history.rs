//! Histories in a short notation: the initial items, the application's writes, and the results.
//!
//! An item is written as `pk: user#ann, sk: user#, age: 42`. Text has the type `S`, a number `N`, a
//! list `L` and a map `M`. Other types are named, as in `tags: {SS: [a, b]}`. The mark of a mirror
//! is written and printed as `_referee: membership@100`, with the suffix `deleting` if it announces
//! a delete. The output also has the suffix `fix 150` if the mirror was corrected after the change
//! with that number. The first record has the sequence number 100, the second 200, and so on. This
//! leaves room for the numbers of Referee's own writes.

use std::fmt::Write as _;

use referee::data::{Item, JsonItem, Value, into_owned};
use referee::engine::{Engine, Outcome, Violation};
use referee::integrity::finding::ItemName;
use referee::replay::{self, Batch, Options, Progress, RecordLocation};
use referee::rules::model::{Mode, Severity};
use referee::rules::{self, RuleSource, Rules};
use referee::store::Memory;
use serde_json::{Value as Json, json};

/// The time at which a history begins, in seconds since 1970.
pub const BEGIN_S: u64 = 1_700_000_000;

/// The initial items, and batches of stream records.
pub struct History {
    seed: serde_json::Map<String, Json>,
    batches: Vec<Vec<Json>>,
    table: &'static str,
    now_s: u64,
    sequence: u64,
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

impl History {
    /// Creates an empty history. Its items are in the table `app` unless [`Self::in_table`] changes
    /// it.
    pub fn new() -> Self {
        let batches = vec![Vec::new()];
        Self { seed: serde_json::Map::new(), batches, table: "app", now_s: BEGIN_S, sequence: 0 }
    }

    /// Puts the following items into this table.
    pub fn in_table(mut self, table: &'static str) -> Self {
        self.table = table;
        self
    }

    /// Adds an initial item.
    pub fn has(mut self, item: &str) -> Self {
        let items = self.seed.entry(self.table).or_insert_with(|| json!([]));
        items.as_array_mut().unwrap().push(item_json(item));
        self
    }

    /// Adds several initial items.
    pub fn has_all(self, items: impl IntoIterator<Item = String>) -> Self {
        items.into_iter().fold(self, |history, item| history.has(&item))
    }

    /// Adds a put of a new item by the application.
    pub fn insert(self, after: &str) -> Self {
        self.record("INSERT", None, Some(after), &json!({}))
    }

    /// Adds a change of an item by the application.
    pub fn change(self, before: &str, after: &str) -> Self {
        self.record("MODIFY", Some(before), Some(after), &json!({}))
    }

    /// Adds a delete of an item by the application.
    pub fn remove(self, before: &str) -> Self {
        self.record("REMOVE", Some(before), None, &json!({}))
    }

    /// Adds a delete of an item by DynamoDB's time to live (TTL).
    pub fn expire(self, before: &str) -> Self {
        let identity = json!({"principalId": "dynamodb.amazonaws.com", "type": "Service"});
        self.record("REMOVE", Some(before), None, &json!({"userIdentity": identity}))
    }

    /// Starts a new batch, this many seconds later.
    pub fn later(mut self, seconds: u64) -> Self {
        self.now_s += seconds;
        self.batches.push(Vec::new());
        self
    }

    /// Sets the time of the following changes, in seconds after the history began. They stay in the
    /// same batch.
    pub fn at(mut self, seconds: u64) -> Self {
        self.now_s = BEGIN_S + seconds;
        self
    }

    /// Delivers the batch with this index again.
    pub fn again(mut self, place: usize) -> Self {
        self.batches.push(self.batches[place].clone());
        self.batches.push(Vec::new());
        self
    }

    /// Adds this record, which may be invalid.
    pub fn raw(mut self, record: Json) -> Self {
        self.batches.last_mut().unwrap().push(record);
        self
    }

    fn record(
        mut self,
        event: &str,
        before: Option<&str>,
        after: Option<&str>,
        more: &Json,
    ) -> Self {
        self.sequence += 100;
        let image = before.or(after).map(item_json).unwrap();
        let is_key = |name: &str| ["pk", "sk", "id"].contains(&name);
        let keys: serde_json::Map<String, Json> = image
            .as_object()
            .unwrap()
            .clone()
            .into_iter()
            .filter(|(name, _)| is_key(name))
            .collect();
        let mut record = json!({
            "eventName": event,
            "eventSource": "aws:dynamodb",
            "eventSourceARN": format!("arn:aws:dynamodb:eu-west-1:1:table/{}/stream/1", self.table),
            "dynamodb": {
                "ApproximateCreationDateTime": self.now_s,
                "Keys": keys,
                "SequenceNumber": format!("{:021}", self.sequence),
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        });
        for (name, item) in [("OldImage", before), ("NewImage", after)] {
            if let Some(item) = item {
                record["dynamodb"][name] = item_json(item);
            }
        }
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.raw(record)
    }

    /// Returns the history's batches for a replay.
    pub fn batches(&self) -> Vec<Batch> {
        let batches = self.batches.iter().filter(|records| !records.is_empty());
        batches
            .map(|records| {
                let event = json!({"Records": records}).to_string();
                replay::read_batch("history", event.as_bytes(), None).unwrap()
            })
            .collect()
    }

    /// Creates a store with the initial items.
    pub fn store(&self, rules: &Rules) -> Memory {
        let store = replay::store(rules);
        replay::seed(&store, &Json::from(self.seed.clone()).to_string()).unwrap();
        store
    }

    /// Runs the history on a store.
    pub fn run(
        &self,
        rules: &Rules,
        store: &Memory,
    ) -> Vec<(Outcome, Vec<Option<RecordLocation>>)> {
        let engine = Engine::new(rules.clone());
        let mut delivered = Vec::new();
        let ended =
            replay::replay(&engine, store, self.batches(), Options::default(), |progress| {
                match progress {
                    Progress::Delivered(outcome, places) => delivered.push((outcome, places)),
                    Progress::Rejected(_, rejected) => panic!("a malformed record: {rejected:?}"),
                    Progress::RepairsStarted(_) => {}
                }
            });
        ended.unwrap();
        delivered
    }
}

/// Loads the rules from the text of a rule file.
pub fn load(text: &str) -> Rules {
    let source = RuleSource { name: "rules".to_owned(), text: text.to_owned() };
    let loaded = rules::load(&source, &|_| None);
    let messages: Vec<_> = loaded.diagnostics.iter().map(|found| &found.message).collect();
    loaded.rules.unwrap_or_else(|| panic!("{messages:#?}"))
}

/// Converts an item in this notation to DynamoDB's JSON.
pub fn item_json(text: &str) -> Json {
    let item: Json = serde_saphyr::from_str(&format!("{{{text}}}")).unwrap();
    item.as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value_json(name, value)))
        .collect()
}

/// Parses an item in this notation.
pub fn item(text: &str) -> Item<'static> {
    let json = item_json(text).to_string();
    into_owned(serde_json::from_str::<JsonItem<'_>>(&json).unwrap().0)
}

fn value_json(name: &str, value: &Json) -> Json {
    match value {
        Json::String(mark) if name == "_referee" => mark_json(mark),
        Json::String(text) => json!({"S": text}),
        Json::Number(number) => json!({"N": number.to_string()}),
        Json::Bool(flag) => json!({"BOOL": flag}),
        Json::Null => json!({"NULL": true}),
        Json::Array(list) => {
            json!({"L": list.iter().map(|element| value_json("", element)).collect::<Vec<_>>()})
        }
        Json::Object(map) => match map.iter().next() {
            Some((tag, _)) if ["N", "B", "SS", "NS", "BS"].contains(&tag.as_str()) => value.clone(),
            _ => {
                let entries =
                    map.iter().map(|(name, value)| (name.clone(), value_json(name, value)));
                json!({"M": entries.collect::<serde_json::Map<_, _>>()})
            }
        },
    }
}

fn mark_json(mark: &str) -> Json {
    let Some((rule, fence)) = mark.split_once('@') else { return json!({"S": mark}) };
    let (fence, is_deleting) = match fence.strip_suffix(" deleting") {
        Some(fence) => (fence, true),
        None => (fence, false),
    };
    let mut map = json!({"rule": {"S": rule}, "fence": {"S": format!("{fence:0>40}")}});
    if is_deleting {
        map["deleting"] = json!({"BOOL": true});
    }
    json!({"M": map})
}

/// Returns the results of a history as text: each delivery with its cost, violations and writes,
/// and then the items that differ from what the application wrote.
pub fn outcome(rules: &Rules, history: &History) -> String {
    outcome_on(rules, history, &history.store(rules))
}

/// Like [`outcome`], but on this store, which must contain the initial items.
pub fn outcome_on(rules: &Rules, history: &History, store: &Memory) -> String {
    let mut text = String::new();
    for (outcome, places) in history.run(rules, store) {
        delivery(&mut text, rules, &outcome, &places);
    }
    let untouched = history.store(rules);
    history.run(&rules.clone().in_mode(Mode::Off), &untouched);
    let (expected, found) = (lines(&untouched), lines(store));
    for line in expected.iter().filter(|line| !found.contains(line)) {
        writeln!(text, "- {line}").unwrap();
    }
    for line in found.iter().filter(|line| !expected.contains(line)) {
        writeln!(text, "+ {line}").unwrap();
    }
    text
}

fn delivery(
    text: &mut String,
    rules: &Rules,
    outcome: &Outcome,
    places: &[Option<RecordLocation>],
) {
    let whose = if places.iter().all(Option::is_none) { "own" } else { "app" };
    let (requests, units) = (outcome.requests, outcome.units);
    writeln!(
        text,
        "{} {whose}: {requests} requests, {} read, {} write",
        outcome.records, units.read, units.write
    )
    .unwrap();
    for violation in &outcome.violations {
        writeln!(text, "  {}", finding(rules, violation)).unwrap();
    }
    let planned = outcome.planned.iter().map(|write| ("would ", write));
    for (would, write) in outcome.writes.iter().map(|write| ("", write)).chain(planned) {
        let (operation, item) = (write.operation.name(), name(rules, &write.item));
        let detail = write.detail.as_ref().map_or(String::new(), |detail| format!(": {detail}"));
        writeln!(text, "  {} {would}{operation} {item}{detail}", write.rule).unwrap();
    }
    for rejected in &outcome.rejected {
        let sequence = rejected.sequence.as_deref().map_or("?", short);
        writeln!(text, "  rejected @{sequence}: {}", rejected.error).unwrap();
    }
    for handed_back in &outcome.handed_back {
        let sequence = short(&handed_back.sequence);
        writeln!(text, "  handed back @{sequence}: {}", handed_back.reason).unwrap();
    }
}

fn finding(rules: &Rules, violation: &Violation) -> String {
    let warning = if violation.finding.severity == Severity::Warn { "warning: " } else { "" };
    let item = |item: &Option<ItemName>| item.as_ref().map_or("?".to_owned(), |it| name(rules, it));
    let path = violation.finding.path.as_ref().map_or(String::new(), |path| format!(" at {path}"));
    let mut text = format!(
        "{warning}{} {} {}{path} -> {} @{} {}: {}",
        violation.finding.rule,
        violation.kind(),
        item(&violation.finding.referencing),
        item(&violation.finding.referenced),
        violation.occurrence.sequence.as_deref().map_or("?", short),
        violation.resolution.response.name(),
        referee::wording::violation(rules, violation),
    );
    if let Some(orphans) = violation.finding.orphans() {
        let more = if orphans.more { " and more" } else { "" };
        write!(text, " [{}{more}]", orphans.keys.len()).unwrap();
    }
    text
}

fn name(rules: &Rules, item: &ItemName) -> String {
    let table = &rules[item.table];
    let key = table.key.item_of(&item.key);
    format!("{}{}", prefix(&table.name), key.values().map(value).collect::<Vec<_>>().join("/"))
}

fn prefix(table: &str) -> String {
    if table == "app" { String::new() } else { format!("{table}:") }
}

fn short(sequence: &str) -> &str {
    sequence.trim_start_matches('0')
}

/// Returns one line for each item.
pub fn lines(store: &Memory) -> Vec<String> {
    let mut lines = Vec::new();
    for (table, items) in store.dump() {
        lines.extend(items.iter().map(|item| format!("{}{}", prefix(&table), line(item))));
    }
    lines
}

fn line(item: &Item<'_>) -> String {
    let is_key = |name: &str| ["pk", "sk", "id"].contains(&name);
    let (key, other): (Vec<_>, Vec<_>) = item.iter().partition(|(name, _)| is_key(name));
    let key: Vec<_> = key.into_iter().map(|(_, found)| value(found)).collect();
    let other = other.into_iter().map(|(name, found)| match (&**name, found) {
        ("_referee", Value::M(mark)) => format!(" {name}: {}", mark_text(mark)),
        _ => format!(" {name}: {}", value(found)),
    });
    format!("{}{}", key.join("/"), other.collect::<String>())
}

fn mark_text(mark: &Item<'_>) -> String {
    let text = |name| mark.get(name).map(value).unwrap_or_default();
    let deleting = if mark.contains_key("deleting") { " deleting" } else { "" };
    let fix = mark.get("fix").map(|fix| format!(" fix {}", short(&value(fix))));
    format!("{}@{}{}{deleting}", text("rule"), short(&text("fence")), fix.unwrap_or_default())
}

fn value(found: &Value<'_>) -> String {
    fn all<T>(values: &[T], one: impl Fn(&T) -> String) -> String {
        values.iter().map(one).collect::<Vec<_>>().join(" ")
    }
    match found {
        Value::S(text) => text.to_string(),
        Value::N(number) => number.as_str().to_owned(),
        Value::L(list) => format!("[{}]", all(list, value)),
        Value::Ss(set) => format!("<{}>", all(set, ToString::to_string)),
        Value::M(map) => format!("({})", line(map)),
        Value::B(_) | Value::Bool(_) | Value::Null | Value::Ns(_) | Value::Bs(_) => {
            serde_json::to_string(found).unwrap()
        }
    }
}
