//! What the columns contain, from the top: boxes, labels, and the points where edges pass.

use super::rank::Ranks;
use super::{Graph, Link};

/// One thing in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A box.
    Node(usize),
    /// The label of an edge.
    Label(usize),
    /// The point where an edge passes the column.
    Bend,
}

/// An item of a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// What it is.
    pub(super) what: What,
    /// Its height.
    pub(super) height: f64,
    /// The band that it belongs to.
    pub(super) band: usize,
    /// Its column. Boxes are in even columns, labels in odd ones.
    pub(super) layer: usize,
    /// The lines to the column on its left.
    pub(super) left: Vec<Line>,
    /// The lines to the column on its right.
    pub(super) right: Vec<Line>,
}

/// A line from an item to one of a neighbouring column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    /// The other item, by index.
    pub(super) other: usize,
    /// Where it begins, from the top of its item.
    pub(super) own_y: f64,
    /// Where it ends, from the top of the other item.
    pub(super) other_y: f64,
    /// How much it matters that the line is straight.
    pub(super) weight: f64,
}

/// All columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layers {
    /// All items. The item of a box has the index of the box.
    pub(super) items: Vec<Item>,
    /// The items of each column, from the top.
    pub(super) columns: Vec<Vec<usize>>,
    /// For each edge, its label and bends from left to right.
    pub(super) chains: Vec<Vec<usize>>,
    /// For each edge, whether it begins further right than it ends.
    pub(super) is_reversed: Vec<bool>,
    /// The number of bands.
    pub(super) bands: usize,
}

/// The part of a label's height at which the two lines of an edge from a box to itself meet it.
pub(super) const LOOP_ENDS: [f64; 2] = [0.2, 0.8];

impl Layers {
    /// The columns of a graph, with their items in the order of the graph.
    pub(super) fn new(graph: &Graph, ranks: &Ranks) -> Self {
        let columns = ranks.columns.iter().copied().max().unwrap_or(0) + 1;
        let mut new = Self {
            items: Vec::new(),
            columns: vec![Vec::new(); 2 * columns],
            chains: Vec::new(),
            is_reversed: ranks.is_reversed.clone(),
            bands: graph.groups + 1,
        };
        for (index, node) in graph.nodes.iter().enumerate() {
            let layer = 2 * ranks.columns[index];
            let band = node.group.unwrap_or(graph.groups);
            new.add(What::Node(index), node.size.height, band, layer);
        }
        for index in 0..graph.edges.len() {
            new.add_edge(graph, index);
        }
        new
    }

    fn add(&mut self, what: What, height: f64, band: usize, layer: usize) -> usize {
        let index = self.items.len();
        self.items.push(Item { what, height, band, layer, left: Vec::new(), right: Vec::new() });
        self.columns[layer].push(index);
        index
    }

    fn add_edge(&mut self, graph: &Graph, index: usize) {
        let Link { from, to, label } = graph.edges[index];
        let (band, height) = (self.items[from.node].band, label.height.max(1.0));
        if from.node == to.node {
            let layer = self.items[from.node].layer + 1;
            let item = self.add(What::Label(index), height, band, layer);
            for (port, part) in [(from, LOOP_ENDS[0]), (to, LOOP_ENDS[1])] {
                self.connect((from.node, port.y), (item, height * part));
            }
            self.chains.push(vec![item]);
            return;
        }
        let is_reversed = self.is_reversed[index];
        let (left, right) = if is_reversed { (to, from) } else { (from, to) };
        let first = self.items[left.node].layer + 1;
        let last = self.items[right.node].layer - 1;
        let labelled = if is_reversed { last } else { first };
        let mut chain = Vec::new();
        let mut end = (left.node, left.y);
        for layer in first..=last {
            let item = if layer == labelled {
                self.add(What::Label(index), height, band, layer)
            } else {
                self.add(What::Bend, 1.0, band, layer)
            };
            let middle = self.items[item].height / 2.0;
            self.connect(end, (item, middle));
            chain.push(item);
            end = (item, middle);
        }
        self.connect(end, (right.node, right.y));
        self.chains.push(chain);
    }

    /// Connects an item to one of the next column.
    fn connect(&mut self, (left, left_y): (usize, f64), (right, right_y): (usize, f64)) {
        let is_bend = |item: usize| !matches!(self.items[item].what, What::Node(_));
        let weight = match (is_bend(left), is_bend(right)) {
            (true, true) => 8.0,
            (false, false) => 1.0,
            (true, false) | (false, true) => 2.0,
        };
        let (own_y, other_y) = (left_y, right_y);
        self.items[left].right.push(Line { other: right, own_y, other_y, weight });
        let (own_y, other_y) = (right_y, left_y);
        self.items[right].left.push(Line { other: left, own_y, other_y, weight });
    }

    /// The position of each item in its column.
    pub(super) fn positions(&self) -> Vec<usize> {
        let mut positions = vec![0; self.items.len()];
        for column in &self.columns {
            for (position, item) in column.iter().enumerate() {
                positions[*item] = position;
            }
        }
        positions
    }
}
