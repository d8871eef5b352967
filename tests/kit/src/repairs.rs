//! Repairs of tables on the in-memory store, and journals in memory.

use std::cell::RefCell;
use std::io::{self, BufRead, Cursor};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use referee::audit::{self, Archives, Dump, Progress};
use referee::integrity::finding::Finding;
use referee::repair::{
    self, Applied, Claim, Claims, Entry, Header, Journal, Log, Options, Outcome, Pace, PlanEntries,
    PlanWriter, Planned, PlannedWrite, Stopped, Undone,
};
use referee::replay;
use referee::rules::model::Rules;
use referee::runtime::stop::Stop;
use referee::store::{Memory, Store};
use referee::wording::ViolationLine;
use serde_json::json;

use crate::clocks::Patient;

/// The hash of the rules in plans and journals here.
pub const RULES: &str = "rules";

/// The findings of an audit of all tables.
pub fn findings(rules: &Rules, store: &Memory) -> Vec<Finding> {
    static FILES: AtomicUsize = AtomicUsize::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let name = format!("referee-repairs-{}-{number}.json", std::process::id());
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, replay::dump(store)).unwrap();
    let archive = Archives(vec![Box::new(Dump::open(&file, rules).unwrap())]);
    let options = audit::Options {
        threads: 1,
        memory_bytes_max: usize::MAX,
        temporary: std::env::temp_dir(),
        reports_unknown: true,
        now_ms: 0,
    };
    let mut found = Vec::new();
    let each = |finding| {
        found.push(finding);
        Ok(())
    };
    let done = audit::audit(rules, &archive, &options, &Progress::default(), each).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(done.problems, []);
    found
}

/// The findings as `referee audit --json` prints them.
pub fn lines(rules: &Rules, findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let mut line = json!(ViolationLine::at_rest(rules, finding));
        line["type"] = json!("violation");
        text.push_str(&line.to_string());
        text.push('\n');
    }
    text + "{\"type\":\"summary\",\"complete\":true}\n"
}

/// The claims that a plan is made of, read from the lines of an audit.
pub fn claims(rules: &Rules, store: &Memory) -> Vec<Claim> {
    let text = lines(rules, &findings(rules, store));
    let mut claims = Claims::new(rules, text.as_bytes());
    let found = claims.by_ref().map(Result::unwrap).collect();
    assert_eq!(claims.is_complete(), Some(true));
    found
}

/// A plan, as its file contains it, and its entries.
pub struct Plan {
    pub text: Vec<u8>,
    pub checksum: String,
    pub entries: Vec<Entry>,
}

impl Plan {
    /// Plans the repairs of tables.
    pub fn new(rules: &Rules, store: &Memory, options: Options) -> Self {
        Self::of(rules, store, claims(rules, store), options)
    }

    /// Plans the repairs of these findings.
    pub fn of(rules: &Rules, store: &Memory, claims: Vec<Claim>, options: Options) -> Self {
        Self::on(rules, (store, 0), claims, options).now_or_never().unwrap().unwrap()
    }

    /// Likewise, on any store, at this time in milliseconds since 1970.
    pub async fn on(
        rules: &Rules,
        (store, now_ms): (&impl Store, i64),
        claims: Vec<Claim>,
        options: Options,
    ) -> Result<Self, Stopped> {
        let tables = rules.tables.iter().map(|table| table.name.clone()).collect();
        let header = Header { rules: RULES.to_owned(), created_ms: None, tables };
        let mut writer = PlanWriter::new(Vec::new(), &header).unwrap();
        let mut entries = Vec::new();
        let emit = |entry: Entry| {
            writer.entry(rules, &entry)?;
            entries.push(entry);
            Ok(())
        };
        let claims = claims.into_iter().map(Ok);
        repair::plan(rules, (store, now_ms), claims, options, emit).await?;
        let text = writer.finish().unwrap();
        let checked = repair::check(text.as_slice(), RULES).unwrap();
        let count = entries.iter().filter(|entry| matches!(entry, Entry::Write(_))).count();
        assert_eq!(checked.writes, count as u64);
        assert_eq!(checked.no_actions, (entries.len() - count) as u64);
        Ok(Self { text, checksum: checked.checksum, entries })
    }

    /// The writes, as they are read from the file.
    pub fn writes(&self, rules: &Rules) -> Vec<PlannedWrite> {
        let entries = PlanEntries::new(rules, self.text.as_slice()).map(Result::unwrap);
        entries
            .filter_map(|entry| match entry {
                Planned::Write(write) => Some(*write),
                Planned::NoAction(_) => None,
            })
            .collect()
    }

