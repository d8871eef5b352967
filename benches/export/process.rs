//! Runs a process, and measures what it costs.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How often the memory of a process is looked at. Its peak cannot decrease, so only what is
/// allocated in the last moment is missed.
const POLL: Duration = Duration::from_millis(5);

/// The kernel's unit of processor time, which is the same on all of Linux's platforms.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a run costs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// The time for which the process computed, in all threads, for itself and in the kernel.
    pub(crate) processor_s: f64,
    pub(crate) elapsed_s: f64,
    pub(crate) peak_mb: f64,
}

impl Cost {
    /// The median of each cost.
    pub(crate) fn median(costs: &[Self]) -> Self {
        let median = |of: fn(&Self) -> f64| {
            let mut values: Vec<f64> = costs.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
        };
        Self {
            processor_s: median(|cost| cost.processor_s),
            elapsed_s: median(|cost| cost.elapsed_s),
            peak_mb: median(|cost| cost.peak_mb),
        }
    }
}

/// Runs a command to its end, which must be this exit code.
pub(crate) fn run(command: &mut Command, code: i32) -> Cost {
    let before_s = children_s();
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().expect("the program can be run");
    let mut peak_mb = 0.0;
    let status = loop {
        peak_mb = peak_of(&child).unwrap_or(peak_mb);
        match child.try_wait().expect("the program runs") {
            Some(status) => break status,
            None => std::thread::sleep(POLL),
        }
    };
    let elapsed_s = start.elapsed().as_secs_f64();
    assert_eq!(status.code(), Some(code), "{command:?} failed");
    Cost { processor_s: children_s() - before_s, elapsed_s, peak_mb }
}

/// The peak memory of a process, in MB.
fn peak_of(child: &Child) -> Option<f64> {
    let path = Path::new("/proc").join(child.id().to_string()).join("status");
    let status = std::fs::read_to_string(path).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = peak.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1_024.0 / 1e6)
}

/// The processor time of all children that have ended, in seconds.
/// <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>
fn children_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux has it");
    // The name in parentheses may contain spaces. After it, `cutime` is the 14th field.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    let ticks = fields.split_whitespace().skip(13).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
}
