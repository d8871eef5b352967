# The destination of records that failed permanently.

locals {
  creates_bucket = var.failure_destination.type == "s3" && var.failure_destination.create
  creates_queue  = var.failure_destination.type == "sqs" && var.failure_destination.create
  creates_topic  = var.failure_destination.type == "sns" && var.failure_destination.create
  failed_name    = "${var.name}-failed"

  # Bucket names must be unique among all accounts, and have at most 63 characters.
  bucket_long = "${lower(replace(local.failed_name, "_", "-"))}-${local.account}-${local.region}"
  bucket_name = length(local.bucket_long) <= 63 ? local.bucket_long : "${lower(replace(substr(var.name, 0, 12), "_", "-"))}-${substr(sha1(var.name), 0, 8)}-failed-${local.account}-${local.region}"
  created_arns = {
    s3   = "arn:${data.aws_partition.this.partition}:s3:::${local.bucket_name}"
    sqs  = "${local.arn_prefix.sqs}:${local.failed_name}"
    sns  = "${local.arn_prefix.sns}:${local.failed_name}"
    none = null
  }
  destination_arn = var.failure_destination.create ? local.created_arns[var.failure_destination.type] : var.failure_destination.arn
  destination_key = var.failure_destination.create ? var.kms_key_arn : var.failure_destination.kms_key_arn
  queue_name      = var.failure_destination.type == "sqs" ? element(split(":", local.destination_arn), 5) : null

  # The name of a deleted bucket can be taken by anyone, so the policy also names the owner.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
  bucket_owner = { StringEquals = { "s3:ResourceAccount" = coalesce(var.failure_destination.account, local.account) } }

  # https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
  destination_statements = concat(
    var.failure_destination.type != "s3" ? [] : [
      { Sid = "FindFailures", Action = ["s3:ListBucket"], Resource = [local.destination_arn], Condition = local.bucket_owner },
      { Sid = "KeepFailures", Action = ["s3:PutObject"], Resource = ["${local.destination_arn}/*"], Condition = local.bucket_owner },
    ],
    var.failure_destination.type != "sqs" ? [] : [
      { Sid = "KeepFailures", Action = ["sqs:SendMessage"], Resource = [local.destination_arn] },
    ],
    var.failure_destination.type != "sns" ? [] : [
      { Sid = "KeepFailures", Action = ["sns:Publish"], Resource = [local.destination_arn] },
    ],
    var.kms_key_arn == null && local.destination_key == null ? [] : [
      { Sid = "UseKeys", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = distinct(compact([var.kms_key_arn, local.destination_key])) },
    ],
  )
}

resource "aws_s3_bucket" "failed" {
  # checkov:skip=CKV_AWS_18: only Lambda writes here, and reads are rare; CloudTrail records them.
  # checkov:skip=CKV_AWS_21: each record is a separate object, which is never overwritten.
  # checkov:skip=CKV_AWS_144: the objects are useful only in the Region of the tables.
  # checkov:skip=CKV2_AWS_62: an alarm reports new objects.
  count = local.creates_bucket ? 1 : 0

  bucket        = local.bucket_name
  region        = var.region
  force_destroy = var.failure_destination.force_destroy
  tags          = var.tags

  depends_on = [terraform_data.checks]
}

resource "aws_s3_bucket_public_access_block" "failed" {
  count = local.creates_bucket ? 1 : 0

  bucket                  = aws_s3_bucket.failed[0].bucket
  region                  = var.region
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "failed" {
  count = local.creates_bucket ? 1 : 0

  bucket = aws_s3_bucket.failed[0].bucket
  region = var.region

  rule {
    bucket_key_enabled = var.kms_key_arn != null
    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "failed" {
  count = local.creates_bucket ? 1 : 0

  bucket = aws_s3_bucket.failed[0].bucket
  region = var.region

  rule {
    id     = "forget"
    status = "Enabled"
    filter {}
    expiration {
      days = coalesce(var.failure_destination.retention_days, 90)
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_policy" "failed" {
  count = local.creates_bucket ? 1 : 0

  bucket = aws_s3_bucket.failed[0].bucket
  region = var.region

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RefusePlainText"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.created_arns.s3, "${local.created_arns.s3}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.failed]
}

resource "aws_sqs_queue" "failed" {
  count = local.creates_queue ? 1 : 0

  name                      = local.failed_name
  region                    = var.region
  message_retention_seconds = coalesce(var.failure_destination.retention_days, 14) * 86400
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.tags

  depends_on = [terraform_data.checks]
}

resource "aws_sns_topic" "failed" {
  count = local.creates_topic ? 1 : 0

  name              = local.failed_name
  region            = var.region
  kms_master_key_id = coalesce(var.kms_key_arn, "alias/aws/sns")
  tags              = var.tags

  depends_on = [terraform_data.checks]
}
