//! The column of each box.
//!
//! An edge leads from one column to another further right. Columns are filled up to a height that
//! gives the picture the shape of a screen, so that a hundred boxes that refer to one do not make a
//! single column of a hundred.

use super::Graph;

/// The width of a picture, as a multiple of its height.
const ASPECT: f64 = 1.6;

/// The vertical space that a box needs besides its height.
const GAP: f64 = 32.0;

/// The width of the lines on both sides of a label.
const CHANNELS: f64 = 100.0;

/// The columns of all boxes, and the edges that lead from right to left.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ranks {
    /// The column of each box, from the left.
    pub(super) columns: Vec<usize>,
    /// For each edge, whether it begins further right than it ends.
    pub(super) is_reversed: Vec<bool>,
}

/// Assigns a column to each box.
pub(super) fn assign(graph: &Graph) -> Ranks {
    let is_reversed = reversed(graph);
    let arcs = Arcs::new(graph, &is_reversed);
    let mut filling = Filling::new(graph);
    let mut ranks = from_the_right(graph, &arcs, &mut filling);
    shorten(graph, &arcs, &mut filling, &mut ranks);
    let last = ranks.iter().copied().max().unwrap_or(0);
    let first = ranks.iter().copied().min().unwrap_or(0);
    // A rank counts from the right, a column from the left.
    let columns = ranks.iter().map(|rank| last - rank.max(&first)).collect();
    Ranks { columns, is_reversed }
}

/// The edges that would close a cycle, found by a depth-first search.
fn reversed(graph: &Graph) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Visit {
        Not,
        Open,
        Done,
    }
    let mut leaving = vec![Vec::new(); graph.nodes.len()];
    for (index, edge) in graph.edges.iter().enumerate() {
        leaving[edge.from.node].push(index);
    }
    let mut reversed = vec![false; graph.edges.len()];
    let mut visits = vec![Visit::Not; graph.nodes.len()];
    for root in 0..graph.nodes.len() {
        if visits[root] != Visit::Not {
            continue;
        }
        visits[root] = Visit::Open;
        let mut stack = vec![(root, 0)];
        while let Some((node, next)) = stack.pop() {
            let Some(&edge) = leaving[node].get(next) else {
                visits[node] = Visit::Done;
                continue;
            };
            stack.push((node, next + 1));
            let to = graph.edges[edge].to.node;
            match visits[to] {
                Visit::Not => {
                    visits[to] = Visit::Open;
                    stack.push((to, 0));
                }
                Visit::Open => reversed[edge] = to != node,
                Visit::Done => {}
            }
        }
    }
    reversed
}

/// The boxes to the left and to the right of each box, without cycles.
struct Arcs {
    left: Vec<Vec<usize>>,
    right: Vec<Vec<usize>>,
}

impl Arcs {
    fn new(graph: &Graph, is_reversed: &[bool]) -> Self {
        let mut left = vec![Vec::new(); graph.nodes.len()];
        let mut right = left.clone();
        for (edge, is_reversed) in graph.edges.iter().zip(is_reversed) {
            let ends = (edge.from.node, edge.to.node);
            let (from, to) = if *is_reversed { (ends.1, ends.0) } else { ends };
            if from != to {
                right[from].push(to);
                left[to].push(from);
            }
        }
        Self { left, right }
    }
}

/// How high the boxes of each band are in each column.
struct Filling {
    /// The maximum height of each band.
    heights_max: Vec<f64>,
    /// By band and rank.
    heights: Vec<Vec<f64>>,
}

/// The band of a box: that of its group, or the last one.
fn band(graph: &Graph, node: usize) -> usize {
    graph.nodes[node].group.unwrap_or(graph.groups)
}

fn height(graph: &Graph, node: usize) -> f64 {
    graph.nodes[node].size.height + GAP
}

impl Filling {
    fn new(graph: &Graph) -> Self {
        let mut totals = vec![0.0; graph.groups + 1];
        let mut tallest = totals.clone();
        for node in 0..graph.nodes.len() {
            let height = height(graph, node);
            totals[band(graph, node)] += height;
            tallest[band(graph, node)] = height.max(tallest[band(graph, node)]);
        }
        let average = |widths: f64, count: usize| widths / (count.max(1) as f64);
        let nodes = graph.nodes.iter().map(|node| node.size.width).sum();
        let labels = graph.edges.iter().map(|edge| edge.label.width).sum();
        let width = average(nodes, graph.nodes.len()) + average(labels, graph.edges.len());
        let total: f64 = totals.iter().sum();
        let columns = (ASPECT * total / (width + CHANNELS)).sqrt().max(1.0);
        let heights_max = totals.iter().zip(&tallest);
        let heights_max =
            heights_max.map(|(total, tallest)| (1.15 * total / columns).max(*tallest));
        Self { heights_max: heights_max.collect(), heights: vec![Vec::new(); graph.groups + 1] }
    }

