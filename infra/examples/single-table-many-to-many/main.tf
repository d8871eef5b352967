# Creates a new table with companies, users and memberships, and the module, in one apply. The
# application writes the memberships into the partition of the company. Referee mirrors each
# membership, so that the companies of a user can also be queried.

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

resource "aws_dynamodb_table" "app" {
  # checkov:skip=CKV_AWS_119: AWS's own key is enough for an example; the module also supports customer managed keys.
  name         = "app"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"

  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"

  attribute {
    name = "pk"
    type = "S"
  }
  attribute {
    name = "sk"
    type = "S"
  }
  attribute {
    name = "invitedBy"
    type = "S"
  }
  attribute {
    name = "joinedAt"
    type = "S"
  }

  global_secondary_index {
    name            = "by_inviter"
    hash_key        = "invitedBy"
    range_key       = "joinedAt"
    projection_type = "KEYS_ONLY"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }
}

module "referee" {
  source = "../.."

  code   = { package = var.package }
  tables = { app = aws_dynamodb_table.app }

  rules = {
    tables = {
      app = { name = aws_dynamodb_table.app.name, key = ["pk", "sk"] }
    }
    entities = {
      company = { table = "app", key = { pk = "company#{company}", sk = "company#" } }
      user    = { table = "app", key = { pk = "user#{email}", sk = "user#" } }
      # The item that the application writes.
      member = {
        table      = "app"
        key        = { pk = "company#{company}", sk = "user#{email}" }
        attributes = { invitedBy = "S", joinedAt = "S", role = "S" }
      }
      # The mirror that Referee writes.
      member_of = { table = "app", key = { pk = "user#{email}", sk = "company#{company}" } }
    }
    references = {
      member_company = { from = "member", to = "company", on_delete = "cascade" }
      member_user    = { from = "member", to = "user", on_delete = "cascade", find = { mirror = "membership" } }
      member_inviter = {
        from      = "member"
        to        = "user"
        on        = { email = "{invitedBy}" }
        on_delete = "unset"
        find      = { index = "by_inviter", key = [{ invitedBy = "{email}" }] }
      }
    }
    mirrors = {
      membership = { source = "member", mirror = "member_of", copy = ["joinedAt", "role"] }
    }
  }
}
