//! Codes for warnings: rules that are allowed, but probably not intended.

use super::code::Code;

/// A table without entities.
pub static UNUSED_TABLE: Code = Code {
    id: "W001",
    summary: "an unused table",
    explanation: "\
The table has no entities, so no rule looks at its items.",
    wrong: Some(
        r"tables:
  app: { key: [pk, sk] }
entities: {}
",
    ),
    right: r"tables: {}
entities: {}
",
};

/// An entity that no rule uses.
pub static UNUSED_ENTITY: Code = Code {
    id: "W002",
    summary: "an unused entity",
    explanation: "\
No reference or mirror uses this entity. If you declared it only to distinguish its items from \
those of other entities, ignore this warning.",
    wrong: Some(
        r#"entities:
  company: { table: app, key: { pk: "company#{company}", sk: company } }
  office: { table: app, key: { pk: "company#{company}", sk: office } }
  invoice: { table: app, key: { pk: "invoice#{id}", sk: invoice } }
references:
  office_company: { from: office, to: company }
"#,
    ),
    right: r"references:
  member_company: { from: member, to: company }
",
};

/// A capture and an attribute with the same name.
pub static SHADOWED: Code = Code {
    id: "W003",
    summary: "a capture hides an attribute",
    explanation: "\
The name in braces is both a capture of the referencing item's key and one of its attributes. It \
is read as the capture. Rename the capture if you mean the attribute.",
    wrong: Some(
        r#"entities:
  task: { table: app, key: { pk: "task#{owner}", sk: task }, attributes: { owner: S } }
  user: { table: app, key: { pk: "user#{email}", sk: "user#" } }
references:
  task_owner: { from: task, to: user, on: { email: "{owner}" } }
"#,
    ),
    right: r#"entities:
  task: { table: app, key: { pk: "task#{id}", sk: task }, attributes: { owner: S } }
  user: { table: app, key: { pk: "user#{email}", sk: "user#" } }
references:
  task_owner: { from: task, to: user, on: { email: "{owner}" }, find: none }
"#,
};

/// Orphans are not found.
pub static AUDIT_ONLY: Code = Code {
    id: "W004",
    summary: "orphans are not found",
    explanation: "\
When a referenced item is deleted, its key does not determine the partition key of the items that \
refer to it, and the rule names no index or mirror to find them. Referee does not report these \
orphans. Write `find: none` if this is intended.",
    wrong: Some(
        r"references:
  member_user: { from: member, to: user }
",
    ),
    right: r"references:
  member_user: { from: member, to: user, find: none }
",
};

/// `required` of a reference that is always present.
pub static ALWAYS_PRESENT: Code = Code {
    id: "W005",
    summary: "`required` has no effect",
    explanation: "\
All parts of the reference come from the referencing item's key, so every item has them.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, required: true }
",
    ),
    right: r"references:
  member_company: { from: member, to: company }
",
};

/// A key without effect, or a reference from every item to itself.
pub static NO_EFFECT: Code = Code {
    id: "W006",
    summary: "a key has no effect",
    explanation: "\
The rest of the rule makes the key useless: `adopt` if `on_mirror_edit` is `report`, `default` \
without an action `set_default`, `match` if the reference has only one part or no part can be \
missing, `max_depth` without a cascade between items of the same entity, or `max_fanout` if the \
rule does not look for referencing items. The same code reports a reference from every item to \
itself.",
    wrong: Some(
        r"mirrors:
  membership: { source: member, mirror: member_of, on_mirror_edit: report, adopt: true }
",
    ),
    right: r"mirrors:
  membership: { source: member, mirror: member_of, adopt: true }
",
};

/// A comment that looks like part of a template.
pub static COMMENT: Code = Code {
    id: "W007",
    summary: "a comment that looks like part of a template",
    explanation: "\
In YAML, `#` after a space begins a comment, so the template ends before it. If the rest is part \
of the template, quote it.",
    wrong: Some(
        r"entities:
  user:
    table: app
    key:
      pk: user #{email}
      sk: profile
",
    ),
    right: r#"entities:
  user:
    table: app
    key:
      pk: "user #{email}"
      sk: profile
"#,
};

