//! The vertical coordinate of each item.
//!
//! Each column in turn is moved as close as its order allows to where its lines would be straight:
//! the sum of the squared distances is minimal (isotonic regression, by pooling adjacent violators).

use super::item::{Item, Layers, What};
use super::{GROUP_PADDING, GROUP_TITLE, Graph};

/// The number of passes over all columns.
const SWEEPS: usize = 16;

/// The vertical space between two bands.
const BAND_GAP: f64 = 28.0;

/// The height of a band, as a multiple of what its fullest column needs.
const BAND_SLACK: f64 = 1.15;

/// The top of each item.
pub(super) fn assign(graph: &Graph, layers: &Layers) -> Vec<f64> {
    let mut tops = stacked(layers);
    if graph.groups > 0 {
        let bands = separate(graph, layers, &mut tops);
        sweep(layers, &mut tops, Some(&bands));
    } else {
        sweep(layers, &mut tops, None);
    }
    let top = tops.iter().copied().fold(f64::INFINITY, f64::min);
    for value in &mut tops {
        *value = (*value - top).round();
    }
    tops
}

/// Every column from the top, without gaps.
fn stacked(layers: &Layers) -> Vec<f64> {
    let mut tops = vec![0.0; layers.items.len()];
    for column in &layers.columns {
        for (item, offset) in column.iter().zip(offsets(layers, column)) {
            tops[*item] = offset;
        }
    }
    tops
}

/// The minimum distance of each item of a column from the first one.
fn offsets(layers: &Layers, column: &[usize]) -> Vec<f64> {
    let mut offsets = Vec::with_capacity(column.len());
    let mut offset = 0.0;
    let mut above: Option<&Item> = None;
    for item in column.iter().map(|item| &layers.items[*item]) {
        if let Some(above) = above {
            offset += above.height + gap(above, item);
        }
        offsets.push(offset);
        above = Some(item);
    }
    offsets
}

/// The space between two items of a column.
fn gap(above: &Item, below: &Item) -> f64 {
    if above.band != below.band {
        return GROUP_PADDING + BAND_GAP + GROUP_TITLE;
    }
    match (above.what, below.what) {
        (What::Node(_), What::Node(_)) => 32.0,
        (What::Node(_), _) | (_, What::Node(_)) => 18.0,
        (What::Label(_), What::Label(_)) => 8.0,
        (What::Bend, _) | (_, What::Bend) => 10.0,
    }
}

/// Moves the columns, from left to right, from right to left, and at last by both sides.
fn sweep(layers: &Layers, tops: &mut [f64], bands: Option<&[(f64, f64)]>) {
    let count = layers.columns.len();
    for pass in 0..SWEEPS {
        for at in 0..count {
            let column = if pass % 2 == 0 { at } else { count - 1 - at };
            let both = pass + 4 >= SWEEPS;
            let (left, right) = (both || pass % 2 == 0, both || pass % 2 == 1);
            move_column(layers, column, (left, right), tops, bands);
        }
    }
}

/// Moves the items of a column to where the lines on the given sides are straight.
fn move_column(
    layers: &Layers,
    column: usize,
    (left, right): (bool, bool),
    tops: &mut [f64],
    bands: Option<&[(f64, f64)]>,
) {
    let column = &layers.columns[column];
    let offsets = offsets(layers, column);
    let mut from = 0;
    while let Some(first) = column.get(from) {
        let band = layers.items[*first].band;
        let is_same = |item: &&usize| bands.is_none() || layers.items[**item].band == band;
        let until = from + column[from..].iter().take_while(is_same).count();
        let (part, offsets) = (&column[from..until], &offsets[from..until]);
        let wanted: Vec<(f64, f64)> = part
            .iter()
            .zip(offsets)
            .map(|(item, offset)| {
                let (top, weight) = wanted(&layers.items[*item], (left, right), *item, tops);
                (top - offset, weight)
            })
            .collect();
        let mut moved = isotonic(&wanted);
        if let (Some((top, bottom)), Some(last), Some(last_offset)) =
            (bands.map(|bands| bands[band]), part.last(), offsets.last())
        {
            let low = top - offsets[0];
            let high = (bottom - layers.items[*last].height - last_offset).max(low);
            for value in &mut moved {
                *value = value.clamp(low, high);
            }
        }
        for ((item, offset), value) in part.iter().zip(offsets).zip(moved) {
            tops[*item] = value + offset;
        }
        from = until;
    }
}

/// Where an item would like to be, and how much.
fn wanted(item: &Item, (left, right): (bool, bool), index: usize, tops: &[f64]) -> (f64, f64) {
    let (mut sum, mut weights) = (0.0, 0.0);
    let sides = [(left, &item.left), (right, &item.right)];
    for line in sides.into_iter().filter(|(is_used, _)| *is_used).flat_map(|(_, lines)| lines) {
        sum += line.weight * (tops[line.other] + line.other_y - line.own_y);
        weights += line.weight;
    }
    if weights > 0.0 { (sum / weights, weights) } else { (tops[index], 0.1) }
}

/// The values in ascending order that are closest to the given ones with their weights.
fn isotonic(wanted: &[(f64, f64)]) -> Vec<f64> {
    // Blocks of equal values: value, weight, count.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for &(value, weight) in wanted {
        let mut block = (value, weight, 1);
        while let Some(&(before, before_weight, count)) = blocks.last() {
            if before <= block.0 {
                break;
            }
            let weight = before_weight + block.1;
            let value = (before * before_weight + block.0 * block.1) / weight;
            block = (value, weight, count + block.2);
            blocks.pop();
        }
        blocks.push(block);
    }
    blocks.iter().flat_map(|(value, _, count)| std::iter::repeat_n(*value, *count)).collect()
}

/// Stacks the bands, each as compactly as its fullest column allows. Returns the top and the bottom
/// of each.
fn separate(graph: &Graph, layers: &Layers, tops: &mut [f64]) -> Vec<(f64, f64)> {
    let mut heights = vec![0.0_f64; layers.bands];
    for column in &layers.columns {
        let mut begin = (usize::MAX, 0.0);
        for (item, offset) in column.iter().zip(offsets(layers, column)) {
            let Item { band, height, .. } = layers.items[*item];
            if begin.0 != band {
                begin = (band, offset);
            }
            tops[*item] = offset - begin.1;
            heights[band] = heights[band].max(tops[*item] + height);
        }
    }
    let mut ranges = Vec::new();
    let mut top = 0.0;
    for (band, height) in heights.iter().enumerate() {
        // Some more space keeps lines straight.
        let height = height * BAND_SLACK;
        ranges.push((top, top + height));
        let title = if band + 1 < graph.groups { GROUP_TITLE } else { 0.0 };
        if height > 0.0 {
            top += height + GROUP_PADDING + BAND_GAP + title;
        }
    }
    for (item, top) in layers.items.iter().zip(tops.iter_mut()) {
        *top += ranges[item.band].0;
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::isotonic;

    #[test]
    fn values_in_the_wrong_order_become_their_average() {
        let wanted = [(5.0, 1.0), (1.0, 1.0), (4.0, 1.0)];
        assert_eq!(isotonic(&wanted), [3.0, 3.0, 4.0]);
    }

    #[test]
    fn a_heavier_value_moves_less() {
        assert_eq!(isotonic(&[(4.0, 3.0), (0.0, 1.0)]), [3.0, 3.0]);
    }
}
