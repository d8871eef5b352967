# Tests that invalid input is rejected before anything is created. The messages are in
# ../../tests/infra/refusals.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  rules_file = "tests/fixtures/app.yaml"
}

run "no_rules" {
  command = plan
  variables {
    rules_file = null
  }
  expect_failures = [terraform_data.checks]
}

run "rules_twice" {
  command = plan
  variables {
    rules = { tables = { app = { key = ["pk"] } }, entities = {} }
  }
  expect_failures = [terraform_data.checks]
}

run "a_missing_file" {
  command = plan
  variables {
    rules_file = "tests/fixtures/missing.yaml"
  }
  expect_failures = [var.rules_file]
}

run "a_mode" {
  command = plan
  variables {
    mode = "enforced"
  }
  expect_failures = [var.mode]
}

run "a_name" {
  command = plan
  variables {
    name = "has blanks"
  }
  expect_failures = [var.name]
}

run "code_without_a_source" {
  command = plan
  variables {
    code = {}
  }
  expect_failures = [var.code]
}

run "missing_code" {
  command = plan
  variables {
    code = { package = "missing.zip" }
  }
  expect_failures = [var.code]
}

run "a_processor" {
  command = plan
  variables {
    architecture = "arm"
  }
  expect_failures = [var.architecture]
}

run "memory" {
  command = plan
  variables {
    memory_size = 64
  }
  expect_failures = [var.memory_size]
}

run "a_timeout" {
  command = plan
  variables {
    timeout = 901
  }
  expect_failures = [var.timeout]
}

run "a_variable_of_the_module" {
  command = plan
  variables {
    environment = { REFEREE_MODE = "off" }
  }
  expect_failures = [var.environment]
}

run "a_log_level" {
  command = plan
  variables {
    log_level = "LOUD"
  }
  expect_failures = [var.log_level]
}

run "a_retention" {
  command = plan
  variables {
    log_retention_days = 31
  }
  expect_failures = [var.log_retention_days]
}

run "a_destination" {
  command = plan
  variables {
    failure_destination = { type = "kinesis" }
  }
  expect_failures = [var.failure_destination]
}

run "a_destination_both_created_and_existing" {
  command = plan
  variables {
    failure_destination = { arn = "arn:aws:s3:::mine" }
  }
  expect_failures = [var.failure_destination]
}

run "metrics" {
  command = plan
  variables {
    metrics = "statsd"
  }
  expect_failures = [var.metrics]
}

run "a_namespace" {
  command = plan
  variables {
    namespace = "AWS/Lambda"
  }
  expect_failures = [var.namespace]
}

run "an_alarm" {
  command = plan
  variables {
    alarms = { errors = { period = 61 } }
  }
  expect_failures = [var.alarms]
}

run "an_alias_that_is_a_version" {
  command = plan
  variables {
    release = { alias = "7" }
  }
  expect_failures = [var.release]
}

run "a_canary_beside_nothing" {
  command = plan
  variables {
    release = { canary = { version = "7", weight = 0.1 } }
  }
  expect_failures = [var.release]
}

run "a_version_by_name" {
  command = plan
  variables {
    release = { version = "latest" }
  }
  expect_failures = [var.release]
}
