# The event source mappings for the streams that the rules need.

locals {
  # The pattern for the keys of each entity that a rule uses: the text before the first capture of
  # each template, or the complete template if it has no captures. A pattern tests only the keys,
  # which every record has. A test of the new image would drop deletes.
  # https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html
  key_tests = {
    for name, entity in local.used_entities : name => {
      for attribute in local.key_attributes[entity.table] : attribute.name => {
        text = replace(replace(regex("^[^{]*", replace(entity.key[attribute.name], "{{", "\u0001")), "\u0001", "{"), "}}", "}")
        full = length(local.captures[name][attribute.name]) == 0
      } if attribute.type == "S" && can(local.captures[name][attribute.name])
    }
  }
  entity_patterns = {
    for name, tests in local.key_tests : name => {
      for attribute, test in tests : attribute => {
        S = [jsondecode(test.full ? jsonencode(test.text) : jsonencode({ prefix = test.text }))]
      } if test.text != ""
    }
  }
  # The patterns for the entities of each table.
  table_patterns = {
    for alias in local.watched : alias => distinct([
      for name, table in local.table_of : jsonencode(local.entity_patterns[name]) if table == alias
    ])
  }
  # The tests of the partition key only, for tables with more entities than a mapping may have
  # filters.
  partition_tests = {
    for alias in local.watched : alias => distinct([
      for name, table in local.table_of : try(jsonencode(local.entity_patterns[name][local.key_attributes[alias][0].name].S[0]), "none") if table == alias
    ])
  }
  filters_max            = 5 # without a higher quota
  pattern_characters_max = 4096

  # A table has no filter if any key may belong to one of its entities.
  derived_filters = {
    for alias in local.watched : alias => (
      contains(local.table_patterns[alias], "{}") ? [] :
      length(local.table_patterns[alias]) <= local.filters_max ? [
        for pattern in sort(local.table_patterns[alias]) : "{\"dynamodb\":{\"Keys\":${pattern}}}"
      ] :
      contains(local.partition_tests[alias], "none") ? [] : [
        for pattern in [format(
          "{\"dynamodb\":{\"Keys\":{%s:{\"S\":[%s]}}}}",
          jsonencode(local.key_attributes[alias][0].name), join(",", sort(local.partition_tests[alias]))
        )] : pattern if length(pattern) <= local.pattern_characters_max
      ]
    )
  }

  mappings = {
    for alias in local.watched : alias => merge(
      var.mapping,
      { for key, value in try(var.mappings[alias], {}) : key => value if value != null }
    )
  }
  filters = {
    for alias, mapping in local.mappings : alias => mapping.filters == null ? local.derived_filters[alias] : mapping.filters
  }
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each = local.watched

  region           = var.region
  function_name    = var.release == null ? local.function.arn : aws_lambda_alias.this[0].arn
  event_source_arn = local.tables[each.key].stream_arn
  enabled          = local.mappings[each.key].enabled
  tags             = var.tags

  # With LATEST, records may be missed while the mapping is being created.
  starting_position                  = local.mappings[each.key].starting_position
  batch_size                         = local.mappings[each.key].batch_size
  maximum_batching_window_in_seconds = local.mappings[each.key].batching_window
  parallelization_factor             = local.mappings[each.key].parallelization_factor

  # The function reports which records it could not process. If the invocation itself fails, its
  # batch is halved.
  function_response_types        = ["ReportBatchItemFailures"]
  bisect_batch_on_function_error = true
  # By default, a record is sent to the failure destination before the stream deletes it.
  maximum_retry_attempts        = local.mappings[each.key].maximum_retry_attempts
  maximum_record_age_in_seconds = local.mappings[each.key].maximum_record_age

  metrics_config {
    metrics = ["EventCount"]
  }

  dynamic "filter_criteria" {
    for_each = length(local.filters[each.key]) == 0 ? [] : [local.filters[each.key]]
    content {
      dynamic "filter" {
        for_each = filter_criteria.value
        content {
          pattern = filter.value
        }
      }
    }
  }

  dynamic "destination_config" {
    for_each = var.failure_destination.type == "none" ? [] : [local.destination_arn]
    content {
      on_failure {
        destination_arn = destination_config.value
      }
    }
  }

  depends_on = [aws_iam_role_policy.this, aws_s3_bucket_policy.failed, aws_sqs_queue.failed, aws_sns_topic.failed]
}
