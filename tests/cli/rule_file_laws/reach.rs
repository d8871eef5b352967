//! Checks that the random rule files cover the whole language.

use std::collections::BTreeSet;

use fastrand::Rng;
use referee::rules;
use serde_json::Value as Json;

use crate::rule_file_laws::drawn;
use crate::rule_file_laws::printed;
use crate::rule_file_laws::tape::Tape;

/// The number of random files.
const FILES: u64 = 1_000;

#[test]
fn random_files_use_every_key_and_every_word() {
    let mut known = BTreeSet::new();
    words_of_schema(&rules::schema(), "", &mut known);
    let mut drawn = BTreeSet::new();
    for seed in 0..FILES {
        let mut rng = Rng::with_seed(seed);
        let mut tape = || Tape::new((0..300).map(|_| rng.u16(..)).collect());
        let rules = drawn::rules(&mut tape());
        let styles = &mut tape();
        let text = printed::tree(&rules, styles).json(styles);
        words_of_file(&serde_json::from_str(&text).unwrap(), "", &known, &mut drawn);
    }
    let missing: Vec<_> = known.difference(&drawn).collect();
    assert!(missing.is_empty() && known.len() > 60, "never used: {missing:#?}");
}

/// Adds the keys and words of the schema, each with the keys that lead to it.
fn words_of_schema(schema: &Json, path: &str, words: &mut BTreeSet<String>) {
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        words.insert(format!("{path}/{name}"));
        words_of_schema(inner, &format!("{path}/{name}"), words);
    }
    for inner in schema["anyOf"].as_array().into_iter().flatten() {
        words_of_schema(inner, path, words);
    }
    let any = [&schema["additionalProperties"], &schema["items"]];
    for inner in any.into_iter().filter(|inner| inner.is_object()) {
        words_of_schema(inner, &format!("{path}/*"), words);
    }
    let choices = schema["enum"].as_array().into_iter().flatten();
    words.extend(choices.map(|word| format!("{path} = {word}")));
}

/// Adds the keys and words of a file.
fn words_of_file(value: &Json, path: &str, known: &BTreeSet<String>, words: &mut BTreeSet<String>) {
    words.insert(path.to_owned());
    if let Some(word) = value.as_str() {
        words.insert(format!("{path} = {word:?}"));
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let own = format!("{path}/{name}");
        // Anything else is a name chosen by the author.
        let path = if known.contains(&own) { own } else { format!("{path}/*") };
        words_of_file(inner, &path, known, words);
    }
    for inner in value.as_array().into_iter().flatten() {
        words_of_file(inner, &format!("{path}/*"), known, words);
    }
}
