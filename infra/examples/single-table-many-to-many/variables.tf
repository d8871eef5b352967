variable "package" {
  description = "The zip that `make package` makes at the top of the repository."
  type        = string
  default     = "../../../target/lambda/referee-lambda/bootstrap.zip"
}
