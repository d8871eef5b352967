//! Codes for problems with the file itself and its shape.

use super::code::Code;

/// The file cannot be read.
pub static UNREADABLE: Code = Code {
    id: "E001",
    summary: "the rule file cannot be read",
    explanation: "\
There is no file at this path, or it cannot be opened. The path is `referee.yaml` in the current \
folder, unless `--rules` or `REFEREE_RULES` names another one. `referee init` writes a file to \
start from.",
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
A rule file must be text in UTF-8, but this one contains other bytes. It was probably saved in \
another encoding (UTF-16, Latin-1), or it is not a rule file. Save it as UTF-8.",
    wrong: None,
    right: r"version: 1
tables: {}
entities: {}
",
};

/// The file exceeds a limit.
pub static LIMIT: Code = Code {
    id: "E003",
    summary: "the rule file exceeds a limit",
    explanation: "\
A rule file has at most 1 MiB, at most 32 levels of nesting, and at most 1000 tables, entities, \
references and mirrors each. A table's key has one or two attributes. A file that exceeds these \
limits is probably not a rule file.",
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

/// The file is not valid YAML.
pub static SYNTAX: Code = Code {
    id: "E004",
    summary: "the rule file is not valid YAML",
    explanation: "\
The text cannot be parsed as YAML 1.2 (which includes JSON), so nothing else in it was checked. \
The usual causes are a key template without quotes, because `{` begins a map in YAML; a tab in \
the indentation; a bracket or quote that is not closed; and keys of one map that begin in \
different columns.",
    wrong: Some(
        r"entities:
  company: { table: app, key: { pk: company#{company}, sk: company# } }
",
    ),
    right: r#"entities:
  company: { table: app, key: { pk: "company#{company}", sk: "company#" } }
"#,
};

/// The file is empty.
pub static EMPTY: Code = Code {
    id: "E005",
    summary: "the rule file is empty",
    explanation: "\
The file contains nothing, or only comments. `referee init` writes a file to start from.",
    wrong: Some(
        r"# no rules yet
",
    ),
    right: r"version: 1
tables: {}
entities: {}
",
};

/// An unknown version of the language.
pub static VERSION: Code = Code {
    id: "E006",
    summary: "an unknown version of the rule language",
    explanation: "\
`version` is the version of the rule language, not of your rules. The only version is 1.",
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

/// An unknown key.
pub static UNKNOWN_KEY: Code = Code {
    id: "E010",
    summary: "an unknown key",
    explanation: "\
The map has a key that has no meaning there. It is an error because a misspelled key would \
otherwise be silently ignored. `referee schema` prints a JSON Schema, from which editors complete \
the keys.",
    wrong: Some(
        r"references:
  member_user: { from: member, to: user, onDelete: ignore }
",
    ),
    right: r"references:
  member_user: { from: member, to: user, on_delete: ignore }
",
};

/// A required key is missing.
pub static MISSING_KEY: Code = Code {
    id: "E011",
    summary: "a required key is missing",
    explanation: "\
The map must have this key, because it has no default.",
    wrong: Some(
        r"references:
  member_company: { from: member }
",
    ),
    right: r"references:
  member_company: { from: member, to: company }
",
};

/// A value of the wrong type.
pub static WRONG_TYPE: Code = Code {
    id: "E012",
    summary: "a value of the wrong type",
    explanation: "\
The value has another type than required, such as a list instead of a map, or a number instead of \
a text. Note how YAML reads values without quotes: `{company}` is a map, `2` is a number, and `#` \
after a space begins a comment.",
    wrong: Some(
        r"entities:
  config: { table: app, key: { pk: {name}, sk: config } }
",
    ),
    right: r#"entities:
  config: { table: app, key: { pk: "{name}", sk: config } }
"#,
};

/// A word that the key does not accept.
pub static WORD: Code = Code {
    id: "E013",
    summary: "an unknown word",
    explanation: "\
The key accepts only certain words, and this is not one of them. Some of SQL's words have other \
names here: `SET NULL` is `unset`, and `NO ACTION` is `report`.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, on_delete: cascad }
",
    ),
    right: r"references:
  member_company: { from: member, to: company, on_delete: report }
",
};

/// A value in the wrong format.
pub static FORMAT: Code = Code {
    id: "E014",
    summary: "a value in the wrong format",
    explanation: "\
A duration is a whole number and a unit (`500ms`, `2s`, `1m`), at most ten minutes. A separator \
has 1 to 16 bytes. `max_fanout` is at least 1. A path consists of names separated by dots. A key \
attribute is a name, followed by `:N` or `:B` if it is not a string.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, grace: 2 seconds }
",
    ),
    right: r"references:
  member_company: { from: member, to: company, grace: 2s }
",
};

/// A name that is too long or has invalid characters.
pub static NAME: Code = Code {
    id: "E015",
    summary: "an invalid name",
    explanation: "\
The names of tables, entities and rules appear in metrics, logs and diagrams. A name has at most \
64 letters, digits, `_` and `-`, and begins with a letter or `_`.",
    wrong: Some(
        r"references:
  member's company: { from: member, to: company }
",
    ),
    right: r"references:
  member_company: { from: member, to: company }
",
};

/// A duplicate key or attribute.
pub static DUPLICATE: Code = Code {
    id: "E016",
    summary: "a duplicate",
    explanation: "\
YAML parsers silently keep only one of two equal keys, so the other one would be lost. The same \
applies to an attribute that a list contains twice.",
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
