//! Rule files drawn at random, as plain data that an independent model can read.

use std::fmt::Write as _;

use fastrand::Rng;

use crate::required::Required;

/// The number of possible items of each kind.
pub(crate) const IDS: usize = 3;

/// The number of kinds whose items have separate partitions.
pub(crate) const ROOTS: usize = 3;

/// The kinds of item, their references and their mirrors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schema {
    pub(crate) entities: Vec<Entity>,
    pub(crate) references: Vec<Reference>,
    pub(crate) mirrors: Vec<Mirror>,
    /// Whether each table declares `ttl` as its TTL attribute.
    pub(crate) ttl: [bool; 2],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entity {
    /// The kind whose partition contains the entity's items, if they do not have separate
    /// partitions.
    pub(crate) parent: Option<usize>,
    pub(crate) table: usize,
    /// What the entity's `where` requires of the attribute `type`.
    pub(crate) required: Required,
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the rule")]
pub(crate) struct Reference {
    pub(crate) name: String,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) place: Place,
    pub(crate) on_missing: &'static str,
    pub(crate) on_delete: &'static str,
    pub(crate) on_ttl_delete: &'static str,
    /// The id that `set_default` sets.
    pub(crate) default: usize,
    pub(crate) find: Find,
    pub(crate) is_required: bool,
    /// Whether the rule has `match: full`.
    pub(crate) is_full: bool,
    pub(crate) is_observed: bool,
    /// Whether expired targets count as absent.
    pub(crate) ends_with_expiry: bool,
}

/// The location of a reference's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the partition key: the parent.
    Key,
    /// In the sort key: the item's own id is also its target's id.
    Own,
    /// An attribute.
    Text(String),
    /// The value `x` in a map.
    Nested(String),
    /// Each element of a set.
    Set(String),
    /// Each element of a list.
    List(String),
    /// Two attributes, for a target that has a parent: the parent's id, and the target's id.
    Pair(String, String),
}

/// How the referencing items of a deleted item are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Find {
    Derived,
    Index,
    /// The mirror with this number.
    Mirror(usize),
    None,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// Its number, which does not change if other mirrors are removed.
    pub(crate) id: usize,
    pub(crate) source: usize,
    /// The kind whose partition contains the mirror, if its source has a parent.
    pub(crate) by: usize,
    pub(crate) table: usize,
    pub(crate) copied: Copied,
    pub(crate) on_delete: &'static str,
    pub(crate) on_edit: &'static str,
    pub(crate) adopts: bool,
    pub(crate) is_typed: bool,
}

/// The attributes that a mirror copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Copied {
    All,
    Except(Vec<String>),
    None,
    List(Vec<String>),
}

impl Place {
    /// Returns the attribute that contains the value, if it is a single attribute.
    pub(crate) fn attribute(&self) -> Option<&str> {
        match self {
            Self::Key | Self::Own | Self::Pair(..) => None,
            Self::Text(name) | Self::Nested(name) | Self::Set(name) | Self::List(name) => {
                Some(name)
            }
        }
    }
}

impl Schema {
    /// Draws only references, in one table: the rules that the model of effects covers.
    pub(crate) fn plain(rng: &mut Rng) -> Self {
        let mut entities =
            vec![Entity { parent: None, table: 0, required: Required::Anything }; ROOTS];
        if rng.bool() {
            entities.push(Entity {
                parent: Some(rng.usize(..ROOTS)),
                table: 0,
                required: Required::Anything,
            });
        }
        let count = rng.usize(2..5);
        let (references, mirrors, ttl) = (Vec::new(), Vec::new(), [rng.bool(), false]);
        let mut schema = Self { entities, references, mirrors, ttl };
        for number in 0..count {
            let reference = Reference::random(rng, number, &schema, false);
            schema.references.push(reference);
        }
        schema.keep_reverts_alone();
        schema
    }

