//! The definition of the rule language: every key and every word.

use super::choices::{
    COPY, EXPIRED, FIND, MATCHING, MODES, ON_DELETE, ON_MIRROR_DELETE, ON_MIRROR_EDIT, ON_MISSING,
    REMOVALS, SEVERITIES, TABLES_OF_MIRROR, TABLES_OF_REFERENCE, TYPES,
};
use super::condition::CONDITION;
use super::format::{
    ACCOUNT, ATTRIBUTE, CAPTURE, DURATION, Format, INDEX_NAME, KEY_ATTRIBUTE, LIST_PATH, NAME,
    PATH, REGION, SEPARATOR, SOURCE, TABLE_NAME, TEMPLATE,
};
use super::grammar::{DefaultValue, ENTRIES_MAX, Field, Object, Presence, Shape, TABLES_MAX};
use super::target::{FIND_EACH, TO};
use crate::rules::defaults;

/// The root of a rule file.
pub(super) static FILE: Object = Object {
    what: "a rule file",
    doc: "The relationships between items of DynamoDB tables, and the actions when they break.",
    fields: &[
        required("version", Shape::Version, "The version of the rule language: 1."),
        required(
            "tables",
            named(&Shape::Object(&TABLE)),
            "The tables, each under a name that you choose.",
        ),
        required(
            "entities",
            named(&Shape::Object(&ENTITY)),
            "The kinds of item, distinguished by their keys.",
        ),
        optional(
            "references",
            named(&Shape::Object(&REFERENCE)),
            "The foreign keys, declared on the referencing side.",
        ),
        optional(
            "mirrors",
            named(&Shape::Object(&MIRROR)),
            "The copies of items that Referee maintains at other keys.",
        ),
    ],
};

const TABLE: Object = Object {
    what: "a table",
    doc: "A table that the rules watch or read.",
    fields: &[
        optional(
            "name",
            Shape::Text(&TABLE_NAME),
            "The table's name in DynamoDB; by default, its name in this file. `${VAR}` and `${VAR:-default}` insert environment variables.",
        ),
        required(
            "key",
            Shape::List { of: &Shape::Text(&KEY_ATTRIBUTE), count_min: 1, count_max: 2 },
            "The partition key, followed by the sort key if the table has one. Write `id:N` for a number and `id:B` for a binary.",
        ),
        default(
            "separator",
            Shape::Text(&SEPARATOR),
            DefaultValue::Separator(defaults::SEPARATOR),
            "The text that ends a capture in key templates: usually one character, at most 16 bytes.",
        ),
        optional(
            "ttl",
            Shape::Text(&ATTRIBUTE),
            "The table's TTL attribute, if the table has one. Mirrors in this table get it only if `copy` lists it.",
        ),
        optional(
            "region",
            Shape::Text(&REGION),
            "The AWS Region of the table's stream; by default, the function's own Region. Streams of other Regions are refused.",
        ),
        optional(
            "account",
            Shape::Text(&ACCOUNT),
            "The AWS account of the table's stream, in quotes; by default, the function's own account. Streams of other accounts are refused.",
        ),
    ],
};

pub(super) const ENTITY: Object = Object {
    what: "an entity",
    doc: "A kind of item.",
    fields: &[
        required(
            "table",
            Shape::Either(&[
                Shape::Text(&NAME),
                Shape::List { of: &Shape::Text(&NAME), count_min: 1, count_max: TABLES_MAX },
            ]),
            "The table that holds the items, or a list of tables if each of them holds items of this entity: `[orders_eu, orders_us]`.",
        ),
        required(
            "key",
            map(&ATTRIBUTE, &Shape::Text(&TEMPLATE), 2),
            "A template for each of the table's key attributes. `{name}` captures the text up to the separator, and `{name*}` captures the text up to the end. A format may follow the name: `{no:08}` is a number with 8 digits and leading zeros, `{code:3}` has 3 characters, `{email:lower}` and `{email:upper}` are converted to that case, and `{id:org_*}` begins with `org_`.",
        ),
        optional(
            "attributes",
            map(
                &LIST_PATH,
                &Shape::Either(&[Shape::Choice(TYPES), Shape::Text(&TEMPLATE)]),
                ENTRIES_MAX,
            ),
            "The attributes that rules use: the path and the DynamoDB type of each. `[*]` leads into the maps of a list: `lines[*].productId`. A string that contains the parts of a reference has a template instead of a type: `owner: \"user#{id}\"`, and `on` takes its part as \"{owner.id}\".",
        ),
        optional(
            "where",
            map(&PATH, &CONDITION, ENTRIES_MAX),
            "Conditions that distinguish this entity from others with the same keys: for each path, the value that an item must have, a list of such values, `absent`, `present`, or a comparison. The mirror items of this entity are written with the values.",
        ),
    ],
};

