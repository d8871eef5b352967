//! The format of a plan: JSON Lines, with a header first, and last the counts and a checksum, so that
//! a plan that was cut off or altered is refused.

use std::borrow::Cow;
use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use super::action::RepairAction;
use super::checksum::Checksum;
use super::claim::{Claim, ClaimLine, ClaimText};
use super::guard::{GuardLine, conditions, words};
use super::planned::{Entry, PlannedWrite, after};
use crate::data::{Item, JsonItem, into_owned, without_position};
use crate::rules::model::Rules;

const FORMAT: &str = "referee-repair-plan";
/// The version of the format.
const VERSION: u64 = 1;

/// The first line of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The hash of the rules.
    pub rules: String,
    /// When the plan was made, in milliseconds since 1970; `None` on the in-memory store.
    pub created_ms: Option<i64>,
    /// The names of the tables in DynamoDB.
    pub tables: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'l> {
    Plan {
        format: &'l str,
        version: u64,
        rules: &'l str,
        created_ms: Option<i64>,
        tables: &'l [String],
    },
    Write {
        number: u64,
        action: &'static str,
        #[serde(flatten)]
        claim: ClaimLine<'l>,
        guard: &'static str,
        conditions: Vec<GuardLine<'l>>,
        before: Option<&'l Item<'static>>,
        after: Option<&'l Item<'static>>,
        units: u64,
    },
    NoAction {
        #[serde(flatten)]
        claim: ClaimLine<'l>,
        reason: &'static str,
        detail: Cow<'static, str>,
    },
    End {
        writes: u64,
        no_actions: u64,
        units: u64,
        checksum: String,
    },
}

/// Writes a plan.
#[derive(Debug)]
pub struct PlanWriter<W> {
    to: W,
    /// When the plan is made, in milliseconds since 1970.
    now_ms: i64,
    checksum: Checksum,
    writes: u64,
    no_actions: u64,
    units: u64,
}

impl<W: Write> PlanWriter<W> {
    /// Begins a plan.
    pub fn new(to: W, header: &Header) -> io::Result<Self> {
        let Header { rules, created_ms, tables } = header;
        let (now_ms, checksum) = (created_ms.unwrap_or(0), Checksum::default());
        let mut plan = Self { to, now_ms, checksum, writes: 0, no_actions: 0, units: 0 };
        let (format, version, created_ms) = (FORMAT, VERSION, *created_ms);
        plan.line(&Line::Plan { format, version, rules, created_ms, tables })?;
        Ok(plan)
    }

    /// Adds an entry.
    pub fn entry(&mut self, rules: &Rules, entry: &Entry) -> io::Result<()> {
        match entry {
            Entry::NoAction(claim, why) => {
                self.no_actions += 1;
                let (reason, detail) = (why.name(), why.words());
                self.line(&Line::NoAction { claim: claim.line(rules), reason, detail })
            }
            Entry::Write(write) => {
                self.writes += 1;
                let units = write.units(rules);
                self.units += units;
                let request = write.request(rules, self.now_ms).ok();
                let conditions = request.iter().flat_map(|it| conditions(rules, it)).collect();
                self.line(&Line::Write {
                    number: write.number,
                    action: write.action.name(),
                    claim: write.claim.line(rules),
                    guard: words(write),
                    conditions,
                    before: write.before.as_ref(),
                    after: write.after.as_ref(),
                    units,
                })
            }
        }
    }

    /// Ends the plan.
    pub fn finish(mut self) -> io::Result<W> {
        let Self { writes, no_actions, units, .. } = self;
        let checksum = total(self.checksum.clone(), writes, no_actions, units)?;
        self.line(&Line::End { writes, no_actions, units, checksum })?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.checksum.write_all(&text)?;
        self.to.write_all(&text)
    }
}

/// The checksum of a plan: of all lines before the last, and of the counts in the last one.
fn total(mut sum: Checksum, writes: u64, no_actions: u64, units: u64) -> io::Result<String> {
    write!(sum, "{writes} {no_actions} {units}")?;
    Ok(sum.digits())
}

/// Why a plan is refused.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("the plan cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is another kind of file.
    #[error("not a plan of `referee repair plan`")]
    OtherFile,
    /// It has the format of another release.
    #[error("the plan has version {0}, not {VERSION}\nhelp: make a new plan")]
    Version(u64),
    /// It was made with other rules.
    #[error(
        "the plan was made with other rules, or by another release of Referee\n\
         help: make a new plan"
    )]
    OtherRules,
    /// It has no last line.
    #[error(
        "the plan is cut off: its last line is missing\nhelp: copy it again, or make a new plan"
    )]
    Truncated,
    /// Its checksum is wrong.
    #[error(
        "the plan was altered after it was made: its checksum is wrong\n\
         help: make a new plan; choose its findings with the options of `referee audit`"
    )]
    Altered,
    /// A line does not say what these rules say.
    #[error("line {line} of the plan cannot be used: {error}\nhelp: make a new plan")]
    Line {
        /// The line's number, from 1.
        line: u64,
        /// What is wrong with it.
        error: String,
    },
}

#[derive(Debug, Deserialize)]
struct Typed<'l> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'l, str>,
}

#[derive(Debug, Deserialize)]
struct HeaderText<'l> {
    #[serde(borrow)]
    format: Cow<'l, str>,
    version: u64,
    #[serde(borrow, default)]
    rules: Cow<'l, str>,
}

