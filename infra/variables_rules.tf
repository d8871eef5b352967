# The rules. They have the structure of the rule file: see ../docs/rule-file.md.

variable "rules" {
  description = "The rules, in the structure of the rule file. Terraform silently drops unknown arguments: run `referee check` on the output `rules`."
  type = object({
    version = optional(number, 1)

    tables = map(object({
      name      = optional(string) # the table's name in DynamoDB; default: its name here
      key       = list(string)     # partition key, sort key; `id:N` and `id:B` for numbers and binaries
      separator = optional(string)
      ttl       = optional(string) # the attribute with the time at which an item expires
      account   = optional(string) # if the stream is of another account than the function
      region    = optional(string)
    }))

    entities = map(object({
      table      = optional(string)
      tables     = optional(list(string)) # instead of `table`: `table: [orders_eu, orders_us]` of the rule file
      key        = map(string)            # a key template for each key attribute
      attributes = optional(map(string))
      where      = optional(map(string)) # a number or boolean if `attributes` declares this type; jsonencode() of a list or comparison
    }))

    references = optional(map(object({
      from          = string
      to            = string
      tables        = optional(string) # in which table the referenced item is, if `to` has several
      on            = optional(map(string))
      on_key        = optional(map(string))
      match         = optional(string)
      required      = optional(bool)
      expired       = optional(string)
      on_missing    = optional(string)
      on_delete     = optional(string)
      on_ttl_delete = optional(string)
      default       = optional(map(string))  # a value for each capture
      unset         = optional(list(string)) # further attributes that `unset` removes
      # What `unset` removes from a list of maps: `unset: element` of the rule file.
      unset_in_lists = optional(string)
      none           = optional(list(string)) # values that mean that there is no reference
      find = optional(object({
        index  = optional(string)
        key    = optional(list(map(string))) # partition key and sort key, in a list because maps have no order
        mirror = optional(string)
        none   = optional(bool) # `find: none` of the rule file
      }))
      grace      = optional(string)
      mode       = optional(string)
      severity   = optional(string)
      max_fanout = optional(number)
      max_depth  = optional(number)
    })), {})

    mirrors = optional(map(object({
      was              = optional(string) # the rule's former name
      source           = string
      mirror           = string
      tables           = optional(string)       # in which table the mirror is, if `mirror` has several
      copy             = optional(list(string)) # null: all attributes; empty: none
      copy_except      = optional(list(string)) # all attributes except these
      copy_as          = optional(map(string))  # these attributes, under other names
      on_mirror_delete = optional(string)
      on_mirror_edit   = optional(string)
      adopt            = optional(bool)
      mode             = optional(string)
      severity         = optional(string)
    })), {})
  })
  default = null
}

variable "rules_file" {
  description = "The path of a rule file in YAML or JSON, instead of `rules`."
  type        = string
  default     = null

  validation {
    condition     = var.rules_file == null || can(file(var.rules_file))
    error_message = "rules_file: there is no readable file at this path; begin the path with path.root or path.module, as in \"$${path.root}/referee.yaml\"."
  }
}

variable "rules_in_package" {
  description = "Whether the function's package contains the rule file. Set it if the rules are too long for the environment, and deploy the package that `make package RULES=…` creates from the same rules."
  type        = bool
  default     = false
}

variable "tables" {
  description = "The tables that this configuration manages, by their names in the rules: each is an `aws_dynamodb_table` resource, or an object with the same attributes. The other tables are looked up by name."
  type = map(object({
    arn                    = string
    stream_arn             = string
    stream_enabled         = bool
    stream_view_type       = string
    server_side_encryption = optional(list(object({ kms_key_arn = optional(string) })), [])
  }))
  default  = {}
  nullable = false
}

variable "mode" {
  description = "The mode of every rule whose own mode is not `off`. With `observe`, the function only reports, and has no permission to write. If null, each rule has its own mode."
  type        = string
  default     = null

  validation {
    condition     = var.mode == null || contains(["off", "observe", "enforce"], coalesce(var.mode, "off"))
    error_message = "mode: must be \"observe\", \"enforce\", \"off\", or null to use the mode of each rule."
  }
}
