# The regular audit.

variable "audit" {
  description = "The regular audit of all items, as a state machine that invokes the function; null means none. `schedule` is an expression of EventBridge Scheduler, such as `cron(0 3 * * ? *)`, in `timezone`. Each table is read in `segments`, of which `concurrency` are read at a time. `apply` repairs what the rules repair; otherwise violations are only reported. Each invocation stops after about `read_units`, and is followed by a pause of `pause` seconds; null and 0 mean as fast as possible. An audit that takes longer than `timeout_hours` fails."
  type = object({
    schedule      = string
    timezone      = optional(string, "UTC")
    segments      = optional(number, 4)
    concurrency   = optional(number, 4)
    apply         = optional(bool, false)
    read_units    = optional(number)
    pause         = optional(number, 0)
    timeout_hours = optional(number, 20)
  })
  default = null

  validation {
    condition     = can(regex("^(cron|rate|at)\\(.+\\)$", try(var.audit.schedule, "rate(1 day)")))
    error_message = "audit.schedule: must be an expression of EventBridge Scheduler: \"cron(0 3 * * ? *)\" or \"rate(1 day)\"."
  }
  validation {
    condition = var.audit == null || alltrue([
      for number in [try(var.audit.segments, 1), try(var.audit.concurrency, 1), try(coalesce(var.audit.read_units, 1), 1), try(var.audit.timeout_hours, 1)] : number >= 1 && floor(number) == number
    ])
    error_message = "audit: `segments`, `concurrency`, `read_units` and `timeout_hours` must be whole numbers from 1 on."
  }
  validation {
    condition     = try(var.audit.pause, 0) >= 0 && floor(try(var.audit.pause, 0)) == try(var.audit.pause, 0)
    error_message = "audit.pause: must be a whole number of seconds."
  }
}
