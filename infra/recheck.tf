# The queue on which suspects wait for the end of their grace period, and its dead-letter queue.

locals {
  rechecks          = var.recheck.queue
  recheck_name      = "${var.name}-recheck"
  recheck_dead_name = "${var.name}-recheck-failed"
  recheck_arn       = "${local.arn_prefix.sqs}:${local.recheck_name}"
  recheck_dead_arn  = "${local.arn_prefix.sqs}:${local.recheck_dead_name}"
  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
  recheck_url = "https://sqs.${local.region}.${local.dns_suffix}/${local.account}/${local.recheck_name}"

  # The permissions to send messages, and those that Lambda needs to deliver them.
  # https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
  recheck_statements = local.rechecks ? [jsonencode({
    Sid      = "RecheckSuspects"
    Effect   = "Allow"
    Action   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"]
    Resource = [local.recheck_arn]
  })] : []
}

resource "aws_sqs_queue" "recheck" {
  count = local.rechecks ? 1 : 0

  name   = local.recheck_name
  region = var.region
  # Lambda recommends six times the function's timeout.
  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
  visibility_timeout_seconds = 6 * var.timeout
  max_message_size           = 1048576
  # Less than that of the dead-letter queue, because a message that is moved keeps its age.
  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
  message_retention_seconds = 7 * 86400
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.tags

  redrive_policy = jsonencode({
    deadLetterTargetArn = local.recheck_dead_arn
    maxReceiveCount     = var.recheck.maximum_receives
  })

  depends_on = [aws_sqs_queue.recheck_failed]
}

resource "aws_sqs_queue" "recheck_failed" {
  count = local.rechecks ? 1 : 0

  name                      = local.recheck_dead_name
  region                    = var.region
  max_message_size          = 1048576
  message_retention_seconds = 14 * 86400
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.tags

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.recheck_arn]
  })

  depends_on = [terraform_data.checks]
}

resource "aws_lambda_event_source_mapping" "recheck" {
  count = local.rechecks ? 1 : 0

  region           = var.region
  function_name    = var.release == null ? local.function.arn : aws_lambda_alias.this[0].arn
  event_source_arn = local.recheck_arn
  batch_size       = 10
  tags             = var.tags

  # The function reports which messages failed. The others are deleted.
  function_response_types = ["ReportBatchItemFailures"]

  depends_on = [aws_iam_role_policy.this, aws_sqs_queue.recheck]
}
