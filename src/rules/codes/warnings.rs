//! What is allowed, and probably not meant.

use super::Code;

/// A table without entities.
pub static UNUSED_TABLE: Code = Code {
    id: "W001",
    summary: "a table that nothing uses",
    explanation: "No entity is in this table, so no rule looks at its items.",
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

/// An entity without rules.
pub static UNUSED_ENTITY: Code = Code {
    id: "W002",
    summary: "an entity that nothing uses",
    explanation: "\
No reference and no mirror names this entity. It still tells its items from others; if that is what \
it is for, the warning can be left alone.",
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

/// A capture and an attribute have one name.
pub static SHADOWED: Code = Code {
    id: "W003",
    summary: "a capture hides an attribute",
    explanation: "\
The name in braces is both a capture of the referencing item's key and one of its attributes. It is \
taken for the capture. Rename the capture if the attribute is meant.",
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

/// Orphans are found by the audit alone.
pub static AUDIT_ONLY: Code = Code {
    id: "W004",
    summary: "items left behind are found by the audit only",
    explanation: "\
When a referenced item is deleted, the referenced key does not fix the partition key of the items \
that refer to it, and the rule names no index or mirror to find them by. They are reported by \
`referee audit` only. Say `find: none` if that is meant.",
    wrong: Some(
        r"references:
  member_user: { from: member, to: user }
",
    ),
    right: r"references:
  member_user: { from: member, to: user, find: none }
",
};

/// `required` of what is always there.
pub static ALWAYS_PRESENT: Code = Code {
    id: "W005",
    summary: "`required` has no effect",
    explanation: "\
All parts of the reference come from the referencing item's key, which every item has.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, required: true }
",
    ),
    right: r"references:
  member_company: { from: member, to: company }
",
};

/// Another key that changes nothing.
pub static NO_EFFECT: Code = Code {
    id: "W006",
    summary: "a key has no effect",
    explanation: "\
The key changes nothing together with the rest of the rule: `adopt` where mirrors that others edit \
are only reported, `default` where no action is `set_default`, `match` where the reference has one \
part or no part that could be missing, `max_depth` where no cascade goes from items to others of the \
same entity, `max_fanout` where no items are looked for; or a reference of every item to itself.",
    wrong: Some(
        r"mirrors:
  membership: { source: member, mirror: member_of, on_mirror_edit: report, adopt: true }
",
    ),
    right: r"mirrors:
  membership: { source: member, mirror: member_of, adopt: true }
",
};

/// A template is cut short by a comment.
pub static COMMENT: Code = Code {
    id: "W007",
    summary: "a comment that looks like part of a template",
    explanation: "\
In YAML, `#` after a space begins a comment, so the template ends before it. Quote the template if \
the rest is part of it.",
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

/// Captures without the separator between them.
pub static SEPARATOR: Code = Code {
    id: "W008",
    summary: "captures without the separator between them",
    explanation: "\
A capture ends at the table's separator. Between these two there is other text, and the first one \
ends where that text stands first; a value that has it inside is refused when a key is built. \
Separate the captures with the separator, or leave it if no value can have that text in it.",
    wrong: Some(
        r#"entities:
  day: { table: app, key: { pk: "{year}-{month}", sk: day } }
"#,
    ),
    right: r#"entities:
  day: { table: app, key: { pk: "{year}#{month}", sk: day } }
"#,
};

/// An expired item would be written again.
pub static EXPIRED: Code = Code {
    id: "W009",
    summary: "`restore` of an item that has expired",
    explanation: "\
An item that TTL has deleted is still expired when it is written again, so TTL deletes it again. Say \
with `on_ttl_delete` what is to be done then.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, on_delete: restore }
",
    ),
    right: r"references:
  member_company: { from: member, to: company, on_delete: report, on_ttl_delete: ignore }
",
};

/// `unset` or `set_default` of an attribute that another reference is made of.
pub static SHARED_PART: Code = Code {
    id: "W010",
    summary: "an action on one reference changes another",
    explanation: "\
`unset` removes all the attributes that its reference is made of, and `set_default` sets them; of a \
list or set, the elements that refer. Another reference of the same item is made of one of these attributes too: it is lost, left in part, \
or refers to another item, although nothing was wrong with it.",
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
