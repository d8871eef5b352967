output "rules" {
  description = "The rules, for `referee check`."
  value       = module.referee.rules
}

output "policy" {
  description = "What the function may do."
  value       = module.referee.policy
}
