//! Problems of the file itself, and of its shape.

use super::Code;

/// The file cannot be read.
pub static UNREADABLE: Code = Code {
    id: "E001",
    summary: "the rule file cannot be read",
    explanation: "\
There is no file at this path, or it cannot be opened. The path is `referee.yaml` in the current \
folder, unless `--rules` or `REFEREE_RULES` says otherwise. `referee init` writes a file to start \
from.",
    wrong: None,
    right: r"version: 1
tables: {}
entities: {}
",
};

/// The file is not UTF-8.
pub static ENCODING: Code = Code {
    id: "E002",
    summary: "the rule file is not UTF-8",
    explanation: "\
A rule file is text in UTF-8, and this one has bytes that are not. It was probably saved in another \
encoding (UTF-16, Latin-1), or is another file altogether. Save it as UTF-8.",
    wrong: None,
    right: r"version: 1
tables: {}
entities: {}
",
};

/// The file is too large or too deep.
pub static LIMIT: Code = Code {
    id: "E003",
    summary: "the rule file is larger than a rule file can be",
    explanation: "\
A rule file has at most 1 MiB, nests at most 32 levels, and has at most 1000 tables, entities, \
references and mirrors each; a table's key has one or two attributes. What is larger is most likely \
another file.",
    wrong: Some(
        r"tables:
  app: { key: [pk, sk, extra] }
entities: {}
",
    ),
    right: r"tables: {}
entities: {}
",
};

/// The file is no YAML.
pub static SYNTAX: Code = Code {
    id: "E004",
    summary: "the rule file is not YAML",
    explanation: "\
The text cannot be read as YAML 1.2 (or JSON, which is YAML too), so nothing in it could be checked. \
The usual reasons: a key template that is not quoted, since `{` begins a map in YAML; a tab in the \
indentation; a bracket or a quote that is never closed; keys of one map that begin in different \
columns.",
    wrong: Some(
        r"entities:
  company: { table: app, key: { pk: company#{company}, sk: company# } }
",
    ),
    right: r#"entities:
  company: { table: app, key: { pk: "company#{company}", sk: "company#" } }
"#,
};

/// The file has nothing in it.
pub static EMPTY: Code = Code {
    id: "E005",
    summary: "the rule file is empty",
    explanation: "\
The file has nothing in it, or comments alone. `referee init` writes a file to start from.",
    wrong: Some(
        r"# no rules yet
",
    ),
    right: r"version: 1
tables: {}
entities: {}
",
};

/// The language's version is not known.
pub static VERSION: Code = Code {
    id: "E006",
    summary: "an unknown version of the language",
    explanation: "\
`version` is the version of the rule language, not of your rules. There is one version: 1.",
    wrong: Some(
        r"version: 2
tables: {}
entities: {}
",
    ),
    right: r"version: 1
tables: {}
entities: {}
",
};

/// A key is not of the language.
pub static UNKNOWN_KEY: Code = Code {
    id: "E010",
    summary: "an unknown key",
    explanation: "\
The map has a key that means nothing there. A misspelled key would otherwise be a rule that is \
silently not applied. `referee schema` prints a JSON Schema with which editors complete the keys.",
    wrong: Some(
        r"references:
  member_user: { from: member, to: user, onDelete: ignore }
",
    ),
    right: r"references:
  member_user: { from: member, to: user, on_delete: ignore }
",
};

/// A required key is absent.
pub static MISSING_KEY: Code = Code {
    id: "E011",
    summary: "a required key is missing",
    explanation: "\
The map lacks a key that has no default.",
    wrong: Some(
        r"references:
  member_company: { from: member }
",
    ),
    right: r"references:
  member_company: { from: member, to: company }
",
};

/// A value is of another kind than the language asks for.
pub static KIND: Code = Code {
    id: "E012",
    summary: "a value of the wrong kind",
    explanation: "\
The value is, say, a list where a map has to be, or a number where a text has to be. Mind YAML's \
own meanings: `{company}` without quotes is a map, `#` after a space begins a comment, and `2` \
without quotes is a number.",
    wrong: Some(
        r"entities:
  config: { table: app, key: { pk: {name}, sk: config } }
",
    ),
    right: r#"entities:
  config: { table: app, key: { pk: "{name}", sk: config } }
"#,
};

/// A word is none of those that are possible.
pub static WORD: Code = Code {
    id: "E013",
    summary: "an unknown word",
    explanation: "\
The key takes one of a few words, and this is none of them. SQL's words have other names here: \
`SET NULL` is `unset`, `NO ACTION` is `report`.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, on_delete: cascad }
",
    ),
    right: r"references:
  member_company: { from: member, to: company, on_delete: report }
",
};

/// A text or number has not the form that it has to have.
pub static FORM: Code = Code {
    id: "E014",
    summary: "a value that is not written as it has to be",
    explanation: "\
Durations are a whole number and a unit (`500ms`, `2s`, `1m`) of up to ten minutes; a separator is \
one character; `max_fanout` is at least 1; paths have names with dots between them; a key attribute \
is a name, with `:N` or `:B` after it if it is not a string.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, grace: 2 seconds }
",
    ),
    right: r"references:
  member_company: { from: member, to: company, grace: 2s }
",
};

/// A name has characters that names cannot have.
pub static NAME: Code = Code {
    id: "E015",
    summary: "not a name",
    explanation: "\
The names of tables, entities and rules stand in metrics, logs and diagrams. They have up to 64 \
letters, digits, `_` and `-`, and begin with a letter or `_`.",
    wrong: Some(
        r"references:
  member's company: { from: member, to: company }
",
    ),
    right: r"references:
  member_company: { from: member, to: company }
",
};

/// A key is there twice.
pub static DUPLICATE: Code = Code {
    id: "E016",
    summary: "the same thing twice",
    explanation: "\
YAML parsers silently keep one of two equal keys, and the other rule would be lost. The same goes \
for an attribute that a list has twice.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company }
  member_company: { from: member, to: user }
",
    ),
    right: r"references:
  member_company: { from: member, to: company }
  member_user: { from: member, to: user, on_delete: ignore }
",
};
