//! What rule files may contain. In a long run, each must occur at least once in rules that are not
//! refused.

use super::{Find, Place, Schema};
use crate::form::Form;
use crate::format::Format;
use crate::required::Required;

/// What rule files may contain.
pub(crate) const FEATURES: [&str; 22] = [
    "where: a value",
    "where: a list",
    "where: not",
    "where: not a list",
    "where: absent",
    "where: present",
    "where: a comparison",
    "where: a time",
    "format: leading zeros",
    "format: lower case",
    "format: upper case",
    "format: width",
    "format: prefix",
    "list path",
    "list path: whole elements are unset",
    "template of an attribute",
    "on_key",
    "to: an index",
    "to: a list",
    "to: a discriminator",
    "find: a prefix of a sort key",
    "find: a mirror that moves",
];

impl Schema {
    /// What these rules contain.
    pub(crate) fn features(&self) -> Vec<&'static str> {
        let is_required =
            |required: &[Required]| self.entities.iter().any(|it| required.contains(&it.required));
        let is_format = |is_it: fn(Format) -> bool| self.entities.iter().any(|it| is_it(it.format));
        let unsets = |whole: bool| {
            let mut places = self.references.iter().map(|it| &it.place);
            places.any(|it| matches!(it, Place::Lines(_, is_whole) if *is_whole == whole))
        };
        let is_form = |form: Form| self.references.iter().any(|it| it.form == form);
        let is_union = |is_chosen: bool| {
            let mut unions = self.references.iter().filter_map(|it| it.also.as_ref());
            unions.any(|also| also.is_chosen == is_chosen)
        };
        let moves = |find: Find| {
            let moving = self.mirrors.iter().filter(|it| it.attribute.is_some());
            moving.map(|it| it.id).any(|id| find == Find::Mirror(id))
        };
        let found = [
            is_required(&[Required::Name]),
            is_required(&[Required::OneOf]),
            is_required(&[Required::Not]),
            is_required(&[Required::NoneOf]),
            is_required(&[Required::Absent]),
            is_required(&[Required::Present]),
            is_required(&[Required::Less, Required::Within, Required::Greater]),
            self.entities.iter().any(|it| it.until.is_some()),
            is_format(|it| it == Format::Zeros),
            is_format(|it| it == Format::Lower),
            is_format(|it| it == Format::Upper),
            is_format(|it| matches!(it, Format::Width(_))),
            is_format(|it| it == Format::Prefix),
            unsets(false),
            unsets(true),
            is_form(Form::Template),
            is_form(Form::Key),
            self.references.iter().any(|it| it.is_in_index),
            is_union(false),
            is_union(true),
            self.references.iter().any(|it| it.has_index_sort),
            self.references.iter().any(|it| moves(it.find)),
        ];
        let found = FEATURES.iter().zip(found).filter(|(_, found)| *found);
        found.map(|(name, _)| *name).collect()
    }
}
