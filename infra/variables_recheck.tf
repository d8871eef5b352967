# The queue on which suspects wait.

variable "recheck" {
  description = "Where suspects wait for the end of their grace period. With `queue = true`, on an SQS queue, so that later records of their shard do not wait for them; otherwise in their batch. A message that fails `maximum_receives` times is moved to a dead-letter queue, which keeps it for 14 days."
  type = object({
    queue            = optional(bool, false)
    maximum_receives = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.recheck.maximum_receives >= 1 && var.recheck.maximum_receives <= 1000 && floor(var.recheck.maximum_receives) == var.recheck.maximum_receives
    error_message = "recheck.maximum_receives: must be a whole number from 1 to 1000."
  }
}
