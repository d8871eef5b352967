//! The definition of `to`: the entities that a reference may lead to.

use super::choices::FIND;
use super::format::{DISCRIMINATOR, INDEX_NAME, KEY_ATTRIBUTE, NAME, SOURCE, TEMPLATE};
use super::grammar::{ALTERNATIVES_MAX, Field, Object, Shape};
use super::table::{FIND_INDEX, FIND_MIRROR, map, required};

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
        Shape::Object(&IN_INDEX),
    ]),
    "The referenced entity. With a list, such as `[user, org]`, an item of any of these entities satisfies the reference. With a map, such as `{ by: \"{parentType}\", POST: post, PHOTO: photo }`, the value of the discriminator decides which entity is referenced. With `{ entity: user, index: byEmail, key: { email: \"{email}\" } }`, the entity's items are known by the key of an index, and `on` gives the parts of this key.",
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

/// The keys of `to` for the key of an index.
pub(crate) const ENTITY: &str = "entity";
pub(crate) const INDEX: &str = "index";
pub(crate) const KEY: &str = "key";

const IN_INDEX: Object = Object {
    what: "an entity in an index",
    doc: "The referenced items are known by the key of a global secondary index. The reference is satisfied if the index has any item of the entity with this key. The index is read only eventually consistently, and a transaction cannot check it, so such a reference can only be reported.",
    fields: &[
        required(ENTITY, Shape::Text(&NAME), "The referenced entity."),
        required(INDEX, Shape::Text(&INDEX_NAME), "The name of the index of the entity's table."),
        required(
            KEY,
            map(&KEY_ATTRIBUTE, &Shape::Text(&TEMPLATE), 2),
            "A template for each key attribute of the index, whose captures are the parts of the reference. Write `id:N` for a number and `id:B` for a binary.",
        ),
    ],
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
