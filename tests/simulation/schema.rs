//! Rule files drawn at random, as plain data that an independent model can read.

mod features;
mod reference;

use std::fmt::Write as _;

use fastrand::Rng;

pub(crate) use self::features::FEATURES;
pub(crate) use self::reference::{Also, CHOICES, Find, Place, Reference};
use crate::form::Form;
use crate::format::{Alphabet, Format};
use crate::required::{Required, Until};

/// The number of possible items of each kind.
pub(crate) const IDS: usize = 3;

/// The number of kinds whose items have separate partitions.
pub(crate) const ROOTS: usize = 3;

/// The values of the attribute `v`.
pub(crate) const LETTERS: [&str; 3] = ["a", "b", "c"];

/// The kinds of item, their references and their mirrors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schema {
    /// What the values of references look like.
    pub(crate) alphabet: Alphabet,
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
    /// What it requires of the attribute `until`, if anything.
    pub(crate) until: Option<Until>,
    /// How its own id is written in keys.
    pub(crate) format: Format,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// Its number, which does not change if other mirrors are removed.
    pub(crate) id: usize,
    pub(crate) source: usize,
    /// The kind whose partition contains the mirror, if its source has a parent.
    pub(crate) by: usize,
    /// The source's attribute in the mirror's key, if there is one. The partition of the item of
    /// `by` with this id contains the mirror.
    pub(crate) attribute: Option<String>,
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
    /// These attributes, each with its name in the mirror.
    Renamed(Vec<(String, String)>),
}

impl Schema {
    /// Draws only references, in one table: the rules that the model of effects covers.
    pub(crate) fn plain(rng: &mut Rng) -> Self {
        let entity = |parent| Entity {
            parent,
            table: 0,
            required: Required::Anything,
            until: None,
            format: Format::Plain,
        };
        let mut entities = vec![entity(None); ROOTS];
        if rng.bool() {
            entities.push(entity(Some(rng.usize(..ROOTS))));
        }
        let count = rng.usize(2..5);
        let (references, mirrors, ttl) = (Vec::new(), Vec::new(), [rng.bool(), false]);
        let mut schema = Self { alphabet: Alphabet::Ids, entities, references, mirrors, ttl };
        for number in 0..count {
            let reference = Reference::random(rng, number, &schema, false);
            schema.references.push(reference);
        }
        schema.draw_formats(rng);
        schema.keep_reverts_alone();
        schema
    }

    /// Draws every kind of rule: up to five kinds of item in two tables, up to four references, up
    /// to two mirrors.
    pub(crate) fn rich(rng: &mut Rng) -> Self {
        // The rules of the seeds that tests name are as they were when these seeds were found.
        let has_more = matches!(rng.get_seed() % 16, 5 | 7 | 10 | 12 | 13);
        let has_alternatives = matches!(rng.get_seed() % 16, 3 | 9 | 13);
        let entity = |rng: &mut Rng, parent| Entity {
            parent,
            table: rng.usize(..2),
            required: if rng.u8(..5) == 0 { Required::Name } else { Required::Anything },
            until: None,
            format: Format::Plain,
        };
        let mut entities: Vec<Entity> = (0..ROOTS).map(|_| entity(rng, None)).collect();
        for _ in 0..rng.usize(..3) {
            let parent = rng.usize(..ROOTS);
            let table = entities[parent].table;
            entities.push(Entity { table, ..entity(rng, Some(parent)) });
        }
        let (references, mirrors) = (Vec::new(), Vec::new());
        let ttl = [rng.bool(), rng.bool()];
        let mut schema = Self { alphabet: Alphabet::Ids, entities, references, mirrors, ttl };
        for id in 0..rng.usize(..3) {
            let mirror = Mirror::random(rng, id, &schema);
            schema.mirrors.push(mirror);
        }
        let least = usize::from(schema.mirrors.is_empty());
        for number in 0..rng.usize(least..5) {
            let reference = Reference::random(rng, number, &schema, true);
            schema.references.push(reference);
        }
        if has_more {
            for entity in &mut schema.entities {
                entity.required = Required::random(rng);
                entity.until = (rng.u8(..5) == 0).then(|| Until::random(rng));
            }
            schema.draw_formats(rng);
        }
        if has_more {
            for reference in &mut schema.references {
                reference.draw_in_index(rng);
                reference.draw_form(rng);
            }
            (0..schema.mirrors.len()).for_each(|mirror| schema.draw_attribute(mirror, rng));
        }
        if has_alternatives {
            let plain = schema.clone();
            schema.references.iter_mut().for_each(|it| it.draw_also(&plain, rng));
        }
        schema.keep_reverts_alone();
        schema
    }

    /// Draws whether a mirror's key contains an attribute of the source: one that refers to another
    /// item, whose partition then shows what refers to it, or any other.
    fn draw_attribute(&mut self, place: usize, rng: &mut Rng) {
        let mirror = &mut self.mirrors[place];
        if rng.bool() || self.references.iter().any(|it| it.find == Find::Mirror(mirror.id)) {
            return;
        }
        let is_fit = |it: &&mut Reference| {
            it.to < ROOTS
                && it.form == Form::Value
                && !it.is_in_index
                && matches!(it.place, Place::Text(_))
        };
        let reference = self.references.iter_mut().find(is_fit).filter(|_| rng.u8(..5) > 0);
        let Some(reference) = reference else {
            mirror.attribute = Some("v".to_owned());
            return;
        };
        mirror.attribute = Some(reference.name.clone());
        (mirror.source, mirror.by) = (reference.from, reference.to);
        if reference.is_found() && rng.u8(..5) > 0 {
            reference.find = Find::Mirror(mirror.id);
            (reference.has_index_key, reference.has_index_sort) = (false, false);
        }
    }

