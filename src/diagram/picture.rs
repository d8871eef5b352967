//! What a diagram shows, in any format.

/// Boxes with rows, groups of boxes, and edges with labels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Picture {
    /// What it shows, for people who do not see it.
    pub title: String,
    /// The groups.
    pub groups: Vec<Group>,
    /// The boxes.
    pub nodes: Vec<Node>,
    /// The edges.
    pub edges: Vec<Edge>,
}

/// A frame around boxes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// Its title.
    pub title: String,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// An identifier that is unique among the boxes, such as `entity.user`.
    pub id: String,
    /// Its group, by index.
    pub group: Option<usize>,
    /// What kind of thing it is, in small letters above the title; may be empty.
    pub kind: String,
    /// Its name.
    pub title: String,
    /// Its rows.
    pub rows: Vec<Row>,
    /// How it is.
    pub status: Status,
    /// Why it has this status, in a few words at the right of the title; may be empty.
    pub badge: String,
    /// More about it, shown when it is pointed at; may be empty.
    pub note: String,
}

/// A row of a box.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// A short mark before the name, such as `PK`; may be empty.
    pub marker: String,
    /// Its name, such as that of an attribute.
    pub name: String,
    /// Its type, such as `S`; may be empty.
    pub kind: String,
    /// What stands behind the name in place of the type, in the font of code, such as a key
    /// template; may be empty.
    pub detail: String,
    /// How it is.
    pub status: Status,
}

/// An edge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edge {
    /// An identifier that is unique among the edges, such as `reference.member_user`.
    pub id: String,
    /// Where it begins.
    pub from: End,
    /// Where it ends.
    pub to: End,
    /// The lines of its label; the first is its name.
    pub label: Vec<String>,
    /// How its line looks.
    pub line: Line,
    /// How it is.
    pub status: Status,
    /// More about it, shown when it is pointed at; may be empty.
    pub note: String,
}

/// An end of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct End {
    /// The box, by index.
    pub node: usize,
    /// The row of the box, by index; `None` for its title.
    pub row: Option<usize>,
    /// The mark at the end.
    pub mark: Mark,
}

/// The mark at the end of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// Nothing.
    #[default]
    None,
    /// An arrow.
    Arrow,
    /// Exactly one item.
    One,
    /// No item or one.
    ZeroOrOne,
    /// Any number of items.
    Many,
    /// At least one item.
    OneOrMore,
}

/// How the line of an edge looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Line {
    /// Solid.
    #[default]
    Solid,
    /// Dashed.
    Dashed,
    /// Dotted.
    Dotted,
}

/// How a part of a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Status {
    /// Not known, and drawn without colour.
    #[default]
    Plain,
    /// Nothing is wrong.
    Ok,
    /// It works, with a weakness.
    Warning,
    /// It does not work.
    Broken,
}

impl Status {
    /// The name that formats use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Broken => "broken",
        }
    }
}
