# Tests that the filters pass all records that the rules need. ../../tests/infra also checks the
# filters against recorded events.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  rules = {
    tables = { app = { key = ["pk", "sk"] }, others = { key = ["id"] }, numbers = { key = ["id:N"] } }
    entities = {
      # A source and its mirror: both need a filter, because the mirror's records verify it.
      a = { table = "app", key = { pk = "a#{x}", sk = "b#{y}" } }
      b = { table = "app", key = { pk = "b#{y}", sk = "a#{x}" } }
      # No rule uses this entity.
      unused = { table = "app", key = { pk = "unused", sk = "{x}" } }
      # Any key matches this entity.
      other  = { table = "others", key = { id = "{x}" } }
      number = { table = "numbers", key = { id = "{x}" } }
    }
    references = {
      a_other  = { from = "a", to = "other" }
      a_number = { from = "other", to = "number", mode = "off" }
    }
    mirrors = {
      mirror = { source = "a", mirror = "b" }
    }
  }
}

run "derived" {
  assert {
    condition = output.filters.app == tolist([
      "{\"dynamodb\":{\"Keys\":{\"pk\":{\"S\":[{\"prefix\":\"a#\"}]},\"sk\":{\"S\":[{\"prefix\":\"b#\"}]}}}}",
      "{\"dynamodb\":{\"Keys\":{\"pk\":{\"S\":[{\"prefix\":\"b#\"}]},\"sk\":{\"S\":[{\"prefix\":\"a#\"}]}}}}",
    ])
    error_message = "the filters are ${jsonencode(output.filters)}"
  }
  assert {
    condition     = length(output.filters.others) == 0 && length(aws_lambda_event_source_mapping.this["others"].filter_criteria) == 0
    error_message = "a table with an entity that any key matches has a filter"
  }
  assert {
    condition     = keys(aws_lambda_event_source_mapping.this) == ["app", "others"]
    error_message = "a table that no rule watches has a mapping, or one that a rule watches has none"
  }
}

run "braces_and_whole_keys" {
  variables {
    rules = {
      tables = { app = { key = ["pk", "sk"] } }
      entities = {
        a = { table = "app", key = { pk = "{{a}}{x}}}", sk = "{{all}}" } }
        b = { table = "app", key = { pk = "b", sk = "{x*}" } }
      }
      references = { a_b = { from = "a", to = "b" } }
    }
  }
  assert {
    condition = output.filters.app == tolist([
      "{\"dynamodb\":{\"Keys\":{\"pk\":{\"S\":[\"b\"]}}}}",
      "{\"dynamodb\":{\"Keys\":{\"pk\":{\"S\":[{\"prefix\":\"{a}\"}]},\"sk\":{\"S\":[\"{all}\"]}}}}",
    ])
    error_message = "the filters are ${jsonencode(output.filters)}"
  }
}

run "many_entities_share_a_filter" {
  variables {
    rules = {
      tables     = { app = { key = ["pk", "sk"] } }
      entities   = { for letter in ["a", "b", "c", "d", "e", "f"] : letter => { table = "app", key = { pk = "${letter}#{x}", sk = letter } } }
      references = { for letter in ["b", "c", "d", "e", "f"] : letter => { from = letter, to = "a" } }
    }
  }
  assert {
    condition     = output.filters.app == tolist(["{\"dynamodb\":{\"Keys\":{\"pk\":{\"S\":[${join(",", [for letter in ["a", "b", "c", "d", "e", "f"] : "{\"prefix\":\"${letter}#\"}"])}]}}}}"])
    error_message = "the filters are ${jsonencode(output.filters)}"
  }
}

run "numbers_have_no_prefix" {
  variables {
    rules = {
      tables     = { app = { key = ["pk", "id:N"] } }
      entities   = { a = { table = "app", key = { pk = "a#{x}", id = "{n}" } }, b = { table = "app", key = { pk = "b#{x}", id = "{n}" } } }
      references = { a_b = { from = "a", to = "b" } }
    }
  }
  assert {
    condition = output.filters.app == tolist([
      "{\"dynamodb\":{\"Keys\":{\"pk\":{\"S\":[{\"prefix\":\"a#\"}]}}}}", "{\"dynamodb\":{\"Keys\":{\"pk\":{\"S\":[{\"prefix\":\"b#\"}]}}}}",
    ])
    error_message = "the filters are ${jsonencode(output.filters)}"
  }
}

run "off" {
  variables {
    mapping = { filters = [] }
  }
  assert {
    condition     = length(output.filters.app) == 0 && length(aws_lambda_event_source_mapping.this["app"].filter_criteria) == 0
    error_message = "there is a filter"
  }
}

run "own_filters" {
  variables {
    mappings = { app = { filters = ["{\"dynamodb\":{\"Keys\":{\"pk\":{\"S\":[{\"prefix\":\"a#1\"}]}}}}"] } }
  }
  assert {
    condition     = one(aws_lambda_event_source_mapping.this["app"].filter_criteria[0].filter).pattern == "{\"dynamodb\":{\"Keys\":{\"pk\":{\"S\":[{\"prefix\":\"a#1\"}]}}}}"
    error_message = "the filter is not the configured one"
  }
}
