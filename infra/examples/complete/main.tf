# Rules for three existing tables, whose names depend on the stage. The example shows queries of an
# index, repairs, alarms that notify a topic, a queue for failed records, a nightly audit, a
# customer managed key, and a first rollout in observe mode.

terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

provider "aws" {
  region = "eu-west-1"
}

module "referee" {
  source = "../.."

  name   = "referee-${var.stage}"
  mode   = var.mode
  region = "eu-central-1"
  tags   = { Service = "shop", Stage = var.stage }

  code = {
    s3 = {
      bucket  = "example-artifacts"
      key     = "referee/0.1.0/arm64.zip"
      version = "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY"
    }
    hash = "0.1.0"
  }

  # The command line can use the same rule file: its table names contain the stage, which comes from
  # the environment.
  rules_file  = "${path.root}/referee.yaml"
  environment = { STAGE = var.stage }

  memory_size = 512
  timeout     = 120
  tracing     = true
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1b2c3d4e-0000-4000-8000-000000000001"

  vpc = {
    subnet_ids         = ["subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60719"]
    security_group_ids = ["sg-0a1b2c3d4e5f60718"]
  }

  mapping  = { batch_size = 500, batching_window = 5 }
  mappings = { orders = { parallelization_factor = 4 } }

  failure_destination = { type = "sqs" }

  audit = { schedule = "cron(0 3 * * ? *)", timezone = "Europe/Berlin", segments = 8 }

  alarm_actions = ["arn:aws:sns:eu-central-1:123456789012:on-call"]
  ok_actions    = ["arn:aws:sns:eu-central-1:123456789012:on-call"]
  alarms = {
    violations = { enabled = false } # the alarms by rule are enough
    throttles  = { threshold = 10 }
    warnings   = { enabled = true, threshold = 100, period = 3600 }
  }
}
