//! Problems of referential actions.

use super::Code;

/// `restrict` is asked for.
pub static RESTRICT: Code = Code {
    id: "E060",
    summary: "`restrict` is not possible",
    explanation: "\
A stream is read after the write has committed, so no write can be prevented. `report` tells of it; \
`restore` writes a deleted item again while others refer to it. To prevent a delete, the \
application itself has to check in the transaction that makes it.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, on_delete: restrict }
",
    ),
    right: r"references:
  member_company: { from: member, to: company, on_delete: report }
",
};

/// `unset` or `set_default` of a part of the key.
pub static UNSET_KEY: Code = Code {
    id: "E062",
    summary: "a key attribute cannot be changed",
    explanation: "\
`unset` and `set_default` change the attributes that the reference is made of. The key of an item \
cannot change in DynamoDB, so a reference that comes from the key alone has nothing to change; and \
with `match: full`, a reference that comes in part from the key, or in part from elements of a set, \
would be left partial.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, on_delete: unset }
",
    ),
    right: r"references:
  member_company: { from: member, to: company, on_delete: report }
",
};

/// `unset` of a required reference.
pub static UNSET_REQUIRED: Code = Code {
    id: "E063",
    summary: "`unset` of a required reference",
    explanation: "\
The reference is `required`: without it the item is a violation. `unset` would mend one violation \
with another.",
    wrong: Some(
        r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, required: true, on_missing: unset, find: none }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, required: true, on_missing: report, find: none }
"#,
};

/// `set_default` without a default.
pub static DEFAULT_MISSING: Code = Code {
    id: "E064",
    summary: "`set_default` without a default",
    explanation: "\
`set_default` sets the reference to the value of `default`, which the rule does not have.",
    wrong: Some(
        r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, on_missing: set_default, find: none }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, on_missing: report, find: none }
"#,
};

/// A default that is no value for the reference.
pub static DEFAULT_WRONG: Code = Code {
    id: "E065",
    summary: "a default that does not fit the reference",
    explanation: "\
`default` is one value if one attribute makes the reference, or else a map with a value for each \
capture that comes from an attribute; where elements of a list or set are a part of the reference, \
they alone are set. The values have the attributes' types, are not empty, and \
make a key of the referenced entity: a value with the table's separator in it makes none.",
    wrong: Some(
        r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, on_missing: set_default, default: 42, find: none }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, on_missing: report, find: none }
"#,
};

/// Two actions undo each other.
pub static FIGHT: Code = Code {
    id: "E066",
    summary: "actions that fight",
    explanation: "\
Two rules undo what the other one does, so that what is left in the end would be a matter of chance, \
or that they would go on for ever. They answer the same delete with opposite actions: one writes the \
deleted item again (`restore`), the other changes or deletes the items that refer to it. Or one \
deletes items of an entity (`cascade`, `delete`, `revert`) and another one writes deleted items of \
that entity again. Or both set one attribute to different defaults. Or a rule changes, or writes \
again, the items that a mirror rule writes.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, on_delete: cascade }
  member_owner: { from: member, to: company, on_delete: restore }
",
    ),
    right: r"references:
  member_company: { from: member, to: company, on_delete: report }
",
};

/// Deletes that go round in a circle.
pub static CYCLE: Code = Code {
    id: "E067",
    summary: "a cycle of destructive actions",
    explanation: "\
The deletes of these rules cause one another in a circle, so deleting one item may in the end delete \
everything that is connected to it. Let one of the rules `report` instead.",
    wrong: Some(
        r#"entities:
  team: { table: app, key: { pk: "team#{team}", sk: "team#" } }
  board: { table: app, key: { pk: "team#{team}", sk: "board#" } }
references:
  board_team: { from: board, to: team, on_delete: cascade }
  team_board: { from: team, to: board, on_delete: cascade }
"#,
    ),
    right: r#"entities:
  team: { table: app, key: { pk: "team#{team}", sk: "team#" } }
  board: { table: app, key: { pk: "team#{team}", sk: "board#" } }
references:
  board_team: { from: board, to: team }
  team_board: { from: team, to: board }
"#,
};

/// `unset` or `set_default` of an attribute that makes the item what it is.
pub static UNSET_WHERE: Code = Code {
    id: "E068",
    summary: "an action would make the item another one",
    explanation: "\
The reference is made of an attribute that the entity's `where` asks for. Without it, or with another \
value, the item is none of this entity any more: for the rules it has been deleted.",
    wrong: Some(
        r#"entities:
  admin:
    table: app
    key: { pk: "admin#{id}", sk: admin }
    attributes: { owner: S }
    where: { owner: root }
  user: { table: app, key: { pk: "user#{email}", sk: "user#" } }
references:
  admin_owner: { from: admin, to: user, on: { email: "{owner}" }, on_missing: unset, find: none }
"#,
    ),
    right: r#"entities:
  admin:
    table: app
    key: { pk: "admin#{id}", sk: admin }
    attributes: { owner: S }
    where: { kind: admin }
  user: { table: app, key: { pk: "user#{email}", sk: "user#" } }
references:
  admin_owner: { from: admin, to: user, on: { email: "{owner}" }, on_missing: unset, find: none }
"#,
};
