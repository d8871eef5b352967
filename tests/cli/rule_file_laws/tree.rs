//! The content of a rule file, to be written as JSON or YAML.

use std::fmt::Write as _;

use crate::rule_file_laws::tape::Tape;

/// A value. Maps keep the order in which they are written.
#[derive(Debug, Clone)]
pub(crate) enum Tree {
    Text(String),
    /// A number or a boolean.
    Plain(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(crate) fn number(number: u64) -> Self {
        Self::Plain(number.to_string())
    }

    /// Formats the value as JSON, which is also the flow style of YAML.
    pub(crate) fn json(&self, tape: &mut Tape) -> String {
        let space = tape.pick(&["", " ", "\n  "]);
        let all = |entries: Vec<String>| entries.join(&format!(",{space}"));
        match self {
            Self::Text(text) => json_text(text),
            Self::Plain(plain) => plain.clone(),
            Self::List(list) => {
                format!("[{}]", all(list.iter().map(|it| it.json(tape)).collect()))
            }
            Self::Map(map) => {
                let entry =
                    |(name, it): &(String, Self)| format!("{}: {}", json_text(name), it.json(tape));
                format!("{{{space}{}}}", all(map.iter().map(entry).collect()))
            }
        }
    }

    /// Formats the value as YAML, in a random mixture of styles.
    pub(crate) fn yaml(&self, tape: &mut Tape) -> String {
        let mut text = String::new();
        self.block(0, &mut text, tape);
        text
    }

    /// Writes the value in block style, after its key.
    fn block(&self, indent: usize, text: &mut String, tape: &mut Tape) {
        let margin = " ".repeat(indent);
        match self {
            Self::Map(map) if !map.is_empty() && (indent == 0 || !tape.one_in(4)) => {
                text.push_str(if indent == 0 { "" } else { "\n" });
                for (name, value) in map {
                    if tape.one_in(8) {
                        writeln!(text, "{margin}# a note: \"{{\n").unwrap();
                    }
                    write!(text, "{margin}{}:", scalar(name, tape)).unwrap();
                    value.block(indent + 1 + tape.below(3), text, tape);
                }
            }
            Self::List(list) if !list.is_empty() && tape.flag() => {
                text.push('\n');
                for value in list {
                    writeln!(text, "{margin}- {}", value.flow(tape)).unwrap();
                }
            }
            Self::Text(_) | Self::Plain(_) | Self::List(_) | Self::Map(_) => {
                writeln!(text, " {}{}", self.flow(tape), tape.pick(&["", " # so"])).unwrap();
            }
        }
    }

    /// Formats the value on one line.
    fn flow(&self, tape: &mut Tape) -> String {
        match self {
            Self::Text(text) => scalar(text, tape),
            Self::Plain(plain) => plain.clone(),
            Self::List(list) => {
                let list: Vec<_> = list.iter().map(|value| value.flow(tape)).collect();
                format!("[{}]", list.join(", "))
            }
            Self::Map(map) => {
                let entry = |(name, value): &(String, Self)| {
                    format!("{}: {}", scalar(name, tape), value.flow(tape))
                };
                let map: Vec<_> = map.iter().map(entry).collect();
                format!("{{ {} }}", map.join(", "))
            }
        }
    }
}

fn json_text(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A text: plain if it cannot be read as another value, or in single or double quotes.
fn scalar(text: &str, tape: &mut Tape) -> String {
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|char| char.is_ascii_alphanumeric() || "_-.".contains(char));
    let is_value = ["null", "true", "false"].contains(&text);
    match tape.below(3) {
        0 if is_word && !is_value => text.to_owned(),
        1 => format!("'{}'", text.replace('\'', "''")),
        _ => json_text(text),
    }
}
