output "policy" {
  description = "What the function may do."
  value       = module.referee.policy
}

output "alarms" {
  description = "The names of the alarms."
  value       = module.referee.alarm_names
}