    /// Draws every kind of rule: up to five kinds of item in two tables, up to four references, up
    /// to two mirrors.
    pub(crate) fn rich(rng: &mut Rng) -> Self {
        // The rules of the seeds that tests name are as they were when these seeds were found.
        let has_conditions = matches!(rng.get_seed() % 16, 5 | 7 | 10 | 12 | 13);
        let entity = |rng: &mut Rng, parent| Entity {
            parent,
            table: rng.usize(..2),
            required: if rng.u8(..5) == 0 { Required::Name } else { Required::Anything },
        };
        let mut entities: Vec<Entity> = (0..ROOTS).map(|_| entity(rng, None)).collect();
        for _ in 0..rng.usize(..3) {
            let parent = rng.usize(..ROOTS);
            let table = entities[parent].table;
            entities.push(Entity { table, ..entity(rng, Some(parent)) });
        }
        let (references, mirrors) = (Vec::new(), Vec::new());
        let ttl = [rng.bool(), rng.bool()];
        let mut schema = Self { entities, references, mirrors, ttl };
        for id in 0..rng.usize(..3) {
            let mirror = Mirror::random(rng, id, &schema);
            schema.mirrors.push(mirror);
        }
        let least = usize::from(schema.mirrors.is_empty());
        for number in 0..rng.usize(least..5) {
            let reference = Reference::random(rng, number, &schema, true);
            schema.references.push(reference);
        }
        if has_conditions {
            schema.entities.iter_mut().for_each(|it| it.required = Required::random(rng));
        }
        schema.keep_reverts_alone();
        schema
    }

    /// Ensures that a rule with `revert` is the only rule that changes its items: it undoes a write
    /// only if nothing else has changed the item.
    fn keep_reverts_alone(&mut self) {
        for from in 0..self.entities.len() {
            let of_kind = |reference: &&mut Reference| reference.from == from;
            let mut of_kind: Vec<_> = self.references.iter_mut().filter(of_kind).collect();
            if let Some(revert) = of_kind.iter().position(|it| it.on_missing == "revert") {
                for (place, other) in of_kind.iter_mut().enumerate() {
                    if place != revert {
                        other.on_missing = "report";
                    }
                }
            }
        }
    }

    /// The mirror with this number.
    pub(crate) fn mirror(&self, id: usize) -> Option<&Mirror> {
        self.mirrors.iter().find(|mirror| mirror.id == id)
    }

    /// Returns the text of the rule file.
    pub(crate) fn text(&self) -> String {
        let mut text = "version: 1\ntables:\n".to_owned();
        for (table, has_ttl) in self.ttl.iter().enumerate() {
            let ttl = if *has_ttl { ", ttl: ttl" } else { "" };
            writeln!(text, "  table{table}: {{ key: [pk, sk]{ttl} }}").unwrap();
        }
        text.push_str("entities:\n");
        for kind in 0..self.entities.len() {
            self.write_entity(kind, &mut text);
        }
        for mirror in &self.mirrors {
            let key = match self.entities[mirror.source].parent {
                None => format!("pk: \"m{}#{{k{}}}\", sk: \"-\"", mirror.id, mirror.source),
                Some(parent) => format!(
                    "pk: \"e{}#{{k{}}}\", sk: \"m{}#{{k{parent}}}\"",
                    mirror.by, mirror.source, mirror.id
                ),
            };
            let (id, table) = (mirror.id, mirror.table);
            let tail =
                if mirror.is_typed { format!(", where: {{ type: m{id} }}") } else { String::new() };
            writeln!(text, "  m{id}: {{ table: table{table}, key: {{ {key} }}{tail} }}").unwrap();
        }
        if !self.references.is_empty() {
            text.push_str("references:\n");
            self.references.iter().for_each(|reference| reference.write(self, &mut text));
        }
        if !self.mirrors.is_empty() {
            text.push_str("mirrors:\n");
            self.mirrors.iter().for_each(|mirror| mirror.write(&mut text));
        }
        text
    }

