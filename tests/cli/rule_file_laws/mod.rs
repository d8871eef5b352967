//! Properties of loading rule files: nothing panics, and the style in which a file is written does
//! not change its meaning.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic fails the test")]

mod contained;
mod derived;
mod drawn;
mod drawn_reference;
mod drawn_tables;
mod printed;
mod reach;
mod read;
mod tape;
mod tree;

use proptest::prelude::*;
use read::Read;
use referee::rules::{self, Level, Loaded, RuleSource, codes};
use tape::{Tape, tapes};

const STARTER: &str = include_str!("../../../src/cli/starter.yaml");
const EVERYTHING: &str = include_str!("../../data/rule_files/everything.yaml");

fn load(text: &str) -> Loaded {
    let source = RuleSource { name: "referee.yaml".to_owned(), text: text.to_owned() };
    let loaded = rules::load(&source, &|name| (name == "STAGE").then(|| "dev".to_owned()));
    for diagnostic in &loaded.diagnostics {
        // Printing a problem must not panic, and every span must be within the text.
        let _ = referee::cli::human(&source, diagnostic, false);
        for label in &diagnostic.labels {
            assert!(label.span.of(text).is_some(), "{diagnostic:?}");
        }
    }
    loaded
}

/// A change to a text: at this position, replace this many characters by this text.
fn edit() -> impl Strategy<Value = (usize, usize, String)> {
    let pieces = prop_oneof![
        Just(String::new()),
        "[-{}\\[\\]:,#\"'*&!|>%@`\\\\ \n\t]{1,3}",
        Just("${".to_owned()),
        Just("é".to_owned()),
        "[a-z]{1,8}",
        "[0-9]{1,3}",
    ];
    (any::<usize>(), 0_usize..12, pieces)
}

fn apply(text: &str, edits: &[(usize, usize, String)]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for (at, length, piece) in edits {
        let start = at % (characters.len() + 1);
        let end = (start + length).min(characters.len());
        characters.splice(start..end, piece.chars());
    }
    characters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(source) = RuleSource::from_bytes("referee.yaml", bytes) {
            load(&source.text);
        }
    }

    #[test]
    fn no_text_causes_a_panic(text in "\\PC{0,200}") {
        load(&text);
    }

    #[test]
    fn no_edit_of_a_valid_file_causes_a_panic(edits in prop::collection::vec(edit(), 1..6)) {
        load(&apply(STARTER, &edits));
    }

    #[test]
    fn no_edit_of_an_invalid_file_causes_a_panic(edits in prop::collection::vec(edit(), 1..6)) {
        load(&apply(EVERYTHING, &edits));
    }

    /// Valid rules, written in any style, are read back unchanged.
    #[test]
    fn printed_rules_are_read_back_unchanged(choices in tapes(), styles in tapes()) {
        let rules = drawn::rules(&mut Tape::new(choices));
        let mut styles = Tape::new(styles);
        let tree = printed::tree(&rules, &mut styles);
        for text in [tree.yaml(&mut styles), tree.json(&mut styles)] {
            let loaded = load(&text);
            let errors = loaded.diagnostics.iter().filter(|it| it.code.level() == Level::Error);
            let errors: Vec<_> = errors.collect();
            prop_assert!(errors.is_empty(), "{text}\n{errors:#?}");
            prop_assert_eq!(loaded.rules.as_ref(), Some(&rules), "{}", text);
        }
    }
}

#[test]
fn a_file_has_the_same_meaning_in_json() {
    let files = codes::ALL.iter().map(|code| codes::complete(code.right));
    for text in files.chain([STARTER.to_owned()]) {
        // In YAML 1.2, `N` is a text.
        let options = serde_saphyr::options! { strict_booleans: true };
        let tree: Read = serde_saphyr::from_str_with_options(&text, options).unwrap();
        let short = serde_json::to_string(&tree).unwrap();
        let long = serde_json::to_string_pretty(&tree).unwrap();
        let rules = load(&text).rules.unwrap();
        assert_eq!(load(&short).rules.as_ref(), Some(&rules), "{short}");
        assert_eq!(load(&long).rules.as_ref(), Some(&rules), "{long}");
    }
}

#[test]
fn files_that_exceed_a_limit_are_rejected() {
    let long = format!("# {}\n", "x".repeat(1 << 20));
    assert_eq!(load(&long).diagnostics[0].code, &codes::LIMIT);
    for deep in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
        assert_eq!(load(&deep).diagnostics[0].code, &codes::LIMIT, "{}", &deep[..4]);
    }
    let aliases = "a: &a [x]\n".to_owned()
        + &(0..20).map(|at| format!("b{at}: &b{at} [*a, *a, *a]\n")).collect::<Vec<_>>().concat();
    assert!(load(&aliases).rules.is_none());
    let bomb = (0..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, at| {
        text + &format!("a{}: &a{} [*a{at}, *a{at}, *a{at}, *a{at}]\n", at + 1, at + 1)
    });
    assert_eq!(load(&bomb).diagnostics[0].code, &codes::LIMIT);
    let captures = (0..33).map(|at| format!("{{c{at}}}#")).collect::<Vec<_>>().concat();
    for (template, expected) in [
        (captures, "the key template has 33 captures; the maximum is 32"),
        ("x".repeat(2049), "the key template has 2049 bytes; the maximum is 2048"),
    ] {
        let text = format!(
            "version: 1\ntables: {{ app: {{ key: [pk] }} }}\nentities:\n  \
             e: {{ table: app, key: {{ pk: \"{template}\" }} }}\n"
        );
        let messages: Vec<_> = load(&text).diagnostics.into_iter().map(|it| it.message).collect();
        assert!(messages.iter().any(|it| it == expected), "{messages:?}");
    }
    let entities = (0..1001).map(|at| format!("  e{at}: {{}}\n")).collect::<Vec<_>>().concat();
    let many = format!("version: 1\ntables: {{}}\nentities:\n{entities}");
    assert!(load(&many).diagnostics.iter().any(|it| it.code == &codes::LIMIT));
}
