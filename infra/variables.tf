# Where and how the function runs. variables_rules.tf has the rules, variables_alarms.tf the alarms
# and the dashboard.

variable "name" {
  description = "The name of the function, and the prefix of the names of other resources."
  type        = string
  default     = "referee"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,47}$", var.name))
    error_message = "name: must have 1 to 48 letters, digits, `-` and `_`, and begin with a letter or digit, because it is the prefix of other names."
  }
}

variable "region" {
  description = "The Region of the tables and of all resources. Null means the provider's Region."
  type        = string
  default     = null
}

variable "tags" {
  description = "The tags of all resources."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "code" {
  description = "The function's code: `package` is the path of the zip that `make package` creates, and `s3` is an object in S3. If null, `cargo lambda deploy` deploys the code. The code is deployed again when `hash` changes. By default, this is the hash of the binary beside the zip, or of the zip if there is no binary."
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
    error_message = "code: set either `package` or `s3`, or omit `code` to deploy with `cargo lambda deploy`."
  }
  validation {
    condition     = try(var.code.package, null) == null || can(filesha256(var.code.package))
    error_message = "code.package: there is no file at this path; `make package` creates target/lambda/referee-lambda/bootstrap.zip."
  }
}

variable "architecture" {
  description = "The processor architecture of the code. `arm64` costs a fifth less than `x86_64`."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture: must be \"arm64\" or \"x86_64\", as in `make package ARCH=arm64`."
  }
}

variable "memory_size" {
  description = "The function's memory in MB, which also determines how much processor time it gets. The README has the arithmetic."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "memory_size: must be 128 to 10240 MB."
  }
}

variable "timeout" {
  description = "The maximum duration of an invocation, in seconds. It must be at least 5 seconds longer than every reference's `grace`."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.timeout >= 5 && var.timeout <= 900
    error_message = "timeout: must be 5 to 900 seconds."
  }
}

variable "release" {
  description = "The versions of the code that the mappings and the audit use, through the alias `alias`; null means always the newest code, without versions. Each deployment of code or settings publishes a version. The alias refers to `version`, or to the newest one if null. `canary` is another version that gets the share `weight` of the invocations, from 0 to 1."
  type = object({
    alias   = optional(string, "live")
    version = optional(string)
    canary = optional(object({
      version = string
      weight  = number
    }))
  })
  default = null

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,128}$", try(var.release.alias, "live"))) && !can(regex("^[0-9]+$", try(var.release.alias, "live")))
    error_message = "release.alias: must have 1 to 128 letters, digits, `-` and `_`, and not be a number."
  }
  validation {
    condition     = alltrue([for version in [try(var.release.version, null), try(var.release.canary.version, null)] : version == null || can(regex("^[1-9][0-9]*$", version))])
    error_message = "release: a version is a number that Lambda assigned, such as \"7\"."
  }
  validation {
    condition     = try(var.release.canary, null) == null || (try(var.release.version, null) != null && try(var.release.canary.weight >= 0 && var.release.canary.weight <= 1, false))
    error_message = "release.canary: needs `version` beside it, which gets the other invocations, and a `weight` from 0 to 1."
  }
}

variable "reserved_concurrency" {
  description = "The concurrency to reserve for the function out of the account's quota. It is also the maximum. Null reserves none."
  type        = number
  default     = null
}

variable "environment" {
  description = "Additional environment variables of the function, such as the variables that table names in the rules use."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.environment) : !startswith(name, "REFEREE_") || name == "REFEREE_LOG_ITEMS"])
    error_message = "environment: the module sets the variables REFEREE_…; use `rules`, `mode`, `metrics`, `namespace` and `recheck`."
  }
}

variable "vpc" {
  description = "The subnets and security groups of the function, to run it in a VPC. It must be able to reach DynamoDB and CloudWatch from there, and with `recheck` also SQS, for example through VPC endpoints."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null
}

variable "kms_key_arn" {
  description = "The ARN of the KMS key that encrypts the environment, the logs, and the queues and the failure destination that the module creates. The key's policy must allow CloudWatch Logs to use it. Null means AWS's own keys."
  type        = string
  default     = null
}

variable "permissions_boundary" {
  description = "The ARN of the permissions boundary of the function's role."
  type        = string
  default     = null
}

variable "tracing" {
  description = "Whether AWS X-Ray traces invocations."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_level" {
  description = "The minimum level of log lines: `DEBUG`, `INFO`, `WARN` or `ERROR`. Above `INFO`, Lambda drops the metrics that are log lines, which are counters without alarms."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN", "ERROR"], var.log_level)
    error_message = "log_level: must be \"DEBUG\", \"INFO\", \"WARN\" or \"ERROR\"."
  }
}

variable "log_retention_days" {
  description = "The retention of logs, in days. Logs contain the keys of the items in violations, and the payloads of rejected records."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days: CloudWatch allows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, and some longer times."
  }
}

variable "mapping" {
  description = "The settings of the event source mappings. If `filters` is null, the filters are derived from the rules; an empty list means no filters. A filter may test only `dynamodb.Keys`, because a test of a missing image would drop the record."
  type = object({
    enabled                = optional(bool, true)
    batch_size             = optional(number, 100)
    batching_window        = optional(number, 1) # seconds
    parallelization_factor = optional(number, 1)
    maximum_record_age     = optional(number, 79200) # seconds; the stream keeps records for 86,400
    maximum_retry_attempts = optional(number, -1)    # until the record is too old
    starting_position      = optional(string, "TRIM_HORIZON")
    filters                = optional(list(string))
  })
  default  = {}
  nullable = false
}

variable "mappings" {
  description = "The settings of `mapping` for individual tables, by the tables' names in the rules. They take precedence over `mapping`."
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
  description = "The destination of records that failed permanently. `type` is `s3`, `sqs`, `sns` or `none`. Only `s3` keeps the content of records. The module creates the destination, unless `create` is false and `arn` is an existing one. `retention_days` applies to a destination that the module creates, and `force_destroy` allows a bucket to be destroyed with its content."
  type = object({
    type           = optional(string, "s3")
    create         = optional(bool, true)
    arn            = optional(string)
    kms_key_arn    = optional(string) # of an existing destination
    account        = optional(string) # the owner of an existing bucket; default: this account
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
    error_message = "failure_destination: set the `arn` of an existing destination together with `create = false`, or neither."
  }
}

variable "metrics" {
  description = "The destination of metrics: `cloudwatch` (counters as log lines, violations and failures with requests), `emf` (all as log lines) or `none`. With `none`, there are no alarms on violations either."
  type        = string
  default     = "cloudwatch"
  nullable    = false

  validation {
    condition     = contains(["cloudwatch", "emf", "none"], var.metrics)
    error_message = "metrics: must be \"cloudwatch\", \"emf\" or \"none\"."
  }
}

variable "namespace" {
  description = "The namespace of the metrics. If an account has several functions, use a separate namespace for each."
  type        = string
  default     = "Referee"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9._/#-][A-Za-z0-9._/#: -]{0,254}$", var.namespace)) && !startswith(var.namespace, "AWS/")
    error_message = "namespace: must have 1 to 255 letters, digits and `.-_/#: `, and not begin with `AWS/` or `:`."
  }
}
