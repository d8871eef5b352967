# One existing table, and one rule that only reports violations.

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

  code = { package = var.package }

  rules = {
    tables = {
      shop = { key = ["pk", "sk"] }
    }
    entities = {
      customer = { table = "shop", key = { pk = "customer#{customer}", sk = "profile" } }
      order    = { table = "shop", key = { pk = "customer#{customer}", sk = "order#{order}" } }
    }
    references = {
      order_customer = { from = "order", to = "customer" }
    }
  }
}
