//! From coordinates to rectangles and lines.

use super::item::{LOOP_ENDS, Layers, What};
use super::{GROUP_PADDING, GROUP_TITLE, Graph, Link, Placed, Point, Port, Rect, Route, Size};

/// The minimum width of a channel between two columns. An end with its mark needs 20.
const CHANNEL: f64 = 52.0;

/// How much wider a channel is for each line in it, and at most.
const CHANNEL_LINE: f64 = 1.5;
const CHANNEL_MORE_MAX: f64 = 60.0;

/// The horizontal range of each column.
type Columns = Vec<(f64, f64)>;

/// The picture with all coordinates.
pub(super) fn finish(graph: &Graph, layers: &Layers, tops: &[f64]) -> Placed {
    let columns = columns(graph, layers);
    let nodes: Vec<Rect> = (0..graph.nodes.len())
        .map(|node| {
            let Size { width, height } = graph.nodes[node].size;
            let (left, right) = columns[layers.items[node].layer];
            Rect { x: (left + (right - left - width) / 2.0).round(), y: tops[node], width, height }
        })
        .collect();
    let routes = 0..graph.edges.len();
    let edges = routes.map(|edge| route(graph, layers, tops, &columns, &nodes, edge)).collect();
    let groups = groups(graph, layers, tops, &nodes);
    let mut placed = Placed { nodes, edges, groups, size: Size::default() };
    move_to_origin(&mut placed);
    placed
}

/// The width of each column, and the channels between them.
fn columns(graph: &Graph, layers: &Layers) -> Columns {
    let mut columns = Vec::new();
    let mut x = 0.0;
    for column in &layers.columns {
        let widths = column.iter().map(|item| match layers.items[*item].what {
            What::Node(node) => graph.nodes[node].size.width,
            What::Label(edge) => graph.edges[edge].label.width,
            What::Bend => 0.0,
        });
        let width = widths.fold(0.0, f64::max);
        columns.push((x, x + width));
        let lines: usize = column.iter().map(|item| layers.items[*item].right.len()).sum();
        if lines > 0 {
            x += CHANNEL + (lines as f64 * CHANNEL_LINE).min(CHANNEL_MORE_MAX);
        } else if width > 0.0 {
            x += CHANNEL;
        }
        x = (x + width).round();
    }
    columns
}

fn route(
    graph: &Graph,
    layers: &Layers,
    tops: &[f64],
    columns: &Columns,
    nodes: &[Rect],
    edge: usize,
) -> Route {
    let Link { from, to, label } = graph.edges[edge];
    let is_reversed = layers.is_reversed[edge];
    let is_loop = from.node == to.node;
    let labelled = layers.chains[edge]
        .iter()
        .copied()
        .find(|item| matches!(layers.items[*item].what, What::Label(_)));
    let label = labelled.map_or_else(Rect::default, |item| {
        let (left, right) = columns[layers.items[item].layer];
        // The label is at the side of its column that is next to the box.
        let x = if is_reversed { right - label.width } else { left };
        Rect { x, y: tops[item], width: label.width, height: label.height }
    });
    let column_of = |node: usize| columns[layers.items[node].layer];
    let at = |port: Port, is_right: bool| {
        let Rect { x, y, width, .. } = nodes[port.node];
        let (left, right) = column_of(port.node);
        let y = y + port.y;
        // From the side of the box to the side of its column.
        let (inner, outer) = if is_right { (x + width, right) } else { (x, left) };
        [Point { x: inner, y }, Point { x: outer, y }]
    };
    if is_loop {
        let middle = |part: f64| Point { x: label.x, y: label.y + label.height * part };
        let mut before = at(from, true).to_vec();
        before.push(middle(LOOP_ENDS[0]));
        let mut after = vec![middle(LOOP_ENDS[1])];
        after.extend(at(to, true).into_iter().rev());
        return Route { before: tidy(before), after: tidy(after), label };
    }
    let (mut before, mut after) = (at(from, !is_reversed).to_vec(), Vec::new());
    let chain = layers.chains[edge].iter().copied();
    let chain: Vec<usize> = if is_reversed { chain.rev().collect() } else { chain.collect() };
    for item in chain {
        let y = tops[item] + layers.items[item].height / 2.0;
        let (left, right) = columns[layers.items[item].layer];
        let (near, far) = if is_reversed { (right, left) } else { (left, right) };
        if labelled == Some(item) {
            let (begin, end) =
                if is_reversed { (label.right(), label.x) } else { (label.x, label.right()) };
            before.extend([Point { x: near, y }, Point { x: begin, y }]);
            after.extend([Point { x: end, y }, Point { x: far, y }]);
        } else {
            after.extend([Point { x: near, y }, Point { x: far, y }]);
        }
    }
    after.extend(at(to, is_reversed).into_iter().rev());
    Route { before: tidy(before), after: tidy(after), label }
}

/// Without points that equal their predecessors.
fn tidy(mut points: Vec<Point>) -> Vec<Point> {
    points.dedup();
    points
}

/// The frame of each group: around its boxes, and as high as its band.
fn groups(graph: &Graph, layers: &Layers, tops: &[f64], nodes: &[Rect]) -> Vec<Option<Rect>> {
    (0..graph.groups)
        .map(|group| {
            let own = nodes.iter().zip(&graph.nodes).filter(|(_, node)| node.group == Some(group));
            let (left, right) = own.fold((f64::INFINITY, f64::NEG_INFINITY), |range, (node, _)| {
                (range.0.min(node.x), range.1.max(node.right()))
            });
            let items = layers.items.iter().zip(tops).filter(|(item, _)| item.band == group);
            let (top, bottom) = items
                .fold((f64::INFINITY, f64::NEG_INFINITY), |range, (item, top)| {
                    (range.0.min(*top), range.1.max(top + item.height))
                });
            (left <= right).then_some(Rect {
                x: left - GROUP_PADDING,
                y: top - GROUP_TITLE,
                width: right - left + 2.0 * GROUP_PADDING,
                height: bottom - top + GROUP_TITLE + GROUP_PADDING,
            })
        })
        .collect()
}

/// Moves everything so that the left and the top are 0, and sets the size.
fn move_to_origin(placed: &mut Placed) {
    let labels = placed.edges.iter().map(|edge| edge.label);
    let all = placed.nodes.iter().copied().chain(placed.groups.iter().flatten().copied());
    let all: Vec<Rect> = all.chain(labels).collect();
    let left = all.iter().map(|rect| rect.x).fold(f64::INFINITY, f64::min);
    let top = all.iter().map(|rect| rect.y).fold(f64::INFINITY, f64::min);
    let right = all.iter().map(Rect::right).fold(f64::NEG_INFINITY, f64::max);
    let bottom = all.iter().map(Rect::bottom).fold(f64::NEG_INFINITY, f64::max);
    let rects = placed.nodes.iter_mut().chain(placed.groups.iter_mut().flatten());
    for rect in rects.chain(placed.edges.iter_mut().map(|edge| &mut edge.label)) {
        (rect.x, rect.y) = (rect.x - left, rect.y - top);
    }
    let edges = placed.edges.iter_mut();
    for point in edges.flat_map(|edge| edge.before.iter_mut().chain(&mut edge.after)) {
        (point.x, point.y) = (point.x - left, point.y - top);
    }
    placed.size = Size { width: right - left, height: bottom - top };
}
