//! The definition of `to`: the entities that a reference may lead to.

use super::format::{DISCRIMINATOR, NAME, SOURCE};
use super::grammar::{ALTERNATIVES_MAX, Field, Object, Shape};
use super::table::required;

/// The key of `to` whose value is the source of the discriminator.
pub(crate) const BY: &str = "by";

pub(super) const TO: Field = required(
    "to",
    Shape::Either(&[
        Shape::Text(&NAME),
        Shape::List { of: &Shape::Text(&NAME), count_min: 1, count_max: ALTERNATIVES_MAX },
        Shape::Open {
            known: &CASES,
            keys: &DISCRIMINATOR,
            values: &Shape::Text(&NAME),
            count_max: ALTERNATIVES_MAX,
        },
    ]),
    "The referenced entity. With a list, such as `[user, org]`, an item of any of these entities satisfies the reference. With a map, such as `{ by: \"{parentType}\", POST: post, PHOTO: photo }`, the value of the discriminator decides which entity is referenced.",
);

const CASES: Object = Object {
    what: "entities by a discriminator",
    doc: "Which entity a reference leads to, by the value of a capture or an attribute. The other keys are the values of this discriminator, each with an entity. Upper and lower case are distinct, and a value that is not listed is a violation.",
    fields: &[required(
        BY,
        Shape::Text(&SOURCE),
        "The source of the discriminator: a capture or an attribute, such as \"{parentType}\".",
    )],
};
