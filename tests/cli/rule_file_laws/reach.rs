//! How much of the language the drawn files have in them: all of it.

use std::collections::BTreeSet;

use fastrand::Rng;
use referee::rules;
use serde_json::Value as Json;

use crate::rule_file_laws::drawn;
use crate::rule_file_laws::printed;
use crate::rule_file_laws::tape::Tape;

/// How many files it takes.
const FILES: u64 = 1_000;

#[test]
fn every_key_and_every_word_of_the_language_is_drawn() {
    let mut known = BTreeSet::new();
    words_of_schema(&rules::schema(), "", &mut known);
    let mut drawn = BTreeSet::new();
    for seed in 0..FILES {
        let mut rng = Rng::with_seed(seed);
        let mut tape = || Tape::new((0..300).map(|_| rng.u16(..)).collect());
        let rules = drawn::rules(&mut tape());
        let ways = &mut tape();
        let text = printed::tree(&rules, ways).json(ways);
        words_of_file(&serde_json::from_str(&text).unwrap(), "", &known, &mut drawn);
    }
    let missing: Vec<_> = known.difference(&drawn).collect();
    assert!(missing.is_empty() && known.len() > 60, "never drawn: {missing:#?}");
}

/// The keys and words that the schema has, each with the keys that lead to it.
fn words_of_schema(schema: &Json, at: &str, words: &mut BTreeSet<String>) {
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        words.insert(format!("{at}/{name}"));
        words_of_schema(inner, &format!("{at}/{name}"), words);
    }
    for inner in schema["anyOf"].as_array().into_iter().flatten() {
        words_of_schema(inner, at, words);
    }
    let any = [&schema["additionalProperties"], &schema["items"]];
    for inner in any.into_iter().filter(|inner| inner.is_object()) {
        words_of_schema(inner, &format!("{at}/*"), words);
    }
    let choices = schema["enum"].as_array().into_iter().flatten();
    words.extend(choices.map(|word| format!("{at} = {word}")));
}

/// The same of a file.
fn words_of_file(value: &Json, at: &str, known: &BTreeSet<String>, words: &mut BTreeSet<String>) {
    words.insert(at.to_owned());
    if let Some(word) = value.as_str() {
        words.insert(format!("{at} = {word:?}"));
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let own = format!("{at}/{name}");
        // What is no key of the language is a name of the author's choice.
        let at = if known.contains(&own) { own } else { format!("{at}/*") };
        words_of_file(inner, &at, known, words);
    }
    for inner in value.as_array().into_iter().flatten() {
        words_of_file(inner, &format!("{at}/*"), known, words);
    }
}
