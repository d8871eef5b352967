# The regular audit: a schedule starts a state machine, which invokes the function for each segment of
# each table, again and again until the segment is done.

locals {
  audits           = var.audit != null
  audit_name       = "${var.name}-audit"
  audit_parts_max  = 1000
  state_machine    = "${local.arn_prefix.states}:stateMachine:${local.audit_name}"
  audit_log_group  = "/aws/vendedlogs/states/${local.audit_name}"
  audit_role_long  = { for use in ["run", "start"] : use => "${local.audit_name}-${use}-${local.region}" }
  audit_role_names = { for use, long in local.audit_role_long : use => length(long) <= 64 ? long : "${substr(var.name, 0, 20)}-${substr(sha1(var.name), 0, 8)}-audit-${use}-${local.region}" }

  # The tables whose items refer to others, are mirrored, or are mirrors. Items that others only refer
  # to are read when they are looked up.
  audited_tables = sort(distinct([
    for entity in flatten([
      [for rule in local.alternatives : rule.from],
      [for rule in local.active_mirrors : [rule.source, rule.mirror]],
    ]) : local.table_of[entity] if contains(keys(local.table_of), entity)
  ]))
  audit_parts = !local.audits ? [] : flatten([
    for alias in local.audited_tables : [
      for segment in range(min(var.audit.segments, local.audit_parts_max)) :
      { table = alias, segment = segment, segments = var.audit.segments, next = null, totals = null }
    ]
  ])

  # Only `Fatal` errors do not pass by themselves.
  audit_retries = [
    { ErrorEquals = ["Fatal"], MaxAttempts = 0 },
    { ErrorEquals = ["States.ALL"], IntervalSeconds = 5, BackoffRate = 2, MaxDelaySeconds = 300, MaxAttempts = 8, JitterStrategy = "FULL" },
  ]
  # The end of a part, for the summary.
  audit_part_end = { "table.$" = "$.table", "segment.$" = "$.segment", "totals.$" = "$.totals" }
  # https://states-language.net
  audit_definition = !local.audits ? null : {
    Comment        = "Audits all items that the rules of ${var.name} look at."
    StartAt        = "List parts"
    TimeoutSeconds = var.audit.timeout_hours * 3600
    States = {
      "List parts" = { Type = "Pass", Result = local.audit_parts, Next = "Audit parts" }
      "Audit parts" = {
        Type           = "Map"
        MaxConcurrency = var.audit.concurrency
        # Each part is an execution of its own, because the history of an execution is limited to
        # 25,000 events.
        # https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
        ItemProcessor = {
          ProcessorConfig = { Mode = "DISTRIBUTED", ExecutionType = "STANDARD" }
          StartAt         = "Audit"
          States = merge(
            {
              Audit = {
                Type     = "Task"
                Resource = local.invoked_arn
                Parameters = {
                  referee = {
                    audit = {
                      "table.$"    = "$.table"
                      "segment.$"  = "$.segment"
                      "segments.$" = "$.segments"
                      "start.$"    = "$.next"
                      "totals.$"   = "$.totals"
                      read_units   = var.audit.read_units
                      apply        = var.audit.apply
                    }
                  }
                }
                Retry = local.audit_retries
                Catch = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.error", Next = "Part failed" }]
                Next  = "Is the part done?"
              }
              "Is the part done?" = {
                Type    = "Choice"
                Choices = [{ Variable = "$.next", IsNull = true, Next = "Part done" }]
                Default = var.audit.pause > 0 ? "Pause" : "Audit"
              }
              "Part done"   = { Type = "Pass", Parameters = local.audit_part_end, End = true }
              "Part failed" = { Type = "Pass", Parameters = merge(local.audit_part_end, { "error.$" = "$.error.Error" }), End = true }
            },
            var.audit.pause > 0 ? { Pause = { Type = "Wait", Seconds = var.audit.pause, Next = "Audit" } } : {},
          )
        }
        Next = "Summarize"
      }
      Summarize = {
        Type       = "Task"
        Resource   = local.invoked_arn
        Parameters = { referee = { audit_summary = { "parts.$" = "$" } } }
        Retry      = local.audit_retries
        Next       = "Is it complete?"
      }
      "Is it complete?" = {
        Type    = "Choice"
        Choices = [{ Variable = "$.complete", BooleanEquals = true, Next = "Complete" }]
        Default = "Incomplete"
      }
      Complete   = { Type = "Succeed" }
      Incomplete = { Type = "Fail", Error = "Incomplete", Cause = "Some parts were not audited to their end. The function's log says which and why: filter by message = \"audit incomplete\"." }
    }
  }

  audit_statements = concat([
    { Sid = "InvokeFunction", Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = [local.invoked_arn] },
    # A Distributed Map starts an execution of the same state machine for each part.
    # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    { Sid = "StartParts", Effect = "Allow", Action = ["states:StartExecution"], Resource = [local.state_machine] },
    { Sid = "FollowParts", Effect = "Allow", Action = ["states:DescribeExecution", "states:StopExecution"], Resource = ["${local.arn_prefix.states}:execution:${local.audit_name}:*"] },
    # These actions do not support resources.
    # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    {
      Sid    = "WriteLogs"
      Effect = "Allow"
      Action = [
        "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
      ]
      Resource = ["*"]
    },
    ], !var.tracing ? [] : [
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
    {
      Sid      = "WriteTraces"
      Effect   = "Allow"
      Action   = ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      Resource = ["*"]
    },
  ])
  trust = {
    for service in ["scheduler", "states"] : service => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "RunInThisAccount"
        Effect    = "Allow"
        Principal = { Service = local.principals[service] }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      }]
    })
  }
}

