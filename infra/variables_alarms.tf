# The alarms and the dashboard.

variable "alarms" {
  description = "The alarms. An alarm goes off if `datapoints` out of the last `periods` data points are above its `threshold`. `period` is the length of a period in seconds, and `enabled = false` omits the alarm."
  type = object({
    violations         = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 60), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    violations_by_rule = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 60), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    warnings           = optional(object({ enabled = optional(bool, false), threshold = optional(number, 0), period = optional(number, 300), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    repairs_failed     = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 60), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    records_rejected   = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 60), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    # Needs the log level INFO, and mappings without filters.
    records_unmatched = optional(object({ enabled = optional(bool, false), threshold = optional(number, 0), period = optional(number, 300), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    errors            = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 60), datapoints = optional(number, 3), periods = optional(number, 5) }), {})
    throttles         = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 60), datapoints = optional(number, 3), periods = optional(number, 5) }), {})
    # In percent of the timeout.
    duration     = optional(object({ enabled = optional(bool, true), threshold = optional(number, 80), period = optional(number, 60), datapoints = optional(number, 3), periods = optional(number, 5) }), {})
    metrics_lost = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 60), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    # In minutes.
    iterator_age      = optional(object({ enabled = optional(bool, true), threshold = optional(number, 15), period = optional(number, 60), datapoints = optional(number, 3), periods = optional(number, 5) }), {})
    dropped_records   = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 60), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    given_up_records  = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 60), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    failed_deliveries = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 60), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    # Goes off if fewer polls than `threshold` are reported.
    stopped_mappings    = optional(object({ enabled = optional(bool, true), threshold = optional(number, 1), period = optional(number, 300), datapoints = optional(number, 3), periods = optional(number, 3) }), {})
    destination_backlog = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 300), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    # Only with `recheck.queue`. `recheck_age` is in minutes.
    recheck_failures    = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 60), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    recheck_age         = optional(object({ enabled = optional(bool, true), threshold = optional(number, 30), period = optional(number, 60), datapoints = optional(number, 3), periods = optional(number, 5) }), {})
    suspects_not_queued = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 60), datapoints = optional(number, 3), periods = optional(number, 5) }), {})
    suspects_dropped    = optional(object({ enabled = optional(bool, true), threshold = optional(number, 0), period = optional(number, 60), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    # Only with `audit`. `audit_overdue` goes off if fewer audits than `threshold` are completed.
    audit_violations = optional(object({ enabled = optional(bool, false), threshold = optional(number, 0), period = optional(number, 300), datapoints = optional(number, 1), periods = optional(number, 1) }), {})
    audit_overdue    = optional(object({ enabled = optional(bool, true), threshold = optional(number, 1), period = optional(number, 86400), datapoints = optional(number, 2), periods = optional(number, 2) }), {})
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for alarm in values(var.alarms) :
      (contains([10, 20, 30], alarm.period) || alarm.period % 60 == 0) && alarm.period > 0 && alarm.datapoints >= 1 && alarm.datapoints <= alarm.periods && alarm.period * alarm.periods <= (alarm.period < 3600 ? 86400 : 604800)
    ])
    error_message = "alarms: `period` must be 10, 20, 30 or a multiple of 60 seconds, `datapoints` at most `periods`, and all periods together at most a day, or a week if `period` is at least an hour."
  }
}

variable "alarm_actions" {
  description = "The ARNs to notify when an alarm goes off, such as an SNS topic."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "ok_actions" {
  description = "The ARNs to notify when an alarm returns to normal."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "dashboard" {
  description = "Whether to create a dashboard. CloudWatch bills the fourth and later dashboards of an account."
  type        = bool
  default     = true
  nullable    = false
}
