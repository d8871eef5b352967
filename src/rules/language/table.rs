//! The language itself.

use super::format::{
    ATTRIBUTE, CAPTURE, DURATION, KEY_ATTRIBUTE, NAME, PATH, SEPARATOR, SOURCE, TABLE_NAME,
    TEMPLATE,
};
use super::{ENTRIES_MAX, Format, Key, Kind, Presence, Record, Word};

/// A whole rule file.
pub(super) static FILE: Record = Record {
    what: "a rule file",
    doc: "The relationships between the items of DynamoDB tables, and what is done when they break.",
    keys: &[
        required("version", Kind::Version, "The version of this language: 1."),
        required(
            "tables",
            named(&Kind::Record(&TABLE)),
            "The tables, each under a name of your choice.",
        ),
        required(
            "entities",
            named(&Kind::Record(&ENTITY)),
            "The kinds of item, told apart by their keys.",
        ),
        optional(
            "references",
            named(&Kind::Record(&REFERENCE)),
            "The foreign keys, declared on the side that refers.",
        ),
        optional(
            "mirrors",
            named(&Kind::Record(&MIRROR)),
            "The derived copies that Referee keeps.",
        ),
    ],
};

const TABLE: Record = Record {
    what: "a table",
    doc: "A table that the rules watch or read.",
    keys: &[
        optional(
            "name",
            Kind::Text(&TABLE_NAME),
            "The table's name in DynamoDB, where `${VAR}` and `${VAR:-default}` stand for environment variables; the name it has here if absent.",
        ),
        required(
            "key",
            Kind::List { of: &Kind::Text(&KEY_ATTRIBUTE), count_min: 1, count_max: 2 },
            "The partition key, then the sort key if the table has one; `id:N` and `id:B` for keys that are numbers or binaries.",
        ),
        default(
            "separator",
            Kind::Text(&SEPARATOR),
            "\"#\"",
            "The character that ends a capture in key templates.",
        ),
    ],
};

const ENTITY: Record = Record {
    what: "an entity",
    doc: "A kind of item.",
    keys: &[
        required("table", Kind::Text(&NAME), "The table whose items these are."),
        required(
            "key",
            map(&ATTRIBUTE, &Kind::Text(&TEMPLATE), 2),
            "A template for each of the table's key attributes: `{name}` captures up to the separator, `{name*}` to the end.",
        ),
        optional(
            "attributes",
            map(&PATH, &Kind::Choice(TYPES), ENTRIES_MAX),
            "The attributes that rules use, by path, with their DynamoDB types.",
        ),
        optional(
            "where",
            map(&PATH, &Kind::Literal, ENTRIES_MAX),
            "What an item of this kind holds, where its key does not tell it from others: a value for each path. A mirror is written with what its entity asks for.",
        ),
    ],
};

const REFERENCE: Record = Record {
    what: "a reference",
    doc: "A foreign key.",
    keys: &[
        required("from", Kind::Text(&NAME), "The entity that refers."),
        required("to", Kind::Text(&NAME), "The entity that is referred to."),
        optional(
            "on",
            map(&CAPTURE, &Kind::Text(&SOURCE), ENTRIES_MAX),
            "Where the value of each capture of the referenced key comes from: \"{capture}\", \"{attribute}\", \"{path.to.value}\", or \"{attribute[*]}\" for each element of a list or set. Captures that are left out come from captures of the same name.",
        ),
        default(
            "match",
            Kind::Choice(MATCHING),
            "\"simple\"",
            "What a composite reference with some parts missing means.",
        ),
        default("required", Kind::Flag, "false", "Whether a missing reference is a violation."),
        default(
            "on_missing",
            Kind::Choice(ON_MISSING),
            "\"report\"",
            "What is done when the referencing item was written and the referenced one does not exist.",
        ),
        default(
            "on_delete",
            Kind::Choice(ON_DELETE),
            "\"report\"",
            "What is done when the referenced item was deleted while others refer to it.",
        ),
        optional(
            "on_ttl_delete",
            Kind::Choice(ON_DELETE),
            "The same, for a delete made by TTL; as `on_delete` if absent.",
        ),
        optional(
            "default",
            Kind::Either(&[Kind::Literal, map(&CAPTURE, &Kind::Literal, ENTRIES_MAX)]),
            "The value for `set_default`: one value, or one for each capture. Its target must exist.",
        ),
        optional(
            "find",
            Kind::Either(&[
                Kind::Choice(FIND),
                Kind::Record(&FIND_INDEX),
                Kind::Record(&FIND_MIRROR),
            ]),
            "How the referencing items of a deleted target are found; derived if the referenced key fixes their partition key.",
        ),
        default(
            "grace",
            Kind::Text(&DURATION),
            "\"2s\"",
            "How long a dangling reference may last before it counts, like a deferred constraint.",
        ),
        default("mode", Kind::Choice(MODES), "\"enforce\"", "What the rule does."),
        default("severity", Kind::Choice(SEVERITIES), "\"error\"", "How much a violation weighs."),
        default(
            "max_fanout",
            Kind::Count,
            "10000",
            "How many items one delete may touch before it stops and alarms.",
        ),
        default(
            "max_depth",
            Kind::Count,
            "15",
            "How many levels deep a cascade from items to others of the same kind may go.",
        ),
    ],
};

const FIND_INDEX: Record = Record {
    what: "a look-up by index",
    doc: "The referencing items are found through a global secondary index.",
    keys: &[
        required("index", Kind::Text(&ATTRIBUTE), "The name of the index."),
        required(
            "key",
            map(&KEY_ATTRIBUTE, &Kind::Text(&TEMPLATE), 2),
            "The index's partition key, then its sort key if it is known: a template for each, of the captures of the referenced key; `id:N` and `id:B` for attributes that are numbers or binaries.",
        ),
    ],
};

