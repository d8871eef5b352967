# Terraform makes everything but the code, which `cargo lambda deploy` puts in:
#
#     terraform apply
#     cargo lambda build --release --arm64
#     cargo lambda deploy --binary-name referee-lambda "$(terraform output -raw function_name)"
#
# Until then the function fails, and its records wait. Terraform leaves the code alone afterwards.

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

  rules_file = "${path.root}/referee.yaml"
}

output "function_name" {
  description = "What `cargo lambda deploy` takes."
  value       = module.referee.function_name
}

output "policy" {
  description = "What the function may do."
  value       = module.referee.policy
}
