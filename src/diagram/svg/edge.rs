//! An edge with its marks and its label.

use std::fmt::Write as _;

use super::measure::{LABEL_FIRST, LABEL_LINE, LABEL_MAX};
use crate::diagram::layout::{Point, Rect, Route};
use crate::diagram::text::{clip, escape};
use crate::diagram::{Edge, Line, Mark, Picture};

/// The length of the straight part at an end, where the mark is.
const STUB: f64 = 18.0;

pub(super) fn draw(svg: &mut String, picture: &Picture, edge: &Edge, route: &Route) {
    let end = |node: usize| picture.nodes.get(node).map_or("", |node| node.id.as_str());
    let line = match edge.line {
        Line::Solid => "",
        Line::Dashed => " dashed",
        Line::Dotted => " dotted",
    };
    let _ = writeln!(
        svg,
        "<g class=\"edge {}{line}\" data-id=\"{}\" data-from=\"{}\" data-to=\"{}\">",
        edge.status.name(),
        escape(&edge.id),
        escape(end(edge.from.node)),
        escape(end(edge.to.node)),
    );
    let _ = writeln!(svg, "<title>{}</title>", escape(&description(picture, edge)));
    let reversed = |points: &[Point]| points.iter().rev().copied().collect::<Vec<_>>();
    let mut path = way(&route.before);
    path.push_str(&way(&reversed(&route.after)));
    let _ = writeln!(svg, "<path class=\"hit\" d=\"{path}\"/><path class=\"line\" d=\"{path}\"/>");
    draw_mark(svg, edge.from.mark, &route.before);
    draw_mark(svg, edge.to.mark, &reversed(&route.after));
    draw_label(svg, &edge.label, &route.label);
    svg.push_str("</g>\n");
}

fn description(picture: &Picture, edge: &Edge) -> String {
    let end = |node: usize| picture.nodes.get(node).map_or("", |node| node.title.as_str());
    let mut text =
        format!("{} → {}: {}", end(edge.from.node), end(edge.to.node), edge.label.join(", "));
    if !edge.note.is_empty() {
        let _ = write!(text, "; {}", edge.note);
    }
    text
}

/// A line that begins at a box: a straight part for the mark, and curves.
fn way(points: &[Point]) -> String {
    let Some((first, rest)) = points.split_first() else { return String::new() };
    let mut path = format!("M{} {}", first.x, first.y);
    let mut at = *first;
    for (index, point) in rest.iter().enumerate() {
        if (at.y - point.y).abs() < 0.01 {
            let _ = write!(path, "H{}", point.x);
        } else {
            // The first channel may begin right at the box.
            let stub = if index < 2 { STUB.min((point.x - at.x).abs() / 2.0) } else { 0.0 };
            let begin = at.x + stub * (point.x - at.x).signum();
            let middle = f64::midpoint(begin, point.x);
            let (y, Point { x, y: end }) = (at.y, *point);
            let _ = write!(path, "H{begin}C{middle} {y} {middle} {end} {x} {end}");
        }
        at = *point;
    }
    path
}

/// The mark at a line's first point.
fn draw_mark(svg: &mut String, mark: Mark, points: &[Point]) {
    let (Some(at), Some(next)) = (points.first(), points.get(1)) else { return };
    let (x, y) = (at.x, at.y);
    // Away from the box.
    let out = |distance: f64| x + distance * (next.x - x).signum();
    let bar = |distance: f64| format!("M{} {}v12", out(distance), y - 6.0);
    let foot = format!("M{x} {}L{} {y}L{x} {}", y - 6.0, out(11.0), y + 6.0);
    let circle = |distance: f64| {
        format!("<circle class=\"mark\" cx=\"{}\" cy=\"{y}\" r=\"3.5\"/>", out(distance))
    };
    let (path, circle) = match mark {
        Mark::None => return,
        Mark::Arrow => {
            let (end, top, bottom) = (out(9.0), y - 4.5, y + 4.5);
            let _ =
                writeln!(svg, "<path class=\"arrow\" d=\"M{x} {y}L{end} {top}L{end} {bottom}z\"/>");
            return;
        }
        Mark::One => (bar(6.0) + &bar(10.0), String::new()),
        Mark::ZeroOrOne => (bar(6.0), circle(12.5)),
        Mark::Many => (foot, circle(14.5)),
        Mark::OneOrMore => (foot + &bar(14.0), String::new()),
    };
    let _ = writeln!(svg, "<path class=\"mark\" d=\"{path}\"/>{circle}");
}

fn draw_label(svg: &mut String, lines: &[String], rect: &Rect) {
    let Some((first, more)) = lines.split_first() else { return };
    let Rect { x, y, width, height } = *rect;
    let middle = x + width / 2.0;
    let _ = write!(
        svg,
        "<g class=\"label\"><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
         rx=\"6\"/><text class=\"name\" x=\"{middle}\" y=\"{}\">{}</text>",
        y + LABEL_FIRST - 5.5,
        escape(&clip(first, LABEL_MAX)),
    );
    let mut base = y + LABEL_FIRST - 6.0;
    for line in more {
        base += LABEL_LINE;
        let line = escape(&clip(line, LABEL_MAX));
        let _ = write!(svg, "<text class=\"more\" x=\"{middle}\" y=\"{base}\">{line}</text>");
    }
    svg.push_str("</g>\n");
}
