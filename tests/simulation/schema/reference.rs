//! References of a random rule file.

use std::fmt::Write as _;

use fastrand::Rng;

use super::{IDS, ROOTS, Schema};
use crate::form::Form;
use crate::format::{Format, NONE};

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
    /// Whether [`NONE`] means that there is no reference.
    pub(crate) has_none: bool,
    /// Whether the index that finds the referencing items has a key attribute of its own.
    pub(crate) has_index_key: bool,
    /// Whether that index has a sort key, of which a query knows the beginning.
    pub(crate) has_index_sort: bool,
    /// What the attributes of the reference contain.
    pub(crate) form: Form,
    /// Whether the reference leads to items by their key in an index.
    pub(crate) is_in_index: bool,
    /// The other kind of item that the reference may lead to.
    pub(crate) also: Option<Also>,
}

/// Another kind of item that a reference may lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Also {
    pub(crate) kind: usize,
    /// Whether an attribute decides to which of the two kinds. If not, an item of either is enough.
    pub(crate) is_chosen: bool,
}

/// The values of that attribute: for the first kind, for the other, and for neither.
pub(crate) const CHOICES: [&str; 3] = ["A", "B", "a"];

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
    /// The value `x` in each map of a list, and whether `unset` removes the whole map.
    Lines(String, bool),
    /// Two attributes: the parent's id and the target's id, or the two key attributes of the target.
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

impl Place {
    /// Returns the attribute that contains the value, if it is a single attribute.
    pub(crate) fn attribute(&self) -> Option<&str> {
        match self {
            Self::Key | Self::Own | Self::Pair(..) => None,
            Self::Text(name)
            | Self::Nested(name)
            | Self::Set(name)
            | Self::List(name)
            | Self::Lines(name, _) => Some(name),
        }
    }
}

