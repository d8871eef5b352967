# Tests the defaults, with nothing set but the rules.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  rules_file = "tests/fixtures/app.yaml"
}

run "defaults" {
  assert {
    condition = (
      local.function.architectures == tolist(["arm64"]) && local.function.runtime == "provided.al2023"
      && local.function.memory_size == 512 && local.function.timeout == 60
      && local.function.reserved_concurrent_executions == -1
    )
    error_message = "the function is not as documented"
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30 && local.function.logging_config[0].log_group == aws_cloudwatch_log_group.this.name
    error_message = "the log group is not the module's, or does not keep logs for 30 days"
  }
  assert {
    condition     = local.function.logging_config[0].system_log_level == "INFO"
    error_message = "Lambda does not log the reports of invocations"
  }
  assert {
    condition     = !local.function.publish && length(aws_lambda_alias.this) == 0 && aws_lambda_event_source_mapping.this["app"].function_name == local.function.arn
    error_message = "the mapping does not use the newest code"
  }
  assert {
    condition     = !strcontains(output.policy, "CreateLogGroup")
    error_message = "the function could create its log group again after destroy"
  }
  assert {
    condition = (
      aws_lambda_event_source_mapping.this["app"].starting_position == "TRIM_HORIZON"
      && aws_lambda_event_source_mapping.this["app"].function_response_types == toset(["ReportBatchItemFailures"])
      && aws_lambda_event_source_mapping.this["app"].bisect_batch_on_function_error
      && aws_lambda_event_source_mapping.this["app"].maximum_record_age_in_seconds == 79200
      && aws_lambda_event_source_mapping.this["app"].maximum_retry_attempts == -1
      && aws_lambda_event_source_mapping.this["app"].metrics_config[0].metrics == toset(["EventCount"])
    )
    error_message = "the mapping could lose records, or publishes no metrics about them"
  }
  assert {
    condition     = aws_lambda_event_source_mapping.this["app"].destination_config[0].on_failure[0].destination_arn == "arn:aws:s3:::referee-failed-123456789012-eu-west-1"
    error_message = "failed records are not kept in a bucket"
  }
  assert {
    condition = (
      aws_s3_bucket_public_access_block.failed[0].restrict_public_buckets && !aws_s3_bucket.failed[0].force_destroy
      && one(aws_s3_bucket_server_side_encryption_configuration.failed[0].rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    )
    error_message = "the bucket is not private, encrypted and protected from deletion"
  }
  assert {
    condition     = length(local.function.vpc_config) == 0 && local.function.tracing_config[0].mode == "PassThrough"
    error_message = "the function has a VPC or tracing by default"
  }
}

run "settings_of_one_table" {
  variables {
    mapping  = { batch_size = 500, parallelization_factor = 2 }
    mappings = { app = { batch_size = 10, enabled = false } }
  }
  assert {
    condition = (
      aws_lambda_event_source_mapping.this["app"].batch_size == 10 && !aws_lambda_event_source_mapping.this["app"].enabled
      && aws_lambda_event_source_mapping.this["app"].parallelization_factor == 2
    )
    error_message = "a table's own settings do not take precedence over the common ones"
  }
}

run "region_tags_network" {
  variables {
    region               = "ap-southeast-2"
    tags                 = { Team = "data" }
    tracing              = true
    reserved_concurrency = 5
    permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
    vpc                  = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }
  assert {
    condition = alltrue([
      for made in [local.function, aws_cloudwatch_log_group.this, aws_s3_bucket.failed[0], aws_lambda_event_source_mapping.this["app"], aws_cloudwatch_metric_alarm.this["errors"]] :
      made.region == "ap-southeast-2" && made.tags == tomap({ Team = "data" })
    ])
    error_message = "a resource is in the wrong Region or has no tags"
  }
  assert {
    condition     = local.function.vpc_config[0].subnet_ids == toset(["subnet-1"]) && strcontains(output.policy, "ec2:CreateNetworkInterface")
    error_message = "the function is not in the VPC"
  }
  assert {
    condition     = local.function.tracing_config[0].mode == "Active" && strcontains(output.policy, "xray:PutTraceSegments")
    error_message = "the function is not traced"
  }
  assert {
    condition     = local.function.reserved_concurrent_executions == 5 && aws_iam_role.this.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "a limit is not set"
  }
}

run "long_names_stay_within_the_limits" {
  variables {
    name   = "Referee_of_the_shop-and-of-all-its-many-branches"
    region = "ap-southeast-2"
  }
  assert {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", aws_s3_bucket.failed[0].bucket))
    error_message = "the bucket's name is invalid: ${aws_s3_bucket.failed[0].bucket}"
  }
  assert {
    condition     = length(aws_iam_role.this.name) <= 64
    error_message = "the role's name is too long"
  }
}
