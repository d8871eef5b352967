//! Problems of mirrors.

use super::Code;

/// Source and mirror do not have the same captures.
pub static NOT_INVERSE: Code = Code {
    id: "E070",
    summary: "a mirror that is not the inverse of its source",
    explanation: "\
The keys of a source and its mirror have the same captures, of the same types: from each key the \
other one can be built, so that a mirror can be verified against its source.",
    wrong: Some(
        r"mirrors:
  employment: { source: member, mirror: user }
",
    ),
    right: r"mirrors:
  membership: { source: member, mirror: member_of }
",
};

/// A mirror would be written over its source.
pub static SAME_KEYS: Code = Code {
    id: "E071",
    summary: "a mirror at the keys of its source",
    explanation: "\
There are keys that both the source and its mirror can have, so that a mirror could be written over \
a source.",
    wrong: Some(
        r"mirrors:
  membership: { source: member, mirror: member }
",
    ),
    right: r"mirrors:
  membership: { source: member, mirror: member_of }
",
};

/// Two rules write one entity.
pub static TWO_MIRRORS: Code = Code {
    id: "E072",
    summary: "two rules write the same mirror",
    explanation: "\
Two mirror rules write the same entity. Each would find the other's items and put them right, for \
ever. Give each an entity of its own.",
    wrong: Some(
        r"mirrors:
  membership: { source: member, mirror: member_of }
  affiliation: { source: member, mirror: member_of }
",
    ),
    right: r"mirrors:
  membership: { source: member, mirror: member_of }
",
};

/// A mirror's source is a mirror.
pub static MIRROR_OF_MIRROR: Code = Code {
    id: "E073",
    summary: "a mirror of a mirror",
    explanation: "\
The source of this rule is what another rule writes. Take the first source for the source of both.",
    wrong: Some(
        r#"entities:
  a: { table: app, key: { pk: "a#{x}", sk: a } }
  b: { table: app, key: { pk: "b#{x}", sk: b } }
  c: { table: app, key: { pk: "c#{x}", sk: c } }
mirrors:
  first: { source: a, mirror: b }
  second: { source: b, mirror: c }
"#,
    ),
    right: r#"entities:
  a: { table: app, key: { pk: "a#{x}", sk: a } }
  b: { table: app, key: { pk: "b#{x}", sk: b } }
  c: { table: app, key: { pk: "c#{x}", sk: c } }
mirrors:
  first: { source: a, mirror: b }
  second: { source: a, mirror: c }
"#,
};

/// A key attribute is to be copied.
pub static COPIED_KEY: Code = Code {
    id: "E075",
    summary: "a key attribute cannot be copied",
    explanation: "\
A mirror's key is built from its template; its attributes cannot be copied from the source over it.",
    wrong: Some(
        r"mirrors:
  membership: { source: member, mirror: member_of, copy: [role, sk] }
",
    ),
    right: r"mirrors:
  membership: { source: member, mirror: member_of, copy: [role] }
",
};
