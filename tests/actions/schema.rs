//! Rule files drawn at random, as plain data that an independent model can read.

use std::fmt::Write as _;

use fastrand::Rng;

/// How many items of each kind there may be.
pub(crate) const IDS: usize = 3;

/// Kinds of item, and how they refer to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schema {
    /// For each kind, the kind in whose partition it lives, if it has one.
    pub(crate) parents: Vec<Option<usize>>,
    pub(crate) references: Vec<Reference>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Whether those who refer to a deleted item are looked for.
    pub(crate) is_found: bool,
}

/// Where a reference stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the key.
    Key,
    /// An attribute.
    Text(String),
    /// What is called `x` in a map.
    Nested(String),
    /// Each element of a set.
    Set(String),
    /// Each element of a list.
    List(String),
}

impl Place {
    /// The attribute that it stands in.
    pub(crate) fn attribute(&self) -> Option<&str> {
        match self {
            Self::Key => None,
            Self::Text(name) | Self::Nested(name) | Self::Set(name) | Self::List(name) => {
                Some(name)
            }
        }
    }
}

impl Schema {
    /// Three to four kinds, and two to four references between them.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let mut parents = vec![None, None, None];
        if rng.bool() {
            parents.push(Some(rng.usize(..3)));
        }
        let count = rng.usize(2..5);
        let mut references: Vec<Reference> =
            (0..count).map(|number| Reference::random(rng, number, &parents)).collect();
        // An item that one rule turns back, another must not change meanwhile.
        for from in 0..parents.len() {
            let of_kind = |reference: &&mut Reference| reference.from == from;
            let mut of_kind: Vec<_> = references.iter_mut().filter(of_kind).collect();
            if let Some(revert) = of_kind.iter().position(|it| it.on_missing == "revert") {
                for (place, other) in of_kind.iter_mut().enumerate() {
                    if place != revert {
                        other.on_missing = "report";
                    }
                }
            }
        }
        Self { parents, references }
    }

    /// The rule file.
    pub(crate) fn text(&self) -> String {
        let mut text = "version: 1\ntables: { app: { key: [pk, sk] } }\nentities:\n".to_owned();
        for (kind, parent) in self.parents.iter().enumerate() {
            let key = match parent {
                None => format!("pk: \"e{kind}#{{k{kind}}}\", sk: \"-\""),
                Some(parent) => {
                    format!("pk: \"e{parent}#{{k{parent}}}\", sk: \"c{kind}#{{k{kind}}}\"")
                }
            };
            let attributes: Vec<String> = self
                .references
                .iter()
                .filter(|reference| reference.from == kind)
                .filter_map(|reference| match &reference.place {
                    Place::Key => None,
                    Place::Text(name) => Some(format!("{name}: S")),
                    Place::Nested(name) => Some(format!("{name}.x: S")),
                    Place::Set(name) => Some(format!("{name}: SS")),
                    Place::List(name) => Some(format!("{name}: L")),
                })
                .collect();
            let attributes = attributes.join(", ");
            writeln!(
                text,
                "  e{kind}: {{ table: app, key: {{ {key} }}, attributes: {{ {attributes} }} }}"
            )
            .unwrap();
        }
        text.push_str("references:\n");
        for reference in &self.references {
            reference.write(&mut text);
        }
        text
    }
}

impl Reference {
    fn random(rng: &mut Rng, number: usize, parents: &[Option<usize>]) -> Self {
        let from = rng.usize(..parents.len());
        let name = format!("r{number}");
        let mut to = rng.usize(..3);
        let place = match (parents[from], rng.u8(..10)) {
            (Some(parent), 0..6) => {
                to = parent;
                Place::Key
            }
            (_, 0..5) => Place::Text(name.clone()),
            (_, 5) => Place::Nested(name.clone()),
            (_, 6 | 7) => Place::Set(name.clone()),
            _ => Place::List(name.clone()),
        };
        let is_found = matches!(place, Place::Key | Place::Text(_));
        let is_key = place == Place::Key;
        let changes = |word: &&&str| !is_key || !["unset", "set_default"].contains(*word);
        let mut pick = |words: &[&'static str]| {
            let words: Vec<_> = words.iter().filter(changes).collect();
            **rng.choice(&words).unwrap()
        };
        let on_missing = pick(&["report", "report", "delete", "unset", "set_default", "revert"]);
        let on_delete: &[_] = if is_found {
            &["report", "cascade", "cascade", "unset", "set_default", "restore", "ignore"]
        } else {
            &["report", "ignore"]
        };
        let on_ttl_delete: Vec<_> =
            on_delete.iter().filter(|word| **word != "restore").copied().collect();
        let (on_delete, on_ttl_delete) = (pick(on_delete), pick(&on_ttl_delete));
        let default = rng.usize(..IDS);
        Self { name, from, to, place, on_missing, on_delete, on_ttl_delete, default, is_found }
    }

    fn write(&self, text: &mut String) {
        let Self { name, from, to, on_missing, on_delete, on_ttl_delete, .. } = self;
        let source = match &self.place {
            Place::Key => format!("k{to}"),
            Place::Text(name) => name.clone(),
            Place::Nested(name) => format!("{name}.x"),
            Place::Set(name) | Place::List(name) => format!("{name}[*]"),
        };
        let find = match &self.place {
            Place::Key => String::new(),
            Place::Text(name) => {
                format!(", find: {{ index: by_{name}, key: {{ {name}: \"{{k{to}}}\" }} }}")
            }
            Place::Nested(_) | Place::Set(_) | Place::List(_) => ", find: none".to_owned(),
        };
        let has_default = [on_missing, on_delete, on_ttl_delete].contains(&&"set_default");
        let default =
            if has_default { format!(", default: \"{}\"", self.default) } else { String::new() };
        writeln!(
            text,
            "  {name}: {{ from: e{from}, to: e{to}, on: {{ k{to}: \"{{{source}}}\" }}, \
             on_missing: {on_missing}, on_delete: {on_delete}, \
             on_ttl_delete: {on_ttl_delete}{default}{find} }}"
        )
        .unwrap();
    }
}
