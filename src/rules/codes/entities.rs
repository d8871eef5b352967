//! Codes for problems with names, tables, entities and key templates.

use super::code::Code;

/// A name that is not declared.
pub static UNDECLARED: Code = Code {
    id: "E020",
    summary: "a name that is not declared",
    explanation: "\
The file uses the name of a table, an entity or a mirror that it does not declare.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: compnay }
",
    ),
    right: r"references:
  member_company: { from: member, to: company }
",
};

/// An attribute that its entity does not declare.
pub static UNDECLARED_ATTRIBUTE: Code = Code {
    id: "E021",
    summary: "an attribute that is not declared",
    explanation: "\
Entities declare the attributes that rules use, with their types. Otherwise a misspelled name \
would go unnoticed until a rule fails to act. A path is declared as a whole: `address.city_id`.",
    wrong: Some(
        r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsro}" }, find: none }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, find: none }
"#,
};

/// Two rules or two tables with the same name.
pub static SHARED_NAME: Code = Code {
    id: "E022",
    summary: "the same name twice",
    explanation: "\
A reference and a mirror cannot have the same name, because metrics and logs identify a rule by \
its name. Two tables of the file cannot be the same table in DynamoDB: their entities are not \
compared with each other, so one item could belong to two entities.",
    wrong: Some(
        r"references:
  membership: { from: member, to: company }
mirrors:
  membership: { source: member, mirror: member_of }
",
    ),
    right: r"references:
  member_company: { from: member, to: company }
mirrors:
  membership: { source: member, mirror: member_of }
",
};

/// A name that is not valid for a table in DynamoDB.
pub static TABLE_NAME: Code = Code {
    id: "E023",
    summary: "an invalid table name",
    explanation: "\
A table's name in DynamoDB has 3 to 255 letters, digits, `_`, `-` and `.` \
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html). \
Without `name`, it is the table's name in the rule file.",
    wrong: Some(
        r#"tables:
  app: { name: my table, key: [pk, sk] }
entities:
  user: { table: app, key: { pk: "{id}", sk: user } }
"#,
    ),
    right: r"tables:
  app: { name: my-table, key: [pk, sk] }
entities: {}
",
};

/// An environment variable that is malformed or not set.
pub static VARIABLE: Code = Code {
    id: "E024",
    summary: "a variable without a value",
    explanation: "\
`${VAR}` in a table's name, and in `mode`, `grace` and `severity`, is replaced by an environment \
variable, which must be set when the rules are read. `${VAR:-default}` provides a default for a variable that is not set or is empty.",
    wrong: Some(
        r#"tables:
  app: { name: "${REFEREE_EXAMPLE_TABLE}", key: [pk, sk] }
entities: {}
"#,
    ),
    right: r#"tables:
  app: { name: "${REFEREE_EXAMPLE_TABLE:-app}", key: [pk, sk] }
entities: {}
"#,
};

/// Use of the attribute that Referee reserves.
pub static RESERVED: Code = Code {
    id: "E025",
    summary: "the attribute `_referee` is reserved",
    explanation: "\
Referee marks the items that it writes with the attribute `_referee`, which names the rule and \
the change that caused the write. Rules cannot declare, copy or test it.",
    wrong: Some(
        r#"entities:
  user: { table: app, key: { pk: "{id}", sk: user }, attributes: { _referee: M } }
"#,
    ),
    right: r#"entities:
  user: { table: app, key: { pk: "{id}", sk: user }, attributes: { status: S } }
"#,
};

/// Two contradictory statements about an attribute.
pub static CONTRADICTION: Code = Code {
    id: "E026",
    summary: "contradictory statements about an attribute",
    explanation: "\
The file gives an attribute two types, or a value of another type: a path leads through a value \
that is not a map, a key attribute is declared with another type than the table's, an attribute \
has different types in a mirror and its source, or `where` compares an attribute with a value of \
another type.",
    wrong: Some(
        r#"entities:
  user:
    table: app
    key: { pk: "{id}", sk: user }
    attributes: { address: S, address.city_id: S }
"#,
    ),
    right: r#"entities:
  user:
    table: app
    key: { pk: "{id}", sk: user }
    attributes: { address: M, address.city_id: S }
"#,
};

/// A template that cannot be parsed.
pub static TEMPLATE: Code = Code {
    id: "E030",
    summary: "a malformed key template",
    explanation: "\
In a key template, `{name}` captures one or more characters up to the table's separator. \
`{name*}` captures all the rest, so it must come last. Two captures cannot be adjacent, because \
it would be unclear where the first one ends. A literal brace is written twice: `{{` or `}}`.",
    wrong: Some(
        r#"entities:
  user: { table: app, key: { pk: "{kind}{id}", sk: user } }
"#,
    ),
    right: r#"entities:
  user: { table: app, key: { pk: "{kind}#{id}", sk: user } }
"#,
};

