//! A picture as Mermaid, which GitHub and many editors render.
//!
//! [`er`] prints an entity relationship diagram, and [`flowchart`] any picture.
//! <https://mermaid.js.org/syntax/entityRelationshipDiagram.html>
//! <https://mermaid.js.org/syntax/flowchart.html>

use std::fmt::Write as _;

use super::{Edge, Line, Mark, Node, Picture, Row, Status};

/// The colours of a status: of the frame, and for flowcharts of the text.
const COLORS: [(Status, &str); 3] = [
    (Status::Ok, "stroke:#1a7f4b,stroke-width:2px"),
    (Status::Warning, "stroke:#b37400,stroke-width:2px"),
    (Status::Broken, "stroke:#c2302b,stroke-width:3px"),
];

/// Words that the parser of entity relationship diagrams does not accept as names, in any case.
const RESERVED: [&str; 16] = [
    "one",
    "only",
    "zero",
    "many",
    "to",
    "optionally",
    "class",
    "classdef",
    "style",
    "direction",
    "title",
    "acctitle",
    "accdescr",
    "subgraph",
    "end",
    "erdiagram",
];

/// Names of attributes that the parser takes for the kind of a key, in any case.
const KEY_WORDS: [&str; 3] = ["pk", "fk", "uk"];

/// A picture as an entity relationship diagram. It has no groups.
#[must_use]
pub fn er(picture: &Picture) -> String {
    let mut text = "erDiagram\n".to_owned();
    let names: Vec<String> = picture.nodes.iter().enumerate().map(er_name).collect();
    for (node, name) in picture.nodes.iter().zip(&names) {
        let shown = if *name == node.title {
            String::new()
        } else {
            format!("[\"{}\"]", quoted(&node.title))
        };
        if node.rows.is_empty() {
            let _ = writeln!(text, "    {name}{shown}");
            continue;
        }
        let _ = writeln!(text, "    {name}{shown} {{");
        for row in &node.rows {
            let _ = writeln!(text, "        {}", er_row(row));
        }
        text.push_str("    }\n");
    }
    for edge in &picture.edges {
        let end = |node: usize| names.get(node).map_or("", String::as_str);
        let line = if edge.line == Line::Solid { "--" } else { ".." };
        let _ = writeln!(
            text,
            "    {} {}{line}{} {} : \"{}\"",
            end(edge.from.node),
            left_mark(edge.from.mark),
            right_mark(edge.to.mark),
            end(edge.to.node),
            quoted(&edge.label.join(", ")),
        );
    }
    for (status, colors) in COLORS {
        let of = picture.nodes.iter().zip(&names).filter(|(node, _)| node.status == status);
        let of: Vec<&str> = of.map(|(_, name)| name.as_str()).collect();
        if !of.is_empty() {
            let _ = writeln!(text, "    classDef {} {colors}", status.name());
            let _ = writeln!(text, "    class {} {}", of.join(","), status.name());
        }
    }
    text
}

/// The name of a box in the diagram: its title if the parser accepts that as a name.
fn er_name((index, node): (usize, &Node)) -> String {
    let title = node.title.as_str();
    let is_name = title.starts_with(|first: char| first.is_ascii_alphabetic())
        && title.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    let is_reserved = RESERVED.iter().any(|word| title.eq_ignore_ascii_case(word));
    if is_name && !is_reserved { title.to_owned() } else { format!("n{index}") }
}

/// A row, as `type name key "comment"`. An asterisk marks the attributes of the key.
fn er_row(row: &Row) -> String {
    let word = |text: &str| -> String {
        let characters = text
            .chars()
            .map(|character| if character.is_ascii_alphanumeric() { character } else { '_' });
        let word: String = characters.collect();
        // `tags[*]` becomes `tags`.
        let word = if text.ends_with('_') { word.as_str() } else { word.trim_end_matches('_') };
        let begins = word.starts_with(|first: char| first.is_ascii_alphabetic());
        let is_key_word = KEY_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known));
        if begins && !is_key_word { word.to_owned() } else { format!("a_{word}") }
    };
    let kind = if row.kind.is_empty() { "any" } else { &row.kind };
    let (name, [before, after]) = match row.marker.as_str() {
        "PK" | "SK" if word(&row.name).ends_with(&row.name) => (row.name.clone(), ["*", ""]),
        "PK" | "SK" => (word(&row.name), ["*", ""]),
        "FK" => (word(&row.name), ["", " FK"]),
        _ => (word(&row.name), ["", ""]),
    };
    let mut line = format!("{} {before}{name}{after}", word(kind));
    let path = if name == row.name { "" } else { row.name.as_str() };
    let comment = [path, row.detail.as_str()].into_iter().filter(|part| !part.is_empty());
    let comment = comment.collect::<Vec<_>>().join(" = ");
    if !comment.is_empty() {
        let _ = write!(line, " \"{}\"", quoted(&comment));
    }
    line
}

