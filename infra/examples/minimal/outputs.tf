output "rules" {
  description = "The rules, for `referee check`."
  value       = module.referee.rules
}

output "policy" {
  description = "The function's permissions."
  value       = module.referee.policy
}
