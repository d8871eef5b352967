# Tests the queue on which suspects wait.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  rules_file = "tests/fixtures/app.yaml"
}

run "no_queue" {
  assert {
    condition = (
      length(aws_sqs_queue.recheck) == 0 && length(aws_lambda_event_source_mapping.recheck) == 0
      && !strcontains(output.policy, "sqs:") && output.recheck_queue_url == null
      && !can(aws_lambda_function.deployed_by_cargo[0].environment[0].variables.REFEREE_RECHECK_QUEUE)
    )
    error_message = "there is a queue although none is wanted"
  }
}

run "a_queue" {
  variables {
    recheck = { queue = true }
    timeout = 100
  }
  assert {
    condition = (
      aws_sqs_queue.recheck[0].name == "referee-recheck" && aws_sqs_queue.recheck[0].sqs_managed_sse_enabled
      && aws_sqs_queue.recheck[0].visibility_timeout_seconds == 600
      && aws_sqs_queue.recheck[0].message_retention_seconds < aws_sqs_queue.recheck_failed[0].message_retention_seconds
      && jsondecode(aws_sqs_queue.recheck[0].redrive_policy).maxReceiveCount == 10
      && jsondecode(aws_sqs_queue.recheck_failed[0].redrive_allow_policy).sourceQueueArns == ["arn:aws:sqs:eu-west-1:123456789012:referee-recheck"]
    )
    error_message = "the queues are not as documented"
  }
  assert {
    condition     = aws_lambda_function.deployed_by_cargo[0].environment[0].variables.REFEREE_RECHECK_QUEUE == "https://sqs.eu-west-1.amazonaws.com/123456789012/referee-recheck"
    error_message = "the function does not know its queue"
  }
  assert {
    condition     = tolist(aws_lambda_event_source_mapping.recheck[0].function_response_types) == tolist(["ReportBatchItemFailures"])
    error_message = "one failed message would return all of its batch"
  }
  assert {
    condition = [
      for statement in jsondecode(output.policy).Statement : { action = statement.Action, resource = statement.Resource } if statement.Sid == "RecheckSuspects"
      ] == [{
        action   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"]
        resource = ["arn:aws:sqs:eu-west-1:123456789012:referee-recheck"]
    }]
    error_message = "the function has no right to use its queue: ${output.policy}"
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["recheck_failures"].dimensions == tomap({ QueueName = "referee-recheck-failed" })
      && aws_cloudwatch_metric_alarm.this["recheck_age"].dimensions == tomap({ QueueName = "referee-recheck" })
      && aws_cloudwatch_metric_alarm.this["recheck_age"].threshold == 1800
      && can(aws_cloudwatch_metric_alarm.this["suspects_not_queued"]) && can(aws_cloudwatch_metric_alarm.this["suspects_dropped"])
    )
    error_message = "there is no alarm on the queues"
  }
}

run "a_key" {
  variables {
    recheck     = { queue = true, maximum_receives = 3 }
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/mine"
  }
  assert {
    condition = (
      aws_sqs_queue.recheck[0].kms_master_key_id == var.kms_key_arn && aws_sqs_queue.recheck_failed[0].kms_master_key_id == var.kms_key_arn
      && jsondecode(aws_sqs_queue.recheck[0].redrive_policy).maxReceiveCount == 3
    )
    error_message = "the queues are not encrypted with the key"
  }
}
