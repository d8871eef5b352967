//! The picture of a system: boxes and arrows. How they look is up to each format.

use serde::Serialize;

use super::finding::{Finding, Severity};

/// The boxes and arrows of a system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Picture {
    /// The boxes.
    pub parts: Vec<PartBox>,
    /// The arrows.
    pub arrows: Vec<Arrow>,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartBox {
    /// Its id, by which arrows and findings refer to it.
    pub id: String,
    /// What it is.
    pub kind: BoxKind,
    /// Its name.
    pub name: String,
    /// Its settings.
    pub rows: Vec<Row>,
    /// How it is.
    pub health: Health,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What it is.
    pub label: String,
    /// Its value.
    pub value: String,
    /// Its value in Terraform, if it differs from the account's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terraform: Option<String>,
    /// How it is.
    pub health: Health,
}

/// An arrow from one box to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Arrow {
    /// The id of the box where it begins.
    pub from: String,
    /// The id of the box where it ends.
    pub to: String,
    /// What flows.
    pub label: String,
    /// How it is.
    pub health: Health,
}

/// What a box is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "`title` describes each kind")]
pub enum BoxKind {
    Table,
    Mapping,
    Function,
    Reader,
    LogGroup,
    Metrics,
    Alarms,
    Queue,
    Topic,
    Bucket,
    Other,
    Schedule,
    StateMachine,
}

impl BoxKind {
    /// What it is, in words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Mapping => "event source mapping",
            Self::Function => "function",
            Self::Reader => "other function",
            Self::LogGroup => "log group",
            Self::Metrics => "metrics",
            Self::Alarms => "alarms",
            Self::Queue => "queue",
            Self::Topic => "topic",
            Self::Bucket => "bucket",
            Self::Other => "target",
            Self::Schedule => "schedule",
            Self::StateMachine => "state machine",
        }
    }

    /// What an ARN names.
    #[must_use]
    pub fn of_arn(arn: &str) -> Self {
        match arn.split(':').nth(2) {
            Some("sqs") => Self::Queue,
            Some("sns") => Self::Topic,
            Some("s3") => Self::Bucket,
            _ => Self::Other,
        }
    }
}

/// How a box, a setting or an arrow is. The order is from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Nothing is wrong, as far as is known.
    Ok,
    /// No source describes it: the rules need it.
    Unknown,
    /// It works, but there is a risk.
    Warning,
    /// Terraform and the account differ.
    Difference,
    /// It does not work.
    Broken,
}

impl Health {
    /// The health of what has a finding of this severity.
    #[must_use]
    pub const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Warning => Self::Warning,
            Severity::Difference => Self::Difference,
            Severity::Broken => Self::Broken,
        }
    }
}

impl Picture {
    /// Marks the boxes that findings concern.
    pub(super) fn mark(&mut self, findings: &[Finding]) {
        for finding in findings {
            let health = Health::of(finding.kind.severity());
            for part in self.parts.iter_mut().filter(|part| part.id == finding.subject) {
                part.health = part.health.max(health);
            }
        }
    }

    /// Adds a box, unless there is one with its id.
    pub(super) fn add(&mut self, part: PartBox) {
        if self.parts.iter().all(|known| known.id != part.id) {
            self.parts.push(part);
        }
    }

    /// Adds an arrow.
    pub(super) fn connect(&mut self, from: &str, to: &str, label: &str, health: Health) {
        let (from, to, label) = (from.to_owned(), to.to_owned(), label.to_owned());
        let arrow = Arrow { from, to, label, health };
        if !self.arrows.contains(&arrow) {
            self.arrows.push(arrow);
        }
    }
}