impl Reference {
    pub(super) fn random(rng: &mut Rng, number: usize, schema: &Schema, is_rich: bool) -> Self {
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
            _ if number % 2 == 1 => Place::Lines(name.clone(), number > 1),
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
            has_none: false,
            has_index_key: false,
            has_index_sort: false,
            form: Form::Value,
            is_in_index: false,
            also: None,
        }
    }

    /// Draws how the absence of the reference is written, and the key of its index. The target is
    /// written in this format.
    pub(super) fn draw_formats(&mut self, target: Format, rng: &mut Rng) {
        self.has_none = rng.u8(..4) == 0;
        // The value of an attribute that is converted in the key does not find the item.
        let is_converted = matches!(target, Format::Lower | Format::Upper);
        self.has_index_key = self.find == Find::Index && (is_converted || rng.bool());
        self.has_index_sort = self.has_index_key && rng.u8(..3) == 0;
    }

    /// Draws what the attributes of the reference contain.
    pub(super) fn draw_form(&mut self, rng: &mut Rng) {
        let sets_default =
            [self.on_missing, self.on_delete, self.on_ttl_delete].contains(&"set_default");
        let has_key = !sets_default && !self.is_in_index;
        self.form = match (&self.place, rng.u8(..6)) {
            (Place::Text(_) | Place::Nested(_) | Place::Lines(..), 0) => Form::Template,
            (Place::Text(name), 1 | 2) if has_key => {
                self.place = Place::Pair(format!("{name}a"), format!("{name}b"));
                self.has_index_key = self.find == Find::Index;
                self.is_required = false;
                Form::Key
            }
            (Place::Pair(..), 0..3) if has_key => Form::Key,
            _ => Form::Value,
        };
    }

    /// Draws whether the reference leads to items by their key in an index, and is only reported.
    pub(super) fn draw_in_index(&mut self, rng: &mut Rng) {
        let is_possible = self.to < ROOTS
            && self.also.is_none()
            && !matches!(self.find, Find::Derived | Find::Mirror(_))
            && !matches!(self.place, Place::Key | Place::Own | Place::Pair(..));
        if !is_possible || rng.u8(..4) > 0 {
            return;
        }
        self.is_in_index = true;
        self.on_missing = "report";
        for action in [&mut self.on_delete, &mut self.on_ttl_delete] {
            if *action != "ignore" {
                *action = "report";
            }
        }
    }

    /// Draws whether the reference may lead to another kind of item.
    pub(super) fn draw_also(&mut self, schema: &Schema, rng: &mut Rng) {
        let format = |kind: usize| schema.entities[kind].format;
        let kind = rng.usize(..ROOTS);
        let is_chosen = rng.bool();
        let is_possible = self.to < ROOTS
            && !self.is_in_index
            && self.form == Form::Value
            && kind != self.to
            && format(kind) == format(self.to)
            && !matches!(self.place, Place::Key | Place::Own | Place::Pair(..));
        if is_possible && rng.u8(..4) > 0 {
            self.also = Some(Also { kind, is_chosen });
        }
    }

    /// The attribute that decides to which kind of item the reference leads.
    pub(crate) fn choice(&self) -> Option<String> {
        self.also.as_ref().filter(|also| also.is_chosen).map(|_| format!("{}t", self.name))
    }

    /// Whether the rule looks for the referencing items of a deleted item.
    pub(crate) fn is_found(&self) -> bool {
        self.find != Find::None
    }

    /// The attribute with the key of the index, if it is not that of the reference.
    pub(crate) fn index_key(&self) -> Option<String> {
        self.has_index_key.then(|| format!("i{}", self.name))
    }

    /// The attribute with the sort key of the index.
    pub(crate) fn index_sort(&self) -> Option<String> {
        self.has_index_sort.then(|| format!("j{}", self.name))
    }

    pub(super) fn write(&self, schema: &Schema, text: &mut String) {
        let Self { name, from, to, on_missing, on_delete, on_ttl_delete, .. } = self;
        let kinds: Vec<usize> =
            std::iter::once(*to).chain(self.also.as_ref().map(|also| also.kind)).collect();
        let on = |source: &str| {
            let part = if self.form == Form::Template { ".y" } else { "" };
            let source = format!("{source}{part}");
            let on = kinds.iter().map(|kind| format!("k{kind}: \"{{{source}}}\""));
            on.collect::<Vec<_>>().join(", ")
        };
        let on = match &self.place {
            Place::Key => on(&format!("k{to}")),
            Place::Own => on(&format!("k{from}")),
            Place::Text(name) => on(name),
            Place::Nested(name) => on(&format!("{name}.x")),
            Place::Set(name) | Place::List(name) => on(&format!("{name}[*]")),
            Place::Lines(name, _) => on(&format!("{name}[*].x")),
            Place::Pair(one, other) if self.form == Form::Key => {
                format!("pk: \"{{{one}}}\", sk: \"{{{other}}}\"")
            }
            Place::Pair(one, other) => {
                let parent = schema.entities[*to].parent.unwrap();
                format!("k{parent}: \"{{{one}}}\", {}", on(other))
            }
        };
        let mut tail = match self.find {
            Find::Derived => String::new(),
            Find::Index => {
                let find = |kind: usize| {
                    let key = match self.index_key() {
                        Some(key) => format!("{key}: \"i#{}\"", schema.capture(kind)),
                        None => format!("{name}: \"{}\"", self.form.template(kind)),
                    };
                    let sort = self.index_sort().map(|sort| format!(", {sort}: \"j#{{v}}\""));
                    let key = format!("{key}{}", sort.unwrap_or_default());
                    format!("{{ index: by_{name}, key: {{ {key} }} }}")
                };
                if kinds.len() == 1 {
                    format!(", find: {}", find(*to))
                } else {
                    let each = kinds.iter().map(|kind| format!("e{kind}: {}", find(*kind)));
                    format!(", find: {{ each: {{ {} }} }}", each.collect::<Vec<_>>().join(", "))
                }
            }
            Find::Mirror(id) => format!(", find: {{ mirror: mirror{id} }}"),
            Find::None => ", find: none".to_owned(),
        };
        let to = match &self.also {
            None if self.is_in_index => {
                let key = Schema::alias(*to, &schema.capture(*to));
                format!("{{ entity: e{to}, index: by_alias{to}, key: {{ alias: \"{key}\" }} }}")
            }
            None => format!("e{to}"),
            Some(Also { kind, is_chosen: false }) => format!("[e{to}, e{kind}]"),
            Some(Also { kind, is_chosen: true }) => {
                let [one, other, _] = CHOICES;
                format!("{{ by: \"{{{name}t}}\", {one}: e{to}, {other}: e{kind} }}")
            }
        };
        if [on_missing, on_delete, on_ttl_delete].contains(&&"set_default") {
            write!(tail, ", default: \"{}\"", schema.alphabet.value(self.default)).unwrap();
        }
        let unsets = [on_missing, on_delete, on_ttl_delete].contains(&&"unset");
        if unsets && matches!(self.place, Place::Lines(_, true)) {
            tail.push_str(", unset: element");
        }
        if self.has_none {
            write!(tail, ", none: \"{NONE}\"").unwrap();
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
        let word = if self.form == Form::Key { "on_key" } else { "on" };
        writeln!(
            text,
            "  {name}: {{ from: e{from}, to: {to}, {word}: {{ {on} }}, \
             on_missing: {on_missing}, on_delete: {on_delete}, \
             on_ttl_delete: {on_ttl_delete}{tail} }}"
        )
        .unwrap();
    }
}
