//! A picture as SVG.
//!
//! The SVG has no script, no inline style and no link. Its colours are in a style sheet, which adapts
//! to light and dark; a page can embed the drawing and bring that style sheet itself.

mod edge;
mod measure;
mod node;

use std::fmt::Write as _;

use super::layout::{Graph, Link, NodeBox, Placed, Port, Rect, Size, lay_out};
use super::text::{self, escape};
use super::{End, Picture};

use self::measure::{HEADER, Measured, label_size, port};

/// The style sheet of drawings.
pub const STYLE: &str = include_str!("diagram.css");

/// The space around a drawing.
const MARGIN: f64 = 24.0;

/// A picture as a whole file.
#[must_use]
pub fn file(picture: &Picture) -> String {
    let drawn = draw(picture);
    let end = drawn.find('>').map_or(0, |end| end + 1);
    let (opening, rest) = drawn.split_at(end);
    format!("{opening}\n<style>\n{STYLE}</style>{rest}\n")
}

/// A picture as an element without its style sheet.
#[must_use]
pub fn draw(picture: &Picture) -> String {
    let measured: Vec<Measured> = picture.nodes.iter().map(Measured::new).collect();
    let placed = lay_out(&graph(picture, &measured));
    let Size { width, height } = placed.size;
    let (width, height) = (width + 2.0 * MARGIN, height + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"diagram\" role=\"img\" \
         viewBox=\"{} {} {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <title>{}</title>\n\
         <rect class=\"canvas\" x=\"{0}\" y=\"{1}\" width=\"{width}\" height=\"{height}\"/>\n",
        -MARGIN,
        -MARGIN,
        escape(&picture.title),
    );
    draw_groups(&mut svg, picture, &placed);
    for (edge, route) in picture.edges.iter().zip(&placed.edges) {
        edge::draw(&mut svg, picture, edge, route);
    }
    for ((node, measured), rect) in picture.nodes.iter().zip(&measured).zip(&placed.nodes) {
        node::draw(&mut svg, node, measured, rect);
    }
    svg.push_str("</svg>");
    svg
}

/// The boxes and edges, with the sizes that their texts need.
fn graph(picture: &Picture, measured: &[Measured]) -> Graph {
    let end = |end: &End| {
        let row_y = picture.nodes.get(end.node).zip(end.row).map(|(node, row)| port(node, row));
        Port { node: end.node, y: row_y.unwrap_or(HEADER / 2.0) }
    };
    let nodes = picture.nodes.iter().zip(measured);
    Graph {
        nodes: nodes.map(|(node, it)| NodeBox { size: it.size, group: node.group }).collect(),
        edges: picture
            .edges
            .iter()
            .map(|edge| Link {
                from: end(&edge.from),
                to: end(&edge.to),
                label: label_size(&edge.label),
            })
            .collect(),
        groups: picture.groups.len(),
    }
}

fn draw_groups(svg: &mut String, picture: &Picture, placed: &Placed) {
    for (group, frame) in picture.groups.iter().zip(&placed.groups) {
        let Some(Rect { x, y, width, height }) = frame else { continue };
        let title = escape(&text::clip(&group.title, measure::TITLE_MAX));
        let _ = writeln!(
            svg,
            "<g class=\"group\"><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             rx=\"10\"/><text x=\"{}\" y=\"{}\">{title}</text></g>",
            x + 16.0,
            y + 20.0,
        );
    }
}
