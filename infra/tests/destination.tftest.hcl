# Tests the destination of records that failed permanently.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  rules_file = "tests/fixtures/app.yaml"
}

run "a_queue" {
  variables {
    failure_destination = { type = "sqs" }
  }
  assert {
    condition = (
      aws_sqs_queue.failed[0].name == "referee-failed" && aws_sqs_queue.failed[0].sqs_managed_sse_enabled
      && aws_sqs_queue.failed[0].message_retention_seconds == 1209600
      && output.failure_destination_arn == "arn:aws:sqs:eu-west-1:123456789012:referee-failed"
      && strcontains(output.policy, "sqs:SendMessage") && !strcontains(output.policy, "s3:")
    )
    error_message = "the queue is not as documented"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["destination_backlog"].dimensions == tomap({ QueueName = "referee-failed" })
    error_message = "there is no alarm on messages in the queue"
  }
}

run "a_topic" {
  variables {
    failure_destination = { type = "sns" }
  }
  assert {
    condition = (
      aws_sns_topic.failed[0].kms_master_key_id == "alias/aws/sns" && strcontains(output.policy, "sns:Publish")
      && output.failure_destination_arn == "arn:aws:sns:eu-west-1:123456789012:referee-failed"
    )
    error_message = "the topic is not as documented"
  }
}

run "an_existing_bucket" {
  variables {
    failure_destination = { create = false, arn = "arn:aws:s3:::mine", kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/mine" }
  }
  assert {
    condition     = length(aws_s3_bucket.failed) == 0 && strcontains(output.policy, "arn:aws:s3:::mine/*") && strcontains(output.policy, "key/mine")
    error_message = "the bucket is not used, or another one is created"
  }
}

run "the_owner_of_the_bucket" {
  assert {
    condition = {
      for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Condition.StringEquals if endswith(statement.Sid, "Failures")
      } == {
      FindFailures = { "s3:ResourceAccount" = "123456789012" }
      KeepFailures = { "s3:ResourceAccount" = "123456789012" }
    }
    error_message = "records could be sent to a bucket that someone else owns: ${output.policy}"
  }
}

run "a_bucket_of_another_account" {
  variables {
    failure_destination = { create = false, arn = "arn:aws:s3:::theirs", account = "210987654321" }
  }
  assert {
    condition     = strcontains(output.policy, "{\"s3:ResourceAccount\":\"210987654321\"}") && !strcontains(output.policy, "\"123456789012\"")
    error_message = "the function may not send records to the bucket: ${output.policy}"
  }
}

run "an_existing_queue" {
  variables {
    failure_destination = { type = "sqs", create = false, arn = "arn:aws:sqs:eu-west-1:123456789012:mine" }
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["destination_backlog"].dimensions == tomap({ QueueName = "mine" }) && length(aws_sqs_queue.failed) == 0
    error_message = "the queue has no alarm, or another one is created"
  }
}

run "none" {
  variables {
    failure_destination = { type = "none" }
  }
  assert {
    condition     = length(aws_lambda_event_source_mapping.this["app"].destination_config) == 0 && output.failure_destination_arn == null
    error_message = "there is a destination"
  }
}

run "a_bucket_that_may_be_destroyed" {
  variables {
    failure_destination = { retention_days = 7, force_destroy = true }
  }
  assert {
    condition     = aws_s3_bucket.failed[0].force_destroy && aws_s3_bucket_lifecycle_configuration.failed[0].rule[0].expiration[0].days == 7
    error_message = "the bucket cannot be destroyed"
  }
}
