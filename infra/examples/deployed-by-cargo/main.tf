# Terraform creates everything except the code. `cargo lambda deploy` deploys the code:
#
#     terraform apply
#     cargo lambda build --release --arm64
#     cargo lambda deploy --binary-name referee-lambda "$(terraform output -raw function_name)"
#
# Until then, the function fails, and its records wait. Terraform never changes the code that cargo
# deployed.

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
  description = "The name of the function, for `cargo lambda deploy`."
  value       = module.referee.function_name
}

output "policy" {
  description = "The function's permissions."
  value       = module.referee.policy
}
