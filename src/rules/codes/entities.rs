//! Problems of names, tables, entities and key templates.

use super::Code;

/// A name that nothing declares.
pub static UNDECLARED: Code = Code {
    id: "E020",
    summary: "a name that is not declared",
    explanation: "\
A table, entity or mirror is named that the file does not declare.",
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
The attributes that rules use are declared on their entity with their types, so that a misspelled \
name is found here, and not by the absence of what it should have done. A path is declared whole: \
`address.city_id`.",
    wrong: Some(
        r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsro}" }, find: none }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, find: none }
"#,
};

/// Two rules, or two tables, with one name.
pub static SHARED_NAME: Code = Code {
    id: "E022",
    summary: "one name for two things",
    explanation: "\
References and mirrors share their names, since metrics and logs know a rule by its name alone. And \
two tables of the file cannot be the same table in DynamoDB, or items would be two entities at once \
unseen by the checks.",
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

/// A name that no table can have.
pub static TABLE_NAME: Code = Code {
    id: "E023",
    summary: "not a table's name in DynamoDB",
    explanation: "\
DynamoDB's tables have names of 3 to 255 letters, digits, `_`, `-` and `.` \
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html). \
Without `name`, a table's name is the one it has in the rule file.",
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

/// An environment variable is misspelled or not set.
pub static VARIABLE: Code = Code {
    id: "E024",
    summary: "a variable without a value",
    explanation: "\
`${VAR}` in a table's name stands for an environment variable, which has to be set when the rules \
are read; `${VAR:-default}` says what it is if it is not set or empty.",
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

/// The attribute that Referee keeps for itself.
pub static RESERVED: Code = Code {
    id: "E025",
    summary: "the attribute `_referee` is reserved",
    explanation: "\
Referee marks the items that it writes with the attribute `_referee`: which rule wrote them, and as \
of which change. Rules cannot declare, copy or look at it.",
    wrong: Some(
        r#"entities:
  user: { table: app, key: { pk: "{id}", sk: user }, attributes: { _referee: M } }
"#,
    ),
    right: r#"entities:
  user: { table: app, key: { pk: "{id}", sk: user }, attributes: { status: S } }
"#,
};

/// Two statements about an attribute that cannot both hold.
pub static CONTRADICTION: Code = Code {
    id: "E026",
    summary: "two statements about an attribute contradict each other",
    explanation: "\
An attribute is said to have two types, or a value that is not of its type: a path goes through a \
value that is no map, a key attribute is declared with another type than the table's, a mirror's \
attribute with another type than its source's, or `where` compares with a literal of another type.",
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

/// A template that cannot be read.
pub static TEMPLATE: Code = Code {
    id: "E030",
    summary: "a malformed key template",
    explanation: "\
In a key template, `{name}` captures one or more characters up to the table's separator, and \
`{name*}` captures all the rest, so it stands last. Two captures cannot touch, since nothing would \
tell where the first one ends. A brace that means itself is written twice: `{{` or `}}`.",
    wrong: Some(
        r#"entities:
  user: { table: app, key: { pk: "{kind}{id}", sk: user } }
"#,
    ),
    right: r#"entities:
  user: { table: app, key: { pk: "{kind}#{id}", sk: user } }
"#,
};

/// An entity's key does not name its table's key attributes.
pub static KEY_SHAPE: Code = Code {
    id: "E031",
    summary: "an entity's key is not its table's key",
    explanation: "\
An entity's `key` has a template for each key attribute of its table, and for nothing else.",
    wrong: Some(
        r#"entities:
  user: { table: app, key: { pk: "user#{email}" } }
"#,
    ),
    right: r#"entities:
  user: { table: app, key: { pk: "user#{email}", sk: "user#" } }
"#,
};

/// A template is not possible for its key attribute's type.
pub static KEY_TYPE: Code = Code {
    id: "E032",
    summary: "a template that does not fit its key's type",
    explanation: "\
A key attribute that is a number or a binary has no text to take apart: its template is one capture \
alone, and that capture is a number or a binary wherever it stands.",
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
There are keys that are of both entities, so an item with such a key could not be told to be one or \
the other. Make the templates differ, or say with `where` which attribute tells the items apart: \
both entities name the same attribute, with different values.",
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
