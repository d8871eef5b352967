//! `referee audit --publish`: the metrics of an audit.

use super::Args;
use crate::aws;
use crate::cli::live::runtime;
use crate::cli::{Context, Failure};
use crate::metrics::{AuditSummary, Destination, Metrics, NAMESPACE, measure_audit};
use crate::runtime::clock::Clock as _;
use crate::runtime::system_clock::SystemClock;

/// Publishes the metrics of an audit to CloudWatch, in the namespace of the function's metrics.
///
/// An audit whose metrics are not published is incomplete: the alarm on missing audits relies on
/// them.
pub(super) fn publish(
    summary: &AuditSummary,
    arguments: &Args,
    context: &Context<'_>,
) -> Result<(), Failure> {
    let namespace = (context.environment)("REFEREE_NAMESPACE").filter(|name| !name.is_empty());
    let namespace = namespace.unwrap_or_else(|| NAMESPACE.to_owned());
    let published = runtime()?.block_on(async {
        let config = aws::configure(arguments.live.endpoint_url()).await;
        let metrics = Metrics { sink: Destination::CloudWatch.open(&config), namespace };
        metrics.publish(&measure_audit(summary), SystemClock.now_ms()).await
    });
    published.map_err(|error| Failure::Incomplete(format!("cannot publish the metrics: {error}")))
}
