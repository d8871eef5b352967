//! The fixtures under `events/`, loaded into the library's types.

use std::path::{Path, PathBuf};

use referee::engine::Engine;
use referee::replay::{self, Batch, Options};
use referee::rules::{self, RuleSource, Rules};
use referee::store::Memory;

use crate::oracle::Dump;

/// A recorded history: rules, the initial items, and the events.
pub struct Fixture {
    pub name: String,
    pub rules: Rules,
    /// The initial items of each table.
    pub seed: Dump,
    pub batches: Vec<Batch>,
}

impl Fixture {
    /// Reads the fixture in the folder of this rule file.
    pub fn read(rule_file: &Path) -> Self {
        let folder = rule_file.parent().unwrap();
        let source = RuleSource::from_bytes("rules", std::fs::read(rule_file).unwrap()).unwrap();
        let rules = rules::load(&source, &|_| None).rules.unwrap();
        let mut events: Vec<PathBuf> = std::fs::read_dir(folder.join("stream"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        events.sort();
        Self {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            seed: read_seed(&rules, &folder.join("seed.json")),
            rules,
            batches: events.iter().map(|event| read_batch(event)).collect(),
        }
    }

    /// Reads every fixture under `events/`, sorted by name.
    pub fn all() -> Vec<Self> {
        rule_files().iter().map(|file| Self::read(file)).collect()
    }

    /// Creates a store with the initial items.
    pub fn store(&self) -> Memory {
        let store = replay::store(&self.rules);
        for (table, items) in &self.seed {
            for item in items {
                store.seed(table, item.clone()).unwrap();
            }
        }
        store
    }

    /// Replays the fixture on a store, in order.
    pub fn replay(&self, store: &Memory) {
        self.replay_with(&Engine::new(self.rules.clone()), store);
    }

    /// Like [`Self::replay`], but uses an existing engine for the fixture's rules.
    pub fn replay_with(&self, engine: &Engine, store: &Memory) {
        replay::replay(engine, store, self.batches.clone(), Options::default(), |_| {}).unwrap();
    }
}

/// Returns the rule file of every fixture under `events/`, sorted by path.
pub fn rule_files() -> Vec<PathBuf> {
    let entries = Path::new("events").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.map(|folder| folder.join("referee.yaml")).collect();
    files.retain(|file| file.exists());
    files.sort();
    files
}

/// Reads the initial items, if there are any. They are read once, because some tests create a
/// thousand stores.
fn read_seed(rules: &Rules, file: &Path) -> Dump {
    let store = replay::store(rules);
    if let Ok(text) = std::fs::read_to_string(file) {
        replay::seed(&store, &text).unwrap();
    }
    store.dump()
}

fn read_batch(event: &Path) -> Batch {
    let name = event.file_name().unwrap().to_str().unwrap();
    replay::read_batch(name, &compact(&std::fs::read(event).unwrap()), None).unwrap()
}

/// Removes the white space between the tokens of JSON. It means nothing, and a test that delivers
/// the same events thousands of times would spend much of its time on it.
fn compact(json: &[u8]) -> Vec<u8> {
    let (mut in_string, mut is_escaped) = (false, false);
    let is_kept = |byte: &u8| {
        let is_quote = *byte == b'"' && !is_escaped;
        is_escaped = in_string && *byte == b'\\' && !is_escaped;
        in_string ^= is_quote;
        in_string || !byte.is_ascii_whitespace()
    };
    json.iter().copied().filter(is_kept).collect()
}
