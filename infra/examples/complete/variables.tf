variable "stage" {
  description = "The stage whose tables are watched."
  type        = string
  default     = "test"
}

variable "mode" {
  description = "`observe` until the metrics are as expected, then null to use the mode of each rule."
  type        = string
  default     = "observe"
}
