//! The number of mirrored records a second that a function's share of a processor allows.

use std::fmt::Write as _;

/// The memory with which a function has a whole processor, in megabytes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
const WHOLE_PROCESSOR_MB: f64 = 1_769.0;
/// The compared sizes of memory, in megabytes.
const MEMORY_MB: [f64; 3] = [256.0, 512.0, 1_024.0];

/// Describes the rate for each size of memory, given the processor's time for one record.
///
/// It is computed, not measured: the rate is the share of a processor, divided by the time that a
/// record needs of it. Waiting for DynamoDB comes on top.
pub(crate) fn rates(seconds_per_record: f64) -> String {
    let mut text = format!(
        "mirrored records a second by memory, from {:.3} ms of the processor's time for a record \
         and the record of its mirror, without waiting for DynamoDB:\n",
        seconds_per_record * 1e3
    );
    for memory_mb in MEMORY_MB {
        let share = memory_mb / WHOLE_PROCESSOR_MB;
        let _ = writeln!(text, "  {memory_mb} MB: {:.0}", share / seconds_per_record);
    }
    text
}
