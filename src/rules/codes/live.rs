//! Codes for differences between the rule file and real tables. `referee check --live` finds them.

use super::code::Code;

/// A rule file without tables, which cannot differ from real tables.
const NO_TABLES: &str = r"version: 1
tables: {}
entities: {}
";

/// The table does not exist.
pub static TABLE_MISSING: Code = Code {
    id: "E080",
    summary: "a table that does not exist",
    explanation: "\
`referee check --live` found no table with this name. Either the table has another `name`, or the \
account, the Region or the endpoint is not the intended one.",
    wrong: None,
    right: NO_TABLES,
};

/// The table's key differs from the rule file.
pub static TABLE_KEY: Code = Code {
    id: "E081",
    summary: "a table with another key",
    explanation: "\
The table's key attributes or their types differ from those in the rule file, so every read and \
write by these rules would fail. A table's key cannot be changed: correct the rule file.",
    wrong: None,
    right: NO_TABLES,
};

/// The table or index cannot be used.
pub static NOT_READY: Code = Code {
    id: "E082",
    summary: "a table or index that is not ready",
    explanation: "\
The table or index cannot be read now: it is being created or deleted, or its encryption key is \
not accessible. An index that is being created does not contain all items yet.",
    wrong: None,
    right: NO_TABLES,
};

/// The table does not have the required stream.
pub static STREAM: Code = Code {
    id: "E083",
    summary: "a table without the required stream",
    explanation: "\
The rules must see the changes of this table, but it has no stream, or its stream records do not \
contain both images of an item. To change the view type of a stream, disable the stream and \
enable it again with `NEW_AND_OLD_IMAGES`.",
    wrong: None,
    right: NO_TABLES,
};

/// The index does not exist.
pub static INDEX_MISSING: Code = Code {
    id: "E084",
    summary: "an index that does not exist",
    explanation: "\
A reference's `find` names a global secondary index that the table does not have. The index may \
project any attributes, because Referee reads an item from the table before it acts on it.",
    wrong: None,
    right: NO_TABLES,
};

/// The index's key differs from the rule file.
pub static INDEX_OTHER_KEY: Code = Code {
    id: "E085",
    summary: "an index with another key",
    explanation: "\
The index's key attributes or their types differ from those in the rule file. A rule may omit the \
index's sort key, but nothing else. An index whose partition key or sort key consists of several \
attributes cannot be used.",
    wrong: None,
    right: NO_TABLES,
};
