# Where and how the function runs. What it checks is in variables_rules.tf, what is watched in
# variables_alarms.tf.

variable "name" {
  description = "The name of the function, and the beginning of the names of what belongs to it."
  type        = string
  default     = "referee"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$", var.name))
    error_message = "name: must have 1 to 48 letters, digits, `-` and `_`, a letter or digit first, for other names begin with it."
  }
}

variable "region" {
  description = "The Region of the tables, and of everything that is made for them; the provider's if null."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that is made."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "code" {
  description = "The function's code: `package`, the path of the zip that `make package` makes, or `s3`. Null leaves the code to `cargo lambda deploy`. The code is deployed anew when `hash` changes: by default the hash of the binary beside the zip, or of the zip if there is none."
  type = object({
    package = optional(string)
    s3 = optional(object({
      bucket  = string
      key     = string
      version = optional(string)
    }))
    hash = optional(string)
  })
  default = null

  validation {
    condition     = var.code == null || (try(var.code.package, null) == null) != (try(var.code.s3, null) == null)
    error_message = "code: give either `package` or `s3`, or leave `code` out to deploy with `cargo lambda deploy`."
  }
  validation {
    condition     = try(var.code.package, null) == null || can(filesha256(var.code.package))
    error_message = "code.package: there is no file at this path; `make package` makes target/lambda/referee-lambda/bootstrap.zip."
  }
}

variable "architecture" {
  description = "The processor that the code was built for: `arm64` costs a fifth less than `x86_64`."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture: must be \"arm64\" or \"x86_64\", as in `make package ARCH=arm64`."
  }
}

variable "memory_size" {
  description = "The function's memory, in MB, and with it its share of a processor."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "memory_size: must be 128 to 10240 MB."
  }
}

variable "timeout" {
  description = "How long an invocation may take, in seconds; longer than every rule's `grace`."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.timeout >= 5 && var.timeout <= 900
    error_message = "timeout: must be 5 to 900 seconds."
  }
}

variable "reserved_concurrency" {
  description = "How many invocations may run at once, out of the account's; unreserved if null."
  type        = number
  default     = null
}

variable "environment" {
  description = "Further variables of the function's environment, among them those that names of tables in the rules take."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.environment) : !startswith(name, "REFEREE_") || name == "REFEREE_LOG_ITEMS"])
    error_message = "environment: the variables REFEREE_… are set by the module; use `rules`, `mode`, `metrics` and `namespace`."
  }
}

variable "vpc" {
  description = "The subnets and security groups of a function that runs in a VPC. It must reach DynamoDB and CloudWatch from there, as by their endpoints."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "kms_key_arn" {
  description = "The key that the environment, the logs and what is made for failed records are encrypted with. Its policy must allow CloudWatch Logs to use it. AWS's own keys if null."
  type        = string
  default     = null
}

variable "permissions_boundary" {
  description = "The ARN of a policy that bounds what the function's role may do."
  type        = string
  default     = null
}

variable "tracing" {
  description = "Whether invocations are traced by X-Ray."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_level" {
  description = "The least of what is logged: `DEBUG`, `INFO`, `WARN` or `ERROR`."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN", "ERROR"], var.log_level)
    error_message = "log_level: must be \"DEBUG\", \"INFO\", \"WARN\" or \"ERROR\"."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept, in days. They hold the keys of the items in violations, and the payload of records that could not be understood."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days: CloudWatch takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, and some longer times."
  }
}

variable "mapping" {
  description = "How records come from the streams. `filters`: those that the rules allow if null, none if empty; a pattern may look at `dynamodb.Keys` alone, for an image that is not there would drop the record."
  type = object({
    enabled                = optional(bool, true)
    batch_size             = optional(number, 100)
    batching_window        = optional(number, 1) # seconds
    parallelization_factor = optional(number, 1)
    maximum_record_age     = optional(number, 79200) # seconds; the stream keeps records for 86,400
    maximum_retry_attempts = optional(number, 10000)
    starting_position      = optional(string, "TRIM_HORIZON")
    filters                = optional(list(string))
  })
  default  = {}
  nullable = false
}

variable "mappings" {
  description = "The same for single tables, by their names in the rules: what is given here counts."
  type = map(object({
    enabled                = optional(bool)
    batch_size             = optional(number)
    batching_window        = optional(number)
    parallelization_factor = optional(number)
    maximum_record_age     = optional(number)
    maximum_retry_attempts = optional(number)
    starting_position      = optional(string)
    filters                = optional(list(string))
  }))
  default  = {}
  nullable = false
}

variable "failure_destination" {
  description = "Where records go that were given up: `s3`, which alone keeps their content, `sqs`, `sns` or `none`. It is made, or yours with `create = false` and its `arn`. `retention_days` is for what is made, and `force_destroy` lets a bucket be destroyed with what it holds."
  type = object({
    type           = optional(string, "s3")
    create         = optional(bool, true)
    arn            = optional(string)
    kms_key_arn    = optional(string) # of yours
    retention_days = optional(number)
    force_destroy  = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["s3", "sqs", "sns", "none"], var.failure_destination.type)
    error_message = "failure_destination.type: must be \"s3\", \"sqs\", \"sns\" or \"none\"."
  }
  validation {
    condition     = var.failure_destination.type == "none" || var.failure_destination.create != (var.failure_destination.arn != null)
    error_message = "failure_destination: give the `arn` of a destination of yours together with `create = false`, or neither."
  }
}

variable "metrics" {
  description = "Where metrics go: `cloudwatch`, `emf` (lines of the log, free of requests) or `none`, which leaves the alarms on violations out."
  type        = string
  default     = "cloudwatch"
  nullable    = false

  validation {
    condition     = contains(["cloudwatch", "emf", "none"], var.metrics)
    error_message = "metrics: must be \"cloudwatch\", \"emf\" or \"none\"."
  }
}

variable "namespace" {
  description = "The namespace of the metrics. Give each function its own where an account has several."
  type        = string
  default     = "Referee"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._/#-][A-Za-z0-9._/#: -]{0,254}$", var.namespace)) && !startswith(var.namespace, "AWS/")
    error_message = "namespace: must have 1 to 255 letters, digits and `.-_/#: `, and not begin with `AWS/` or `:`."
  }
}
