# Tests the regular audit.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  rules_file = "tests/fixtures/app.yaml"
}

run "there_is_none_by_default" {
  assert {
    condition = (
      length(aws_sfn_state_machine.audit) + length(aws_scheduler_schedule.audit) + length(aws_iam_role.audit_run) + length(aws_iam_role.audit_start) + length(aws_cloudwatch_log_group.audit) == 0
      && !strcontains(output.policy, "dynamodb:Scan") && output.audit_state_machine_arn == null
      && !anytrue([for key in keys(aws_cloudwatch_metric_alarm.this) : startswith(key, "audit")])
      && !strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "Audit")
    )
    error_message = "the module creates an audit that was not asked for"
  }
}

run "each_segment_is_read" {
  variables {
    audit = { schedule = "cron(0 3 * * ? *)", segments = 3 }
  }
  assert {
    condition = jsondecode(aws_sfn_state_machine.audit[0].definition).States["List parts"].Result == [
      { table = "app", segment = 0, segments = 3, next = null, totals = null },
      { table = "app", segment = 1, segments = 3, next = null, totals = null },
      { table = "app", segment = 2, segments = 3, next = null, totals = null },
    ]
    error_message = "the state machine is ${aws_sfn_state_machine.audit[0].definition}"
  }
  assert {
    condition = (
      jsondecode(aws_sfn_state_machine.audit[0].definition).States["Audit parts"].MaxConcurrency == 4
      && jsondecode(aws_sfn_state_machine.audit[0].definition).States["Audit parts"].ItemProcessor.States.Audit.Parameters.referee.audit.apply == false
      && jsondecode(aws_sfn_state_machine.audit[0].definition).States["Audit parts"].ItemProcessor.States.Audit.Parameters.referee.audit.read_units == null
      && jsondecode(aws_sfn_state_machine.audit[0].definition).States["Audit parts"].ItemProcessor.States["Is the part done?"].Default == "Audit"
      && jsondecode(aws_sfn_state_machine.audit[0].definition).TimeoutSeconds == 72000
    )
    error_message = "a default is wrong"
  }
  assert {
    condition = (
      aws_scheduler_schedule.audit[0].schedule_expression == "cron(0 3 * * ? *)" && aws_scheduler_schedule.audit[0].schedule_expression_timezone == "UTC"
      && one(aws_scheduler_schedule.audit[0].target).arn == output.audit_state_machine_arn
    )
    error_message = "the schedule is wrong"
  }
  assert {
    condition     = [for statement in jsondecode(output.policy).Statement : statement.Resource if statement.Sid == "ScanItems"] == [["arn:aws:dynamodb:eu-west-1:123456789012:table/app"]]
    error_message = "the function may not scan the table"
  }
}

run "only_what_is_needed_is_allowed" {
  override_data {
    target = data.aws_service_principal.this["scheduler"]
    values = { name = "scheduler.amazonaws.com" }
  }
  override_data {
    target = data.aws_service_principal.this["states"]
    values = { name = "states.amazonaws.com" }
  }
  variables {
    audit = { schedule = "rate(1 day)" }
  }
  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.audit_run[0].policy).Statement : statement.Sid => statement.Resource } == {
      InvokeFunction = ["arn:aws:lambda:eu-west-1:123456789012:function:referee"]
      StartParts     = ["arn:aws:states:eu-west-1:123456789012:stateMachine:referee-audit"]
      FollowParts    = ["arn:aws:states:eu-west-1:123456789012:execution:referee-audit:*"]
      WriteLogs      = ["*"]
    }
    error_message = "the state machine's policy is ${aws_iam_role_policy.audit_run[0].policy}"
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.audit_start[0].policy).Statement == [
      { Sid = "StartAudit", Effect = "Allow", Action = ["states:StartExecution"], Resource = ["arn:aws:states:eu-west-1:123456789012:stateMachine:referee-audit"] },
    ]
    error_message = "the schedule's policy is ${aws_iam_role_policy.audit_start[0].policy}"
  }
  assert {
    condition     = strcontains(aws_iam_role.audit_run[0].assume_role_policy, "\"states.amazonaws.com\"") && strcontains(aws_iam_role.audit_start[0].assume_role_policy, "\"scheduler.amazonaws.com\"")
    error_message = "a role trusts the wrong service"
  }
}

run "settings" {
  variables {
    name = "referee-with-a-name-that-is-as-long-as-possible_"
    audit = {
      schedule      = "rate(1 day)"
      timezone      = "Europe/Berlin"
      concurrency   = 2
      apply         = true
      read_units    = 1000
      pause         = 5
      timeout_hours = 3
    }
    alarms = { audit_violations = { enabled = true, threshold = 10 }, audit_overdue = { period = 3600, periods = 168, datapoints = 168 } }
  }
  assert {
    condition = (
      jsondecode(aws_sfn_state_machine.audit[0].definition).States["Audit parts"].MaxConcurrency == 2
      && jsondecode(aws_sfn_state_machine.audit[0].definition).States["Audit parts"].ItemProcessor.States.Audit.Parameters.referee.audit.apply == true
      && jsondecode(aws_sfn_state_machine.audit[0].definition).States["Audit parts"].ItemProcessor.States.Audit.Parameters.referee.audit.read_units == 1000
      && jsondecode(aws_sfn_state_machine.audit[0].definition).States["Audit parts"].ItemProcessor.States["Is the part done?"].Default == "Pause"
      && jsondecode(aws_sfn_state_machine.audit[0].definition).States["Audit parts"].ItemProcessor.States.Pause == { Type = "Wait", Seconds = 5, Next = "Audit" }
      && jsondecode(aws_sfn_state_machine.audit[0].definition).TimeoutSeconds == 10800
      && aws_scheduler_schedule.audit[0].schedule_expression_timezone == "Europe/Berlin"
    )
    error_message = "a setting has no effect: ${aws_sfn_state_machine.audit[0].definition}"
  }
  assert {
    condition     = length(aws_iam_role.audit_run[0].name) <= 64 && length(aws_iam_role.audit_start[0].name) <= 64 && aws_iam_role.audit_run[0].name != aws_iam_role.audit_start[0].name
    error_message = "a role's name is too long"
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["audit_violations"].threshold == 10 && aws_cloudwatch_metric_alarm.this["audit_violations"].treat_missing_data == "notBreaching"
      && aws_cloudwatch_metric_alarm.this["audit_overdue"].evaluation_periods == 168
    )
    error_message = "a setting of an alarm has no effect"
  }
}

run "a_missing_audit_raises_an_alarm" {
  variables {
    audit = { schedule = "rate(1 day)" }
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["audit_overdue"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.this["audit_overdue"].comparison_operator == "LessThanThreshold"
      && aws_cloudwatch_metric_alarm.this["audit_overdue"].metric_name == "AuditsCompleted" && aws_cloudwatch_metric_alarm.this["audit_overdue"].threshold == 1
      && aws_cloudwatch_metric_alarm.this["audit_overdue"].period * aws_cloudwatch_metric_alarm.this["audit_overdue"].evaluation_periods == 172800
    )
    error_message = "the alarm does not watch for two days without a complete audit"
  }
  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "audit_violations")
    error_message = "violations that an audit finds raise an alarm that was not asked for"
  }
}

run "too_many_segments" {
  command = plan
  variables {
    audit = { schedule = "rate(1 day)", segments = 1001 }
  }
  expect_failures = [terraform_data.checks]
}

run "wrong_settings" {
  command = plan
  variables {
    audit = { schedule = "daily", segments = 0, pause = -1 }
  }
  expect_failures = [var.audit]
}