const FIND_MIRROR: Record = Record {
    what: "a look-up by mirror",
    doc: "The referencing items are found through their mirrors.",
    keys: &[required(
        "mirror",
        Kind::Text(&NAME),
        "The mirror rule whose source is the referencing entity.",
    )],
};

const MIRROR: Record = Record {
    what: "a mirror",
    doc: "A derived copy of each item of an entity, at another key.",
    keys: &[
        required("source", Kind::Text(&NAME), "The entity that the application writes."),
        required(
            "mirror",
            Kind::Text(&NAME),
            "The entity that Referee writes; its key has the same captures.",
        ),
        default(
            "copy",
            Kind::Either(&[
                Kind::Choice(COPY),
                Kind::List { of: &Kind::Text(&ATTRIBUTE), count_min: 1, count_max: ENTRIES_MAX },
            ]),
            "\"all\"",
            "The attributes copied: a list of names, `all` or `none`. Removal of an attribute is copied too.",
        ),
        default(
            "on_mirror_delete",
            Kind::Choice(ON_MIRROR_DELETE),
            "\"restore\"",
            "What is done when someone else deleted a mirror.",
        ),
        default(
            "on_mirror_edit",
            Kind::Choice(ON_MIRROR_EDIT),
            "\"overwrite\"",
            "What is done when someone else changed or created a mirror.",
        ),
        default(
            "adopt",
            Kind::Flag,
            "false",
            "Whether an item that Referee did not write may be overwritten at a mirror's key.",
        ),
        default("mode", Kind::Choice(MODES), "\"enforce\"", "What the rule does."),
        default("severity", Kind::Choice(SEVERITIES), "\"error\"", "How much a violation weighs."),
    ],
};

const TYPES: &[Word] = &[
    word("S", "string", &["string", "str", "text", "varchar"]),
    word("N", "number", &["number", "int", "integer", "num", "float", "decimal"]),
    word("B", "binary", &["binary", "bytes", "blob"]),
    word("BOOL", "boolean", &["bool", "boolean"]),
    word("SS", "set of strings", &["stringset", "string_set", "set<string>", "set"]),
    word("NS", "set of numbers", &["numberset", "number_set", "set<number>"]),
    word("BS", "set of binaries", &["binaryset", "binary_set"]),
    word("L", "list", &["list", "array"]),
    word("M", "map", &["map", "object", "document"]),
];

const MATCHING: &[Word] = &[
    word("simple", "it is not checked", &["partial"]),
    word("full", "all parts are there, or none", &["all"]),
];

const REPORT: Word = word("report", "it is reported", &["no_action", "no action", "warn", "alarm"]);
const UNSET: Word = word(
    "unset",
    "the attributes of the reference are removed",
    &["set_null", "set null", "nullify", "null"],
);
const SET_DEFAULT: Word =
    word("set_default", "the reference is set to `default`", &["set default", "default"]);

const ON_MISSING: &[Word] = &[
    REPORT,
    word("delete", "the referencing item is deleted", &["cascade", "remove"]),
    UNSET,
    SET_DEFAULT,
    word(
        "revert",
        "what was written is undone: an update goes back to the image before, an insert is deleted",
        &["restore", "undo", "rollback", "roll_back"],
    ),
];

const ON_DELETE: &[Word] = &[
    REPORT,
    word("cascade", "the referencing items are deleted", &["delete", "remove"]),
    UNSET,
    SET_DEFAULT,
    word("restore", "the referenced item is written again", &["recreate", "undo", "prevent"]),
    word("ignore", "nothing", &["none", "nothing", "off"]),
];

const FIND: &[Word] = &[word("none", "they are not found", &["off", "never", "false"])];

const MODES: &[Word] = &[
    word("off", "the rule is not evaluated", &["disabled", "none"]),
    word(
        "observe",
        "violations are reported, with what would be done about them",
        &["dry_run", "dry-run", "shadow", "report"],
    ),
    word("enforce", "violations are reported, and the rule's writes are made", &["on", "enabled"]),
];

const SEVERITIES: &[Word] = &[
    word("error", "it counts as a violation", &["high", "critical"]),
    word(
        "warn",
        "it counts as a warning, and is no reason for exit code 1",
        &["warning", "low", "info"],
    ),
];

const COPY: &[Word] = &[
    word("all", "all attributes", &["*", "everything"]),
    word("none", "no attributes: the mirror has its key alone", &["keys", "keys_only", "nothing"]),
];

const ON_MIRROR_DELETE: &[Word] = &[
    word("restore", "it is written again", &["recreate", "undo"]),
    word("delete_source", "its source is deleted", &["delete", "cascade"]),
    REPORT,
];

const ON_MIRROR_EDIT: &[Word] =
    &[word("overwrite", "it is written again as its source says", &["restore", "revert"]), REPORT];

const fn word(text: &'static str, doc: &'static str, others: &'static [&'static str]) -> Word {
    Word { text, doc, others }
}

const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, presence: Presence::Required, doc }
}

const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, presence: Presence::Optional, doc }
}

const fn default(name: &'static str, kind: Kind, value: &'static str, doc: &'static str) -> Key {
    Key { name, kind, presence: Presence::Default(value), doc }
}

/// A map from names of the author's choosing.
const fn named(values: &'static Kind) -> Kind {
    map(&NAME, values, ENTRIES_MAX)
}

const fn map(keys: &'static Format, values: &'static Kind, count_max: usize) -> Kind {
    Kind::Map { keys, values, count_max }
}
