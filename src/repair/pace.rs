//! How fast the writes of a plan are made, and whether to go on.

use crate::runtime::stop::Stop;

/// The maximum number of write units a second, and a request to stop.
#[derive(Debug, Clone, Copy)]
pub struct Pace<'p> {
    /// The maximum number of write units that are consumed in a second.
    pub write_units: Option<f64>,
    /// Once it is set, the writes in flight are finished and noted, and no more are begun.
    pub stop: &'p Stop,
}
