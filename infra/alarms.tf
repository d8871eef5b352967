# The alarms. Each description says what happened and what to do. Missing data does not breach a
# threshold, because zeros are not published; only a mapping that no longer polls and a missing audit
# do.

locals {
  publishes = var.metrics != "none"
  metric = {
    of_referee = { namespace = var.namespace, dimensions = {} }
    of_lambda  = { namespace = "AWS/Lambda", dimensions = { FunctionName = var.name } }
  }

  # Not a metric of the function: CloudWatch counts it in the log.
  lost_metric = "MetricsNotPublished"

  rule_severity = { for name, rule in merge(local.references, local.mirrors) : name => try(rule.severity, "error") }

  # Each alarm has a key, its settings in `var.alarms`, its metric and its description.
  all_alarms = merge(
    {
      for key, alarm in {
        violations = {
          metric = "Violations"
          text   = "Items violate a rule. The log has a line for each violation, with both keys: filter by message = \"violation\". Repaired violations count too."
        }
        warnings = {
          metric = "Warnings"
          text   = "Items violate a rule whose severity is `warn`. The log has a line for each violation: filter by message = \"violation\" and severity = \"warn\"."
        }
        repairs_failed = {
          metric = "RepairsFailed"
          text   = "The repair of a violation failed permanently. The log says why: filter by action = \"failed\". Fix the item by hand, or fix the rule."
        }
        records_rejected = {
          metric = "RecordsRejected"
          text   = "A stream record could not be understood and was skipped. The log has its payload: filter by message = \"record rejected\". Fix the item, and write it again to have it checked."
        }
        records_unmatched = {
          metric = "RecordsUnmatched"
          text   = "Stream records match no entity of the rule file, so no rule looks at their items. If the tables have no such items on purpose, a key template or a `where` is misspelled: `referee audit` names such an item, and where it differs from the nearest entity."
        }
        # The log reports this, because metrics cannot.
        metrics_lost = {
          metric = local.lost_metric
          text   = "The function could not publish metrics, so the other alarms may have missed violations. The log says why: filter by message = \"metrics not published\". Check the permission `cloudwatch:PutMetricData`, the route from a VPC to CloudWatch, and the account's quota of requests. The log has a line for each violation: filter by message = \"violation\"."
        }
      } : key => merge(local.metric.of_referee, alarm, { statistic = "Sum", settings = key }) if local.publishes
    },
    {
      for name, severity in local.rule_severity : "violations_by_rule/${name}" => {
        namespace  = var.namespace
        dimensions = { Rule = name }
        metric     = "Violations"
        text       = "Items violate the rule `${name}`. The log has a line for each violation: filter by message = \"violation\" and rule = \"${name}\"."
        statistic  = "Sum"
        settings   = "violations_by_rule"
      } if local.publishes && severity == "error"
    },
    {
      for key, alarm in {
        errors = {
          metric    = "Errors"
          statistic = "Sum"
          text      = "Invocations fail, and records wait. The log says at level ERROR what to fix: permissions, a deleted table, the rule file. Lambda delivers the records again until they are ${floor(var.mapping.maximum_record_age / 3600)} hours old."
        }
        throttles = {
          metric    = "Throttles"
          statistic = "Sum"
          text      = "Lambda does not run the function because its concurrency is exhausted, and records wait. Raise `reserved_concurrency`, or the account's quota."
        }
        duration = {
          metric    = "Duration"
          statistic = "Maximum"
          text      = "Invocations take almost as long as the timeout of ${var.timeout} s, at which records are returned to Lambda for redelivery. Raise `memory_size` or `timeout`, or lower `batch_size`."
        }
        iterator_age = {
          metric    = "IteratorAge"
          statistic = "Maximum"
          text      = "Records wait too long: the function fails, is throttled, or is too slow. See the other alarms. If it is only slow, raise `parallelization_factor`. Streams keep records for 24 hours."
        }
        failed_deliveries = {
          metric    = "DestinationDeliveryFailures"
          statistic = "Sum"
          text      = "Records could not be processed, and could not be sent to the failure destination either. Check that the destination exists, and that the role and the key allow writing to it."
        }
      } : key => merge(local.metric.of_lambda, alarm, { settings = key })
    },
    {
      for key, alarm in {
        for pair in setproduct(local.watched, ["dropped_records", "given_up_records"]) : "${pair[1]}/${pair[0]}" => { table = pair[0], settings = pair[1] }
        } : key => {
        namespace  = "AWS/Lambda"
        dimensions = { EventSourceMappingUUID = aws_lambda_event_source_mapping.this[alarm.table].uuid }
        metric     = alarm.settings == "dropped_records" ? "DroppedEventCount" : "OnFailureDestinationDeliveredEventCount"
        statistic  = "Sum"
        settings   = alarm.settings
        text = (
          alarm.settings == "dropped_records" ?
          "Records of the table `${alarm.table}` were lost after all retries, or because they were too old. Check the table's items with an audit, and set `failure_destination` so that such records are kept." :
          "Records of the table `${alarm.table}` failed permanently and were sent to the failure destination. Find the reason in the log, fix it, and process the records again or check the items with an audit."
        )
      }
    },
    # Lambda publishes a zero if a poll finds no record, so missing data means that it does not poll.
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#event-source-mapping-metrics
    {
      for alias in local.watched : "stopped_mappings/${alias}" => {
        namespace  = "AWS/Lambda"
        dimensions = { EventSourceMappingUUID = aws_lambda_event_source_mapping.this[alias].uuid }
        metric     = "PolledEventCount"
        statistic  = "SampleCount"
        settings   = "stopped_mappings"
        comparison = "LessThanThreshold"
        missing    = "breaching"
        text       = "Lambda no longer polls the stream of the table `${alias}`, so its changes are not checked. `aws lambda list-event-source-mappings --function-name ${var.name}` says why, in `State` and `LastProcessingResult`: the mapping is disabled, the stream or the table was replaced, or the role lost its permission for the stream or its key. Changes that are older than 24 hours are lost: check the table's items with an audit."
      } if local.mappings[alias].enabled
    },
    {
      for name in local.queue_name[*] : "destination_backlog" => {
        namespace  = "AWS/SQS"
        dimensions = { QueueName = name }
        metric     = "ApproximateNumberOfMessagesVisible"
        statistic  = "Maximum"
        settings   = "destination_backlog"
        text       = "The queue has messages about records that failed permanently. The messages do not contain the records: check the items with an audit, and delete the messages."
      } if var.failure_destination.type == "sqs"
    },
    {
      for key, alarm in {
        recheck_failures = {
          queue  = local.recheck_dead_name
          metric = "ApproximateNumberOfMessagesVisible"
          text   = "Suspects could not be judged, and their messages are in the dead-letter queue `${local.recheck_dead_name}` for 14 days. The function's log says why: filter by message = \"message rejected\" or message = \"message returned\". Fix the reason, and redrive the messages with `aws sqs start-message-move-task --source-arn ${local.recheck_dead_arn}`."
        }
        recheck_age = {
          queue  = local.recheck_name
          metric = "ApproximateAgeOfOldestMessage"
          text   = "Suspects wait too long on the queue `${local.recheck_name}`: their violations are reported and repaired late. The function fails, is throttled, or has too little concurrency; see the other alarms."
        }
      } : key => merge(alarm, { namespace = "AWS/SQS", dimensions = { QueueName = alarm.queue }, statistic = "Maximum", settings = key }) if local.rechecks
    },
    {
      for key, alarm in {
        suspects_not_queued = {
          metric = "SuspectsNotQueued"
          text   = "The queue `${local.recheck_name}` did not accept suspects, or they were too large for it, so their batches waited for the grace period. The log says why: filter by message = \"suspects not queued\". Check the queue, the permission `sqs:SendMessage`, and the route from a VPC to SQS."
        }
        suspects_dropped = {
          metric = "SuspectsDropped"
          text   = "Suspects on the queue were not judged because their rules were removed or changed in the meantime. The log names the rules: filter by message = \"suspect dropped\". An audit finds what they violate under the present rules."
        }
      } : key => merge(local.metric.of_referee, alarm, { statistic = "Sum", settings = key }) if local.publishes && local.rechecks
    },
    {
      for key, alarm in {
        audit_violations = {
          metric = "AuditViolations"
          text   = "The audit found items that violate a rule. The function's log has a line for each violation, without a sequence number: filter by message = \"violation\"."
        }
        audit_overdue = {
          metric     = "AuditsCompleted"
          text       = "No audit was completed in time. See the executions of the state machine ${local.audit_name}, and filter the function's log by message = \"audit incomplete\". If there are no executions, check the schedule."
          comparison = "LessThanThreshold"
          missing    = "breaching"
        }
      } : key => merge(local.metric.of_referee, alarm, { statistic = "Sum", settings = key }) if local.publishes && local.audits
    },
  )

  # The factors that convert thresholds to the units of their metrics.
  threshold_factors = { duration = var.timeout * 10, iterator_age = 60000, recheck_age = 60 }

  alarms = {
    for key, alarm in local.all_alarms : key => merge({ comparison = "GreaterThanThreshold", missing = "notBreaching" }, alarm, var.alarms[alarm.settings], {
      threshold                                                    = var.alarms[alarm.settings].threshold * lookup(local.threshold_factors, alarm.settings, 1)
    }) if var.alarms[alarm.settings].enabled
  }
}

# Counts the lines of the log that say that metrics could not be published. They have the level ERROR,
# so no `log_level` hides them.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
resource "aws_cloudwatch_log_metric_filter" "metrics_lost" {
  count = local.publishes ? 1 : 0

  name           = "${var.name}-metrics-lost"
  region         = var.region
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = "{ $.message = \"metrics not published\" }"

  metric_transformation {
    name      = local.lost_metric
    namespace = var.namespace
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name        = join("-", concat([var.name, replace(each.value.settings, "_", "-")], slice(split("/", each.key), 1, length(split("/", each.key)))))
  alarm_description = each.value.text
  region            = var.region
  alarm_actions     = var.alarm_actions
  ok_actions        = var.ok_actions
  tags              = var.tags

  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.datapoints
  treat_missing_data  = each.value.missing
}
