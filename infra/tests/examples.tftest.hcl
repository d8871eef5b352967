# Tests that each example can be planned on its own.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "minimal" {
  command = plan
  module {
    source = "./examples/minimal"
  }
  variables {
    package = "placeholder.zip"
  }
  assert {
    condition     = !can(regex("PutItem|UpdateItem|DeleteItem", output.policy))
    error_message = "a function that only reports may write"
  }
}

run "complete" {
  command = plan
  module {
    source = "./examples/complete"
  }
  variables {
    stage = "production"
  }
  assert {
    condition     = contains(keys(output.alarms), "destination_backlog")
    error_message = "there is no alarm on messages in the queue"
  }
}

run "single_table_many_to_many" {
  command = plan
  module {
    source = "./examples/single-table-many-to-many"
  }
  variables {
    package = "placeholder.zip"
  }
}

run "deployed_by_cargo" {
  command = plan
  module {
    source = "./examples/deployed-by-cargo"
  }
  assert {
    condition     = output.function_name == "referee"
    error_message = "there is no name for `cargo lambda deploy`"
  }
}
