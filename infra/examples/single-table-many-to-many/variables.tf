variable "package" {
  description = "The path of the zip that `make package` creates in the repository's root."
  type        = string
  default     = "../../../target/lambda/referee-lambda/bootstrap.zip"
}
