output "policy" {
  description = "The function's permissions."
  value       = module.referee.policy
}

output "alarms" {
  description = "The names of the alarms."
  value       = module.referee.alarm_names
}