fn left_mark(mark: Mark) -> &'static str {
    match mark {
        Mark::None | Mark::Arrow | Mark::Many => "}o",
        Mark::One => "||",
        Mark::ZeroOrOne => "|o",
        Mark::OneOrMore => "}|",
    }
}

fn right_mark(mark: Mark) -> &'static str {
    match mark {
        Mark::None | Mark::Arrow | Mark::One => "||",
        Mark::ZeroOrOne => "o|",
        Mark::Many => "o{",
        Mark::OneOrMore => "|{",
    }
}

/// A picture as a flowchart. Rows are lines below the titles.
#[must_use]
pub fn flowchart(picture: &Picture) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (index, group) in picture.groups.iter().enumerate() {
        let own = picture.nodes.iter().enumerate().filter(|(_, node)| node.group == Some(index));
        let own: Vec<_> = own.collect();
        if own.is_empty() {
            continue;
        }
        let _ = writeln!(text, "    subgraph g{index}[\"{}\"]", html(&group.title));
        for (index, node) in own {
            let _ = writeln!(text, "        {}", flow_node(index, node));
        }
        text.push_str("    end\n");
    }
    for (index, node) in picture.nodes.iter().enumerate().filter(|(_, node)| node.group.is_none()) {
        let _ = writeln!(text, "    {}", flow_node(index, node));
    }
    for edge in &picture.edges {
        let _ = writeln!(text, "    {}", flow_edge(edge));
    }
    for (status, colors) in COLORS {
        let of = picture.nodes.iter().enumerate().filter(|(_, node)| node.status == status);
        let of: Vec<String> = of.map(|(index, _)| format!("n{index}")).collect();
        let edges = picture.edges.iter().enumerate().filter(|(_, edge)| edge.status == status);
        let edges: Vec<String> = edges.map(|(index, _)| index.to_string()).collect();
        if !of.is_empty() {
            let _ = writeln!(text, "    classDef {} {colors}", status.name());
            let _ = writeln!(text, "    class {} {}", of.join(","), status.name());
        }
        if !edges.is_empty() {
            let _ = writeln!(text, "    linkStyle {} {colors}", edges.join(","));
        }
    }
    text
}

fn flow_node(index: usize, node: &Node) -> String {
    let mut lines = Vec::new();
    if !node.kind.is_empty() {
        lines.push(html(&node.kind));
    }
    lines.push(format!("<b>{}</b>", html(&node.title)));
    if !node.badge.is_empty() {
        lines.push(html(&node.badge));
    }
    lines.extend(node.rows.iter().map(|row| {
        let behind = if row.detail.is_empty() { &row.kind } else { &row.detail };
        let separator = if behind.is_empty() { "" } else { ": " };
        format!("{}{separator}{}", html(&row.name), html(behind))
    }));
    format!("n{index}[\"{}\"]", lines.join("<br/>"))
}

fn flow_edge(edge: &Edge) -> String {
    let has_arrow = edge.to.mark != Mark::None;
    let line = match (edge.line, has_arrow) {
        (Line::Solid, true) => "-->",
        (Line::Solid, false) => "---",
        (Line::Dashed | Line::Dotted, true) => "-.->",
        (Line::Dashed | Line::Dotted, false) => "-.-",
    };
    let lines = edge.label.iter().map(|line| html(line)).collect::<Vec<_>>();
    let label =
        if lines.is_empty() { String::new() } else { format!("|\"{}\"|", lines.join("<br/>")) };
    format!("n{} {line}{label} n{}", edge.from.node, edge.to.node)
}

/// A text inside double quotes that is shown as it is.
fn quoted(text: &str) -> String {
    let characters = text.chars().map(|character| match character {
        '"' => '\'',
        '\\' => '/',
        '%' => '％',
        _ if character.is_control() => ' ',
        _ => character,
    });
    characters.collect()
}

/// A text inside a label of a flowchart, where `#` begins a character reference.
///
/// <https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters>
fn html(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '"' | '#' | '&' | '<' | '>' | '`' | '\\' | '|' | '*' | '_' | '~' | '%' | ';' => {
                let _ = write!(escaped, "#{};", u32::from(character));
            }
            _ if character.is_control() => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}