    /// A journal of this plan, without a write.
    pub fn log(&self) -> MemoryLog {
        MemoryLog::new(repair::journal_header(RULES, &self.checksum))
    }

    /// Applies the plan, with this journal. Returns `None` if the process was killed.
    pub fn apply(
        &self,
        rules: &Rules,
        store: &impl Store,
        log: &mut MemoryLog,
    ) -> Option<Result<Applied, Stopped>> {
        self.apply_with(rules, store, log, &mut Vec::new())
    }

    /// Likewise, and returns the outcomes by the numbers of the writes.
    pub fn apply_with(
        &self,
        rules: &Rules,
        store: &impl Store,
        log: &mut MemoryLog,
        outcomes: &mut Vec<(u64, Outcome)>,
    ) -> Option<Result<Applied, Stopped>> {
        let mut journal = Journal::resume(log, RULES, &self.checksum).unwrap();
        let entries = PlanEntries::new(rules, self.text.as_slice());
        let report = |write: &PlannedWrite, outcome: &Outcome| {
            outcomes.push((write.number, outcome.clone()));
            Ok(())
        };
        let pace = Pace { write_units: None, stop: &Stop::default() };
        repair::apply(rules, store, &Patient, entries, &mut journal, pace, report).now_or_never()
    }

    /// What `verify` reports.
    pub fn verify(&self, rules: &Rules, store: &impl Store) -> Vec<Finding> {
        let mut left = Vec::new();
        let entries = PlanEntries::new(rules, self.text.as_slice());
        let report = |finding: &Finding| {
            left.push(finding.clone());
            Ok(())
        };
        let stop = Stop::default();
        let verified = repair::verify(rules, (store, &Patient), entries, &stop, |_| (), report);
        assert!(verified.now_or_never().unwrap().unwrap());
        left
    }
}

/// Takes the writes of a journal back. Returns `None` if the process was killed.
pub fn undo(
    rules: &Rules,
    store: &impl Store,
    log: &mut MemoryLog,
) -> Option<Result<Undone, Stopped>> {
    let mut journal = Journal::undo(log, RULES).unwrap();
    let pace = Pace { write_units: None, stop: &Stop::default() };
    repair::undo(rules, store, &Patient, &mut journal, pace, |_, _| Ok(())).now_or_never()
}

/// A journal in memory that outlives the process that writes it.
#[derive(Debug, Clone, Default)]
pub struct SharedLog(pub Rc<RefCell<MemoryLog>>);

impl Log for SharedLog {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        (&mut *self.0.borrow_mut()).append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        (&mut *self.0.borrow_mut()).sync()
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        (&mut *self.0.borrow_mut()).truncate(bytes)
    }

    fn read_from(&mut self, offset: u64) -> io::Result<Box<dyn BufRead + '_>> {
        let bytes = self.0.borrow().bytes[usize::try_from(offset).unwrap()..].to_vec();
        Ok(Box::new(Cursor::new(bytes)))
    }
}

/// A journal in memory, which can fail like a full disk.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog {
    pub bytes: Vec<u8>,
    /// How many bytes survive a crash for sure.
    pub synced: usize,
    /// How many bytes there is room for.
    pub room: Option<usize>,
    /// How often `append` and `sync` were called.
    pub calls: usize,
    /// The call that fails.
    pub fails_at: Option<usize>,
}

impl MemoryLog {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { synced: bytes.len(), bytes, ..Self::default() }
    }

    /// What is left after a crash, if this many bytes that were not synced survive.
    pub fn crashed(&self, unsynced: usize) -> Self {
        Self::new(self.bytes[..self.synced + unsynced].to_vec())
    }

    fn call(&mut self) -> io::Result<()> {
        self.calls += 1;
        if self.fails_at == Some(self.calls) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl Log for &mut MemoryLog {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = self.room.map_or(usize::MAX, |room| room.saturating_sub(self.bytes.len()));
        let fits = &bytes[..bytes.len().min(room)];
        self.bytes.extend(fits);
        self.call()?;
        if fits.len() < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.call()?;
        self.synced = self.bytes.len();
        Ok(())
    }

    fn truncate(&mut self, bytes: u64) -> io::Result<()> {
        self.bytes.truncate(usize::try_from(bytes).unwrap());
        self.synced = self.synced.min(self.bytes.len());
        Ok(())
    }

    fn read_from(&mut self, offset: u64) -> io::Result<Box<dyn BufRead + '_>> {
        Ok(Box::new(&self.bytes[usize::try_from(offset).unwrap()..]))
    }
}
