//! Dialects: languages whose literals resemble JSON.

use super::tree::Node;

/// The maximum length of a line.
const WIDTH_MAX: usize = 100;

/// The syntax of values in a language.
pub(super) struct Dialect {
    pub(super) indent: &'static str,
    /// The space inside the braces of a map on one line.
    pad: &'static str,
    /// Whether the last element on its own line ends with a comma.
    ends_with_comma: bool,
    flags: [&'static str; 2],
    key: fn(&str) -> String,
    bytes: fn(&str) -> String,
}

pub(super) const JSON: Dialect = Dialect {
    indent: "  ",
    pad: " ",
    ends_with_comma: false,
    flags: ["false", "true"],
    key: quoted,
    bytes: quoted,
};

pub(super) const JAVASCRIPT: Dialect = Dialect {
    indent: "  ",
    pad: " ",
    ends_with_comma: true,
    flags: ["false", "true"],
    key: |name| if is_identifier(name) { name.to_owned() } else { quoted(name) },
    bytes: |text| format!("Buffer.from({}, \"base64\")", quoted(text)),
};

pub(super) const PYTHON: Dialect = Dialect {
    indent: "    ",
    pad: "",
    ends_with_comma: true,
    flags: ["False", "True"],
    key: quoted,
    bytes: |text| format!("base64.b64decode({})", quoted(text)),
};

impl Dialect {
    /// Formats a value as a complete file.
    pub(super) fn file(&self, node: &Node) -> String {
        self.broken(node, 0) + "\n"
    }

    /// Formats a value on one line.
    pub(super) fn inline(&self, node: &Node) -> String {
        match node {
            Node::Text(text) => quoted(text),
            Node::Bytes(text) => (self.bytes)(text),
            Node::Flag(false) => self.flags[0].to_owned(),
            Node::Flag(true) => self.flags[1].to_owned(),
            Node::List(list) => {
                let elements: Vec<_> = list.iter().map(|node| self.inline(node)).collect();
                format!("[{}]", elements.join(", "))
            }
            Node::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Node::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(name, node)| format!("{}: {}", (self.key)(name), self.inline(node)))
                    .collect();
                format!("{{{0}{1}{0}}}", self.pad, entries.join(", "))
            }
        }
    }

    /// Formats a list or map with each element on its own line. The value starts in this column.
    pub(super) fn broken(&self, node: &Node, column: usize) -> String {
        let inner = column + self.indent.len();
        let (open, lines, close): (_, Vec<String>, _) = match node {
            Node::List(list) if !list.is_empty() => {
                ('[', list.iter().map(|node| self.fitted(node, inner, 0)).collect(), ']')
            }
            Node::Map(entries) if !entries.is_empty() => {
                let line = |(name, node): &(String, Node)| {
                    let key = (self.key)(name);
                    format!("{key}: {}", self.fitted(node, inner, key.chars().count() + 2))
                };
                ('{', entries.iter().map(line).collect(), '}')
            }
            Node::Text(_) | Node::Bytes(_) | Node::Flag(_) | Node::List(_) | Node::Map(_) => {
                return self.inline(node);
            }
        };
        let indent = " ".repeat(inner);
        let last = if self.ends_with_comma { "," } else { "" };
        let lines = lines.join(&format!(",\n{indent}"));
        format!("{open}\n{indent}{lines}{last}\n{}{close}", " ".repeat(column))
    }

    /// Formats a value on one line if it fits after the preceding text, and otherwise on several.
    fn fitted(&self, node: &Node, column: usize, before: usize) -> String {
        let inline = self.inline(node);
        if column + before + inline.chars().count() < WIDTH_MAX {
            return inline;
        }
        self.broken(node, column)
    }
}

/// Formats a string in double quotes. JavaScript and Python accept JSON's escapes.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn is_identifier(name: &str) -> bool {
    name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
}