    /// Draws how values are written in keys.
    fn draw_formats(&mut self, rng: &mut Rng) {
        self.alphabet = Alphabet::random(rng);
        for entity in &mut self.entities {
            entity.format = self.alphabet.format(rng);
        }
        for reference in &mut self.references {
            reference.draw_formats(self.entities[reference.to].format, rng);
        }
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
            let source = self.capture(mirror.source);
            let (id, by, table) = (mirror.id, mirror.by, mirror.table);
            let parent = self.entities[mirror.source].parent.map(|kind| self.capture(kind));
            let key = match (parent, &mirror.attribute) {
                (None, None) => format!("pk: \"m{id}#{source}\", sk: \"-\""),
                (Some(parent), None) => {
                    format!("pk: \"e{by}#{source}\", sk: \"m{id}#{parent}\"")
                }
                (parent, Some(attribute)) => {
                    let format = mirror.format(self).suffix();
                    let parent = parent.map(|parent| format!("{parent}#")).unwrap_or_default();
                    format!("pk: \"e{by}#{{{attribute}{format}}}\", sk: \"m{id}#{parent}{source}\"")
                }
            };
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

    /// The attribute with which an item is known by an index, from the text of an id.
    pub(crate) fn alias(kind: usize, id: &str) -> String {
        format!("a{kind}#{id}")
    }

    /// Whether items of this kind are known by an index.
    pub(crate) fn has_alias(&self, kind: usize) -> bool {
        self.references.iter().any(|it| it.is_in_index && it.to == kind)
    }

    /// The capture of a kind's id in a template.
    pub(crate) fn capture(&self, kind: usize) -> String {
        format!("{{k{kind}{}}}", self.entities[kind].format.suffix())
    }

    fn write_entity(&self, kind: usize, text: &mut String) {
        let Entity { parent, table, required, until, .. } = &self.entities[kind];
        let own = self.capture(kind);
        let key = match parent {
            None => format!("pk: \"e{kind}#{own}\", sk: \"-\""),
            Some(parent) => {
                let of_parent = self.capture(*parent);
                format!("pk: \"e{parent}#{of_parent}\", sk: \"c{kind}#{own}\"")
            }
        };
        let places = self.references.iter().filter(|it| it.from == kind);
        let places = places.map(|it| (&it.place, it.form.declared()));
        let places = places.filter_map(|(place, text)| match place {
            Place::Key | Place::Own => None,
            Place::Text(name) => Some(format!("{name}: {text}")),
            Place::Nested(name) => Some(format!("{name}.x: {text}")),
            Place::Set(name) => Some(format!("{name}: SS")),
            Place::List(name) => Some(format!("{name}: L")),
            Place::Lines(name, _) => Some(format!("'{name}[*].x': {text}")),
            Place::Pair(one, other) => Some(format!("{one}: S, {other}: S")),
        });
        let choices = self.references.iter().filter(|it| it.from == kind);
        let choices = choices.filter_map(|it| Some(format!("{}: S", it.choice()?)));
        let always = ["v: S", "ttl: N"].map(str::to_owned).into_iter();
        let times = until.iter().map(|until| until.attribute());
        let attributes: Vec<String> = always.chain(places).chain(choices).chain(times).collect();
        let attributes = attributes.join(", ");
        let conditions = required.text(kind).into_iter().chain(until.map(Until::text));
        let conditions: Vec<String> = conditions.collect();
        let tail = if conditions.is_empty() {
            String::new()
        } else {
            format!(", where: {{ {} }}", conditions.join(", "))
        };
        writeln!(
            text,
            "  e{kind}: {{ table: table{table}, key: {{ {key} }}, attributes: {{ {attributes} }}{tail} }}"
        )
        .unwrap();
    }
}

impl Mirror {
    /// The format of the source's attribute in the key: that of the id in the keys of `by`.
    pub(crate) fn format(&self, schema: &Schema) -> Format {
        match self.attribute.as_deref() {
            Some("v") => Format::Plain,
            _ => schema.entities[self.by].format,
        }
    }

    fn random(rng: &mut Rng, id: usize, schema: &Schema) -> Self {
        let copied = match rng.u8(..4) {
            0 => Copied::None,
            1 if rng.u8(..3) == 0 => {
                let names = [("v", "w"), ("ttl", "v")];
                Copied::Renamed(names.map(|(one, new)| (one.to_owned(), new.to_owned())).to_vec())
            }
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
            attribute: None,
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
            Copied::Renamed(names) => {
                let names = names.iter().map(|(name, new)| format!("{name}: {new}"));
                format!("{{ {} }}", names.collect::<Vec<_>>().join(", "))
            }
        };
        writeln!(
            text,
            "  mirror{id}: {{ source: e{source}, mirror: m{id}, copy: {copy}, \
             on_mirror_delete: {on_delete}, on_mirror_edit: {on_edit}, adopt: {adopts} }}"
        )
        .unwrap();
    }
}
