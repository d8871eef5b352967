//! Tables for people.

use std::fmt::Display;

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};

/// A table with this header.
pub(super) fn table<'h>(header: impl IntoIterator<Item = &'h str>) -> Table {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')))
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.into_iter().collect::<Vec<_>>());
    table
}

/// A number of things, as in `2 batches`.
pub(super) fn count(number: impl Display, noun: &str) -> String {
    let number = number.to_string();
    let plural = match (&*number, noun) {
        ("1", _) => "",
        (_, "batch") => "es",
        _ => "s",
    };
    format!("{number} {noun}{plural}")
}
