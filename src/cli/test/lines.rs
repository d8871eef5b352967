//! The lines in which two texts differ.

use std::fmt;

use serde::Serialize;

/// A line that only one of the texts has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Change {
    /// An expected line that was not found.
    Expected(String),
    /// A line that was found and is not expected.
    Found(String),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected(line) => write!(formatter, "- {line}"),
            Self::Found(line) => write!(formatter, "+ {line}"),
        }
    }
}

/// The maximum size of the table of a comparison. Larger texts are compared only at their
/// beginnings and ends.
const CELLS_MAX: usize = 4_000_000;

/// The lines that differ, in order: as few as possible.
pub(super) fn changes(expected: &str, found: &str) -> Vec<Change> {
    let expected: Vec<&str> = expected.lines().collect();
    let found: Vec<&str> = found.lines().collect();
    let first = expected.iter().zip(&found).take_while(|(left, right)| left == right).count();
    let expected = expected.get(first..).unwrap_or_default();
    let found = found.get(first..).unwrap_or_default();
    let ends = expected.iter().rev().zip(found.iter().rev());
    let last = ends.take_while(|(left, right)| left == right).count();
    let expected = expected.get(..expected.len() - last).unwrap_or_default();
    let found = found.get(..found.len() - last).unwrap_or_default();
    if expected.len().saturating_mul(found.len()) > CELLS_MAX {
        return all(expected, found);
    }
    aligned(expected, found)
}

/// All lines of both texts.
fn all(expected: &[&str], found: &[&str]) -> Vec<Change> {
    let expected = expected.iter().map(|line| Change::Expected((*line).to_owned()));
    expected.chain(found.iter().map(|line| Change::Found((*line).to_owned()))).collect()
}

/// The lines outside a longest common subsequence.
fn aligned(expected: &[&str], found: &[&str]) -> Vec<Change> {
    let width = found.len() + 1;
    // The length of the longest common subsequence of the rest of both texts.
    let mut common = vec![0_usize; (expected.len() + 1) * width];
    let at = |common: &[usize], row: usize, column: usize| {
        common.get(row * width + column).copied().unwrap_or_default()
    };
    for (row, left) in expected.iter().enumerate().rev() {
        for (column, right) in found.iter().enumerate().rev() {
            let length = if left == right {
                at(&common, row + 1, column + 1) + 1
            } else {
                at(&common, row + 1, column).max(at(&common, row, column + 1))
            };
            if let Some(cell) = common.get_mut(row * width + column) {
                *cell = length;
            }
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut changes = Vec::new();
    loop {
        match (expected.get(row), found.get(column)) {
            (Some(left), Some(right)) if left == right => (row, column) = (row + 1, column + 1),
            (Some(left), right)
                if right.is_none()
                    || at(&common, row + 1, column) >= at(&common, row, column + 1) =>
            {
                changes.push(Change::Expected((*left).to_owned()));
                row += 1;
            }
            (_, Some(right)) => {
                changes.push(Change::Found((*right).to_owned()));
                column += 1;
            }
            (Some(_) | None, None) => return changes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(expected: &str, found: &str) -> Vec<String> {
        changes(expected, found).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_the_lines_that_differ_are_returned() {
        assert_eq!(shown("a\nb\nc\n", "a\nb\nc\n"), Vec::<String>::new());
        assert_eq!(shown("a\nb\nc\n", "a\nx\nc\n"), ["- b", "+ x"]);
        assert_eq!(shown("a\nb\nc\nd\n", "b\nd\ne\n"), ["- a", "- c", "+ e"]);
        assert_eq!(shown("", "a\nb\n"), ["+ a", "+ b"]);
        assert_eq!(shown("a\nb\n", ""), ["- a", "- b"]);
        assert_eq!(shown("a\na\n", "a\n"), ["- a"]);
    }
}
