//! The types of the declarations.

use std::time::Duration;

use super::action::ReferentialAction;
use super::alternatives::Targets;
use super::condition::Test;
use super::placement::Placement;
use crate::data::{KeyAttribute, Path, Type};
use crate::rules::model::{
    Expired, Matching, Mode, OnMirrorDelete, OnMirrorEdit, Removal, Severity,
};
use crate::rules::span::Spanned;
use crate::rules::template::Separator;

/// The declarations of a rule file.
#[derive(Debug, Default)]
pub(crate) struct File {
    pub(crate) tables: Vec<Table>,
    pub(crate) entities: Vec<Entity>,
    pub(crate) references: Vec<Reference>,
    pub(crate) mirrors: Vec<Mirror>,
    /// Whether `entities` is present and is a map. If not, no table is reported as unused.
    pub(crate) has_entities: bool,
    /// Whether `references` or `mirrors` is present, and each one that is present is a map. If not,
    /// no entity is reported as unused.
    pub(crate) has_rules: bool,
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) alias: Spanned<String>,
    pub(crate) name: Option<Spanned<String>>,
    /// One or two key attributes; empty if the key could not be read.
    pub(crate) key: Vec<Spanned<KeyAttribute>>,
    pub(crate) separator: Option<Separator>,
    pub(crate) ttl: Option<Spanned<String>>,
    pub(crate) region: Option<Spanned<String>>,
    pub(crate) account: Option<Spanned<String>>,
}

/// An entity in one table. An entity with several tables is one of these for each of them, and all
/// of these follow each other.
#[derive(Debug)]
pub(crate) struct Entity {
    pub(crate) name: Spanned<String>,
    pub(crate) table: Option<Spanned<String>>,
    /// The template of each key attribute. The span is that of the word `key`.
    pub(crate) key: Option<Spanned<Vec<KeyPart>>>,
    pub(crate) attributes: Vec<(Spanned<Path>, Spanned<Type>)>,
    /// The templates of attributes that contain captures. Each has the type `S` in `attributes`.
    pub(crate) templates: Vec<(Spanned<Path>, Spanned<String>)>,
    /// The paths of `where`, each with what it requires.
    pub(crate) conditions: Vec<(Spanned<Path>, Vec<Spanned<Test>>)>,
}

impl File {
    /// The entity with this name, in its table at this position.
    pub(crate) fn entity(&self, name: &str, at: usize) -> Option<&Entity> {
        self.entities.iter().filter(|entity| entity.name.value == name).nth(at)
    }
}

/// A key attribute and its template. The template is `None` if the value is not text.
pub(crate) type KeyPart = (Spanned<String>, Option<Spanned<String>>);

/// A scalar of the rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Text(String),
    Number(String),
    Bool(bool),
}

/// A reference to one entity. A reference that may lead to several entities is one of these for
/// each of them, and all of these follow each other. If `from` has several tables, this is so for
/// each of them.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) name: Spanned<String>,
    pub(crate) from: Option<Spanned<String>>,
    /// The position of its table among those of `from`.
    pub(crate) from_at: usize,
    pub(crate) to: Option<Spanned<String>>,
    /// All entities that the rule may lead to.
    pub(crate) targets: Targets,
    /// The position of `to` among them.
    pub(crate) alternative: usize,
    /// The value of the key `tables`.
    pub(crate) placement: Option<Spanned<Placement>>,
    /// Whether `tables` is absent or readable. If not, that has been reported.
    pub(crate) is_placement_readable: bool,
    /// The captures of the referenced key, each with its source.
    pub(crate) on: Vec<(Spanned<String>, Spanned<String>)>,
    /// The key attributes of the referenced item, each with its source.
    pub(crate) on_key: Option<Spanned<OnKey>>,
    /// Whether all of `on` is readable. If not, that has been reported.
    pub(crate) is_on_readable: bool,
    pub(crate) matching: Option<Spanned<Matching>>,
    pub(crate) required: Option<Spanned<bool>>,
    pub(crate) expired: Option<Spanned<Expired>>,
    pub(crate) on_missing: Option<Spanned<ReferentialAction>>,
    pub(crate) on_delete: Option<Spanned<ReferentialAction>>,
    pub(crate) on_ttl_delete: Option<Spanned<ReferentialAction>>,
    pub(crate) default: Option<Spanned<DefaultValue>>,
    /// The value of the key `unset`: the attributes that the action removes.
    pub(crate) unset: Option<Spanned<Vec<Spanned<String>>>>,
    /// The value of the key `unset` for a list of maps.
    pub(crate) removal: Option<Spanned<Removal>>,
    /// The value of the key `none`: the values that mean that there is no reference.
    pub(crate) none: Option<Spanned<Vec<Spanned<Literal>>>>,
    pub(crate) find: Option<Spanned<Find>>,
    /// The entities for which `find` has lookups of their own.
    pub(crate) lookups: Vec<Spanned<String>>,
    pub(crate) grace: Option<Duration>,
    pub(crate) mode: Option<Mode>,
    pub(crate) severity: Option<Severity>,
    pub(crate) fanout_max: Option<Spanned<u64>>,
    pub(crate) depth_max: Option<Spanned<u64>>,
}

/// The value of `on_key`: key attributes, each with its source.
pub(crate) type OnKey = Vec<(Spanned<String>, Spanned<String>)>;

/// The value for `set_default`.
#[derive(Debug)]
pub(crate) enum DefaultValue {
    One(Literal),
    Each(Vec<(Spanned<String>, Spanned<Literal>)>),
}

/// The value of `find`: how referencing items are found.
#[derive(Debug)]
pub(crate) enum Find {
    /// A value of the wrong shape, which has been reported.
    Unreadable,
    None,
    Index {
        index: Option<Spanned<String>>,
        key: Vec<(Spanned<KeyAttribute>, Spanned<String>)>,
    },
    Mirror(Option<Spanned<String>>),
}

/// A mirror rule for one table of its source.
#[derive(Debug)]
pub(crate) struct Mirror {
    pub(crate) name: Spanned<String>,
    pub(crate) was: Option<Spanned<String>>,
    pub(crate) source: Option<Spanned<String>>,
    /// The position of its table among those of `source`.
    pub(crate) source_at: usize,
    /// The value of the key `mirror`.
    pub(crate) target: Option<Spanned<String>>,
    /// The position of its table among those of `mirror`.
    pub(crate) target_at: usize,
    /// The value of the key `tables`.
    pub(crate) placement: Option<Spanned<Placement>>,
    /// Whether `tables` is absent or readable. If not, that has been reported.
    pub(crate) is_placement_readable: bool,
    pub(crate) copy: Option<CopiedAttributes>,
    pub(crate) on_mirror_delete: Option<OnMirrorDelete>,
    pub(crate) on_mirror_edit: Option<Spanned<OnMirrorEdit>>,
    pub(crate) adopt: Option<Spanned<bool>>,
    pub(crate) mode: Option<Mode>,
    pub(crate) severity: Option<Severity>,
}

/// The value of `copy`: the attributes that a mirror copies.
#[derive(Debug)]
pub(crate) enum CopiedAttributes {
    All,
    Except(Vec<Spanned<String>>),
    None,
    List(Vec<Spanned<String>>),
    /// Attributes of the source, each with its name in the mirror.
    Renamed(Vec<(Spanned<String>, Spanned<String>)>),
}
