//! Findings: what is wrong between items, as typed values.
//!
//! A finding says what is wrong, not how it was noticed. Its identity consists of values, not of
//! text; [`crate::wording`] describes it in English.

use std::fmt;

use serde_json::json;

use crate::data::{Key, Path, Type, Value};
use crate::rules::model::{ReferenceId, Rules, Severity, TableId};
use crate::rules::template::BuildError;

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
pub struct Finding {
    /// The rule's name; for an item that belongs to no entity, the name of its table in the rule
    /// file.
    pub rule: String,
    /// The rule's severity.
    pub severity: Severity,
    /// The reference that is broken; `None` for mirrors and unknown items. Of a rule that may lead to
    /// several entities, it is one of the alternatives.
    pub reference: Option<ReferenceId>,
    /// The referencing item, or the mirror.
    pub referencing: Option<ItemName>,
    /// The referenced item, or the source.
    pub referenced: Option<ItemName>,
    /// The path of the reference in the referencing item, unless it is in the key alone.
    pub path: Option<String>,
    /// What is wrong.
    pub defect: Defect,
}

impl Finding {
    /// The kind of finding.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.defect.kind()
    }

    /// The finding, with the condition that the item at the referenced key does not meet.
    pub(crate) fn with_unmet(mut self, unmet: Option<Unmet>) -> Self {
        if let (Defect::TargetMissing, Some(_)) = (&self.defect, &unmet) {
            self.defect = Defect::TargetUnmet(unmet);
        }
        self
    }

    /// The orphans of a deleted item, if that is what the finding is about.
    #[must_use]
    pub const fn orphans(&self) -> Option<&Orphans> {
        self.defect.orphans()
    }

    /// An identifier that stays the same when the finding is made again. A finding of a stream has
    /// the sequence number of its record.
    ///
    /// It is a hash (FNV-1a, 64 bits) of the finding's identity and the sequence number. It depends
    /// neither on the wording nor on what was done about the finding.
    #[must_use]
    pub fn id(&self, rules: &Rules, sequence: Option<&str>) -> String {
        let identity = json!([self.identity(rules), sequence]);
        format!("{:016x}", fnv1a(identity.to_string().as_bytes()))
    }

    /// The values that distinguish this finding from every other, as JSON.
    ///
    /// They exclude what may change while the finding stays the same: an element's index in its
    /// list, and which of a deleted item's orphans is the first. If the orphans may be in several
    /// tables, each of these has a finding of its own.
    #[must_use]
    pub fn identity(&self, rules: &Rules) -> serde_json::Value {
        let item = |item: &Option<ItemName>| {
            item.as_ref().map(|item| {
                let table = &rules[item.table];
                (&table.name, table.key.item_of(&item.key))
            })
        };
        let referencing = if self.orphans().is_some() {
            let from = self.reference.map(|rule| rules[rule].from);
            let from = from.filter(|from| rules.has_several_tables(*from));
            json!(from.map(|from| &rules.table_of(from).name))
        } else {
            json!(item(&self.referencing))
        };
        let (kind, referenced) = (self.kind().name(), item(&self.referenced));
        json!([self.rule, kind, referencing, referenced, self.defect.identity()])
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

/// The kinds of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An item refers to one that does not exist.
    DanglingReference,
    /// An item was deleted while others refer to it.
    Orphaned,
    /// A required reference is absent.
    MissingReference,
    /// Only some parts of a composite reference are present.
    PartialReference,
    /// A part of a reference has the wrong type, or cannot be part of a key.
    MalformedReference,
    /// A source has no mirror.
    MirrorMissing,
    /// A mirror differs from its source.
    MirrorStale,
    /// A mirror has no source.
    MirrorExtra,
    /// An item that Referee did not write is at a mirror's key.
    MirrorBlocked,
    /// An item that Referee did not write is at a mirror's key, and is what the mirror would be.
    MirrorUnmarked,
    /// More items refer to a deleted one than the rule may touch.
    FanoutExceeded,
    /// A cascade has reached the rule's maximum depth.
    DepthExceeded,
    /// An item belongs to no entity.
    UnknownItem,
}