#[derive(Debug, Deserialize)]
struct EndText<'l> {
    writes: u64,
    no_actions: u64,
    units: u64,
    #[serde(borrow)]
    checksum: Cow<'l, str>,
}

#[derive(Debug, Deserialize)]
struct WriteText<'l> {
    number: u64,
    #[serde(borrow)]
    action: Cow<'l, str>,
    #[serde(borrow)]
    before: Option<JsonItem<'l>>,
    #[serde(borrow)]
    after: Option<JsonItem<'l>>,
}

/// What a plan says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The number of writes.
    pub writes: u64,
    /// The number of findings without a write.
    pub no_actions: u64,
    /// The write units that the writes consume in the tables.
    pub units: u64,
    /// The checksum, which identifies the plan.
    pub checksum: String,
}

/// Checks that a plan is complete, unaltered, and of these rules.
pub fn check(mut plan: impl BufRead, rules: &str) -> Result<Checked, PlanError> {
    let mut text = String::new();
    plan.read_line(&mut text).map_err(|error| {
        let is_binary = error.kind() == io::ErrorKind::InvalidData;
        if is_binary { PlanError::OtherFile } else { PlanError::Io(error) }
    })?;
    let header: HeaderText<'_> = serde_json::from_str(&text).map_err(|_| PlanError::OtherFile)?;
    if header.format != FORMAT {
        return Err(PlanError::OtherFile);
    }
    if header.version != VERSION {
        return Err(PlanError::Version(header.version));
    }
    if header.rules != rules {
        return Err(PlanError::OtherRules);
    }
    let mut sum = Checksum::default();
    let mut counts = (0, 0);
    loop {
        sum.write_all(text.as_bytes())?;
        text.clear();
        plan.read_line(&mut text)?;
        if !text.ends_with('\n') {
            return Err(PlanError::Truncated);
        }
        let typed: Typed<'_> = serde_json::from_str(&text).map_err(|_| PlanError::Altered)?;
        match &*typed.kind {
            "write" => counts.0 += 1,
            "no_action" => counts.1 += 1,
            "end" => break,
            _ => return Err(PlanError::Altered),
        }
    }
    let end: EndText<'_> = serde_json::from_str(&text).map_err(|_| PlanError::Altered)?;
    let is_last = plan.fill_buf()?.is_empty();
    let sum = total(sum, counts.0, counts.1, end.units)?;
    if !is_last || end.checksum != sum || counts != (end.writes, end.no_actions) {
        return Err(PlanError::Altered);
    }
    let EndText { writes, no_actions, units, checksum } = end;
    Ok(Checked { writes, no_actions, units, checksum: checksum.into_owned() })
}

/// An entry of a plan, as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// A write.
    Write(Box<PlannedWrite>),
    /// A finding without a write.
    NoAction(Box<Claim>),
}

/// The entries of a plan that was checked.
#[derive(Debug)]
pub struct PlanEntries<'p, R> {
    rules: &'p Rules,
    from: R,
    line: u64,
}

impl<'p, R: BufRead> PlanEntries<'p, R> {
    /// Reads the entries of a plan.
    pub const fn new(rules: &'p Rules, from: R) -> Self {
        Self { rules, from, line: 0 }
    }

    fn read(&mut self) -> Result<Option<Planned>, PlanError> {
        let mut text = String::new();
        loop {
            text.clear();
            self.line += 1;
            if self.from.read_line(&mut text)? == 0 {
                return Ok(None);
            }
            let wrong = |error: String| PlanError::Line { line: self.line, error };
            let unreadable = |error: serde_json::Error| wrong(without_position(&error));
            let Typed { kind } = serde_json::from_str(&text).map_err(unreadable)?;
            let claim = || {
                let claim: ClaimText<'_> = serde_json::from_str(&text).map_err(unreadable)?;
                claim.claim(self.rules).map_err(wrong)
            };
            match &*kind {
                "write" => {
                    let write: WriteText<'_> = serde_json::from_str(&text).map_err(unreadable)?;
                    let write = self.write(claim()?, write)?;
                    return Ok(Some(Planned::Write(Box::new(write))));
                }
                "no_action" => return Ok(Some(Planned::NoAction(Box::new(claim()?)))),
                _ => {}
            }
        }
    }

    /// A write, if these rules plan the same.
    fn write(&self, claim: Claim, text: WriteText<'_>) -> Result<PlannedWrite, PlanError> {
        let wrong = |error: String| PlanError::Line { line: self.line, error };
        let action = RepairAction::from_name(&text.action)
            .ok_or_else(|| wrong(format!("the action `{}` is unknown", text.action)))?;
        let image = |image: Option<JsonItem<'_>>| image.map(|JsonItem(item)| into_owned(item));
        let (before, planned) = (image(text.before), image(text.after));
        let number = text.number;
        let write = PlannedWrite { number, claim, action, before, after: planned };
        // The images do not depend on the time.
        let request = write.request(self.rules, 0).ok();
        let main = request.as_ref().and_then(|request| request.actions.get(request.main));
        let image = main.and_then(|main| after(&main.action, write.before.as_ref()).ok());
        if image.as_ref() == Some(&write.after) {
            Ok(write)
        } else {
            let why = "another release of Referee made it, and this one would write otherwise";
            Err(wrong(why.to_owned()))
        }
    }
}

impl<R: BufRead> Iterator for PlanEntries<'_, R> {
    type Item = Result<Planned, PlanError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