    fn write_entity(&self, kind: usize, text: &mut String) {
        let Entity { parent, table, required } = &self.entities[kind];
        let key = match parent {
            None => format!("pk: \"e{kind}#{{k{kind}}}\", sk: \"-\""),
            Some(parent) => {
                format!("pk: \"e{parent}#{{k{parent}}}\", sk: \"c{kind}#{{k{kind}}}\"")
            }
        };
        let places = self.references.iter().filter(|it| it.from == kind).map(|it| &it.place);
        let places = places.filter_map(|place| match place {
            Place::Key | Place::Own => None,
            Place::Text(name) => Some(format!("{name}: S")),
            Place::Nested(name) => Some(format!("{name}.x: S")),
            Place::Set(name) => Some(format!("{name}: SS")),
            Place::List(name) => Some(format!("{name}: L")),
            Place::Pair(one, other) => Some(format!("{one}: S, {other}: S")),
        });
        let attributes: Vec<String> =
            ["v: S", "ttl: N"].map(str::to_owned).into_iter().chain(places).collect();
        let attributes = attributes.join(", ");
        let tail = required.text(kind);
        writeln!(
            text,
            "  e{kind}: {{ table: table{table}, key: {{ {key} }}, attributes: {{ {attributes} }}{tail} }}"
        )
        .unwrap();
    }
}

impl Mirror {
    fn random(rng: &mut Rng, id: usize, schema: &Schema) -> Self {
        let copied = match rng.u8(..4) {
            0 => Copied::None,
            1 if rng.bool() => Copied::List(vec!["v".to_owned(), "ttl".to_owned()]),
            1 => Copied::List(vec!["v".to_owned()]),
            _ => [Copied::All, Copied::Except(vec!["v".to_owned()])][id % 2].clone(),
        };
        let mut pick = |words: &[&'static str]| *rng.choice(words).unwrap();
        Self {
            id,
            on_delete: pick(&["restore", "restore", "delete_source", "report"]),
            on_edit: pick(&["overwrite", "overwrite", "report"]),
            source: rng.usize(..schema.entities.len()),
            by: rng.usize(..ROOTS),
            table: rng.usize(..2),
            copied,
            adopts: rng.bool(),
            is_typed: rng.u8(..5) == 0,
        }
    }

    fn write(&self, text: &mut String) {
        let Self { id, source, on_delete, on_edit, adopts, .. } = self;
        let copy = match &self.copied {
            Copied::All => "all".to_owned(),
            Copied::None => "none".to_owned(),
            Copied::Except(names) => format!("{{ except: {names:?} }}"),
            Copied::List(names) => format!("{names:?}"),
        };
        writeln!(
            text,
            "  mirror{id}: {{ source: e{source}, mirror: m{id}, copy: {copy}, \
             on_mirror_delete: {on_delete}, on_mirror_edit: {on_edit}, adopt: {adopts} }}"
        )
        .unwrap();
    }
}

impl Reference {
    fn random(rng: &mut Rng, number: usize, schema: &Schema, is_rich: bool) -> Self {
        let from = rng.usize(..schema.entities.len());
        let parent = schema.entities[from].parent;
        let name = format!("r{number}");
        let mut to = rng.usize(..ROOTS);
        let mut find = Find::None;
        let place = match (parent, rng.u8(..10)) {
            (Some(parent), 0..4) => {
                to = parent;
                find = Find::Derived;
                Place::Key
            }
            (Some(_), 6 | 7) if is_rich => {
                if let Some(mirror) = schema.mirrors.iter().find(|it| it.source == from) {
                    to = mirror.by;
                    find = Find::Mirror(mirror.id);
                }
                Place::Own
            }
            (_, 4) if is_rich && schema.entities.len() > ROOTS => {
                to = rng.usize(ROOTS..schema.entities.len());
                Place::Pair(format!("{name}a"), format!("{name}b"))
            }
            (_, 0..5) => {
                if !is_rich || rng.u8(..6) > 0 {
                    find = Find::Index;
                }
                Place::Text(name.clone())
            }
            (_, 5) => Place::Nested(name.clone()),
            (_, 6..8) => Place::Set(name.clone()),
            _ => Place::List(name.clone()),
        };
        let is_key = matches!(place, Place::Key | Place::Own);
        let is_pair = matches!(place, Place::Pair(..));
        let is_required = is_rich && matches!(place, Place::Text(_)) && rng.u8(..4) == 0;
        let is_fit = |word: &&&str| match **word {
            "unset" => !is_key && !is_required,
            "set_default" => !is_key && !is_pair,
            _ => true,
        };
        let mut pick = |words: &[&'static str]| {
            let words: Vec<_> = words.iter().filter(is_fit).collect();
            **rng.choice(&words).unwrap()
        };
        let on_missing = pick(&["report", "report", "delete", "unset", "set_default", "revert"]);
        let on_delete: &[_] = if find == Find::None {
            &["report", "ignore"]
        } else {
            &["report", "cascade", "cascade", "unset", "set_default", "restore", "ignore"]
        };
        let on_ttl_delete: Vec<_> =
            on_delete.iter().filter(|word| **word != "restore").copied().collect();
        let (on_delete, on_ttl_delete) = (pick(on_delete), pick(&on_ttl_delete));
        let default = rng.usize(..IDS);
        let is_observed = is_rich && rng.u8(..10) == 0;
        let ends_with_expiry = schema.ttl[schema.entities[to].table] && rng.bool();
        Self {
            name,
            from,
            to,
            place,
            on_missing,
            on_delete,
            on_ttl_delete,
            default,
            find,
            is_required,
            is_full: is_pair && rng.bool(),
            is_observed,
            ends_with_expiry,
        }
    }

