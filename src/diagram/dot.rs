//! A picture in the language of Graphviz.
//!
//! <https://graphviz.org/doc/info/lang.html>

use std::fmt::Write as _;

use super::text::escape;
use super::{Edge, End, Line, Mark, Node, Picture, Status};

/// A picture as a directed graph, with a port for each row.
#[must_use]
pub fn dot(picture: &Picture) -> String {
    let mut text = "digraph referee {\n  rankdir=LR\n  fontname=\"Helvetica\"\n  \
        node [shape=plain, fontname=\"Helvetica\", fontsize=12]\n  \
        edge [fontname=\"Helvetica\", fontsize=10, dir=both]\n"
        .to_owned();
    let _ = writeln!(text, "  tooltip={}", quoted(&picture.title));
    for (index, group) in picture.groups.iter().enumerate() {
        let _ = writeln!(text, "  subgraph cluster_{index} {{");
        let _ = writeln!(text, "    label={}\n    style=rounded", quoted(&group.title));
        for (index, node) in numbered(picture, Some(index)) {
            let _ = writeln!(text, "    {}", node_line(index, node));
        }
        text.push_str("  }\n");
    }
    for (index, node) in numbered(picture, None) {
        let _ = writeln!(text, "  {}", node_line(index, node));
    }
    for edge in &picture.edges {
        let _ = writeln!(text, "  {}", edge_line(edge));
    }
    text.push_str("}\n");
    text
}

/// The boxes of a group, or those without a group.
fn numbered(picture: &Picture, group: Option<usize>) -> impl Iterator<Item = (usize, &Node)> {
    picture.nodes.iter().enumerate().filter(move |(_, node)| node.group == group)
}

fn color(status: Status) -> &'static str {
    match status {
        Status::Plain => "#46566a",
        Status::Ok => "#1a7f4b",
        Status::Warning => "#b37400",
        Status::Broken => "#c2302b",
    }
}

fn node_line(index: usize, node: &Node) -> String {
    let color = color(node.status);
    let mut title = format!("<b>{}</b>", escape(&node.title));
    for part in [&node.kind, &node.badge].into_iter().filter(|part| !part.is_empty()) {
        let _ = write!(title, "  <i>{}</i>", escape(part));
    }
    let mut label = format!(
        "<table border=\"1\" color=\"{color}\" cellborder=\"0\" cellspacing=\"0\" \
         cellpadding=\"4\"><tr><td port=\"t\" colspan=\"3\" bgcolor=\"#e8edf4\">{title}</td></tr>"
    );
    for (at, row) in node.rows.iter().enumerate() {
        let behind = if row.detail.is_empty() { &row.kind } else { &row.detail };
        let cells = [&row.marker, &row.name, behind].map(|text| {
            // An empty cell is an error.
            if text.is_empty() { " ".to_owned() } else { escape(text) }
        });
        let [marker, name, behind] = cells;
        let _ = write!(
            label,
            "<tr><td align=\"left\" port=\"l{at}\">{marker}</td><td align=\"left\">{name}</td>\
             <td align=\"right\" port=\"r{at}\">{behind}</td></tr>"
        );
    }
    let tooltip = quoted(if node.note.is_empty() { &node.title } else { &node.note });
    format!("n{index} [tooltip={tooltip}, label=<{label}</table>>]")
}

fn edge_line(edge: &Edge) -> String {
    let port = |end: &End, side: char| match end.row {
        Some(row) => format!("n{}:{side}{row}", end.node),
        None => format!("n{}:t", end.node),
    };
    let style = match edge.line {
        Line::Solid => "solid",
        Line::Dashed => "dashed",
        Line::Dotted => "dotted",
    };
    format!(
        "{} -> {} [label={}, arrowtail={}, arrowhead={}, style={style}, color=\"{}\"]",
        port(&edge.from, 'r'),
        port(&edge.to, 'l'),
        quoted(&edge.label.join("\n")),
        arrow(edge.from.mark),
        arrow(edge.to.mark),
        color(edge.status),
    )
}

fn arrow(mark: Mark) -> &'static str {
    match mark {
        Mark::None => "none",
        Mark::Arrow => "normal",
        Mark::One => "teetee",
        Mark::ZeroOrOne => "teeodot",
        Mark::Many => "crowodot",
        Mark::OneOrMore => "crowtee",
    }
}

/// A string in double quotes.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            _ if character.is_control() => quoted.push(' '),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