resource "aws_iam_role" "audit_run" {
  count = local.audits ? 1 : 0

  name                 = local.audit_role_names.run
  description          = "The role of the state machine ${local.audit_name}, which invokes the function ${var.name}."
  assume_role_policy   = local.trust.states
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  depends_on = [terraform_data.checks]
}

resource "aws_iam_role_policy" "audit_run" {
  # checkov:skip=CKV_AWS_290: the actions on log deliveries do not support resources.
  # checkov:skip=CKV_AWS_355: the actions on log deliveries do not support resources.
  count = local.audits ? 1 : 0

  name   = "audit"
  role   = aws_iam_role.audit_run[0].name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.audit_statements })
}

resource "aws_iam_role" "audit_start" {
  count = local.audits ? 1 : 0

  name                 = local.audit_role_names.start
  description          = "The role of the schedule ${local.audit_name}, which starts the state machine of the same name."
  assume_role_policy   = local.trust.scheduler
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  depends_on = [terraform_data.checks]
}

resource "aws_iam_role_policy" "audit_start" {
  count = local.audits ? 1 : 0

  name = "start"
  role = aws_iam_role.audit_start[0].name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "StartAudit", Effect = "Allow", Action = ["states:StartExecution"], Resource = [local.state_machine] }]
  })
}

# The log has the errors of executions, without the keys of items.
resource "aws_cloudwatch_log_group" "audit" {
  # checkov:skip=CKV_AWS_338: `log_retention_days` sets the retention; these are not audit logs.
  count = local.audits ? 1 : 0

  name              = local.audit_log_group
  region            = var.region
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags

  depends_on = [terraform_data.checks]
}

resource "aws_sfn_state_machine" "audit" {
  # checkov:skip=CKV_AWS_285: the log has the level ERROR, and no execution data, which contains keys of items.
  count = local.audits ? 1 : 0

  name       = local.audit_name
  region     = var.region
  role_arn   = aws_iam_role.audit_run[0].arn
  definition = jsonencode(local.audit_definition)
  tags       = var.tags

  logging_configuration {
    level                  = "ERROR"
    include_execution_data = false
    log_destination        = "${local.arn_prefix.logs}:log-group:${aws_cloudwatch_log_group.audit[0].name}:*"
  }

  tracing_configuration {
    enabled = var.tracing
  }

  depends_on = [aws_iam_role_policy.audit_run]
}

resource "aws_scheduler_schedule" "audit" {
  # checkov:skip=CKV_AWS_297: the schedule has no input, so there is nothing to encrypt.
  count = local.audits ? 1 : 0

  name                         = local.audit_name
  region                       = var.region
  description                  = "Starts the regular audit of ${var.name}."
  schedule_expression          = var.audit.schedule
  schedule_expression_timezone = var.audit.timezone

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_sfn_state_machine.audit[0].arn
    role_arn = aws_iam_role.audit_start[0].arn
    input    = "{}"

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 10
    }
  }

  depends_on = [aws_iam_role_policy.audit_start]
}
