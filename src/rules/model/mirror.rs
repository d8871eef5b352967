//! Mirror rules, which maintain copies of items.

use super::ids::EntityId;
use super::mode::{Mode, Severity};
use crate::data::{KeyKind, Path, Step};

/// A rule that keeps a copy of each item of an entity at another key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mirror {
    /// The rule's name.
    pub name: String,
    /// The rule's former name, under which it may have written mirror items.
    pub was: Option<String>,
    /// The entity that the application writes.
    pub source: EntityId,
    /// The entity that Referee writes.
    pub mirror: EntityId,
    /// For each capture of the mirror's key, where its value comes from.
    pub mirror_from_source: Vec<MirrorPart>,
    /// For each capture of the source's key, its index among the mirror's captures.
    pub source_from_mirror: Vec<usize>,
    /// The attributes to copy.
    pub copy: Copied,
    /// The action when a writer other than Referee deletes a mirror item.
    pub on_mirror_delete: OnMirrorDelete,
    /// The action when a writer other than Referee changes or creates a mirror item.
    pub on_mirror_edit: OnMirrorEdit,
    /// Whether the rule may overwrite an item at a mirror's key that Referee did not write.
    pub adopt: bool,
    /// Whether the rule is evaluated, and whether it writes.
    pub mode: Mode,
    /// Whether the rule's violations count as errors or warnings.
    pub severity: Severity,
}

/// Where the value of a capture of a mirror's key comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MirrorPart {
    /// The capture at this index among those of the source's key.
    Capture(usize),
    /// An attribute of the source, which has this type. A source without it has no mirror.
    Attribute(String, KeyKind),
}

impl Mirror {
    /// The attributes of the source from which the mirror's key is built.
    pub fn key_attributes(&self) -> impl Iterator<Item = &str> {
        self.mirror_from_source.iter().filter_map(|part| match part {
            MirrorPart::Capture(_) => None,
            MirrorPart::Attribute(name, _) => Some(name.as_str()),
        })
    }

    /// Whether the mirror's key depends on attributes of the source.
    #[must_use]
    pub fn depends_on_attributes(&self) -> bool {
        self.key_attributes().next().is_some()
    }
}

/// The attributes that a mirror rule copies. It never copies key attributes or the reserved
/// attribute `_referee`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Copied {
    /// All attributes.
    All,
    /// All attributes except these.
    Except(Vec<String>),
    /// No attributes of the source item.
    None,
    /// These attributes.
    List(Vec<String>),
    /// These attributes of the source, each with its name in the mirror.
    Renamed(Vec<(String, String)>),
}

impl Copied {
    /// The path in the source of what a mirror has at this path; `None` if it is not copied. Keys and
    /// the TTL attribute are not considered.
    #[must_use]
    pub fn in_source(&self, path: &Path) -> Option<Path> {
        let is_root = |name: &String| name == path.root();
        let is_copied = match self {
            Self::All => true,
            Self::None => false,
            Self::Except(names) => !names.iter().any(is_root),
            Self::List(names) => names.iter().any(is_root),
            Self::Renamed(names) => {
                let (name, _) = names.iter().find(|(_, new)| is_root(new))?;
                let inner = path.steps().iter().skip(1).cloned();
                let steps: Vec<_> =
                    std::iter::once(Step::Name(name.clone())).chain(inner).collect();
                return Some(Path::of(&steps));
            }
        };
        is_copied.then(|| path.clone())
    }
}

/// The action when a writer other than Referee deletes a mirror item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnMirrorDelete {
    /// Write the mirror item again.
    Restore,
    /// Delete the source item.
    DeleteSource,
    /// Report it.
    Report,
}

impl OnMirrorDelete {
    /// Every action.
    pub(crate) const ALL: [Self; 3] = [Self::Restore, Self::DeleteSource, Self::Report];

    /// The name that rule files and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::DeleteSource => "delete_source",
            Self::Report => "report",
        }
    }
}

/// The action when a writer other than Referee changes or creates a mirror item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnMirrorEdit {
    /// Write the mirror item again, from its source item.
    Overwrite,
    /// Report it.
    Report,
}

impl OnMirrorEdit {
    /// Every action.
    pub(crate) const ALL: [Self; 2] = [Self::Overwrite, Self::Report];

    /// The name that rule files and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overwrite => "overwrite",
            Self::Report => "report",
        }
    }
}