impl Kind {
    /// Every kind.
    const ALL: [Self; 13] = [
        Self::DanglingReference,
        Self::Orphaned,
        Self::MissingReference,
        Self::PartialReference,
        Self::MalformedReference,
        Self::MirrorMissing,
        Self::MirrorStale,
        Self::MirrorExtra,
        Self::MirrorBlocked,
        Self::MirrorUnmarked,
        Self::FanoutExceeded,
        Self::DepthExceeded,
        Self::UnknownItem,
    ];

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The names of all kinds.
    #[cfg(feature = "cli")]
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::name)
    }

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
            Self::MirrorUnmarked => "mirror_unmarked",
            Self::FanoutExceeded => "fanout_exceeded",
            Self::DepthExceeded => "depth_exceeded",
            Self::UnknownItem => "unknown_item",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What is wrong, with every detail that a decision or a reader needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// The referenced item does not exist.
    TargetMissing,
    /// An item is at the referenced key, but does not belong to the referenced entity.
    TargetUnmet(Option<Unmet>),
    /// The referenced item was deleted, and this referencing item could not be repaired.
    TargetDeleted,
    /// A part of the reference does not have the type that the rule file declares.
    WrongType {
        /// The path of the part.
        path: Path,
        /// The type that it has.
        found: Type,
        /// The type that the rule file declares.
        declared: Type,
    },
    /// An element of a list cannot be part of a key.
    WrongElementType {
        /// The path of the list.
        path: Path,
        /// The element's type.
        found: Type,
    },
    /// The text of a part does not match the template that the rule file declares.
    OtherText {
        /// The path of the part; `None` if it is in the item's key.
        path: Option<Path>,
        /// The template.
        template: String,
    },
    /// The discriminator has a value that leads to no entity.
    UnknownDiscriminator {
        /// The path of the discriminator; `None` if it is in the item's key.
        path: Option<Path>,
        /// Its value.
        found: String,
        /// The values that the rule file lists.
        known: Vec<String>,
    },
    /// Two parts are not attributes of the same key: their paths.
    OtherKey(Option<Path>, Option<Path>),
    /// The values cannot form the referenced item's key.
    InvalidKey(BuildError),
    /// Only some of these parts are present, and the rule asks for all or none.
    PartiallyAbsent(Vec<Path>),
    /// One of these parts is absent, and the rule requires the reference.
    RequiredAbsent(Vec<Path>),
    /// These items refer to a deleted one.
    Orphaned(Orphans),
    /// More items refer to a deleted one than the rule may touch.
    TooManyOrphans {
        /// The orphans that were touched.
        orphans: Orphans,
        /// How many the rule may touch.
        touched_max: usize,
    },
    /// A cascade stopped at the rule's maximum depth, and left these items.
    CascadeTooDeep {
        /// The items that are left.
        orphans: Orphans,
        /// How many levels deep the cascade is.
        depth: u64,
    },
    /// The mirror was deleted, so the rule deletes its source too.
    MirrorDeleted,
    /// The source exists and its mirror does not.
    MirrorMissing,
    /// The mirror exists and its source does not.
    SourceMissing,
    /// An item that Referee did not write is at a mirror's key, and has no source.
    UnmarkedWithoutSource,
    /// The mirror differs from its source.
    MirrorDiffers,
    /// An item that Referee did not write is at the mirror's key, and the rule adopts it.
    UnmarkedAdoptable,
    /// An item that Referee did not write is at the mirror's key, and is not changed.
    MirrorBlocked,
    /// An item that Referee did not write is at the mirror's key. Apart from the mark, it is what
    /// the mirror would be.
    MirrorUnmarked,
    /// The item belongs to no entity.
    UnknownItem,
}

