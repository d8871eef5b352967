//! What a live audit will cost, before it starts.

use std::fmt;
use std::time::Duration;

use crate::store::description::{ReadCapacity, Size};

/// The bytes that one read unit covers in an eventually consistent scan.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
const UNIT_BYTES: f64 = 8.0 * 1024.0;

/// The price of a million read units of an on-demand table, in US dollars: an assumption, which
/// every estimate must name.
///
/// It is the price of the standard table class in `us-east-1` since 1 November 2024. Prices differ
/// by Region and table class. <https://aws.amazon.com/dynamodb/pricing/on-demand/>
pub const USD_PER_MILLION_UNITS: f64 = 0.125;

/// The assumption in words, to be shown with the price.
pub const PRICE_ASSUMPTION: &str = "on-demand price in us-east-1 since November 2024, $0.125 per million read units; it differs \
     by Region: https://aws.amazon.com/dynamodb/pricing/on-demand/";

/// A table to scan, as DynamoDB describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedTable {
    /// Its name.
    pub name: String,
    /// Its size, which DynamoDB updates about every six hours.
    pub size: Size,
    /// Its capacity.
    pub reads: ReadCapacity,
}

/// What scanning tables will cost.
///
/// Reading suspects again costs more; how much depends on how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// The tables.
    pub tables: Vec<ScannedTable>,
}

impl ScannedTable {
    /// The read units of a scan.
    #[must_use]
    pub fn read_units(&self) -> f64 {
        (float(self.size.bytes) / UNIT_BYTES).ceil()
    }
}

impl Estimate {
    /// The number of items.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.tables.iter().map(|table| table.size.items).sum()
    }

    /// The size of all items, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.size.bytes).sum()
    }

    /// The read units.
    #[must_use]
    pub fn read_units(&self) -> f64 {
        // An empty sum is -0.
        self.tables.iter().map(ScannedTable::read_units).fold(0.0, |sum, units| sum + units)
    }

    /// The price in US dollars, under the [`PRICE_ASSUMPTION`]. Only the units of on-demand tables
    /// cost anything: those of provisioned ones are paid for whether they are used or not.
    #[must_use]
    pub fn price_usd(&self) -> f64 {
        let is_on_demand =
            |table: &&ScannedTable| matches!(table.reads, ReadCapacity::OnDemand { .. });
        let units: f64 =
            self.tables.iter().filter(is_on_demand).map(ScannedTable::read_units).sum();
        units / 1e6 * USD_PER_MILLION_UNITS
    }

    /// How long it takes at this rate, in seconds.
    #[must_use]
    pub fn seconds(&self, units_per_second: f64) -> f64 {
        self.read_units() / units_per_second
    }

    /// What the user should know before the scan starts at this rate, if there is one, and should
    /// be done within this time.
    #[must_use]
    pub fn warnings(
        &self,
        units_per_second: Option<f64>,
        within: Option<Duration>,
    ) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if let (Some(rate), Some(within)) = (units_per_second, within) {
            let seconds = self.seconds(rate);
            if seconds > within.as_secs_f64() {
                let units_per_second_min = (self.read_units() / within.as_secs_f64()).ceil();
                warnings.push(Warning::TooSlow { seconds, within, units_per_second_min });
            }
        }
        for table in &self.tables {
            let (limit, is_shared) = match table.reads {
                ReadCapacity::Provisioned { units_per_second } => (Some(units_per_second), true),
                ReadCapacity::OnDemand { units_per_second_max } => (units_per_second_max, false),
            };
            // DynamoDB Local and tables in creation have no capacity.
            let Some(limit) = limit.filter(|limit| *limit > 0) else { continue };
            if units_per_second.is_none_or(|rate| rate >= float(limit)) {
                let table = table.name.clone();
                warnings.push(Warning::TakesAll { table, units_per_second: limit, is_shared });
            }
        }
        warnings
    }
}

/// A reason to choose another rate.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// The scan cannot end in time.
    TooSlow {
        /// How long it takes at the rate, in seconds.
        seconds: f64,
        /// The time that was allowed.
        within: Duration,
        /// The rate that would be enough, in read units a second.
        units_per_second_min: f64,
    },
    /// The scan may consume all that a table has, so that other clients are throttled.
    TakesAll {
        /// The table's name.
        table: String,
        /// What the table has, in read units a second.
        units_per_second: u64,
        /// Whether the capacity is provisioned, rather than a limit of an on-demand table.
        is_shared: bool,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSlow { seconds, within, units_per_second_min } => write!(
                formatter,
                "at this rate, the scan takes about {}, longer than {}\nhelp: at least \
                 `--read-units {units_per_second_min}` is needed",
                Span(*seconds),
                Span(within.as_secs_f64()),
            ),
            Self::TakesAll { table, units_per_second, is_shared } => {
                let what = if *is_shared { "is provisioned with" } else { "is limited to" };
                let half = (units_per_second / 2).max(1);
                write!(
                    formatter,
                    "table `{table}` {what} {units_per_second} read units a second, and the scan \
                     may take all of them from your application\nhelp: leave it some, for example \
                     with `--read-units {half}`"
                )
            }
        }
    }
}