/// An entity's key does not match its table's key.
pub static KEY_SHAPE: Code = Code {
    id: "E031",
    summary: "an entity's key does not match its table's key",
    explanation: "\
An entity's `key` has a template for each key attribute of its table, and no others.",
    wrong: Some(
        r#"entities:
  user: { table: app, key: { pk: "user#{email}" } }
"#,
    ),
    right: r#"entities:
  user: { table: app, key: { pk: "user#{email}", sk: "user#" } }
"#,
};

/// A template that does not fit the type of its key attribute.
pub static KEY_TYPE: Code = Code {
    id: "E032",
    summary: "a template that does not fit the key's type",
    explanation: "\
A key attribute that is a number or a binary contains no text, so its template must be a single \
capture. That capture has the same type everywhere in the key.",
    wrong: Some(
        r#"tables:
  orders: { key: ["id:N"] }
entities:
  order: { table: orders, key: { id: "order#{id}" } }
"#,
    ),
    right: r#"tables:
  orders: { key: ["id:N"] }
entities:
  order: { table: orders, key: { id: "{id}" } }
"#,
};

/// Two entities can have the same key.
pub static OVERLAP: Code = Code {
    id: "E033",
    summary: "two entities share keys",
    explanation: "\
A key can match both entities, so it would be unclear which entity an item belongs to. Make the \
templates differ, or add a `where` to both entities that requires different values of the same \
attribute. If one of the entities stands for several kinds of item, remove it, and list the kinds \
in the rules: `to: [user, team]`.",
    wrong: Some(
        r#"entities:
  user: { table: app, key: { pk: "{id}", sk: profile } }
  team: { table: app, key: { pk: "{id}", sk: profile } }
"#,
    ),
    right: r#"entities:
  user: { table: app, key: { pk: "{id}", sk: profile }, where: { type: User } }
  team: { table: app, key: { pk: "{id}", sk: profile }, where: { type: Team } }
"#,
};

/// A format of a capture that is not possible.
pub static CAPTURE_FORMAT: Code = Code {
    id: "E036",
    summary: "a format that is not possible here",
    explanation: "\
A key must be split into its captures without trying several ways. Before a capture with a format, \
each capture must therefore end at the table's separator or have a fixed width, and the prefix of \
a capture cannot contain the separator. If a capture occurs several times in a key, it has the \
same case everywhere.",
    wrong: Some(
        r#"entities:
  ticket: { table: app, key: { pk: "company#{company}", sk: "{kind}-{no:08}" } }
"#,
    ),
    right: r#"entities:
  ticket: { table: app, key: { pk: "company#{company}", sk: "{kind}#{no:08}" } }
"#,
};

/// Two entities whose tables do not belong together.
pub static TABLES: Code = Code {
    id: "E037",
    summary: "unclear in which table the other item is",
    explanation: "\
An entity with a list of tables is one kind of item in each of them. If a rule leads to such an \
entity, `tables` says in which of the tables the other item is. `same` means the table of the item \
itself, and is the default if both entities have the same tables. `paired` means the table at the \
same position in the list: the first with the first, the second with the second. With `any`, which \
only references have, one item in any of the tables is enough. Mirror items of sources in several \
tables cannot be in one table: two sources with the same key would have the same mirror.",
    wrong: Some(
        r#"tables:
  app_eu: { key: [pk, sk] }
  app_us: { key: [pk, sk] }
  users_eu: { key: [pk, sk] }
  users_us: { key: [pk, sk] }
entities:
  person: { table: [users_eu, users_us], key: { pk: "person#{id}", sk: person } }
  note: { table: [app_eu, app_us], key: { pk: "person#{id}", sk: "note#{note}" } }
references:
  note_person: { from: note, to: person }
"#,
    ),
    right: r#"tables:
  app_eu: { key: [pk, sk] }
  app_us: { key: [pk, sk] }
  users_eu: { key: [pk, sk] }
  users_us: { key: [pk, sk] }
entities:
  person: { table: [users_eu, users_us], key: { pk: "person#{id}", sk: person } }
  note: { table: [app_eu, app_us], key: { pk: "person#{id}", sk: "note#{note}" } }
references:
  note_person: { from: note, to: person, tables: paired }
"#,
};