/// A condition of `where` that an item does not meet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unmet {
    /// The condition's path.
    pub path: Path,
    /// The value that the item has there; `None` if it has none.
    pub found: Option<Shown>,
}

/// A value, for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// The text of a string, a number or a boolean.
    Text(String),
    /// Only the type of any other value.
    Type(Type),
}

impl Shown {
    /// The value, for people.
    #[must_use]
    pub fn of(value: &Value<'_>) -> Self {
        match value {
            Value::S(text) => Self::Text(text.to_string()),
            Value::N(number) => Self::Text(number.to_string()),
            Value::Bool(flag) => Self::Text(flag.to_string()),
            Value::B(_)
            | Value::Null
            | Value::Ss(_)
            | Value::Ns(_)
            | Value::Bs(_)
            | Value::L(_)
            | Value::M(_) => Self::Type(value.kind()),
        }
    }
}

/// The items that refer to a deleted one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Orphans {
    /// How many were counted.
    pub count: usize,
    /// Whether there may be more.
    pub more: bool,
    /// The keys of the first of them.
    pub keys: Vec<Key<'static>>,
}

impl Defect {
    /// The kind of finding that this is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::TargetMissing | Self::TargetUnmet(_) | Self::TargetDeleted => {
                Kind::DanglingReference
            }
            Self::WrongType { .. }
            | Self::WrongElementType { .. }
            | Self::OtherText { .. }
            | Self::UnknownDiscriminator { .. }
            | Self::OtherKey(..)
            | Self::InvalidKey(_) => Kind::MalformedReference,
            Self::PartiallyAbsent(_) => Kind::PartialReference,
            Self::RequiredAbsent(_) => Kind::MissingReference,
            Self::Orphaned(_) => Kind::Orphaned,
            Self::TooManyOrphans { .. } => Kind::FanoutExceeded,
            Self::CascadeTooDeep { .. } => Kind::DepthExceeded,
            Self::MirrorDeleted | Self::MirrorMissing => Kind::MirrorMissing,
            Self::SourceMissing | Self::UnmarkedWithoutSource => Kind::MirrorExtra,
            Self::MirrorDiffers | Self::UnmarkedAdoptable => Kind::MirrorStale,
            Self::MirrorBlocked => Kind::MirrorBlocked,
            Self::MirrorUnmarked => Kind::MirrorUnmarked,
            Self::UnknownItem => Kind::UnknownItem,
        }
    }

    pub(crate) const fn orphans(&self) -> Option<&Orphans> {
        if let Self::Orphaned(orphans)
        | Self::TooManyOrphans { orphans, .. }
        | Self::CascadeTooDeep { orphans, .. } = self
        {
            Some(orphans)
        } else {
            None
        }
    }

    /// The values that distinguish this defect from others of the same kind and items.
    ///
    /// Only malformed references need them, because one list may have several malformed elements.
    /// For other defects, the kind and the two items are enough.
    fn identity(&self) -> serde_json::Value {
        if let Self::WrongType { path, found, .. } | Self::WrongElementType { path, found } = self {
            return json!([path.to_string(), found.to_string()]);
        }
        let text = |path: &Option<Path>| path.as_ref().map(ToString::to_string);
        if let Self::OtherText { path, template } = self {
            return json!(["text", text(path), template]);
        }
        if let Self::UnknownDiscriminator { path, found, .. } = self {
            return json!(["discriminator", text(path), found]);
        }
        if let Self::OtherKey(one, other) = self {
            return json!(["keys", text(one), text(other)]);
        }
        let Self::InvalidKey(error) = self else { return serde_json::Value::Null };
        match error {
            BuildError::Missing(capture) => json!(["absent", capture]),
            BuildError::Value { capture, value, .. } => json!(["value", capture, value]),
            BuildError::Type { capture, found, .. } => {
                json!(["type", capture, found.as_type().to_string()])
            }
            BuildError::Length { attribute, bytes, .. } => json!(["length", attribute, bytes]),
        }
    }
}