    /// Whether the rule looks for the referencing items of a deleted item.
    pub(crate) fn is_found(&self) -> bool {
        self.find != Find::None
    }

    fn write(&self, schema: &Schema, text: &mut String) {
        let Self { name, from, to, on_missing, on_delete, on_ttl_delete, .. } = self;
        let on = |source: &str| format!("k{to}: \"{{{source}}}\"");
        let on = match &self.place {
            Place::Key => on(&format!("k{to}")),
            Place::Own => on(&format!("k{from}")),
            Place::Text(name) => on(name),
            Place::Nested(name) => on(&format!("{name}.x")),
            Place::Set(name) | Place::List(name) => on(&format!("{name}[*]")),
            Place::Pair(one, other) => {
                let parent = schema.entities[*to].parent.unwrap();
                format!("k{parent}: \"{{{one}}}\", {}", on(other))
            }
        };
        let mut tail = match self.find {
            Find::Derived => String::new(),
            Find::Index => {
                format!(", find: {{ index: by_{name}, key: {{ {name}: \"{{k{to}}}\" }} }}")
            }
            Find::Mirror(id) => format!(", find: {{ mirror: mirror{id} }}"),
            Find::None => ", find: none".to_owned(),
        };
        if [on_missing, on_delete, on_ttl_delete].contains(&&"set_default") {
            write!(tail, ", default: \"{}\"", self.default).unwrap();
        }
        if self.is_required {
            tail.push_str(", required: true");
        }
        if self.is_full {
            tail.push_str(", match: full");
        }
        if self.is_observed {
            tail.push_str(", mode: observe");
        }
        if self.ends_with_expiry {
            tail.push_str(", expired: absent");
        }
        writeln!(
            text,
            "  {name}: {{ from: e{from}, to: e{to}, on: {{ {on} }}, \
             on_missing: {on_missing}, on_delete: {on_delete}, \
             on_ttl_delete: {on_ttl_delete}{tail} }}"
        )
        .unwrap();
    }
}
