terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # `region` of each resource came with this version.
      version = ">= 6.0"
    }
  }
}
