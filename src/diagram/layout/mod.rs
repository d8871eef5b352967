//! A layered layout: boxes in columns, and edges from left to right between them.
//!
//! # Layout
//!
//! The steps are those of Sugiyama, Tagawa and Toda: [`rank`] assigns a column to each box, [`order`]
//! sorts the boxes of each column so that few edges cross, [`place`] assigns the coordinates, and
//! [`route`] turns them into rectangles and lines.
//!
//! Columns of boxes and columns of labels alternate. A label is laid out like a box, and so is each
//! point at which an edge passes a column. Therefore no label covers a box, a line or another label.
//! The crates for graph layout have neither labels nor edges that begin at a row of a box.
//!
//! Boxes of one group are kept together: each group has a horizontal band of its own.
//!
//! Invariant: the same graph always gives the same layout.
#![expect(
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "indexes are positions in vectors of this graph, and counts are far below 2^52"
)]

mod item;
mod order;
mod place;
mod rank;
mod route;
#[cfg(test)]
mod tests;

use self::item::Layers;

/// A width and a height.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Size {
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
}

/// A point. The y axis points down.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// The distance from the left.
    pub x: f64,
    /// The distance from the top.
    pub y: f64,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// The left end.
    pub x: f64,
    /// The top.
    pub y: f64,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
}

impl Rect {
    /// The right end.
    #[must_use]
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// The bottom.
    #[must_use]
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// What to lay out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    /// The boxes.
    pub nodes: Vec<NodeBox>,
    /// The edges.
    pub edges: Vec<Link>,
    /// The number of groups.
    pub groups: usize,
}

/// A box.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct NodeBox {
    /// Its size.
    pub size: Size,
    /// Its group, by index.
    pub group: Option<usize>,
}

/// An edge.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Link {
    /// Where it begins.
    pub from: Port,
    /// Where it ends.
    pub to: Port,
    /// The size of its label. The label is next to the box where the edge begins.
    pub label: Size,
}

/// Where an edge meets a box: at its left or right side, whichever faces the other end.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Port {
    /// The box, by index.
    pub node: usize,
    /// The distance from the top of the box.
    pub y: f64,
}

/// A graph with coordinates.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Placed {
    /// The boxes.
    pub nodes: Vec<Rect>,
    /// The edges.
    pub edges: Vec<Route>,
    /// The groups; `None` for a group without boxes.
    pub groups: Vec<Option<Rect>>,
    /// The size of the whole.
    pub size: Size,
}

/// The way of an edge. It is interrupted by its label.
///
/// Consecutive points are either at the same height, to be connected by a straight line, or at both
/// ends of a channel between two columns, to be connected by a curve that leaves and arrives
/// horizontally. Nothing else is in a channel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Route {
    /// From the box where the edge begins to the label.
    pub before: Vec<Point>,
    /// From the label to the box where the edge ends.
    pub after: Vec<Point>,
    /// The label.
    pub label: Rect,
}

/// The space above the boxes of a group, for its name.
pub const GROUP_TITLE: f64 = 30.0;

/// The space between a group's boxes and its frame.
pub const GROUP_PADDING: f64 = 16.0;

/// Lays out a graph.
///
/// A port whose box is not in the graph is an error of the caller, and panics.
#[must_use]
pub fn lay_out(graph: &Graph) -> Placed {
    if graph.nodes.is_empty() {
        return Placed { groups: vec![None; graph.groups], ..Placed::default() };
    }
    let ranks = rank::assign(graph);
    let mut layers = Layers::new(graph, &ranks);
    order::sort(&mut layers);
    let tops = place::assign(graph, &layers);
    route::finish(graph, &layers, &tops)
}
