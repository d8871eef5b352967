//! The picture of a system as one that every format prints.

use super::finding::Finding;
use super::picture::{Arrow, Health, PartBox, Picture, Row};
use crate::diagram::{self, Edge, End, Line, Mark, Node, Status};

/// Converts a picture. Only what needs attention has a colour.
#[must_use]
pub fn render(picture: &Picture, findings: &[Finding], title: &str) -> diagram::Picture {
    let position = |id: &str| picture.parts.iter().position(|part| part.id == id);
    let edges = picture.arrows.iter().enumerate().filter_map(|(index, arrow)| {
        let (from, to) = (position(&arrow.from)?, position(&arrow.to)?);
        Some(edge(index, arrow, from, to))
    });
    diagram::Picture {
        title: title.to_owned(),
        groups: Vec::new(),
        nodes: picture.parts.iter().map(|part| node(part, findings)).collect(),
        edges: edges.collect(),
    }
}

/// The maximum number of rows of a box in a condensed picture.
const ROWS_MAX: usize = 9;

/// Shortens long boxes to the rows that need attention and the first others, for formats in which
/// a box cannot be read beside the picture.
#[must_use]
pub fn condensed(mut picture: diagram::Picture) -> diagram::Picture {
    for node in picture.nodes.iter_mut().filter(|node| node.rows.len() > ROWS_MAX) {
        let is_flagged = |row: &diagram::Row| row.status > Status::Plain;
        let flagged = node.rows.iter().filter(|row| is_flagged(row)).count();
        let mut others = ROWS_MAX.saturating_sub(flagged + 1);
        let before = node.rows.len();
        node.rows.retain(|row| {
            let is_kept = is_flagged(row) || others > 0;
            others = others.saturating_sub(usize::from(!is_flagged(row)));
            is_kept
        });
        let hidden = before - node.rows.len();
        if hidden > 0 {
            let name = format!("and {hidden} more");
            node.rows.push(diagram::Row { name, ..diagram::Row::default() });
        }
    }
    picture
}

fn node(part: &PartBox, findings: &[Finding]) -> Node {
    let own = findings.iter().filter(|finding| finding.subject == part.id);
    let notes = own.map(|finding| format!("{}\nhelp: {}", finding.message, finding.help));
    let notes: Vec<String> = notes.collect();
    Node {
        id: part.id.clone(),
        group: None,
        kind: part.kind.title().to_owned(),
        title: part.name.clone(),
        rows: part.rows.iter().map(row).collect(),
        status: status(part.health),
        badge: badge(part.health).to_owned(),
        note: notes.join("\n"),
    }
}

fn row(row: &Row) -> diagram::Row {
    let detail = match &row.terraform {
        Some(planned) => format!("{} (Terraform: {planned})", row.value),
        None => row.value.clone(),
    };
    diagram::Row {
        marker: marker(row.health).to_owned(),
        name: row.label.clone(),
        detail,
        status: status(row.health),
        ..diagram::Row::default()
    }
}

fn edge(index: usize, arrow: &Arrow, from: usize, to: usize) -> Edge {
    let end = |node, mark| End { node, row: None, mark };
    let line = match arrow.health {
        Health::Broken | Health::Unknown => Line::Dashed,
        Health::Ok | Health::Warning | Health::Difference => Line::Solid,
    };
    Edge {
        id: format!("arrow:{}", index + 1),
        from: end(from, Mark::None),
        to: end(to, Mark::Arrow),
        label: vec![arrow.label.clone()],
        line,
        status: status(arrow.health),
        note: String::new(),
    }
}

const fn status(health: Health) -> Status {
    match health {
        Health::Ok | Health::Unknown => Status::Plain,
        Health::Warning | Health::Difference => Status::Warning,
        Health::Broken => Status::Broken,
    }
}

const fn badge(health: Health) -> &'static str {
    match health {
        Health::Ok => "",
        Health::Unknown => "needed",
        Health::Warning => "warning",
        Health::Difference => "differs",
        Health::Broken => "broken",
    }
}

/// A mark that also shows without colour.
const fn marker(health: Health) -> &'static str {
    match health {
        Health::Ok | Health::Unknown => "",
        Health::Warning => "!",
        Health::Difference => "≠",
        Health::Broken => "✗",
    }
}
