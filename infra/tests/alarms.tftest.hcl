# Tests the alarms and the dashboard.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  rules_file = "tests/fixtures/app.yaml"
}

run "all_of_them" {
  assert {
    condition = keys(aws_cloudwatch_metric_alarm.this) == [
      "dropped_records/app", "duration", "errors", "failed_deliveries", "given_up_records/app", "iterator_age", "metrics_lost", "records_rejected",
      "repairs_failed", "stopped_mappings/app", "throttles", "violations", "violations_by_rule/member_company", "violations_by_rule/member_user", "violations_by_rule/membership",
    ]
    error_message = "the alarms are ${join(", ", keys(aws_cloudwatch_metric_alarm.this))}"
  }
  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.this :
      alarm.treat_missing_data == (alarm.metric_name == "PolledEventCount" ? "breaching" : "notBreaching") && length(alarm.alarm_description) > 60 && length(alarm.alarm_description) <= 1024 && startswith(alarm.alarm_name, "referee-")
    ])
    error_message = "missing data has the wrong meaning for an alarm, or its description is too short or too long"
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["duration"].threshold == 48000 && aws_cloudwatch_metric_alarm.this["iterator_age"].threshold == 900000
      && aws_cloudwatch_metric_alarm.this["violations"].threshold == 0
    )
    error_message = "a threshold is not in the unit of its metric"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["violations_by_rule/member_user"].dimensions == tomap({ Rule = "member_user" }) && length(aws_cloudwatch_metric_alarm.this["violations"].dimensions) == 0
    error_message = "an alarm watches the wrong metric"
  }
}

run "records_that_match_no_entity" {
  variables {
    alarms = { records_unmatched = { enabled = true, threshold = 5 } }
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["records_unmatched"].metric_name == "RecordsUnmatched"
      && aws_cloudwatch_metric_alarm.this["records_unmatched"].namespace == var.namespace
      && aws_cloudwatch_metric_alarm.this["records_unmatched"].threshold == 5
    )
    error_message = "the alarm on records that match no entity cannot be turned on"
  }
}

run "a_mapping_that_does_not_poll" {
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["stopped_mappings/app"].dimensions == tomap({ EventSourceMappingUUID = aws_lambda_event_source_mapping.this["app"].uuid })
      && aws_cloudwatch_metric_alarm.this["stopped_mappings/app"].statistic == "SampleCount"
      && aws_cloudwatch_metric_alarm.this["stopped_mappings/app"].comparison_operator == "LessThanThreshold"
      && aws_cloudwatch_metric_alarm.this["stopped_mappings/app"].threshold == 1
      && aws_lambda_event_source_mapping.this["app"].metrics_config[0].metrics == toset(["EventCount"])
    )
    error_message = "the alarm does not go off when Lambda no longer polls the stream"
  }
}

run "a_disabled_mapping" {
  variables {
    mapping = { enabled = false }
  }
  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "stopped_mappings/app")
    error_message = "an alarm waits for a mapping that is disabled on purpose"
  }
}

run "metrics_that_are_not_published" {
  assert {
    condition = (
      aws_cloudwatch_log_metric_filter.metrics_lost[0].pattern == "{ $.message = \"metrics not published\" }"
      && aws_cloudwatch_log_metric_filter.metrics_lost[0].log_group_name == aws_cloudwatch_log_group.this.name
      && aws_cloudwatch_log_metric_filter.metrics_lost[0].metric_transformation[0].name == aws_cloudwatch_metric_alarm.this["metrics_lost"].metric_name
      && aws_cloudwatch_log_metric_filter.metrics_lost[0].metric_transformation[0].namespace == aws_cloudwatch_metric_alarm.this["metrics_lost"].namespace
    )
    error_message = "lost metrics raise no alarm"
  }
}

run "the_dashboard" {
  assert {
    condition = (
      [for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : widget.properties.title] == [
        "Violations", "Repairs and mirrors", "Records", "Lag", "Errors and throttles", "Duration", "Records at the mappings", "Failed records",
      ]
      && alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : widget.properties.region == "eu-west-1" && length(widget.properties.metrics) > 0])
    )
    error_message = "the dashboard is ${aws_cloudwatch_dashboard.this[0].dashboard_body}"
  }
}

run "settings_of_alarms" {
  variables {
    alarms = {
      violations         = { threshold = 10, period = 300, datapoints = 2, periods = 3 }
      violations_by_rule = { enabled = false }
      errors             = { enabled = false }
      warnings           = { enabled = true }
      iterator_age       = { threshold = 60 }
    }
    alarm_actions = ["arn:aws:sns:eu-west-1:123456789012:alarm"]
    ok_actions    = ["arn:aws:sns:eu-west-1:123456789012:ok"]
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["violations"].threshold == 10 && aws_cloudwatch_metric_alarm.this["violations"].period == 300
      && aws_cloudwatch_metric_alarm.this["violations"].datapoints_to_alarm == 2 && aws_cloudwatch_metric_alarm.this["violations"].evaluation_periods == 3
      && aws_cloudwatch_metric_alarm.this["iterator_age"].threshold == 3600000
    )
    error_message = "a setting has no effect"
  }
  assert {
    condition = (
      !anytrue([for key in keys(aws_cloudwatch_metric_alarm.this) : startswith(key, "violations_by_rule") || key == "errors"])
      && contains(keys(aws_cloudwatch_metric_alarm.this), "warnings")
    )
    error_message = "`enabled` has no effect"
  }
  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.this :
      alarm.alarm_actions == toset(["arn:aws:sns:eu-west-1:123456789012:alarm"]) && alarm.ok_actions == toset(["arn:aws:sns:eu-west-1:123456789012:ok"])
    ])
    error_message = "the actions are wrong"
  }
}

run "without_metrics_there_are_no_alarms_on_them" {
  variables {
    metrics = "none"
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.namespace == "AWS/Lambda"]) && !strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "Violations")
    error_message = "an alarm watches a metric that is not published"
  }
}

run "no_dashboard" {
  variables {
    dashboard = false
  }
  assert {
    condition     = length(aws_cloudwatch_dashboard.this) == 0 && output.dashboard_name == null
    error_message = "there is a dashboard"
  }
}
