//! Commands in messages and in the documentation use options that exist.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::documents::{DOCUMENTS, read};
use super::structure::sources;
use super::verbs::referee;

#[test]
fn commands_in_messages_and_documents_have_these_options() {
    let mut files: Vec<String> = DOCUMENTS.map(str::to_owned).into();
    sources("src", &mut files);
    let mut tool = Tool::default();
    let mut checked = 0;
    for file in files {
        let text = joined(&read(&file));
        for command in commands(&text) {
            let Some(known) = tool.options(&command) else { continue };
            for option in command.iter().filter(|word| word.starts_with("--")) {
                assert!(known.contains(*option), "{file}: `referee {}`", command.join(" "));
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "{checked}");
}

/// The text without the line breaks within literals of Rust.
fn joined(text: &str) -> String {
    let mut lines = text.split("\\\n");
    let first = lines.next().unwrap().to_owned();
    lines.fold(first, |text, line| text + line.trim_start())
}

/// The words after `referee` in each command, without what follows a command in a shell.
fn commands(text: &str) -> Vec<Vec<&str>> {
    let starts = text.match_indices("referee ");
    let starts = starts.filter(|(start, _)| text[..*start].ends_with(['`', '\n', '"', ' ']));
    let command = |(start, name): (usize, &str)| {
        let rest = &text[start + name.len()..];
        let end = rest.find(['`', '\n', '|', '&', '#', '"', ';', '>']).unwrap_or(rest.len());
        let is_option = |char: char| char.is_ascii_lowercase() || char == '-';
        let word = |word: &'_ str| word.find(|char| !is_option(char)).unwrap_or(word.len());
        let words = rest[..end].split_whitespace().map(|it| it.trim_start_matches(['[', '(']));
        words.map(|it| &it[..word(it)]).collect()
    };
    starts.map(command).collect()
}

/// The options of each command, as its help lists them.
#[derive(Default)]
struct Tool {
    options: BTreeMap<String, Option<BTreeSet<String>>>,
}

impl Tool {
    /// The options of a command line; `None` if it does not begin with a command.
    fn options(&mut self, command: &[&str]) -> Option<BTreeSet<String>> {
        let is_name = |word: &&&str| word.starts_with(|char: char| char.is_ascii_lowercase());
        let names: Vec<&str> = command.iter().take_while(is_name).copied().collect();
        // `diagram er` is a command, and `er` is an argument of nothing else.
        [2, 1].into_iter().find_map(|count| self.of(names.get(..count)?))
    }

    fn of(&mut self, names: &[&str]) -> Option<BTreeSet<String>> {
        let options = self.options.entry(names.join(" ")).or_insert_with(|| {
            let arguments = [names, &["--help"]].concat();
            let output = referee(Path::new("."), &arguments).output().unwrap();
            let help = String::from_utf8(output.stdout).unwrap();
            let words = help.split(|char: char| !char.is_ascii_lowercase() && char != '-');
            let options = words.filter(|word| word.starts_with("--")).map(str::to_owned);
            output.status.success().then(|| options.collect())
        });
        options.clone()
    }
}
