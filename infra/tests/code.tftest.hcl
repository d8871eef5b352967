# Tests where the function's code comes from, and when it is deployed again.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  rules_file = "tests/fixtures/app.yaml"
}

run "code_deployed_by_cargo" {
  assert {
    condition = (
      length(aws_lambda_function.this) == 0 && endswith(aws_lambda_function.deployed_by_cargo[0].filename, "placeholder.zip")
      && output.function_name == "referee"
    )
    error_message = "Terraform deploys the code"
  }
}

run "a_zip_beside_its_binary" {
  variables {
    code = { package = "tests/fixtures/package/bootstrap.zip" }
  }
  assert {
    condition     = aws_lambda_function.this[0].source_code_hash == filebase64sha256("tests/fixtures/package/bootstrap")
    error_message = "the hash is not that of the binary"
  }
  assert {
    condition     = aws_lambda_function.this[0].filename == "tests/fixtures/package/bootstrap.zip" && length(aws_lambda_function.deployed_by_cargo) == 0
    error_message = "the code is not the zip"
  }
}

run "a_zip_alone" {
  variables {
    code = { package = "placeholder.zip" }
  }
  assert {
    condition     = aws_lambda_function.this[0].source_code_hash == filebase64sha256("placeholder.zip")
    error_message = "the hash is not that of the zip"
  }
}

run "an_object" {
  variables {
    code = { s3 = { bucket = "artifacts", key = "referee.zip", version = "7" }, hash = "1.2.3" }
  }
  assert {
    condition = (
      aws_lambda_function.this[0].s3_bucket == "artifacts" && aws_lambda_function.this[0].s3_key == "referee.zip"
      && aws_lambda_function.this[0].s3_object_version == "7" && aws_lambda_function.this[0].source_code_hash == "1.2.3"
      && aws_lambda_function.this[0].filename == null
    )
    error_message = "the code is not the object in S3"
  }
}

run "another_processor" {
  variables {
    architecture = "x86_64"
    code         = { package = "placeholder.zip" }
  }
  assert {
    condition     = aws_lambda_function.this[0].architectures == tolist(["x86_64"])
    error_message = "the architecture is wrong"
  }
}

run "a_release" {
  variables {
    code    = { package = "placeholder.zip" }
    release = {}
    audit   = { schedule = "rate(1 day)" }
  }
  assert {
    condition = (
      aws_lambda_function.this[0].publish && aws_lambda_alias.this[0].name == "live"
      && aws_lambda_alias.this[0].function_version == aws_lambda_function.this[0].version && length(aws_lambda_alias.this[0].routing_config) == 0
    )
    error_message = "the alias does not refer to the newest version"
  }
  assert {
    condition     = aws_lambda_event_source_mapping.this["app"].function_name == aws_lambda_alias.this[0].arn && output.alias_arn == aws_lambda_alias.this[0].arn
    error_message = "the mapping does not use the alias"
  }
  assert {
    condition = (
      strcontains(aws_sfn_state_machine.audit[0].definition, "\"arn:aws:lambda:eu-west-1:123456789012:function:referee:live\"")
      && strcontains(aws_iam_role_policy.audit_run[0].policy, "\"arn:aws:lambda:eu-west-1:123456789012:function:referee:live\"")
    )
    error_message = "the audit does not use the alias"
  }
}

run "a_canary" {
  variables {
    code    = { package = "placeholder.zip" }
    release = { alias = "canary", version = "6", canary = { version = "7", weight = 0.1 } }
  }
  assert {
    condition = (
      aws_lambda_alias.this[0].name == "canary" && aws_lambda_alias.this[0].function_version == "6"
      && aws_lambda_alias.this[0].routing_config[0].additional_version_weights == tomap({ "7" = 0.1 })
    )
    error_message = "the alias does not route to both versions"
  }
}
