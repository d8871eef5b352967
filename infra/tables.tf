# The caller's tables, which are looked up by name or passed in `tables`.

data "aws_dynamodb_table" "this" {
  for_each = setsubtract(local.used_tables, keys(var.tables))
  region   = var.region
  name     = local.table_names[each.key]

  lifecycle {
    postcondition {
      condition     = !contains(local.watched, each.key) || self.stream_enabled && self.stream_view_type == "NEW_AND_OLD_IMAGES"
      error_message = "${local.rules_variable}: the table `${each.key}` (${self.name}) has ${self.stream_enabled ? "a stream with ${self.stream_view_type}" : "no stream"}, but needs one with NEW_AND_OLD_IMAGES; enable it with `aws dynamodb update-table --table-name ${self.name} --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES`. A stream's view type cannot be changed: disable a stream with another view type first."
    }
  }
}

locals {
  tables = {
    for alias in local.used_tables : alias => contains(keys(var.tables), alias) ? {
      arn        = var.tables[alias].arn
      stream_arn = var.tables[alias].stream_arn
      key_arns   = var.tables[alias].server_side_encryption[*].kms_key_arn
      } : {
      arn        = data.aws_dynamodb_table.this[alias].arn
      stream_arn = data.aws_dynamodb_table.this[alias].stream_arn
      key_arns   = data.aws_dynamodb_table.this[alias].server_side_encryption[*].kms_key_arn
    }
  }

  # The customer managed keys of the tables. Reading a table requires permission to use its key.
  table_key_arns = distinct(compact(flatten([for table in local.tables : table.key_arns])))
}
