//! How much space the parts of a box and a label need.

use crate::diagram::layout::Size;
use crate::diagram::text::{Font, clip, width};
use crate::diagram::{Node, Row};

/// The height of a box's title.
pub(super) const HEADER: f64 = 42.0;

/// The height of a row.
pub(super) const ROW: f64 = 22.0;

/// The space below the rows.
pub(super) const FOOTER: f64 = 5.0;

/// The space at both sides of a box.
pub(super) const SIDE: f64 = 12.0;

/// The space between the columns of a row.
pub(super) const GUTTER: f64 = 14.0;

/// The sizes of the fonts, which `diagram.css` repeats.
const TITLE: f64 = 14.0;
const KIND: f64 = 10.0;
const BADGE: f64 = 10.5;
const NAME: f64 = 12.0;
const DETAIL: f64 = 11.0;
const MARKER: f64 = 9.0;
const LABEL: f64 = 11.0;
const LABEL_MORE: f64 = 10.0;

/// The maximum numbers of characters shown of a title, a row's name, what is behind it, and a label.
pub(super) const TITLE_MAX: usize = 40;
pub(super) const NAME_MAX: usize = 36;
pub(super) const DETAIL_MAX: usize = 48;
pub(super) const LABEL_MAX: usize = 36;

/// The height of a label's first line, and of each further one.
pub(super) const LABEL_FIRST: f64 = 19.0;
pub(super) const LABEL_LINE: f64 = 14.0;

/// The height of a badge.
pub(super) const BADGE_HEIGHT: f64 = 17.0;

/// The sizes of a box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    /// The size of the box.
    pub(super) size: Size,
    /// Where the names of rows begin, from the left of the box.
    pub(super) names_x: f64,
    /// The width of the badge; 0 if there is none.
    pub(super) badge: f64,
}

impl Measured {
    pub(super) fn new(node: &Node) -> Self {
        let widest = |part: &dyn Fn(&Row) -> f64| node.rows.iter().map(part).fold(0.0, f64::max);
        let markers = widest(&|row| width(&row.marker, Font::Bold, MARKER));
        let names_x = SIDE + if markers > 0.0 { markers + 8.0 } else { 0.0 };
        let rows = widest(&|row| {
            let name = width(&clip(&row.name, NAME_MAX), Font::Regular, NAME);
            let (behind, font) = behind(row);
            let gutter = if behind.is_empty() { 0.0 } else { GUTTER };
            name + gutter + width(&clip(behind, DETAIL_MAX), font, DETAIL)
        });
        let badge = if node.badge.is_empty() {
            0.0
        } else {
            width(&clip(&node.badge, TITLE_MAX), Font::Bold, BADGE) + 14.0
        };
        let title = width(&clip(&node.title, TITLE_MAX), Font::Bold, TITLE);
        let kind = width(&clip(&node.kind, TITLE_MAX), Font::Bold, KIND);
        let header = title.max(kind) + if badge > 0.0 { badge + GUTTER } else { 0.0 };
        let inner = (header + SIDE).max(names_x + rows);
        let height = if node.rows.is_empty() {
            HEADER
        } else {
            HEADER + node.rows.iter().map(|_| ROW).sum::<f64>() + FOOTER
        };
        Self { size: Size { width: (inner + SIDE).ceil().max(120.0), height }, names_x, badge }
    }
}

/// What a row shows at its right, and in which font.
pub(super) fn behind(row: &Row) -> (&str, Font) {
    if row.detail.is_empty() { (&row.kind, Font::Regular) } else { (&row.detail, Font::Code) }
}

/// The middle of a row, from the top of its box.
pub(super) fn port(node: &Node, row: usize) -> f64 {
    let above: f64 = node.rows.iter().take(row).map(|_| ROW).sum();
    HEADER + above + ROW / 2.0 + 1.0
}

/// The size of a label.
pub(super) fn label_size(lines: &[String]) -> Size {
    let Some((first, more)) = lines.split_first() else { return Size::default() };
    let line = |text: &String, font, size| width(&clip(text, LABEL_MAX), font, size);
    let first = line(first, Font::Bold, LABEL);
    let widest =
        more.iter().map(|text| line(text, Font::Regular, LABEL_MORE)).fold(first, f64::max);
    let height = LABEL_FIRST + more.iter().map(|_| LABEL_LINE).sum::<f64>();
    Size { width: (widest + 16.0).ceil(), height: height + 1.0 }
}