    fn has_room(&self, graph: &Graph, node: usize, rank: usize) -> bool {
        let band = band(graph, node);
        let used = self.heights[band].get(rank).copied().unwrap_or(0.0);
        used + height(graph, node) <= self.heights_max[band]
    }

    fn add(&mut self, graph: &Graph, node: usize, rank: usize) {
        let heights = &mut self.heights[band(graph, node)];
        if heights.len() <= rank {
            heights.resize(rank + 1, 0.0);
        }
        heights[rank] += height(graph, node);
    }

    fn remove(&mut self, graph: &Graph, node: usize, rank: usize) {
        self.heights[band(graph, node)][rank] -= height(graph, node);
    }
}

/// The length of the longest path to the left of each box.
fn depths(arcs: &Arcs) -> Vec<usize> {
    let mut depths = vec![0; arcs.left.len()];
    let mut open: Vec<usize> = arcs.left.iter().map(Vec::len).collect();
    let mut ready: Vec<usize> = (0..open.len()).filter(|node| open[*node] == 0).collect();
    while let Some(node) = ready.pop() {
        for &next in &arcs.right[node] {
            depths[next] = depths[next].max(depths[node] + 1);
            open[next] -= 1;
            if open[next] == 0 {
                ready.push(next);
            }
        }
    }
    depths
}

/// Places each box as far right as its edges and the room allow. Returns the ranks from the right.
fn from_the_right(graph: &Graph, arcs: &Arcs, filling: &mut Filling) -> Vec<usize> {
    let depths = depths(arcs);
    let mut ranks = vec![0; graph.nodes.len()];
    let mut open: Vec<usize> = arcs.right.iter().map(Vec::len).collect();
    let mut ready: Vec<usize> = (0..open.len()).filter(|node| open[*node] == 0).collect();
    let lower = |node: usize, ranks: &[usize]| {
        arcs.right[node].iter().map(|right| ranks[*right] + 1).max().unwrap_or(0)
    };
    // First what long paths lead to, and last what has no edge and fits anywhere.
    let urgency = |node: usize, ranks: &[usize]| {
        let is_alone = arcs.left[node].is_empty() && arcs.right[node].is_empty();
        (is_alone, lower(node, ranks), usize::MAX - depths[node], node)
    };
    while let Some(at) = (0..ready.len()).min_by_key(|at| urgency(ready[*at], &ranks)) {
        let node = ready.swap_remove(at);
        let mut rank = lower(node, &ranks);
        while !filling.has_room(graph, node, rank) && filling.is_used(graph, node, rank) {
            rank += 1;
        }
        ranks[node] = rank;
        filling.add(graph, node, rank);
        for &left in &arcs.left[node] {
            open[left] -= 1;
            if open[left] == 0 {
                ready.push(left);
            }
        }
    }
    ranks
}

impl Filling {
    /// Whether anything is in a column already.
    fn is_used(&self, graph: &Graph, node: usize, rank: usize) -> bool {
        self.heights[band(graph, node)].get(rank).is_some_and(|height| *height > 0.0)
    }
}

/// Moves boxes to the left that have more edges there than to the right.
fn shorten(graph: &Graph, arcs: &Arcs, filling: &mut Filling, ranks: &mut [usize]) {
    let mut nodes: Vec<usize> = (0..ranks.len()).collect();
    nodes.sort_by_key(|node| (usize::MAX - ranks[*node], *node));
    for node in nodes {
        let (left, right) = (&arcs.left[node], &arcs.right[node]);
        if left.len() <= right.len() {
            continue;
        }
        let Some(nearest) = left.iter().map(|left| ranks[*left] - 1).min() else { continue };
        let better = (ranks[node] + 1..=nearest).rev();
        let better = better.into_iter().find(|rank| filling.has_room(graph, node, *rank));
        if let Some(rank) = better {
            filling.remove(graph, node, ranks[node]);
            filling.add(graph, node, rank);
            ranks[node] = rank;
        }
    }
}
