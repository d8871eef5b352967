//! Tables for people.

use std::fmt::Display;

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use terminal_size::Width;

/// A table with this header. On a terminal, it is not wider than the terminal, and long texts are
/// wrapped. Elsewhere it is as wide as its texts, so that programs can split its lines.
pub(super) fn table<'h>(header: impl IntoIterator<Item = &'h str>) -> Table {
    table_within(terminal_columns(), header)
}

/// The width of the terminal; `None` if the output is not a terminal.
fn terminal_columns() -> Option<u16> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(Width(columns), _)| columns)
}

fn table_within<'h>(columns: Option<u16>, header: impl IntoIterator<Item = &'h str>) -> Table {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')))
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.into_iter().collect::<Vec<_>>());
    if let Some(columns) = columns {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_not_wider_than_the_terminal() {
        let text = |columns| {
            let mut table = table_within(columns, ["violation", "item", "refers to"]);
            let item = "app: company#acme / user#ada@example.com";
            table.add_row(["dangling_reference", item, item]);
            table.trim_fmt()
        };
        let width = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap();
        assert_eq!(width(&text(None)), 106);
        assert_eq!(text(Some(200)), text(None));
        for columns in [100, 80, 60] {
            let text = text(Some(columns));
            assert!(width(&text) <= usize::from(columns), "{text}");
        }
    }
}
