# The dashboard: charts of violations, repairs, records, lag, the function, and failed records.

locals {
  charts = [
    local.publishes ? {
      title = "Violations", statistic = "Sum"
      metrics = concat(
        [[var.namespace, "Violations"], [var.namespace, "Warnings"]],
        [for name, severity in local.rule_severity : [var.namespace, severity == "error" ? "Violations" : "Warnings", "Rule", name]],
      )
    } : null,
    local.publishes ? {
      title   = "Repairs and mirrors", statistic = "Sum"
      metrics = [for metric in ["RepairsStarted", "Repairs", "RepairsFailed", "MirrorWrites"] : [var.namespace, metric]]
    } : null,
    local.publishes ? {
      title   = "Records", statistic = "Sum"
      metrics = [for metric in ["RecordsProcessed", "RecordsRejected", "RecordsRetried"] : [var.namespace, metric]]
    } : null,
    local.rechecks ? {
      title = "Suspects on the queue", statistic = "Sum"
      metrics = concat(
        [for metric in ["SuspectsQueued", "SuspectsNotQueued", "SuspectsDropped", "MessagesReturned"] : [var.namespace, metric] if local.publishes],
        [for name in [local.recheck_name, local.recheck_dead_name] : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name]],
      )
    } : null,
    local.publishes && local.audits ? {
      title   = "Audits", statistic = "Sum"
      metrics = [for metric in ["AuditViolations", "AuditWarnings", "AuditedItems", "AuditsCompleted"] : [var.namespace, metric]]
    } : null,
    {
      title = "Lag", statistic = "Maximum"
      metrics = concat(
        [["AWS/Lambda", "IteratorAge", "FunctionName", var.name]],
        [for metric in ["RecordAge"] : [var.namespace, metric] if local.publishes],
      )
    },
    {
      title   = "Errors and throttles", statistic = "Sum"
      metrics = [for metric in ["Invocations", "Errors", "Throttles"] : ["AWS/Lambda", metric, "FunctionName", var.name]]
    },
    {
      title   = "Duration", statistic = "Maximum"
      metrics = [["AWS/Lambda", "Duration", "FunctionName", var.name]]
    },
    {
      title = "Records at the mappings", statistic = "Sum"
      metrics = flatten([
        for alias in sort(local.watched) : [
          for metric in ["PolledEventCount", "FilteredOutEventCount", "InvokedEventCount", "FailedInvokeEventCount"] :
          { line = ["AWS/Lambda", metric, "EventSourceMappingUUID", aws_lambda_event_source_mapping.this[alias].uuid, { label = "${alias}: ${metric}" }] }
        ]
      ])[*].line
    },
    {
      title = "Failed records", statistic = "Sum"
      metrics = concat(
        flatten([
          for alias in sort(local.watched) : [
            for metric in ["DroppedEventCount", "OnFailureDestinationDeliveredEventCount"] :
            { line = ["AWS/Lambda", metric, "EventSourceMappingUUID", aws_lambda_event_source_mapping.this[alias].uuid, { label = "${alias}: ${metric}" }] }
          ]
        ])[*].line,
        [["AWS/Lambda", "DestinationDeliveryFailures", "FunctionName", var.name]],
        [for name in local.queue_name[*] : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name]],
      )
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  dashboard_name = "${var.name}-${local.region}"
  region         = var.region

  dashboard_body = jsonencode({
    widgets = [
      for position, chart in [for chart in local.charts : chart if chart != null] : {
        type   = "metric"
        x      = position % 2 * 12
        y      = floor(position / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = chart.title
          region  = local.region
          view    = "timeSeries"
          stat    = chart.statistic
          period  = 60
          metrics = chart.metrics
        }
      }
    ]
  })
}
