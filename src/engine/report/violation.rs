//! Violations: findings, what revealed them, and what was done about them.

use crate::integrity::finding::{Finding, Kind};
use crate::integrity::repair::Obstacle;
use crate::rules::model::{OnDelete, Rules};

/// A finding that a stream record or an audit revealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What is wrong.
    pub finding: Finding,
    /// The record that revealed it, or the page of an audit.
    pub occurrence: Occurrence,
    /// What was done about it.
    pub resolution: Resolution,
}

/// The stream record that revealed a finding, or the page of an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The record's sequence number; `None` in an audit.
    pub sequence: Option<String>,
    /// The record's index in its batch, or the page's index in the audit.
    pub position: usize,
}

/// What was done about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// What was done.
    pub response: Response,
    /// The rule's action for the orphans of a deleted item, if this finding triggered it.
    pub on_delete: Option<OnDelete>,
    /// What prevented a repair, if something did.
    pub obstacle: Option<Obstacle>,
}

impl From<Response> for Resolution {
    fn from(response: Response) -> Self {
        Self { response, on_delete: None, obstacle: None }
    }
}

/// How Referee responded to a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// It was reported, as the rule asks.
    Reported,
    /// It was repaired.
    Repaired,
    /// It would have been repaired if the rule were not in observe mode.
    WouldRepair,
    /// DynamoDB refused its repair.
    Failed,
}

impl Response {
    /// The name that output uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Repaired => "repaired",
            Self::WouldRepair => "would_repair",
            Self::Failed => "failed",
        }
    }
}

impl Violation {
    /// The kind of finding.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.finding.kind()
    }

    /// An identifier that stays the same when the record is delivered again.
    #[must_use]
    pub fn id(&self, rules: &Rules) -> String {
        self.finding.id(rules, self.occurrence.sequence.as_deref())
    }
}
