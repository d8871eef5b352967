//! The order of the items of each column, so that few lines cross.
//!
//! Columns are sorted in turn by the average position of the items to which theirs are connected, and
//! then neighbours are exchanged while that helps. Rows of a box count: a line from the first row is
//! above a line from the second. Minimizing crossings is NP-hard; the best order found is kept.

use super::item::{Item, Layers, Line};

/// The number of passes over all columns.
const SWEEPS: usize = 24;

/// The number of passes that exchange neighbours.
const EXCHANGES: usize = 8;

/// The side of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Side {
    fn lines(self, item: &Item) -> &[Line] {
        match self {
            Self::Left => &item.left,
            Self::Right => &item.right,
        }
    }
}

/// Sorts all columns.
pub(super) fn sort(layers: &mut Layers) {
    let Layers { items, columns, .. } = layers;
    for column in columns {
        column.sort_by_key(|item| items[*item].band);
    }
    let mut best = (crossings(layers), layers.columns.clone());
    for sweep in 0..SWEEPS {
        let count = layers.columns.len();
        for at in 0..count {
            let (column, side) =
                if sweep % 2 == 0 { (at, Side::Left) } else { (count - 1 - at, Side::Right) };
            sort_column(layers, column, side);
        }
        keep_better(layers, &mut best);
    }
    layers.columns.clone_from(&best.1);
    for _ in 0..EXCHANGES {
        if !exchange(layers) {
            break;
        }
    }
}

fn keep_better(layers: &Layers, best: &mut (usize, Vec<Vec<usize>>)) {
    let crossings = crossings(layers);
    if crossings < best.0 {
        *best = (crossings, layers.columns.clone());
    }
}

/// Sorts a column by its lines to one side. Items without lines there keep their positions.
fn sort_column(layers: &mut Layers, column: usize, side: Side) {
    let positions = layers.positions();
    let items = &layers.items;
    let average = |item: usize| {
        let lines = side.lines(&items[item]);
        let ends = lines.iter().map(|line| end(items, &positions, line));
        (!lines.is_empty()).then(|| ends.sum::<f64>() / lines.len() as f64)
    };
    let sorted = &mut layers.columns[column];
    let mut from = 0;
    while let Some(first) = sorted.get(from) {
        let band = items[*first].band;
        let length = sorted[from..].iter().take_while(|item| items[**item].band == band).count();
        let part = &mut sorted[from..from + length];
        let keyed: Vec<_> = part.iter().map(|item| (average(*item), *item)).collect();
        let mut moving: Vec<_> =
            keyed.iter().filter_map(|(key, item)| key.map(|key| (key, *item))).collect();
        moving.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut moving = moving.into_iter();
        for (slot, (key, _)) in part.iter_mut().zip(&keyed) {
            if key.is_some()
                && let Some((_, item)) = moving.next()
            {
                *slot = item;
            }
        }
        from += length;
    }
}

/// Where a line ends, in positions: its row counts as a part of one.
fn end(items: &[Item], positions: &[usize], line: &Line) -> f64 {
    positions[line.other] as f64 + line.other_y / (items[line.other].height + 1.0)
}

/// The number of crossings of all lines.
pub(super) fn crossings(layers: &Layers) -> usize {
    let positions = layers.positions();
    let mut total = 0;
    for column in &layers.columns {
        let mut ends: Vec<(f64, f64)> = Vec::new();
        for (position, item) in column.iter().enumerate() {
            let item = &layers.items[*item];
            ends.extend(item.right.iter().map(|line| {
                let begin = position as f64 + line.own_y / (item.height + 1.0);
                (begin, end(&layers.items, &positions, line))
            }));
        }
        ends.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
        total += inversions(&mut ends.into_iter().map(|(_, end)| end).collect::<Vec<_>>());
    }
    total
}

/// Sorts values, and counts the pairs that were in the wrong order.
fn inversions(values: &mut [f64]) -> usize {
    if values.len() < 2 {
        return 0;
    }
    let (one, other) = values.split_at_mut(values.len() / 2);
    let mut count = inversions(one) + inversions(other);
    let mut merged = Vec::with_capacity(one.len() + other.len());
    let (mut at, mut other_at) = (0, 0);
    while at < one.len() && other_at < other.len() {
        if one[at] <= other[other_at] {
            merged.push(one[at]);
            at += 1;
        } else {
            merged.push(other[other_at]);
            count += one.len() - at;
            other_at += 1;
        }
    }
    merged.extend_from_slice(&one[at..]);
    merged.extend_from_slice(&other[other_at..]);
    values.copy_from_slice(&merged);
    count
}

/// Exchanges neighbours where that saves a crossing. Returns whether it did.
fn exchange(layers: &mut Layers) -> bool {
    let mut has_changed = false;
    let mut positions = layers.positions();
    for column in 0..layers.columns.len() {
        for at in 1..layers.columns[column].len() {
            let (above, below) = (layers.columns[column][at - 1], layers.columns[column][at]);
            let items = &layers.items;
            if items[above].band != items[below].band {
                continue;
            }
            let crossings = |above: usize, below: usize| {
                let of = |side: Side| {
                    let ends = |item: usize| -> Vec<f64> {
                        let lines = side.lines(&items[item]).iter();
                        lines.map(|line| end(items, &positions, line)).collect()
                    };
                    let (above, below) = (ends(above), ends(below));
                    let crossing = |end: &f64| below.iter().filter(|other| *other < end).count();
                    above.iter().map(crossing).sum::<usize>()
                };
                of(Side::Left) + of(Side::Right)
            };
            if crossings(below, above) < crossings(above, below) {
                layers.columns[column].swap(at - 1, at);
                positions.swap(above, below);
                has_changed = true;
            }
        }
    }
    has_changed
}
