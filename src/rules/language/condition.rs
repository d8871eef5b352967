//! The conditions of `where`.

use super::choices::word;
use super::grammar::{ENTRIES_MAX, Object, Shape, Word};
use super::table::optional;

/// The value of a path in `where`.
pub(super) const CONDITION: Shape =
    Shape::Either(&[Shape::Literal, VALUES, Shape::Object(&COMPARISON)]);

const VALUES: Shape = Shape::List { of: &Shape::Literal, count_min: 1, count_max: ENTRIES_MAX };

const COMPARISON: Object = Object {
    what: "a condition",
    doc: "A condition on the value at a path. If it has several keys, all of them must hold. Values are compared within their type.",
    fields: &[
        optional(
            "not",
            Shape::Either(&[Shape::Literal, VALUES]),
            "The value is not this one, or none of these. This also holds if there is no value.",
        ),
        optional(
            "eq",
            Shape::Literal,
            "The value is this one. Needed only for the texts `absent` and `present`.",
        ),
        optional("lt", Shape::Literal, "The value is less than this number or text."),
        optional("lte", Shape::Literal, "The value is at most this number or text."),
        optional("gt", Shape::Literal, "The value is greater than this number or text."),
        optional("gte", Shape::Literal, "The value is at least this number or text."),
        optional(
            "after",
            Shape::Choice(NOW),
            "The value is a time that has not come yet. It decides whether an item counts as existing for the references to it.",
        ),
        optional(
            "before",
            Shape::Choice(NOW),
            "The value is a time that has passed. It decides whether an item counts as existing for the references to it.",
        ),
    ],
};

const NOW: &[Word] = &[
    word(
        "now",
        "the value is a number of seconds since 1970, or a text such as `2026-11-28T08:00:00Z` if `attributes` declares it as S",
        &["today", "current", "ttl"],
    ),
    word("now_ms", "the value is a number of milliseconds since 1970", &["now_millis"]),
];
