//! The most likely mistake in each of the designs in `events/`: its message says what to write.

use std::path::Path;

use kit::transcript::transcript;

use super::documents::read;
use super::verbs::{folder, referee, write};

/// A mistake in the rules of a case: what is written instead of what, and what the message of
/// `check` advises.
struct Mistake {
    case: &'static str,
    right: &'static str,
    wrong: &'static str,
    advice: &'static str,
}

const MISTAKES: [Mistake; 11] = [
    Mistake {
        case: "adjacency-list",
        right: r#"key: { SK: "Bill-{bill}", PK: "Invoice-{invoice}" }"#,
        wrong: r#"key: { PK: "Bill-{bill}", SK: "Invoice-{invoice}" }"#,
        advice: r#"write `SK: "Bill-{bill}"`"#,
    },
    Mistake {
        case: "amplify",
        right: r#"index: usersByUsername, key: { username: "{username}" } }"#,
        wrong: "index: usersByUsername }",
        advice: "`key`: a template for each key attribute of the index",
    },
    Mistake {
        case: "e-commerce",
        right: r#"to: { entity: order, index: GSI1, key: { GSI1PK: "ORDER#{order}", GSI1SK: "ORDER#{order}" } }"#,
        wrong: "to: order",
        advice: r#"`to: { entity: order, index: NAME, key: { GSI1PK: "ORDER#{order}" } }`"#,
    },
    Mistake {
        case: "github",
        right: "to: [user, org]",
        wrong: "to: user | org",
        advice: "write a list: `[user, org]`",
    },
    Mistake {
        case: "lower-case-keys",
        right: r#"on: { email: "{owner}" }"#,
        wrong: r#"on: { owner: "{email}" }"#,
        advice: "the only one is `email`",
    },
    Mistake {
        case: "multi-tenant",
        right: r#"on: { user: "{assignee}" }"#,
        wrong: r#"on: { usr: "{assignee}" }"#,
        advice: "did you mean `user`?",
    },
    Mistake {
        case: "order-lines",
        right: "      \"lines[*].productId\": S\n",
        wrong: "",
        advice: r#"`attributes: { "lines[*].productId": S }`"#,
    },
    Mistake {
        case: "overloaded-index",
        right: r#"pk: "account#{account}""#,
        wrong: r#"pk: "account#${account}""#,
        advice: r#"write "account#{account}""#,
    },
    Mistake {
        case: "polymorphic-comments",
        right: r#"by: "{parentType}""#,
        wrong: "by: parentType",
        advice: r#"write it in braces: "{parentType}""#,
    },
    Mistake {
        case: "soft-delete",
        right: "deleted: { not: true } }",
        wrong: "deleted: false }",
        advice: "if items may lack the attribute, write `deleted: { not: true }`",
    },
    Mistake {
        case: "stages",
        right: "${REFEREE_STAGE_MODE:-observe}",
        wrong: "${REFEREE_STAGE_MODE}",
        advice: "write a default: `${REFEREE_STAGE_MODE:-default}`",
    },
];

#[test]
fn the_message_about_a_likely_mistake_says_what_to_write() {
    let folder = folder("design_mistakes");
    for Mistake { case, right, wrong, advice } in MISTAKES {
        let rules = read(Path::new("events").join(case).join("referee.yaml"));
        assert!(rules.contains(right), "{case}");
        write(&folder, "referee.yaml", &rules.replacen(right, wrong, 1));
        let message = transcript(&mut referee(&folder, &["check"]));
        assert!(message.contains(advice), "{case}: {message}");
    }
}
