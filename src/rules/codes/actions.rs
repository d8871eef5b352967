//! Codes for problems with referential actions.

use super::code::Code;

/// A rule uses `restrict`.
pub static RESTRICT: Code = Code {
    id: "E060",
    summary: "`restrict` is not possible",
    explanation: "\
Referee sees a write only after it has committed, so it cannot prevent one. `report` reports the \
items that still refer to a deleted item, and `restore` writes the deleted item again. To prevent a \
delete, the application must check for referencing items in the transaction that deletes the item.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, on_delete: restrict }
",
    ),
    right: r"references:
  member_company: { from: member, to: company, on_delete: report }
",
};

/// `unset` or `set_default` would change the key.
pub static UNSET_KEY: Code = Code {
    id: "E062",
    summary: "a key attribute cannot be changed",
    explanation: "\
`unset` and `set_default` change the attributes that the reference consists of. DynamoDB does not \
allow an item's key to change, so nothing can be changed if all parts of the reference come from \
the key. With `match: full`, `unset` is also refused if only some parts can be removed, because \
the rest would be a partial reference.",
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
The reference is `required`, so an item without it is a violation. `unset` would replace one \
violation by another.",
    wrong: Some(
        r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, required: true, on_missing: unset, find: none }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, required: true, on_missing: report, find: none }
"#,
};

/// A list of attributes to remove that does not fit the reference.
pub static UNSET_LIST: Code = Code {
    id: "E069",
    summary: "a list of attributes that does not fit the reference",
    explanation: "\
`unset: […]` lists all attributes that the action `unset` removes, including those of the \
reference itself: without them, the item would still refer to its target. If the reference is an \
element of a list or set, only the element is removed.",
    wrong: Some(
        r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, on_missing: unset, unset: [gs1pk], find: none }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, on_missing: unset, unset: [sponsor, gs1pk], find: none }
"#,
};

/// `set_default` without a default.
pub static DEFAULT_MISSING: Code = Code {
    id: "E064",
    summary: "`set_default` without a default",
    explanation: "\
`set_default` sets the reference to the value of `default`, which this rule does not have.",
    wrong: Some(
        r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, on_missing: set_default, find: none }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, on_missing: report, find: none }
"#,
};

/// A default that does not fit the reference.
pub static DEFAULT_WRONG: Code = Code {
    id: "E065",
    summary: "a default that does not fit the reference",
    explanation: "\
`default` is one value if one attribute makes up the reference. Otherwise it is a map with a \
value for each capture that comes from an attribute; but if a part of the reference is the \
elements of a list or set, only that part has a default. A value must have the type of its \
attribute, must not be empty, and must be a valid part of a key of the referenced entity: it \
cannot contain the table's separator.",
    wrong: Some(
        r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, on_missing: set_default, default: 42, find: none }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, on_missing: report, find: none }
"#,
};

/// Two rules undo each other's changes.
pub static CONFLICT: Code = Code {
    id: "E066",
    summary: "conflicting actions",
    explanation: "\
Two rules undo each other's changes, so the result would depend on timing, or they would never \
stop. There are several such conflicts. (1) When the same item is deleted, one rule restores it \
(`restore`), and the other changes or deletes the items that refer to it. (2) One rule deletes \
items of an entity (`cascade`, `delete`, `revert`), and the other restores them. (3) Two rules \
set the same attribute to different defaults. (4) A reference changes or restores items that a \
mirror rule writes.",
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

/// Rules whose deletes form a cycle.
pub static CYCLE: Code = Code {
    id: "E067",
    summary: "a cycle of destructive actions",
    explanation: "\
The deletes of these rules form a cycle, so deleting one item could delete everything that is \
connected to it. Change one of the actions to `report`.",
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

/// An action would change the item's entity.
pub static UNSET_WHERE: Code = Code {
    id: "E068",
    summary: "an action would change the item's entity",
    explanation: "\
The action changes an attribute that the entity's `where` requires. Afterwards the item would no \
longer belong to this entity, and the rules would treat it as deleted.",
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
