# The function, its log group and its configuration.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {
  region = var.region
}

# The names of AWS's services as principals differ between partitions.
data "aws_service_principal" "this" {
  for_each = toset(["lambda", "scheduler", "states"])

  region       = var.region
  service_name = each.key
}

locals {
  region  = data.aws_region.this.region
  account = data.aws_caller_identity.this.account_id
  # Names and ARNs are constructed here instead of being read from resources, so that a plan shows
  # the complete policy.
  arn_prefix = { for service in ["lambda", "logs", "sns", "sqs", "states"] : service => "arn:${data.aws_partition.this.partition}:${service}:${local.region}:${local.account}" }
  dns_suffix = data.aws_partition.this.dns_suffix
  principals = { for service, principal in data.aws_service_principal.this : service => principal.name }
  log_group  = "/aws/lambda/${var.name}"
  role_name  = "${var.name}-${local.region}"

  # The environment of a function is limited to 4 KB, so long rules are compressed. `length` counts
  # characters, not bytes, so the size is computed from base64, in which four characters are three
  # bytes.
  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
  environment_bytes_max = 4096
  rules_packed          = base64gzip(local.rules_text)
  fixed_environment = merge(
    var.environment,
    { REFEREE_METRICS = var.metrics, REFEREE_NAMESPACE = var.namespace },
    var.mode == null ? {} : { REFEREE_MODE = var.mode },
    local.rechecks ? { REFEREE_RECHECK_QUEUE = local.recheck_url } : {},
  )
  plain_environment = merge(local.fixed_environment, { REFEREE_RULES_JSON = local.rules_text })
  plain_bytes       = sum([for name, value in local.plain_environment : length(name) + length(base64encode(value)) / 4 * 3])
  environment = (
    var.rules_in_package ? local.fixed_environment :
    local.plain_bytes <= 3500 ? local.plain_environment :
    merge(local.fixed_environment, { REFEREE_RULES_GZ = local.rules_packed })
  )
  environment_bytes = sum([for name, value in local.environment : length(name) + length(base64encode(value)) / 4 * 3])

  # The code is deployed again when this hash changes. A zip may contain the times of its files, so
  # that its hash changes with each build. The hash of the binary does not. If the package contains
  # the rules, the hash includes them.
  binary = try("${dirname(var.code.package)}/bootstrap", "")
  code_hash = try(coalesce(
    var.code.hash,
    try(filebase64sha256(local.binary), null),
    try(filebase64sha256(var.code.package), null),
  ), null)
  source_code_hash = !var.rules_in_package || local.code_hash == null ? local.code_hash : base64sha256("${local.code_hash}${local.rules_text}")

  # The ARN to invoke: of the alias, or of the function.
  function_arn = "${local.arn_prefix.lambda}:function:${var.name}"
  alias_arn    = var.release == null ? null : "${local.function_arn}:${var.release.alias}"
  invoked_arn  = coalesce(local.alias_arn, local.function_arn)

  function     = one(concat(aws_lambda_function.this, aws_lambda_function.deployed_by_cargo))
  runtime      = "provided.al2023"
  handler      = "bootstrap"
  description  = "Checks and repairs references between DynamoDB items."
  publish      = var.release != null
  concurrency  = coalesce(var.reserved_concurrency, -1)
  tracing_mode = var.tracing ? "Active" : "PassThrough"
}

# The log group is destroyed with the module. The function's role has no permission to create it
# again.
resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338: `log_retention_days` sets the retention; these are not audit logs.
  name              = local.log_group
  region            = var.region
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags

  depends_on = [terraform_data.checks]
}

resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_116: a dead letter queue is for asynchronous invocations; failed stream records go to `failure_destination`.
  # checkov:skip=CKV_AWS_272: the builder may sign the code, and an object in S3 may be signed.
  count = var.code == null ? 0 : 1

  function_name = var.name
  description   = local.description
  region        = var.region
  role          = aws_iam_role.this.arn
  runtime       = local.runtime
  publish       = local.publish
  handler       = local.handler
  architectures = [var.architecture]
  memory_size   = var.memory_size
  timeout       = var.timeout
  kms_key_arn   = var.kms_key_arn
  tags          = var.tags

  filename          = try(var.code.package, null)
  s3_bucket         = try(var.code.s3.bucket, null)
  s3_key            = try(var.code.s3.key, null)
  s3_object_version = try(var.code.s3.version, null)
  source_code_hash  = local.source_code_hash

  reserved_concurrent_executions = local.concurrency

  environment {
    variables = local.environment
  }

  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.this.name
    application_log_level = var.log_level
    # Reports of invocations have the level INFO: duration, memory, and why an invocation ended.
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    system_log_level = "INFO"
  }

  tracing_config {
    mode = local.tracing_mode
  }

  dynamic "vpc_config" {
    for_each = var.vpc[*]
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  # A record that arrives before the permissions take effect fails and is delivered again.
  depends_on = [aws_iam_role_policy.this]
}

# The same function, but Terraform does not deploy its code. It is a separate resource because
# `ignore_changes` cannot depend on a variable. Without `ignore_changes`, moving the module to
# another folder would replace the deployed code with the placeholder.
resource "aws_lambda_function" "deployed_by_cargo" {
  # checkov:skip=CKV_AWS_116: a dead letter queue is for asynchronous invocations; failed stream records go to `failure_destination`.
  # checkov:skip=CKV_AWS_272: the builder may sign the code, and an object in S3 may be signed.
  count = var.code == null ? 1 : 0

  function_name = var.name
  description   = local.description
  region        = var.region
  role          = aws_iam_role.this.arn
  runtime       = local.runtime
  publish       = local.publish
  handler       = local.handler
  architectures = [var.architecture]
  memory_size   = var.memory_size
  timeout       = var.timeout
  kms_key_arn   = var.kms_key_arn
  tags          = var.tags

  filename = "${path.module}/placeholder.zip"

  reserved_concurrent_executions = local.concurrency

  environment {
    variables = local.environment
  }

  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.this.name
    application_log_level = var.log_level
    # Reports of invocations have the level INFO: duration, memory, and why an invocation ended.
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    system_log_level = "INFO"
  }

  tracing_config {
    mode = local.tracing_mode
  }

  dynamic "vpc_config" {
    for_each = var.vpc[*]
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  lifecycle {
    # A change of the architecture deploys the code again, which is the placeholder here.
    ignore_changes = [architectures, filename, source_code_hash, s3_bucket, s3_key, s3_object_version]
  }

  depends_on = [aws_iam_role_policy.this]
}

# The mappings and the audit use the alias, so a release of another version changes no mapping.
resource "aws_lambda_alias" "this" {
  count = var.release == null ? 0 : 1

  name             = var.release.alias
  description      = "The code that the event source mappings use."
  region           = var.region
  function_name    = local.function.function_name
  function_version = coalesce(var.release.version, local.function.version)

  dynamic "routing_config" {
    for_each = var.release.canary[*]
    content {
      additional_version_weights = { (routing_config.value.version) = routing_config.value.weight }
    }
  }
}
