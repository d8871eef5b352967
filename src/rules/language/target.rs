//! The definition of `to`: the entities that a reference may lead to.

use super::format::{DISCRIMINATOR, NAME, SOURCE};
use super::grammar::{ALTERNATIVES_MAX, Field, Object, Shape};
use super::table::{FIND, FIND_INDEX, FIND_MIRROR, map, required};

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

/// The key of `find` whose value has a lookup for each entity.
pub(crate) const EACH: &str = "each";

pub(super) const FIND_EACH: Object = Object {
    what: "a lookup for each entity",
    doc: "A rule that may lead to several entities finds the referencing items of each of them in another way.",
    fields: &[required(
        EACH,
        map(
            &NAME,
            &Shape::Either(&[
                Shape::Choice(FIND),
                Shape::Object(&FIND_INDEX),
                Shape::Object(&FIND_MIRROR),
            ]),
            ALTERNATIVES_MAX,
        ),
        "The lookup for each entity in `to`. An entity without one is treated like a rule without `find`.",
    )],
};