/// Two captures that are not separated by the table's separator.
pub static SEPARATOR: Code = Code {
    id: "W008",
    summary: "captures without the separator between them",
    explanation: "\
A capture ends at the table's separator. There is other text between these two captures, so the \
first one ends at the first occurrence of that text. A value that contains the text is refused \
when a key is built. Separate the captures by the separator, or ignore this warning if no value \
can contain the text.",
    wrong: Some(
        r#"entities:
  day: { table: app, key: { pk: "{year}-{month}", sk: day } }
"#,
    ),
    right: r#"entities:
  day: { table: app, key: { pk: "{year}#{month}", sk: day } }
"#,
};

/// `restore` of an expired item.
pub static EXPIRED: Code = Code {
    id: "W009",
    summary: "`restore` of an expired item",
    explanation: "\
An item that TTL has deleted is still expired when it is written again, so TTL deletes it again. \
Choose another action for deletes by TTL with `on_ttl_delete`.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, on_delete: restore }
",
    ),
    right: r"references:
  member_company: { from: member, to: company, on_delete: report, on_ttl_delete: ignore }
",
};

/// `${` in a key template.
pub static DOLLAR: Code = Code {
    id: "W012",
    summary: "`${` in a key template",
    explanation: "\
A capture of a key template is written `{company}`. In `${company}`, as JavaScript and OneTable \
write it, the `$` is literal text, so the template matches only keys that contain a `$`. Variables \
of the environment are inserted only in the `name` of a table. If the keys contain a `$`, ignore \
this warning.",
    wrong: Some(
        r#"entities:
  invoice: { table: app, key: { pk: "invoice#${id}", sk: invoice } }
"#,
    ),
    right: r#"entities:
  invoice: { table: app, key: { pk: "invoice#{id}", sk: invoice } }
"#,
};

/// Mirrors appear in an index.
pub static INDEXED_MIRROR: Code = Code {
    id: "W011",
    summary: "mirrors that appear in an index",
    explanation: "\
`referee check --live` found a global secondary index whose key attributes the mirrors copy from \
their sources. So the mirrors appear in the index beside their sources: queries of the index find \
each item twice, and DynamoDB bills the writes of the mirrors to the index too. Declare the \
attributes in the source's `attributes`, and leave them out: `copy: { except: [gsi1pk, gsi1sk] }`. \
If the mirrors should appear in the index, list the attributes to copy.",
    wrong: None,
    right: r#"entities:
  member:
    table: app
    key: { pk: "company#{company}", sk: "user#{email}" }
    attributes: { gsi1pk: S, gsi1sk: S }
  member_of: { table: app, key: { pk: "user#{email}", sk: "company#{company}" } }
mirrors:
  membership: { source: member, mirror: member_of, copy: { except: [gsi1pk, gsi1sk] } }
"#,
};

/// An action changes an attribute of another reference.
pub static SHARED_PART: Code = Code {
    id: "W010",
    summary: "an action on one reference changes another",
    explanation: "\
`unset` removes all attributes of its reference, and `set_default` sets them. In a list or set, \
both change only the elements that refer to the missing item. Another reference of the same item \
uses one of these attributes. That reference would be removed, become partial, or refer to another \
item, although it was valid.",
    wrong: Some(
        r#"entities:
  task:
    table: app
    key: { pk: "task#{id}", sk: task }
    attributes: { team: S, board: S }
  team: { table: app, key: { pk: "team#{team}", sk: team } }
  board: { table: app, key: { pk: "team#{team}", sk: "board#{board}" } }
references:
  task_team: { from: task, to: team, on: { team: "{team}" }, find: none }
  task_board:
    from: task
    to: board
    on: { team: "{team}", board: "{board}" }
    on_missing: unset
    find: none
"#,
    ),
    right: r#"entities:
  task:
    table: app
    key: { pk: "task#{id}", sk: task }
    attributes: { team: S, board_team: S, board: S }
  team: { table: app, key: { pk: "team#{team}", sk: team } }
  board: { table: app, key: { pk: "team#{team}", sk: "board#{board}" } }
references:
  task_team: { from: task, to: team, on: { team: "{team}" }, find: none }
  task_board:
    from: task
    to: board
    on: { team: "{board_team}", board: "{board}" }
    on_missing: unset
    find: none
"#,
};
