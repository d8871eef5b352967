# Tests the function's permissions that depend on variables. ../../tests/infra compares complete
# policies with `referee iam`.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  rules = {
    tables = { app = { key = ["pk", "sk"] } }
    entities = {
      company   = { table = "app", key = { pk = "company#{company}", sk = "company#" } }
      user      = { table = "app", key = { pk = "user#{email}", sk = "user#" } }
      member    = { table = "app", key = { pk = "company#{company}", sk = "user#{email}" } }
      member_of = { table = "app", key = { pk = "user#{email}", sk = "company#{company}" } }
    }
    references = {
      member_company = { from = "member", to = "company", on_delete = "cascade" }
    }
    mirrors = {
      membership = { source = "member", mirror = "member_of" }
    }
  }
}

run "rules_that_repair" {
  assert {
    condition = [for statement in jsondecode(output.policy).Statement : statement.Sid] == [
      "ReadStreams", "ListStreams", "ReadItems", "QueryItems", "WriteItemsDeletePut", "CheckItems", "PublishMetrics", "WriteLogs", "FindFailures", "KeepFailures",
    ]
    error_message = "the policy is ${output.policy}"
  }
  assert {
    condition     = output.policy == aws_iam_role_policy.this.policy
    error_message = "the output differs from the role's policy"
  }
}

run "observe_mode_needs_no_permission_to_write" {
  variables {
    mode = "observe"
  }
  assert {
    condition     = !can(regex("PutItem|UpdateItem|DeleteItem|ConditionCheck", output.policy)) && local.function.environment[0].variables.REFEREE_MODE == "observe"
    error_message = "a function in observe mode may write: ${output.policy}"
  }
}

run "enforce_mode_of_rules_that_observe" {
  variables {
    mode = "enforce"
    rules = {
      tables     = { app = { key = ["pk", "sk"] } }
      entities   = { a = { table = "app", key = { pk = "a#{x}", sk = "a" } }, b = { table = "app", key = { pk = "a#{x}", sk = "b" } } }
      references = { b_a = { from = "b", to = "a", on_delete = "cascade", mode = "observe" } }
    }
  }
  assert {
    condition     = strcontains(output.policy, "dynamodb:DeleteItem")
    error_message = "a rule in enforce mode may not write"
  }
}

run "metrics_in_the_log" {
  variables {
    metrics = "emf"
  }
  assert {
    condition     = !strcontains(output.policy, "PutMetricData")
    error_message = "metrics in the log need no permission"
  }
}

run "namespace" {
  variables {
    namespace = "Shop/Referee"
  }
  assert {
    condition     = strcontains(output.policy, "{\"StringEquals\":{\"cloudwatch:namespace\":\"Shop/Referee\"}}")
    error_message = "metrics may be published in another namespace"
  }
}

run "keys" {
  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/ours"
    tables = {
      app = {
        arn                    = "arn:aws:dynamodb:eu-west-1:123456789012:table/app"
        stream_arn             = "arn:aws:dynamodb:eu-west-1:123456789012:table/app/stream/2026-01-01T00:00:00.000"
        stream_enabled         = true
        stream_view_type       = "NEW_AND_OLD_IMAGES"
        server_side_encryption = [{ kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/tables" }]
      }
    }
  }
  assert {
    condition = {
      for statement in jsondecode(output.policy).Statement : statement.Sid => statement.Resource if startswith(statement.Sid, "UseKeys")
      } == {
      UseKeys         = ["arn:aws:kms:eu-west-1:123456789012:key/ours"]
      UseKeysOfTables = ["arn:aws:kms:eu-west-1:123456789012:key/tables"]
    }
    error_message = "the keys are ${output.policy}"
  }
  assert {
    condition = alltrue([
      local.function.kms_key_arn == var.kms_key_arn, aws_cloudwatch_log_group.this.kms_key_id == var.kms_key_arn,
      one(aws_s3_bucket_server_side_encryption_configuration.failed[0].rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn,
    ])
    error_message = "a resource is not encrypted with the key"
  }
}

run "another_partition" {
  override_data {
    target = data.aws_partition.this
    values = { partition = "aws-cn", dns_suffix = "amazonaws.com.cn" }
  }
  override_data {
    target = data.aws_region.this
    values = { region = "cn-north-1" }
  }
  override_data {
    target = data.aws_service_principal.this["lambda"]
    values = { name = "lambda.amazonaws.com.cn" }
  }
  variables {
    tables = {
      app = {
        arn                    = "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/app"
        stream_arn             = "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/app/stream/2026-01-01T00:00:00.000"
        stream_enabled         = true
        stream_view_type       = "NEW_AND_OLD_IMAGES"
        server_side_encryption = [{ kms_key_arn = "arn:aws-cn:kms:cn-north-1:123456789012:key/tables" }]
      }
    }
  }
  assert {
    condition     = strcontains(output.policy, "\"kms:ViaService\":\"dynamodb.cn-north-1.amazonaws.com.cn\"") && !strcontains(output.policy, "arn:aws:")
    error_message = "the policy is for another partition: ${output.policy}"
  }
  assert {
    condition     = strcontains(aws_iam_role.this.assume_role_policy, "\"lambda.amazonaws.com.cn\"")
    error_message = "the role trusts the service of another partition"
  }
}