/// A number of bytes for people, such as `3.1 MB`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bytes(pub f64);

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "KB")];
        match units.into_iter().find(|(size, _)| self.0 >= *size) {
            Some((size, unit)) => write!(formatter, "{:.1} {unit}", self.0 / size),
            None => write!(formatter, "{:.0} bytes", self.0),
        }
    }
}

/// A time span for people, such as `2 h 5 min`. Contains seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span(pub f64);

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
        let seconds = self.0.ceil() as u64;
        let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(formatter, "{seconds} s"),
            (0, 0, _) => write!(formatter, "{minutes} min {} s", seconds % 60),
            (0, ..) => write!(formatter, "{hours} h {} min", minutes % 60),
            _ => write!(formatter, "{days} d {} h", hours % 24),
        }
    }
}

/// A count as a floating-point number, for estimates.
#[must_use]
pub fn float(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "an estimate needs no more precision")]
    let float = count as f64;
    float
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const GB: u64 = 1_000_000_000;

    fn table(name: &str, bytes: u64, reads: ReadCapacity) -> ScannedTable {
        ScannedTable { name: name.to_owned(), size: Size { items: bytes / 1_000, bytes }, reads }
    }

    fn on_demand(units_per_second_max: Option<u64>) -> ReadCapacity {
        ReadCapacity::OnDemand { units_per_second_max }
    }

    fn provisioned(units_per_second: u64) -> ReadCapacity {
        ReadCapacity::Provisioned { units_per_second }
    }

    #[test]
    fn a_scan_costs_half_a_unit_for_4_kb() {
        for (bytes, units) in [(0, 0.0_f64), (1, 1.0), (8_192, 1.0), (8_193, 2.0)] {
            let estimated = table("app", bytes, on_demand(None)).read_units();
            assert!((estimated - units).abs() < f64::EPSILON, "{bytes} bytes");
        }
    }

    #[test]
    fn only_the_units_of_on_demand_tables_are_paid_for() {
        let tables =
            vec![table("app", 100 * GB, on_demand(None)), table("log", GB, provisioned(50))];
        let estimate = Estimate { tables };
        assert_eq!(estimate.items(), 101_000_000);
        assert!((estimate.read_units() - 12_329_103.0).abs() < 2.0);
        assert!((estimate.price_usd() - 1.525_878).abs() < 1e-5);
        assert!((estimate.seconds(1_000.0) - 12_329.1).abs() < 0.1);
    }

    #[test]
    fn warnings_say_which_rate_to_choose() {
        let tables = vec![
            table("app", 100 * GB, on_demand(None)),
            table("log", GB, provisioned(50)),
            table("cap", GB, on_demand(Some(9_000))),
        ];
        let estimate = Estimate { tables };
        let warning_for = |rate, within| {
            let warnings = estimate.warnings(rate, within);
            warnings.iter().fold(String::new(), |text, warning| text + &format!("{warning}\n"))
        };
        let hours = |hours| Some(Duration::from_hours(hours));
        assert_eq!(warning_for(Some(40.0), None), "");
        assert_eq!(warning_for(Some(49.0), hours(24 * 30)), "");
        expect![[r"
            table `log` is provisioned with 50 read units a second, and the scan may take all of them from your application
            help: leave it some, for example with `--read-units 25`
            table `cap` is limited to 9000 read units a second, and the scan may take all of them from your application
            help: leave it some, for example with `--read-units 4500`
        "]]
        .assert_eq(&warning_for(None, hours(2)));
        expect![[r"
            at this rate, the scan takes about 3 d 12 h, longer than 2 h 0 min
            help: at least `--read-units 1730` is needed
        "]]
        .assert_eq(&warning_for(Some(41.0), hours(2)));
    }

    #[test]
    fn bytes_have_a_unit() {
        let texts = [0.0, 999.0, 3_140_772.0, 2.28e9].map(|bytes| Bytes(bytes).to_string());
        assert_eq!(texts, ["0 bytes", "999 bytes", "3.1 MB", "2.3 GB"]);
    }

    #[test]
    fn spans_have_two_units() {
        let texts = [0.2, 59.0, 61.0, 7_380.0, 100_000.0].map(|span| Span(span).to_string());
        assert_eq!(texts, ["1 s", "59 s", "1 min 1 s", "2 h 3 min", "1 d 3 h"]);
    }
}