const REFERENCE: Object = Object {
    what: "a reference",
    doc: "A foreign key.",
    fields: &[
        required("from", Shape::Text(&NAME), "The referencing entity."),
        TO,
        synonymous(
            "on",
            ON_SYNONYM,
            map(&CAPTURE, &Shape::Text(&SOURCE), ENTRIES_MAX),
            "Where the value of each capture of the referenced key comes from: \"{capture}\", \"{attribute}\", \"{path.to.value}\", \"{attribute[*]}\" for each element of a list or set, \"{lines[*].productId}\" for a value in each map of a list, or \"{owner.id}\" for a capture of an attribute's template. A text without braces is a constant. By default, a capture comes from the capture of the same name in the referencing key. Tools that read YAML 1.1, such as PyYAML, read an unquoted `on` as `true`; `parts` is another name for it.",
        ),
        optional(
            "tables",
            Shape::Choice(TABLES_OF_REFERENCE),
            "In which table the referenced item is, if `to` has several tables. By default, it is in the table of the referencing item if both entities have the same tables; otherwise, `tables` is required.",
        ),
        optional(
            "on_key",
            map(&ATTRIBUTE, &Shape::Text(&SOURCE), 2),
            "Instead of `on`, if the item contains the referenced key itself: where the value of each key attribute comes from.",
        ),
        default(
            "match",
            Shape::Choice(MATCHING),
            DefaultValue::Word(defaults::MATCHING.name()),
            "How a composite reference is treated when some of its parts are missing.",
        ),
        default(
            "required",
            Shape::Flag,
            DefaultValue::Flag(defaults::REQUIRED),
            "Whether a missing reference is a violation.",
        ),
        default(
            "expired",
            Shape::Choice(EXPIRED),
            DefaultValue::Word(defaults::EXPIRED.name()),
            "Whether a referenced item that has expired, and that TTL has not deleted yet, counts as existing. Its table must declare `ttl`.",
        ),
        default(
            "on_missing",
            Shape::Choice(ON_MISSING),
            DefaultValue::Word(defaults::ON_MISSING.name()),
            "The action when a written item refers to an item that does not exist. A malformed, partial or missing reference is only reported.",
        ),
        default(
            "on_delete",
            Shape::Choice(ON_DELETE),
            DefaultValue::Word(defaults::ON_DELETE.name()),
            "The action when an item is deleted while other items refer to it.",
        ),
        optional(
            "on_ttl_delete",
            Shape::Choice(ON_DELETE),
            "The action when TTL deletes an item while other items refer to it; by default, the same as `on_delete`.",
        ),
        optional(
            "default",
            Shape::Either(&[Shape::Literal, map(&CAPTURE, &Shape::Literal, ENTRIES_MAX)]),
            "The value for `set_default`: one value, or one for each capture. The item that it refers to must exist.",
        ),
        optional(
            "unset",
            Shape::Either(&[
                Shape::Choice(REMOVALS),
                Shape::List { of: &Shape::Text(&ATTRIBUTE), count_min: 1, count_max: ENTRIES_MAX },
            ]),
            "What the action `unset` removes. In a list of maps, it is one of the words below; by default, `field`. Otherwise, it is a list of attributes: those of the reference, and those that the application derives from them. By default, these are the key attributes of the index in `find` that contain a part of the reference. `set_default` sets these key attributes to match the default.",
        ),
        optional(
            "none",
            Shape::Either(&[
                Shape::Literal,
                Shape::List { of: &Shape::Literal, count_min: 1, count_max: ENTRIES_MAX },
            ]),
            "A value, or a list of values, that means that there is no reference, such as \"\". An absent attribute and NULL always mean that.",
        ),
        optional(
            "find",
            Shape::Either(&[
                Shape::Choice(FIND),
                Shape::Object(&FIND_INDEX),
                Shape::Object(&FIND_MIRROR),
                Shape::Object(&FIND_EACH),
            ]),
            "How the items that refer to a deleted item are found. Not needed if the referenced key determines the partition key of these items: a query of the table then finds them.",
        ),
        default(
            "grace",
            Shape::Setting(&Shape::Text(&DURATION)),
            DefaultValue::Duration(defaults::GRACE),
            "How long a dangling reference may last before it is a violation.",
        ),
        MODE,
        SEVERITY,
        default(
            "max_fanout",
            Shape::Count,
            DefaultValue::Count(defaults::FANOUT_MAX),
            "The maximum number of items that one delete may affect. If more items refer to the deleted item, this is reported as `fanout_exceeded`.",
        ),
        default(
            "max_depth",
            Shape::Count,
            DefaultValue::Count(defaults::DEPTH_MAX),
            "The maximum number of levels of a cascade between items of the same entity.",
        ),
    ],
};

