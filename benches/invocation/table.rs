//! The table of results: medians, ratios, and whether the goals are met.

use std::fmt::Write as _;

/// The unit in which values are shown.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// Milliseconds, for values in seconds.
    Milliseconds,
    /// Mebibytes, for values in bytes. Lambda counts memory in mebibytes.
    Mebibytes,
    /// Megabytes, for values in bytes.
    Megabytes,
}

/// A goal for Referee's value.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// At most this value.
    AtMost(f64),
    /// At most the named contender's value divided by this number.
    PartOf(&'static str, f64),
}

/// The results, row by row. The first column contains Referee's values. The other columns also show
/// the ratio to it.
pub(crate) struct Table {
    rows: comfy_table::Table,
    columns: usize,
    goals: String,
    names: Vec<String>,
}

impl Table {
    /// Creates an empty table for these contenders.
    pub(crate) fn new(names: impl Iterator<Item = String>) -> Self {
        let names: Vec<String> = names.collect();
        let mut rows = comfy_table::Table::new();
        rows.load_style(comfy_table::TableStyle::new());
        rows.set_header(std::iter::once(String::new()).chain(names.iter().cloned()));
        Self { rows, columns: names.len(), goals: String::new(), names }
    }

    /// Adds a row: the median of each contender's values.
    pub(crate) fn add(&mut self, name: &str, unit: Unit, values: Vec<Vec<f64>>, goals: &[Goal]) {
        let medians: Vec<f64> = values.into_iter().map(median).collect();
        let first = medians.first().copied();
        let cells = medians.iter().enumerate().map(|(index, value)| match first {
            Some(first) if index > 0 => format!("{} ({:.1}x)", shown(*value, unit), value / first),
            _ => shown(*value, unit),
        });
        self.rows.add_row(std::iter::once(name.to_owned()).chain(cells));
        if self.names.first().is_none_or(|name| name != "Referee") {
            return;
        }
        for goal in goals {
            self.judge(name, unit, &medians, *goal);
        }
    }

    fn judge(&mut self, name: &str, unit: Unit, medians: &[f64], goal: Goal) {
        let judged = match goal {
            Goal::AtMost(most) => medians
                .first()
                .map(|found| (*found <= most, shown(most, unit), shown(*found, unit))),
            Goal::PartOf(peer, parts) => {
                let mut peers = self.names.iter().zip(medians);
                let found = peers.find(|(name, _)| name.starts_with(peer));
                found.zip(medians.first()).map(|((peer, theirs), ours)| {
                    let found = theirs / ours;
                    (found >= parts, format!("1/{parts} of {peer}"), format!("1/{found:.1}"))
                })
            }
        };
        if let Some((is_met, aim, found)) = judged {
            let verdict = if is_met { "met" } else { "MISSED" };
            let _ = writeln!(self.goals, "{verdict}: {name}: at most {aim}; it is {found}");
        }
    }

    /// Prints the table, and the goals below it.
    pub(crate) fn print(&self) {
        if self.columns > 0 {
            println!("{}\n\n{}", self.rows.trim_fmt(), self.goals);
        }
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Milliseconds => format!("{:.2} ms", value * 1e3),
        Unit::Mebibytes => format!("{:.2} MiB", value / f64::from(1 << 20)),
        Unit::Megabytes => format!("{:.2} MB", value / 1e6),
    }
}
