terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # The first version in which each resource has a `region`.
      version = ">= 6.0"
    }
  }
}
