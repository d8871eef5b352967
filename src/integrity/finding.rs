//! Violations: what is wrong between items, and what was done about it.

use std::fmt;

use crate::data::Key;
use crate::rules::model::{Rules, Severity, TableId};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An item refers to one that does not exist.
    DanglingReference,
    /// An item was deleted while others refer to it.
    Orphaned,
    /// A required reference is absent.
    MissingReference,
    /// A composite reference has some of its parts only.
    PartialReference,
    /// What a reference is made of has the wrong type, or can be no key.
    MalformedReference,
    /// A source has no mirror.
    MirrorMissing,
    /// A mirror differs from its source.
    MirrorStale,
    /// A mirror has no source.
    MirrorExtra,
    /// An item that Referee did not write is in a mirror's place.
    MirrorBlocked,
    /// More items refer to a deleted one than the rule may touch.
    FanoutExceeded,
    /// A cascade has come as deep as the rule lets it.
    DepthExceeded,
}

impl Kind {
    /// The name that output and metrics use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DanglingReference => "dangling_reference",
            Self::Orphaned => "orphaned",
            Self::MissingReference => "missing_reference",
            Self::PartialReference => "partial_reference",
            Self::MalformedReference => "malformed_reference",
            Self::MirrorMissing => "mirror_missing",
            Self::MirrorStale => "mirror_stale",
            Self::MirrorExtra => "mirror_extra",
            Self::MirrorBlocked => "mirror_blocked",
            Self::FanoutExceeded => "fanout_exceeded",
            Self::DepthExceeded => "depth_exceeded",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What was done about a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// It was reported, as the rule asks.
    Reported,
    /// It was put right.
    Repaired,
    /// It would have been put right, had the rule not been in observe mode.
    WouldRepair,
    /// It was to be put right, and that failed.
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

/// An item, named by its table and key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemName {
    /// Its table.
    pub table: TableId,
    /// Its key.
    pub key: Key<'static>,
}

/// Something wrong between items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name.
    pub rule: String,
    /// What is wrong.
    pub kind: Kind,
    /// How much it weighs.
    pub severity: Severity,
    /// The item that refers, or the mirror.
    pub referencing: Option<ItemName>,
    /// The item that is referred to, or the source.
    pub referenced: Option<ItemName>,
    /// Where in the referencing item the reference stands; nothing if it is in the key alone.
    pub path: Option<String>,
    /// The sequence number of the record that brought it to light.
    pub sequence: String,
    /// What was done about it.
    pub response: Response,
    /// The violation in words.
    pub detail: String,
    /// For what is [`Kind::Orphaned`]: who was left behind.
    pub orphans: Option<Orphans>,
    /// The record's place in its batch.
    pub position: usize,
}

/// The items that a deleted one left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Orphans {
    /// How many they are.
    pub count: usize,
    /// Whether there may be more than were counted.
    pub more: bool,
    /// The first of them.
    pub keys: Vec<Key<'static>>,
}

impl Violation {
    /// An identifier that is the same whenever the same record is delivered again.
    ///
    /// It is a hash (FNV-1a, 64 bits) of what the violation is about, and not of what was done
    /// about it, nor of what may have changed meanwhile: an element's place in its list, and which
    /// of the items left behind is the first.
    #[must_use]
    pub fn id(&self, rules: &Rules) -> String {
        let item = |item: &Option<ItemName>| {
            item.as_ref().map(|item| {
                let table = &rules[item.table];
                (&table.name, table.key.item_of(&item.key))
            })
        };
        let about = serde_json::json!([
            self.rule,
            self.kind.name(),
            item(&self.referencing).filter(|_| self.orphans.is_none()),
            item(&self.referenced),
            // Of what is wrong in itself, several may stand in one list.
            Some(&self.detail).filter(|_| self.referenced.is_none()),
            self.sequence,
        ]);
        format!("{:016x}", fnv1a(about.to_string().as_bytes()))
    }
}

/// The FNV-1a hash: stable between releases and machines, which `std`'s hashers do not promise.
///
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
