//! What was inferred: tables, entities, references and mirrors, with the evidence for them.

use serde::Serialize;

/// How sure a part of the draft is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// It holds for every item.
    Confirmed,
    /// It holds for most items, and others break it.
    Broken,
    /// It fits a sample of the items, which confirms nothing.
    Sample,
    /// Too little speaks for it: it is commented out.
    Weak,
}

impl Verdict {
    /// Its name in the draft.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "CONFIRMED",
            Self::Broken => "BROKEN",
            Self::Sample => "SAMPLE",
            Self::Weak => "WEAK",
        }
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its name in the rule file.
    pub name: String,
    /// Its name in DynamoDB.
    pub table: String,
    /// The key attributes, as the rule file writes them.
    pub key: Vec<String>,
    /// Whether the key was inferred from the items.
    pub is_key_inferred: bool,
    /// The separator of its keys.
    pub separator: char,
    /// The TTL attribute.
    pub ttl: Option<String>,
    /// The number of items that were read.
    pub items: u64,
    /// The number of items that belong to no entity.
    pub unknown: u64,
}

/// A capture of a key template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capture {
    /// Its name.
    pub name: String,
    /// The form of its values, if they have one, such as `UUID`.
    pub form: Option<&'static str>,
}

/// An entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entity {
    /// Its name.
    pub name: String,
    /// The name of its table in the rule file.
    pub table: String,
    /// For each key attribute, its name and its template.
    pub key: Vec<(String, String)>,
    /// The captures of the templates.
    pub captures: Vec<Capture>,
    /// The attributes that references use, and their declarations.
    pub attributes: Vec<(String, String)>,
    /// The attribute and the value that distinguish it from other entities with the same keys.
    #[serde(rename = "where")]
    pub condition: Option<(String, String)>,
    /// The number of its items.
    pub items: u64,
    /// Keys of some of its items.
    pub examples: Vec<String>,
}

/// How the referencing items of a deleted item are found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Find {
    /// By a query of the table.
    Table,
    /// By an index: its name, and the templates of its key.
    Index(String, Vec<(String, String)>),
    /// By a mirror rule.
    Mirror(String),
    /// In another way for each of several referenced entities.
    Each(Vec<(String, Find)>),
    /// Not at all.
    None,
}

/// What says which of several entities a reference leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Discriminator {
    /// Its source, such as `{parentType}`.
    pub source: String,
    /// For each of its values, the entity.
    pub entities: Vec<(String, String)>,
}

/// A reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reference {
    /// Its name.
    pub name: String,
    /// The referencing entity.
    pub from: String,
    /// The referenced entity, or the first of several.
    pub to: String,
    /// What says which of several entities is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Discriminator>,
    /// The other entities, if an item of one of several is enough.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
    /// For each capture of the referenced key, its source.
    pub on: Vec<(String, String)>,
    /// The attributes that it reads, and their declarations.
    pub attributes: Vec<(String, String)>,
    /// Whether an item refers to several others.
    pub is_many: bool,
    /// The value that means "no reference", if the items have one.
    pub none: Option<String>,
    /// How its referencing items are found.
    pub find: Find,
    /// How sure it is.
    pub verdict: Verdict,
    /// The number of references that were checked.
    pub checked: u64,
    /// The number of them that are broken.
    pub broken: u64,
    /// Items and what they refer to.
    pub examples: Vec<String>,
    /// Items whose reference is broken.
    pub broken_examples: Vec<String>,
    /// The logarithm of the odds that it is a reference.
    pub score: f64,
    /// How well the names agree, from 0 to 6.
    pub name_score: f64,
    /// The share of some different values that exist.
    pub share: f64,
    /// Why it is commented out although it is not weak.
    pub obstacle: Option<String>,
}

impl Reference {
    /// Whether it is a rule of the draft, and not a comment.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        !matches!(self.verdict, Verdict::Weak) && self.obstacle.is_none()
    }
}

/// A mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mirror {
    /// Its name.
    pub name: String,
    /// The entity that the application writes.
    pub source: String,
    /// Its copy.
    pub mirror: String,
    /// The attributes that are copied; `all` alone is all of them.
    pub copy: Vec<String>,
    /// The attributes that are copied by name, and their types.
    pub attributes: Vec<(String, String)>,
    /// How sure it is.
    pub verdict: Verdict,
    /// The number of mirrors that should exist.
    pub checked: u64,
    /// Those that are missing.
    pub missing: u64,
    /// Those that differ from their source.
    pub stale: u64,
    /// Those without a source.
    pub extra: u64,
    /// Why it is commented out.
    pub obstacle: Option<String>,
}

/// What kind of fact was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeKind {
    /// An attribute is a copy of an attribute of the referenced item.
    Copy,
    /// An attribute is the number of referencing items.
    Count,
    /// An attribute's values are unique, because each has an item of its own.
    Unique,
}

/// A fact for which a rule file has no rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// What kind of fact it is.
    pub kind: NoticeKind,
    /// The entity that has the attribute.
    pub entity: String,
    /// The attribute.
    pub attribute: String,
    /// The entity that it is copied from, whose items are counted, or that keeps it unique.
    pub of: String,
    /// The attribute that it is copied from.
    pub of_attribute: Option<String>,
    /// The number of items, or of pairs of items, that were compared.
    pub checked: usize,
    /// Those for which it is true.
    pub equal: usize,
}

/// The whole result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inference {
    /// The tables.
    pub tables: Vec<Table>,
    /// The entities.
    pub entities: Vec<Entity>,
    /// The references.
    pub references: Vec<Reference>,
    /// The mirrors.
    pub mirrors: Vec<Mirror>,
    /// Facts for which there are no rules.
    pub notices: Vec<Notice>,
    /// What else the reader of the draft should know.
    pub notes: Vec<String>,
    /// Whether only some of the items were read.
    pub is_sample: bool,
}
