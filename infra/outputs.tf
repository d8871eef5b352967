output "function_name" {
  description = "The name of the function, for `cargo lambda deploy`."
  value       = local.function.function_name
}

output "function_arn" {
  description = "The ARN of the function."
  value       = local.function.arn
}

output "alias_arn" {
  description = "The ARN of the alias that the mappings use. Null without `release`."
  value       = one(aws_lambda_alias.this[*].arn)
}

output "function_version" {
  description = "The newest published version of the code. Null without `release`."
  value       = var.release == null ? null : local.function.version
}

output "role_arn" {
  description = "The ARN of the role that the function runs as."
  value       = aws_iam_role.this.arn
}

output "policy" {
  description = "The policy of the role, as JSON: the permissions that the rules need."
  value       = local.policy
}

output "rules" {
  description = "The rules as the function reads them. To check them on the command line, run `terraform output -raw … > rules.json` and `referee check --rules rules.json`."
  value       = local.rules_text
}

output "filters" {
  description = "The filter patterns of each table, by the table's name in the rules. A record passes if it matches one of them, or if there are none."
  value       = local.filters
}

output "log_group_name" {
  description = "The name of the function's log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "mapping_uuids" {
  description = "The UUIDs of the event source mappings, by the table's name in the rules."
  value       = { for alias, mapping in aws_lambda_event_source_mapping.this : alias => mapping.uuid }
}

output "failure_destination_arn" {
  description = "The ARN of the destination of records that failed permanently. Null if there is none."
  value       = local.destination_arn
}

output "recheck_queue_url" {
  description = "The URL of the queue on which suspects wait. Null if there is none."
  value       = local.rechecks ? local.recheck_url : null
}

output "recheck_failures_arn" {
  description = "The ARN of the dead-letter queue of suspects that could not be judged. Null if there is none."
  value       = local.rechecks ? local.recheck_dead_arn : null
}

output "alarm_names" {
  description = "The names of the alarms. Each key is the alarm's key in `alarms`, followed by `/` and the rule or table if the alarm belongs to one."
  value       = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.alarm_name }
}

output "audit_state_machine_arn" {
  description = "The ARN of the state machine of the regular audit, to start one by hand; null if there is none."
  value       = one(aws_sfn_state_machine.audit[*].arn)
}

output "dashboard_name" {
  description = "The name of the dashboard. Null if there is none."
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
}
