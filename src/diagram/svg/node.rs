//! A box with its title and rows.

use std::fmt::Write as _;

use super::measure::{
    BADGE_HEIGHT, DETAIL_MAX, HEADER, Measured, NAME_MAX, ROW, SIDE, TITLE_MAX, behind,
};
use crate::diagram::layout::Rect;
use crate::diagram::text::{Font, clip, escape};
use crate::diagram::{Node, Row, Status};

/// How round the corners of a box are.
const RADIUS: f64 = 7.0;

pub(super) fn draw(svg: &mut String, node: &Node, measured: &Measured, rect: &Rect) {
    let Rect { x, y, width, height } = *rect;
    let _ = writeln!(
        svg,
        "<g class=\"node {}\" data-id=\"{}\" transform=\"translate({x} {y})\">",
        node.status.name(),
        escape(&node.id),
    );
    let _ = writeln!(svg, "<title>{}</title>", escape(&description(node)));
    let _ = writeln!(
        svg,
        "<rect class=\"body\" width=\"{width}\" height=\"{height}\" rx=\"{RADIUS}\"/>"
    );
    draw_header(svg, node, measured, width);
    for (index, row) in node.rows.iter().enumerate() {
        draw_row(svg, row, measured, super::port(node, index) - ROW / 2.0, width);
    }
    svg.push_str("</g>\n");
}

/// The text that screen readers say and that appears under the pointer.
fn description(node: &Node) -> String {
    let parts = [&node.kind, &node.title, &node.badge, &node.note];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.map(String::as_str).collect::<Vec<_>>().join("; ").replacen("; ", " ", 1)
}

fn draw_header(svg: &mut String, node: &Node, measured: &Measured, width: f64) {
    let bottom = if node.rows.is_empty() { RADIUS } else { 0.0 };
    let _ = writeln!(
        svg,
        "<path class=\"header\" d=\"M0 {RADIUS}a{RADIUS} {RADIUS} 0 0 1 {RADIUS} -{RADIUS}h{inner}\
         a{RADIUS} {RADIUS} 0 0 1 {RADIUS} {RADIUS}v{side}a{bottom} {bottom} 0 0 1 -{bottom} \
         {bottom}h-{base}a{bottom} {bottom} 0 0 1 -{bottom} -{bottom}z\"/>",
        inner = width - 2.0 * RADIUS,
        side = HEADER - RADIUS - bottom,
        base = width - 2.0 * bottom,
    );
    let title_y = if node.kind.is_empty() { 26.0 } else { 32.0 };
    if !node.kind.is_empty() {
        let kind = escape(&clip(&node.kind, TITLE_MAX));
        let _ = writeln!(svg, "<text class=\"kind\" x=\"{SIDE}\" y=\"16\">{kind}</text>");
    }
    let title = escape(&clip(&node.title, TITLE_MAX));
    let _ = writeln!(svg, "<text class=\"title\" x=\"{SIDE}\" y=\"{title_y}\">{title}</text>");
    if measured.badge > 0.0 {
        let left = width - 8.0 - measured.badge;
        let _ = writeln!(
            svg,
            "<g class=\"badge\"><rect x=\"{left}\" y=\"{}\" width=\"{}\" \
             height=\"{BADGE_HEIGHT}\" rx=\"8.5\"/><text x=\"{}\" y=\"25\">{}</text></g>",
            (HEADER - BADGE_HEIGHT) / 2.0,
            measured.badge,
            left + measured.badge / 2.0,
            escape(&clip(&node.badge, TITLE_MAX)),
        );
    }
}

fn draw_row(svg: &mut String, row: &Row, measured: &Measured, top: f64, width: f64) {
    let base = top + 15.0;
    let status = match row.status {
        Status::Plain => String::new(),
        Status::Ok | Status::Warning | Status::Broken => format!(" {}", row.status.name()),
    };
    let _ = write!(svg, "<g class=\"row{status}\" data-name=\"{}\">", escape(&row.name));
    if !row.marker.is_empty() {
        let marker = escape(&row.marker);
        let _ = write!(svg, "<text class=\"marker\" x=\"{SIDE}\" y=\"{base}\">{marker}</text>");
    }
    draw_text(svg, "name", (measured.names_x, base), &row.name, NAME_MAX);
    let (behind, font) = behind(row);
    if !behind.is_empty() {
        let class = if font == Font::Code { "detail code" } else { "detail" };
        draw_text(svg, class, (width - SIDE, base), behind, DETAIL_MAX);
    }
    svg.push_str("</g>\n");
}

/// A text, and the whole of it as its title if it is cut.
fn draw_text(svg: &mut String, class: &str, (x, y): (f64, f64), text: &str, max: usize) {
    let shown = clip(text, max);
    let _ = write!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}", escape(&shown));
    if shown != text {
        let _ = write!(svg, "<title>{}</title>", escape(text));
    }
    svg.push_str("</text>");
}
