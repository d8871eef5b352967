variable "stage" {
  description = "The stage whose tables are watched."
  type        = string
  default     = "test"
}

variable "mode" {
  description = "`observe` until the metrics are what you expect; null then, for what each rule says."
  type        = string
  default     = "observe"
}
