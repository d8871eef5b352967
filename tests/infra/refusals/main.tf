# Invalid input. The module rejects each, with a message that says why and how to fix it.

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

locals {
  entities = {
    company = { table = "app", key = { pk = "company#{company}", sk = "company#" } }
    member  = { table = "app", key = { pk = "company#{company}", sk = "user#{email}" } }
  }
  references = { member_company = { from = "member", to = "company" } }
  rules = {
    tables     = { app = { key = ["pk", "sk"] } }
    entities   = local.entities
    references = local.references
  }
}

module "bad_rule_file" {
  source     = "../../../infra"
  rules_file = "${path.module}/bad.yaml"
}

module "no_rules" {
  source = "../../../infra"
}

module "no_yaml" {
  source     = "../../../infra"
  rules_file = "${path.module}/../../../LICENSE"
}

module "no_rule" {
  source = "../../../infra"
  rules  = merge(local.rules, { references = {} })
}

module "unknown_table" {
  source = "../../../infra"
  rules  = merge(local.rules, { entities = merge(local.entities, { user = { table = "users", key = { id = "{email}" } } }) })
}

module "restrict" {
  source = "../../../infra"
  rules  = merge(local.rules, { references = { member_company = { from = "member", to = "company", on_delete = "restrict" } } })
}

module "name_that_cannot_be_a_dimension" {
  source = "../../../infra"
  rules  = merge(local.rules, { references = { "member → company" = { from = "member", to = "company" } } })
}

module "order_of_the_index_key" {
  source = "../../../infra"
  rules = merge(local.rules, { references = { member_company = {
    from = "member", to = "company", find = { index = "by_company", key = [{ company = "{company}", joined = "{company}" }] }
  } } })
}

module "too_many_filters" {
  source   = "../../../infra"
  rules    = local.rules
  mappings = { app = { filters = [for number in range(11) : "{\"dynamodb\":{\"Keys\":{\"pk\":{\"S\":[\"${number}\"]}}}}"] } }
}

module "filter_on_an_image" {
  source  = "../../../infra"
  rules   = local.rules
  mapping = { filters = ["{\"dynamodb\":{\"NewImage\":{\"pk\":{\"S\":[\"a\"]}}}}"] }
}

module "mapping_out_of_range" {
  source  = "../../../infra"
  rules   = local.rules
  mapping = { batch_size = 20000 }
}

module "mapping_of_an_unknown_table" {
  source   = "../../../infra"
  rules    = local.rules
  mappings = { users = { batch_size = 1 } }
}

module "unused_table" {
  source = "../../../infra"
  rules  = local.rules
  tables = {
    users = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/users", stream_arn = "", stream_enabled = false, stream_view_type = null }
  }
}

module "no_stream" {
  source = "../../../infra"
  rules  = merge(local.rules, { tables = { app = { name = "app-without-stream", key = ["pk", "sk"] } } })
}

module "stream_of_keys" {
  source = "../../../infra"
  rules  = merge(local.rules, { tables = { app = { name = "app-keys-only", key = ["pk", "sk"] } } })
}

module "no_stream_on_a_managed_table" {
  source = "../../../infra"
  rules  = local.rules
  tables = {
    app = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/app", stream_arn = "", stream_enabled = null, stream_view_type = "" }
  }
}

module "missing_table" {
  source = "../../../infra"
  rules  = merge(local.rules, { tables = { app = { name = "app-missing", key = ["pk", "sk"] } } })
}

module "unset_variable" {
  source = "../../../infra"
  rules  = merge(local.rules, { tables = { app = { name = "$${STAGE}", key = ["pk", "sk"] } } })
}

module "too_many_rules" {
  source = "../../../infra"
  rules = merge(local.rules, { references = {
    for number in range(200) : "rule_${substr(sha256(number), 0, 50)}" => { from = "member", to = "company" }
  } })
}

module "metrics_below_the_log_level" {
  source    = "../../../infra"
  rules     = local.rules
  metrics   = "emf"
  log_level = "WARN"
}

module "rules_in_the_package_without_code" {
  source           = "../../../infra"
  rules            = local.rules
  rules_in_package = true
}

module "future_version" {
  source = "../../../infra"
  rules  = merge(local.rules, { version = 2 })
}

module "everything_off" {
  source = "../../../infra"
  rules  = local.rules
  mode   = "off"
}

module "timeout_shorter_than_a_grace_period" {
  source  = "../../../infra"
  rules   = merge(local.rules, { references = { member_company = { from = "member", to = "company", grace = "1m" } } })
  timeout = 64
}

module "timeout_shorter_than_the_default_grace_period" {
  source  = "../../../infra"
  rules   = local.rules
  timeout = 6
}

module "release_of_code_that_cargo_deploys" {
  source  = "../../../infra"
  rules   = local.rules
  release = {}
}

module "copy_and_exceptions" {
  source = "../../../infra"
  rules = merge(local.rules, {
    entities = merge(local.entities, { member_of = { table = "app", key = { pk = "user#{email}", sk = "company#{company}" } } })
    mirrors  = { membership = { source = "member", mirror = "member_of", copy = ["role"], copy_except = ["secret"] } }
  })
}
