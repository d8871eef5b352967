//! Problems of references, and of how referencing items are found.

use super::Code;

/// A capture of the referenced key has no source.
pub static UNBOUND: Code = Code {
    id: "E040",
    summary: "a part of the referenced key comes from nowhere",
    explanation: "\
To look at the referenced item, each capture of its key needs a value. Without `on`, it comes from \
the capture of the same name in the referencing item's key; this one has no such capture. Say in \
`on` where the value comes from.",
    wrong: Some(
        r#"entities:
  task: { table: app, key: { pk: "task#{id}", sk: task }, attributes: { owner: S } }
  user: { table: app, key: { pk: "user#{email}", sk: "user#" } }
references:
  task_owner: { from: task, to: user, find: none }
"#,
    ),
    right: r#"entities:
  task: { table: app, key: { pk: "task#{id}", sk: task }, attributes: { owner: S } }
  user: { table: app, key: { pk: "user#{email}", sk: "user#" } }
references:
  task_owner: { from: task, to: user, on: { email: "{owner}" }, find: none }
"#,
};

/// A capture is named that the referenced key has not.
pub static UNKNOWN_CAPTURE: Code = Code {
    id: "E041",
    summary: "not a capture of the referenced key",
    explanation: "\
The keys of `on` and `default`, and the captures in the templates of `find`, are captures of the \
referenced entity's key; this one is not among them.",
    wrong: Some(
        r#"references:
  member_user: { from: member, to: user, on: { mail: "{email}" }, find: none }
"#,
    ),
    right: r#"references:
  member_user: { from: member, to: user, on: { email: "{email}" }, find: none }
"#,
};

/// A source that cannot be read.
pub static SOURCE: Code = Code {
    id: "E042",
    summary: "a malformed source",
    explanation: "\
A source in `on` is one name in braces and nothing else: \"{capture}\", \"{attribute}\", \
\"{path.to.value}\", or \"{attribute[*]}\" for each element of a list or set. The text around a \
value belongs in the referenced entity's key template.",
    wrong: Some(
        r#"references:
  member_sponsor: { from: member, to: user, on: { email: "user#{sponsor}" }, find: none }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, find: none }
"#,
};

/// A value is of another type than what it is compared with.
pub static TYPE_MISMATCH: Code = Code {
    id: "E043",
    summary: "a value of another type than the key asks for",
    explanation: "\
DynamoDB's keys are typed: the string \"42\" and the number 42 are two keys. A capture that is a \
whole key attribute takes exactly that attribute's type; a capture inside a longer text takes \
strings and numbers.",
    wrong: Some(
        r#"references:
  member_note: { from: member, to: user, on: { email: "{note}" }, find: none }
"#,
    ),
    right: r#"references:
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, find: none }
"#,
};

/// Elements are asked of a scalar, of two lists, or not asked of a list.
pub static ELEMENTS: Code = Code {
    id: "E044",
    summary: "`[*]` where there are no elements, or none where there are",
    explanation: "\
\"{tags[*]}\" refers once for each element of the list or set `tags`. An attribute of another type \
has no elements; a list or set without `[*]` is no key; and of one reference only one part can be \
`[*]`.",
    wrong: Some(
        r#"references:
  member_tag: { from: member, to: user, on: { email: "{tags}" }, find: none }
"#,
    ),
    right: r#"references:
  member_tag: { from: member, to: user, on: { email: "{tags[*]}" }, find: none }
"#,
};

/// An action needs the referencing items, and nothing says how to find them.
pub static NO_LOOKUP: Code = Code {
    id: "E050",
    summary: "an action that cannot find its items",
    explanation: "\
When a referenced item is deleted, the action has to find the items that refer to it. The \
referenced key does not fix their partition key, so a query of the table cannot find them. Say with \
`find` which index or mirror can, or use `report` or `ignore`.",
    wrong: Some(
        r"references:
  member_user: { from: member, to: user, on_delete: cascade }
",
    ),
    right: r"references:
  member_user: { from: member, to: user, find: { mirror: membership } }
mirrors:
  membership: { source: member, mirror: member_of }
",
};

/// One index with two keys.
pub static INDEX_KEY: Code = Code {
    id: "E051",
    summary: "an index with two keys",
    explanation: "\
Two rules use the same index of a table and disagree on its key attributes or their types.",
    wrong: Some(
        r#"references:
  member_user: { from: member, to: user, find: { index: by_user, key: { sk: "user#{email}" } } }
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, find: { index: by_user, key: { sponsor: "{email}" } } }
"#,
    ),
    right: r#"references:
  member_user: { from: member, to: user, find: { index: by_user, key: { sk: "user#{email}" } } }
  member_sponsor: { from: member, to: user, on: { email: "{sponsor}" }, find: { index: by_sponsor, key: { sponsor: "{email}" } } }
"#,
};

/// An index cannot have list elements for a key.
pub static INDEX_ELEMENTS: Code = Code {
    id: "E052",
    summary: "an index cannot find list elements",
    explanation: "\
The key attributes of an index are strings, numbers or binaries: the elements of a list or set are \
not indexed. Items that refer by `[*]` are found by the audit; say `find: none`.",
    wrong: Some(
        r#"references:
  member_tag: { from: member, to: user, on: { email: "{tags[*]}" }, find: { index: by_tag, key: { tags: "{email}" } } }
"#,
    ),
    right: r#"references:
  member_tag: { from: member, to: user, on: { email: "{tags[*]}" }, find: none }
"#,
};

/// A mirror cannot find the referencing items.
pub static MIRROR_LOOKUP: Code = Code {
    id: "E053",
    summary: "a mirror that cannot find the referencing items",
    explanation: "\
With `find: { mirror: … }` the referencing items are found through their mirrors. That takes a \
mirror whose source is the referencing entity, and whose partition key the referenced key fixes.",
    wrong: Some(
        r"references:
  member_company: { from: member, to: company, find: { mirror: membership } }
mirrors:
  membership: { source: member, mirror: member_of }
",
    ),
    right: r"references:
  member_user: { from: member, to: user, find: { mirror: membership } }
mirrors:
  membership: { source: member, mirror: member_of }
",
};
