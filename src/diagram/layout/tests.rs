//! Laws of the layout, on random graphs.

use super::{Graph, Link, NodeBox, Placed, Port, Rect, Size, lay_out};

/// A random graph: some boxes in groups, edges from rows to rows, cycles and loops.
fn graph(seed: u64, nodes: usize, edges: usize, groups: usize) -> Graph {
    let mut random = fastrand::Rng::with_seed(seed);
    let size = |random: &mut fastrand::Rng| Size {
        width: random.u32(80..300).into(),
        height: random.u32(30..200).into(),
    };
    let nodes: Vec<NodeBox> = (0..nodes)
        .map(|_| {
            let group = Some(random.usize(0..=groups)).filter(|group| *group < groups);
            NodeBox { size: size(&mut random), group }
        })
        .collect();
    let port = |random: &mut fastrand::Rng| {
        let node = random.usize(0..nodes.len());
        Port { node, y: nodes[node].size.height * random.f64() }
    };
    let edges = (0..edges)
        .map(|_| {
            let label =
                Size { width: random.u32(0..150).into(), height: random.u32(10..40).into() };
            Link { from: port(&mut random), to: port(&mut random), label }
        })
        .collect();
    Graph { nodes, edges, groups }
}

fn overlap(one: &Rect, other: &Rect) -> bool {
    one.x < other.right()
        && other.x < one.right()
        && one.y < other.bottom()
        && other.y < one.bottom()
}

/// The boxes and labels, and the frames of groups.
fn rects(placed: &Placed) -> (Vec<Rect>, Vec<Rect>) {
    let labels = placed.edges.iter().map(|edge| edge.label);
    (
        placed.nodes.iter().copied().chain(labels).collect(),
        placed.groups.iter().flatten().copied().collect(),
    )
}

#[test]
fn nothing_overlaps() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let nodes = random.usize(1..30);
        let graph = graph(seed, nodes, random.usize(0..60), random.usize(0..4));
        let placed = lay_out(&graph);
        let (rects, groups) = rects(&placed);
        for (index, one) in rects.iter().enumerate() {
            assert!(rects[index + 1..].iter().all(|other| !overlap(one, other)), "seed {seed}");
        }
        for (index, one) in groups.iter().enumerate() {
            assert!(groups[index + 1..].iter().all(|other| !overlap(one, other)), "seed {seed}");
        }
        for (rect, node) in placed.nodes.iter().zip(&graph.nodes) {
            for (group, frame) in placed.groups.iter().enumerate() {
                let is_inside = frame.is_some_and(|frame| overlap(rect, &frame));
                assert_eq!(is_inside, node.group == Some(group), "seed {seed}");
            }
        }
    }
}

/// A curve is within its channel, so only the straight parts can meet a box.
#[test]
fn no_line_crosses_a_box_or_a_label() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let nodes = random.usize(2..30);
        let placed = lay_out(&graph(seed, nodes, random.usize(1..60), random.usize(0..4)));
        let (rects, _) = rects(&placed);
        for edge in &placed.edges {
            for line in edge.before.windows(2).chain(edge.after.windows(2)) {
                let (left, right) = (line[0].x.min(line[1].x), line[0].x.max(line[1].x));
                let (top, bottom) = (line[0].y.min(line[1].y), line[0].y.max(line[1].y));
                let is_met = rects.iter().any(|rect| {
                    let x = (rect.x + 0.5).max(left) < (rect.right() - 0.5).min(right);
                    x && rect.y < bottom && top < rect.bottom()
                });
                assert!(!is_met, "seed {seed}: {line:?}");
            }
        }
    }
}

#[test]
fn edges_begin_and_end_at_their_rows() {
    let graph = graph(7, 20, 40, 2);
    let placed = lay_out(&graph);
    for (edge, link) in placed.edges.iter().zip(&graph.edges) {
        let ends = [(edge.before.first(), link.from), (edge.after.last(), link.to)];
        for (point, port) in ends {
            let (point, rect) = (point.unwrap(), placed.nodes[port.node]);
            assert!((point.y - rect.y - port.y).abs() < 1e-9);
            assert!((point.x - rect.x).abs() < 1e-9 || (point.x - rect.right()).abs() < 1e-9);
        }
    }
}

#[test]
fn the_same_graph_always_gives_the_same_layout() {
    let graph = graph(3, 300, 400, 5);
    assert_eq!(lay_out(&graph), lay_out(&graph));
}

#[test]
fn a_hundred_boxes_that_refer_to_one_fill_a_screen() {
    let node = NodeBox { size: Size { width: 200.0, height: 100.0 }, group: None };
    let link = |from| Link {
        from: Port { node: from, y: 50.0 },
        to: Port { node: 0, y: 10.0 },
        label: Size { width: 80.0, height: 16.0 },
    };
    let graph = Graph { nodes: vec![node; 101], edges: (1..101).map(link).collect(), groups: 0 };
    let Size { width, height } = lay_out(&graph).size;
    assert!((0.7..4.0).contains(&(width / height)), "{width} × {height}");
}

#[test]
fn a_tree_has_no_crossings() {
    let node = NodeBox { size: Size { width: 100.0, height: 50.0 }, group: None };
    let link = |from: usize| Link {
        from: Port { node: from, y: 25.0 },
        to: Port { node: (from - 1) / 2, y: 25.0 },
        label: Size { width: 50.0, height: 16.0 },
    };
    let graph = Graph { nodes: vec![node; 15], edges: (1..15).map(link).collect(), groups: 0 };
    let ranks = super::rank::assign(&graph);
    let mut layers = super::item::Layers::new(&graph, &ranks);
    super::order::sort(&mut layers);
    assert_eq!(super::order::crossings(&layers), 0);
}
