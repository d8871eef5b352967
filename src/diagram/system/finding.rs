//! What is wrong with a deployment.

/// A problem, or something to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is.
    pub kind: Kind,
    /// The id of the box in the picture that it concerns.
    pub subject: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// How to fix it.
    pub help: String,
}

/// How bad a finding is. The order is from the least to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, but there is a risk.
    Warning,
    /// Terraform and the account differ.
    Difference,
    /// The rules are not enforced, or nobody learns that.
    Broken,
}

impl Severity {
    /// Its name in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Difference => "difference",
            Self::Broken => "broken",
        }
    }
}

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "`meaning` describes each kind, also in the documentation")]
pub enum Kind {
    TableMissing,
    TableKey,
    NoStream,
    StreamView,
    TableNotRead,
    MappingDisabled,
    StreamReplaced,
    MappingFails,
    NoBatchItemFailures,
    FunctionMissing,
    OtherRules,
    RecheckNotRead,
    AlarmWithoutAction,
    Difference,
    AlarmFires,
    NoAlarms,
    NoLogGroup,
    NoFailureDestination,
    StartsAtLatest,
    FilterDropsDeletes,
    TooManyReaders,
    TtlDiffers,
}

impl Kind {
    /// All kinds, in the order in which they are documented.
    pub const ALL: [Self; 22] = [
        Self::TableMissing,
        Self::TableKey,
        Self::NoStream,
        Self::StreamView,
        Self::TableNotRead,
        Self::MappingDisabled,
        Self::StreamReplaced,
        Self::MappingFails,
        Self::NoBatchItemFailures,
        Self::FunctionMissing,
        Self::OtherRules,
        Self::RecheckNotRead,
        Self::AlarmWithoutAction,
        Self::Difference,
        Self::AlarmFires,
        Self::NoAlarms,
        Self::NoLogGroup,
        Self::NoFailureDestination,
        Self::StartsAtLatest,
        Self::FilterDropsDeletes,
        Self::TooManyReaders,
        Self::TtlDiffers,
    ];

    /// Its name in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.definition().0
    }

    /// How bad it is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        self.definition().1
    }

    /// What it means, for the documentation.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.definition().2
    }

    const fn definition(self) -> (&'static str, Severity, &'static str) {
        use Severity::{Broken, Warning};
        match self {
            Self::TableMissing => ("table_missing", Broken, "a table of the rules does not exist"),
            Self::TableKey => ("table_key", Broken, "a table has another key than the rules say"),
            Self::NoStream => ("no_stream", Broken, "a table that a rule watches has no stream"),
            Self::StreamView => {
                ("stream_view", Broken, "a stream does not have both the old and the new images")
            }
            Self::TableNotRead => (
                "table_not_read",
                Broken,
                "no event source mapping of the function reads a table that a rule watches",
            ),
            Self::MappingDisabled => {
                ("mapping_disabled", Broken, "the only mapping of a table is disabled")
            }
            Self::StreamReplaced => (
                "stream_replaced",
                Broken,
                "a mapping reads a former stream of its table, which has no new records",
            ),
            Self::MappingFails => {
                ("mapping_fails", Broken, "Lambda reports a problem with a mapping's last poll")
            }
            Self::NoBatchItemFailures => (
                "no_batch_item_failures",
                Broken,
                "a mapping has no `ReportBatchItemFailures`, so records that the function returns \
                 for redelivery are lost",
            ),
            Self::FunctionMissing => ("function_missing", Broken, "the function does not exist"),
            Self::OtherRules => {
                ("other_rules", Broken, "the function has other rules than the rule file")
            }
            Self::RecheckNotRead => (
                "recheck_not_read",
                Broken,
                "the function sends suspects to a queue that no mapping reads",
            ),
            Self::AlarmWithoutAction => {
                ("alarm_without_action", Broken, "an alarm notifies nobody")
            }
            Self::Difference => {
                ("difference", Severity::Difference, "Terraform and the account differ")
            }
            Self::AlarmFires => ("alarm_fires", Warning, "an alarm is in the state `ALARM`"),
            Self::NoAlarms => ("no_alarms", Warning, "there are no alarms"),
            Self::NoLogGroup => ("no_log_group", Warning, "the function has no log group"),
            Self::NoFailureDestination => (
                "no_failure_destination",
                Warning,
                "a mapping has no destination for records that it gives up, so they are lost",
            ),
            Self::StartsAtLatest => (
                "starts_at_latest",
                Warning,
                "a mapping begins at `LATEST`, so records may be missed while it is created",
            ),
            Self::FilterDropsDeletes => (
                "filter_drops_deletes",
                Warning,
                "a mapping's filters all test the new image, which deletes do not have",
            ),
            Self::TooManyReaders => (
                "too_many_readers",
                Warning,
                "more than two functions read a stream, and DynamoDB throttles them",
            ),
            Self::TtlDiffers => ("ttl_differs", Warning, "a table's TTL differs from the rules"),
        }
    }
}
