//! The words of the rule language: what a key with a choice can say.

use super::grammar::Word;
use crate::rules::model::{
    Expired, Matching, Mode, OnDelete, OnMirrorDelete, OnMirrorEdit, OnMissing, Removal, Severity,
};

pub(super) const TYPES: &[Word] = &[
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

pub(super) const MATCHING: &[Word] = &[
    word(Matching::Simple.name(), "a partial reference is not checked", &["partial"]),
    word(Matching::Full.name(), "a partial reference is a violation", &["all"]),
];

/// The values of `tables` of a reference or a mirror.
pub(crate) const SAME: &str = "same";
pub(crate) const PAIRED: &str = "paired";
pub(crate) const ANY: &str = "any";

const SAME_TABLE: Word =
    word(SAME, "in the table that also holds the other item", &["own", "same_table", "local"]);
const PAIRED_TABLE: Word = word(
    PAIRED,
    "in the table at the same position in the list: the first with the first",
    &["position", "by_position", "pair", "pairs", "matching"],
);

pub(super) const TABLES_OF_REFERENCE: &[Word] = &[
    SAME_TABLE,
    PAIRED_TABLE,
    word(
        ANY,
        "in any of the tables: one item in one of them is enough",
        &["all", "either", "each"],
    ),
];

pub(super) const TABLES_OF_MIRROR: &[Word] = &[SAME_TABLE, PAIRED_TABLE];

pub(super) const EXPIRED: &[Word] = &[
    word(Expired::Present.name(), "it exists until TTL deletes it", &["exists", "keep", "true"]),
    word(
        Expired::Absent.name(),
        "it does not exist from the time in its TTL attribute on",
        &["missing", "deleted", "gone", "false"],
    ),
];

const REPORT: Word =
    word(OnMissing::Report.name(), "report it", &["no_action", "no action", "warn", "alarm"]);
const UNSET: Word = word(
    OnMissing::Unset.name(),
    "remove the attributes of the reference",
    &["set_null", "set null", "nullify", "null"],
);
const SET_DEFAULT: Word = word(
    OnMissing::SetDefault.name(),
    "set the reference to `default`",
    &["set default", "default"],
);

pub(super) const ON_MISSING: &[Word] = &[
    REPORT,
    word(OnMissing::Delete.name(), "delete the referencing item", &["cascade", "remove"]),
    UNSET,
    SET_DEFAULT,
    word(
        OnMissing::Revert.name(),
        "undo the write: an updated item is set back to the image before the update, and an inserted item is deleted",
        &["restore", "undo", "rollback", "roll_back"],
    ),
];

pub(super) const ON_DELETE: &[Word] = &[
    REPORT,
    word(OnDelete::Cascade.name(), "delete the referencing items", &["delete", "remove"]),
    UNSET,
    SET_DEFAULT,
    word(
        OnDelete::Restore.name(),
        "write the referenced item again",
        &["recreate", "undo", "prevent"],
    ),
    word(OnDelete::Ignore.name(), "do nothing", &["none", "nothing", "off"]),
];

pub(super) const REMOVALS: &[Word] = &[
    word(
        Removal::Field.name(),
        "the attributes of the reference in the map",
        &["attribute", "value"],
    ),
    word(
        Removal::Element.name(),
        "the whole map, so that the list gets shorter",
        &["item", "map", "entry"],
    ),
];

pub(super) const FIND: &[Word] = &[word(
    "none",
    "the referencing items are not found, so orphans are not reported",
    &["off", "never", "false"],
)];

pub(super) const MODES: &[Word] = &[
    word(Mode::Off.name(), "the rule is not evaluated", &["disabled", "none"]),
    word(
        Mode::Observe.name(),
        "violations are reported with what would be done about them; nothing is written",
        &["dry_run", "dry-run", "shadow", "report"],
    ),
    word(
        Mode::Enforce.name(),
        "violations are reported, and the rule's writes are made",
        &["on", "enabled"],
    ),
];

pub(super) const SEVERITIES: &[Word] = &[
    word(Severity::Error.name(), "they count as violations", &["high", "critical"]),
    word(
        Severity::Warn.name(),
        "they count as warnings, which do not cause exit code 1",
        &["warning", "low", "info"],
    ),
];

pub(super) const COPY: &[Word] = &[
    word("all", "all attributes", &["*", "everything"]),
    word(
        "none",
        "no attributes of the source: a mirror item has its key, the values that the `where` of its entity requires, and the mark `_referee`",
        &["keys", "keys_only", "nothing"],
    ),
];

pub(super) const ON_MIRROR_DELETE: &[Word] = &[
    word(OnMirrorDelete::Restore.name(), "write the mirror item again", &["recreate", "undo"]),
    word(OnMirrorDelete::DeleteSource.name(), "delete the source item", &["delete", "cascade"]),
    REPORT,
];

pub(super) const ON_MIRROR_EDIT: &[Word] = &[
    word(
        OnMirrorEdit::Overwrite.name(),
        "write the mirror item again, from its source item",
        &["restore", "revert"],
    ),
    REPORT,
];

pub(super) const fn word(
    text: &'static str,
    doc: &'static str,
    synonyms: &'static [&'static str],
) -> Word {
    Word { text, doc, synonyms }
}
