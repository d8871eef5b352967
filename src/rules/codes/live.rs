//! Problems of real tables, which are not as the rule file has them. No rule file alone has one.

use super::Code;

/// A rule file with nothing in it that a table could contradict.
const NO_TABLES: &str = r"version: 1
tables: {}
entities: {}
";

/// There is no such table.
pub static TABLE_MISSING: Code = Code {
    id: "E080",
    summary: "a table that is not there",
    explanation: "\
`referee check --live` found no table of this name. Either the table has another `name`, or the \
account, the Region or the endpoint is another one than was meant.",
    wrong: None,
    right: NO_TABLES,
};

/// The table has another key.
pub static TABLE_KEY: Code = Code {
    id: "E081",
    summary: "a table with another key",
    explanation: "\
`referee check --live` found a table whose key attributes, or their types, are not the ones that the \
rule file gives it. No read and no write by these rules could succeed. A table's key cannot be \
changed: correct the rule file.",
    wrong: None,
    right: NO_TABLES,
};

/// The table or index cannot be used.
pub static NOT_READY: Code = Code {
    id: "E082",
    summary: "a table or an index that is not ready",
    explanation: "\
`referee check --live` found a table or an index that cannot be read at this time, since it is being \
made or deleted, or since the key that decrypts it is out of reach. An index that is being made finds \
only a part of the items.",
    wrong: None,
    right: NO_TABLES,
};

/// The table has no stream, or one of another view type.
pub static STREAM: Code = Code {
    id: "E083",
    summary: "a table without the stream that the rules need",
    explanation: "\
`referee check --live` found a table with entities whose changes the rules have to see, and which \
has no stream, or one that does not have both images of each item. The view type of a stream cannot \
be changed: it is turned off, and on again with `NEW_AND_OLD_IMAGES`.",
    wrong: None,
    right: NO_TABLES,
};

/// There is no such global secondary index.
pub static INDEX_MISSING: Code = Code {
    id: "E084",
    summary: "an index that is not there",
    explanation: "\
`referee check --live` found no global secondary index of this name, by which a reference would look \
up its items. What an index projects does not matter: items are read from the table itself before \
anything is done to them.",
    wrong: None,
    right: NO_TABLES,
};

/// The index has another key.
pub static INDEX_OTHER_KEY: Code = Code {
    id: "E085",
    summary: "an index with another key",
    explanation: "\
`referee check --live` found an index whose key attributes, or their types, are not the ones that \
the rule file gives it. A rule may leave out the sort key of an index, and nothing else. Indexes \
whose partition key, or sort key, is made of several attributes cannot be used.",
    wrong: None,
    right: NO_TABLES,
};
