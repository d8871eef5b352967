# The module with many rule sets. The tests compare only their policies and filters, and the rules
# of `twin`.

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
  events = "${path.module}/../../../events"
  rule_files = merge(
    { for path in fileset(local.events, "*/referee.yaml") : dirname(path) => "${local.events}/${path}" },
    { actions = "${path.module}/actions.yaml" },
  )
}

module "case" {
  source   = "../../../infra"
  for_each = local.rule_files

  rules_file = each.value
  audit      = { schedule = "cron(0 3 * * ? *)", segments = 2 }
}

module "twin" {
  source = "../../../infra"

  rules = {
    tables = {
      app   = { name = "app-test", key = ["pk", "sk"], separator = "|" }
      users = { key = ["id:N"] }
      east  = { key = ["id"] }
      west  = { key = ["id"] }
    }
    entities = {
      company = {
        table      = "app"
        key        = { pk = "company|{company}", sk = "company|" }
        where      = { kind = "company", size = 3, open = true, status = jsonencode(["ACTIVE", "NEW"]), deletedAt = "absent", rank = jsonencode({ gte = 3 }) }
        attributes = { kind = "S", size = "N", open = "BOOL" }
      }
      user      = { table = "users", key = { id = "{user}" }, attributes = { secret = "S" } }
      user_copy = { table = "app", key = { pk = "user|{user}", sk = "user|" } }
      member = {
        table      = "app"
        key        = { pk = "company|{company}", sk = "member|{member}" }
        attributes = { "address.city" = "S", area = "N", role = "S", user = "N" }
      }
      member_of  = { table = "app", key = { pk = "member|{member}", sk = "company|{company}" } }
      visit      = { tables = ["east", "west"], key = { id = "visit#{visit}" }, attributes = { before = "S" } }
      visit_copy = { tables = ["east", "west"], key = { id = "copy#{visit}" } }
    }
    references = {
      member_company = {
        from          = "member"
        to            = "company"
        match         = "full"
        required      = true
        on_delete     = "cascade"
        on_ttl_delete = "report"
        grace         = "5s"
        severity      = "error"
        max_fanout    = 500
        max_depth     = 3
      }
      member_user = {
        from       = "member"
        to         = "user"
        on         = { user = "{user}" }
        on_missing = "set_default"
        on_delete  = "unset"
        default    = { user = 7 }
        find       = { index = "by_user", key = [{ "user:N" = "{user}" }, { "area:N" = "{user}" }] }
        mode       = "observe"
      }
      member_none  = { from = "member", to = "user", on = { user = "{user}" }, find = { none = true }, severity = "warn" }
      member_found = { from = "member_of", to = "company", find = { index = "by_company", key = [{ sk = "company|{company}" }] } }
      visit_before = { from = "visit", to = "visit", tables = "any", on = { visit = "{before}" }, find = { none = true } }
    }
    mirrors = {
      visits = { source = "visit", mirror = "visit_copy", tables = "paired" }
      membership = {
        source           = "member"
        mirror           = "member_of"
        copy             = ["role"]
        on_mirror_delete = "report"
        on_mirror_edit   = "report"
        adopt            = false
        mode             = "enforce"
        severity         = "warn"
      }
      users = { source = "user", mirror = "user_copy", copy_except = ["secret"] }
    }
  }
}

output "cases" {
  description = "The policy and the filters of each rule set."
  value = {
    for name, case in module.case : name => {
      policy  = jsondecode(case.policy)
      filters = case.filters
    }
  }
}

output "twin" {
  description = "The rules of `twin`, as the function reads them."
  value       = module.twin.rules
}