pub(super) const FIND_INDEX: Object = Object {
    what: "a lookup by index",
    doc: "The referencing items are found through a global secondary index.",
    fields: &[
        required("index", Shape::Text(&INDEX_NAME), "The name of the index."),
        required(
            "key",
            map(&KEY_ATTRIBUTE, &Shape::Text(&TEMPLATE), 2),
            "A template for the index's partition key and, optionally, one for its sort key, made of captures of the referenced key. A sort key may contain captures and attributes of the referencing item, too: a query then finds the sort keys that begin with the text before the first of them. Write `id:N` for a number and `id:B` for a binary.",
        ),
    ],
};

pub(super) const FIND_MIRROR: Object = Object {
    what: "a lookup by mirror",
    doc: "The referencing items are found through their mirrors.",
    fields: &[required(
        "mirror",
        Shape::Text(&NAME),
        "The name of a mirror rule. Its `source` must be the entity that the rule has as `from`.",
    )],
};

const MIRROR: Object = Object {
    what: "a mirror",
    doc: "A copy of each item of an entity, at another key.",
    fields: &[
        optional(
            "was",
            Shape::Text(&NAME),
            "The rule's former name. The mirror items that it wrote under that name stay its own.",
        ),
        required("source", Shape::Text(&NAME), "The entity that the application writes."),
        required(
            "mirror",
            Shape::Text(&NAME),
            "The entity that Referee writes. Its key has the captures of the source's key, and it may contain attributes of the source: a source without such an attribute has no mirror, and if the value changes, the mirror moves.",
        ),
        optional(
            "tables",
            Shape::Choice(TABLES_OF_MIRROR),
            "In which table the mirror item is, if `mirror` has several tables. By default, it is in the table of the source if both entities have the same tables; otherwise, `tables` is required.",
        ),
        default(
            "copy",
            Shape::Either(&[
                Shape::Choice(COPY),
                Shape::List { of: &Shape::Text(&ATTRIBUTE), count_min: 1, count_max: ENTRIES_MAX },
                map(&ATTRIBUTE, &Shape::Text(&ATTRIBUTE), ENTRIES_MAX),
                Shape::Object(&COPY_EXCEPT),
            ]),
            DefaultValue::Word("all"),
            "The attributes to copy: a list of names, a map from names to names in the mirror, `all`, `none`, or all with exceptions. The removal of an attribute is copied too.",
        ),
        default(
            "on_mirror_delete",
            Shape::Choice(ON_MIRROR_DELETE),
            DefaultValue::Word(defaults::ON_MIRROR_DELETE.name()),
            "The action when someone else deletes a mirror item.",
        ),
        default(
            "on_mirror_edit",
            Shape::Choice(ON_MIRROR_EDIT),
            DefaultValue::Word(defaults::ON_MIRROR_EDIT.name()),
            "The action when someone else changes or creates a mirror item.",
        ),
        default(
            "adopt",
            Shape::Flag,
            DefaultValue::Flag(defaults::ADOPT),
            "Whether the rule may overwrite an item at a mirror's key that Referee did not write.",
        ),
        MODE,
        SEVERITY,
    ],
};

const COPY_EXCEPT: Object = Object {
    what: "a copy with exceptions",
    doc: "All attributes are copied, except some.",
    fields: &[required(
        "except",
        Shape::List { of: &Shape::Text(&ATTRIBUTE), count_min: 1, count_max: ENTRIES_MAX },
        "The attributes that are not copied, such as the keys of an index in which only the source items should appear.",
    )],
};

/// Another name for `on`, which YAML 1.1 reads as a boolean.
pub(crate) const ON_SYNONYM: &str = "parts";

/// `mode` of a reference or a mirror.
const MODE: Field = default(
    "mode",
    Shape::Setting(&Shape::Choice(MODES)),
    DefaultValue::Word(defaults::MODE.name()),
    "Whether the rule is evaluated, and whether it writes.",
);

/// `severity` of a reference or a mirror.
const SEVERITY: Field = default(
    "severity",
    Shape::Setting(&Shape::Choice(SEVERITIES)),
    DefaultValue::Word(defaults::SEVERITY.name()),
    "How the rule's violations count.",
);

pub(super) const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field { name, synonym: None, shape, presence: Presence::Required, doc }
}

pub(super) const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field { name, synonym: None, shape, presence: Presence::Optional, doc }
}

/// An optional field that has another name, too.
const fn synonymous(
    name: &'static str,
    synonym: &'static str,
    shape: Shape,
    doc: &'static str,
) -> Field {
    Field { name, synonym: Some(synonym), shape, presence: Presence::Optional, doc }
}

const fn default(
    name: &'static str,
    shape: Shape,
    value: DefaultValue,
    doc: &'static str,
) -> Field {
    Field { name, synonym: None, shape, presence: Presence::Default(value), doc }
}

/// A map whose keys are names that the author chooses.
const fn named(values: &'static Shape) -> Shape {
    map(&NAME, values, ENTRIES_MAX)
}

pub(super) const fn map(keys: &'static Format, values: &'static Shape, count_max: usize) -> Shape {
    Shape::Map { keys, values, count_max }
}
