//! What the attributes of a reference contain.

use crate::schema::{Reference, Schema};

/// What the attributes of a reference contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The parts of the referenced key.
    Value,
    /// A text with such a part: `w#1`.
    Template,
    /// The key attributes of the referenced item.
    Key,
}

impl Form {
    /// The type or the template of the attribute.
    pub(crate) const fn declared(self) -> &'static str {
        match self {
            Self::Value | Self::Key => "S",
            Self::Template => "\"w#{y}\"",
        }
    }

    /// The template that makes the attribute from the captures of the referenced key.
    pub(crate) fn template(self, kind: usize) -> String {
        match self {
            Self::Value | Self::Key => format!("{{k{kind}}}"),
            Self::Template => format!("w#{{k{kind}}}"),
        }
    }
}

/// What an attribute contains that refers to an item with this id. It is the id of the item's
/// parent if `is_first` is true and the item has a parent, and its own otherwise.
pub(crate) fn written(
    schema: &Schema,
    reference: &Reference,
    is_first: bool,
    value: &str,
) -> Option<String> {
    let text = |kind: usize| schema.entities[kind].format.write(value);
    match reference.form {
        Form::Value => Some(value.to_owned()),
        Form::Template => Some(format!("w#{value}")),
        Form::Key => match (schema.entities[reference.to].parent, is_first) {
            (Some(parent), true) => Some(format!("e{parent}#{}", text(parent)?)),
            (Some(_), false) => Some(format!("c{}#{}", reference.to, text(reference.to)?)),
            (None, true) => Some(format!("e{}#{}", reference.to, text(reference.to)?)),
            (None, false) => Some("-".to_owned()),
        },
    }
}

/// The ids that the attributes of a reference contain; `None` if they contain something else.
pub(crate) fn read(
    schema: &Schema,
    reference: &Reference,
    values: &[String],
) -> Option<Vec<String>> {
    let parent = schema.entities[reference.to].parent;
    let values = match (reference.form, parent, values) {
        (Form::Key, None, [pk, sk]) => std::slice::from_ref(pk).get(..usize::from(sk == "-"))?,
        _ => values,
    };
    let part = |(place, value): (usize, &String)| {
        let is_first = place == 0;
        let part = match reference.form {
            Form::Value => return Some(value.clone()),
            Form::Template => value.strip_prefix("w#")?.to_owned(),
            Form::Key => {
                let kind = parent.filter(|_| is_first).unwrap_or(reference.to);
                schema.entities[kind].format.read(value.split_once('#')?.1)?
            }
        };
        let is_same = written(schema, reference, is_first, &part).as_ref() == Some(value);
        (is_same && !part.is_empty() && !part.contains('#')).then_some(part)
    };
    let parts: Option<Vec<String>> = values.iter().enumerate().map(part).collect();
    parts.filter(|parts| !parts.is_empty())
}
