# Tests how the function gets the rules, and that declared rules and a rule file are equivalent.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "declared" {
  variables {
    rules = {
      tables = { app = { key = ["pk", "sk"] } }
      entities = {
        company = { table = "app", key = { pk = "company#{company}", sk = "company#" } }
        user    = { table = "app", key = { pk = "user#{email}", sk = "user#" } }
        member = {
          table      = "app"
          key        = { pk = "company#{company}", sk = "user#{email}" }
          attributes = { joinedAt = "S", role = "S", level = "N" }
          where      = { level = 1 }
        }
        member_of = { table = "app", key = { pk = "user#{email}", sk = "company#{company}" } }
      }
      references = {
        member_company = { from = "member", to = "company" }
        member_user    = { from = "member", to = "user", on = { email = "{email}" }, find = { mirror = "membership" } }
        off            = { from = "member", to = "user", mode = "off", find = { none = true } }
      }
      mirrors = {
        membership = { source = "member", mirror = "member_of", copy = ["joinedAt", "role"] }
      }
    }
  }
  assert {
    condition     = jsondecode(output.rules).entities.member.where == { level = 1 } && jsondecode(output.rules).references.off.find == "none"
    error_message = "a literal or keyword lost its type"
  }
  assert {
    condition     = !strcontains(output.rules, "null") && !can(jsondecode(output.rules).references.member_company.on)
    error_message = "the rules contain omitted arguments"
  }
  assert {
    condition     = local.function.environment[0].variables.REFEREE_RULES_JSON == output.rules
    error_message = "the function's rules differ from the output"
  }
}

run "in_a_file" {
  variables {
    rules_file = "tests/fixtures/app.yaml"
  }
  # Except for the table's name, the file has the same model as the rules above.
  assert {
    condition = jsonencode(merge(local.decoded, { tables = { app = { key = local.decoded.tables.app.key } } })) == jsonencode(merge(
      jsondecode(run.declared.rules), { tables = { app = { key = ["pk", "sk"] } } }
    ))
    error_message = "the rule file has a different model"
  }
  assert {
    condition     = output.policy == run.declared.policy && output.filters == run.declared.filters
    error_message = "the rule file needs different permissions"
  }
  assert {
    condition     = local.function.environment[0].variables.REFEREE_RULES_JSON == file("tests/fixtures/app.yaml")
    error_message = "the function does not get the unchanged file"
  }
}

run "the_order_of_an_index_key_is_kept" {
  variables {
    rules = {
      tables = { app = { key = ["id"] }, users = { key = ["id"] } }
      entities = {
        order = { table = "app", key = { id = "order#{order}" }, attributes = { who = "S", area = "N", copies = "NS" } }
        user  = { table = "users", key = { id = "user#{user}" } }
      }
      references = {
        order_user = {
          from    = "order", to = "user", on = { user = "{who}" }
          default = { user = "7" }
          find    = { index = "by_who", key = [{ who = "{user}" }, { area = "{user}" }] }
        }
        order_copies = { from = "order", to = "user", on = { user = "{copies[*]}" }, default = { user = "7" }, find = { none = true } }
      }
    }
  }
  assert {
    condition     = strcontains(output.rules, "\"find\":{\"index\":\"by_who\",\"key\":{\"who\":\"{user}\",\"area\":\"{user}\"}}")
    error_message = "the index's key is out of order: ${output.rules}"
  }
  assert {
    condition     = jsondecode(output.rules).references.order_user.default == { user = "7" } && jsondecode(output.rules).references.order_copies.default == { user = 7 }
    error_message = "a default does not have the type of its attribute"
  }
}

run "copies" {
  variables {
    rules = {
      tables = { app = { key = ["pk", "sk"] } }
      entities = {
        a = { table = "app", key = { pk = "a#{x}", sk = "b#{y}" } }
        b = { table = "app", key = { pk = "b#{y}", sk = "a#{x}" } }
        c = { table = "app", key = { pk = "c#{x}", sk = "c#{y}" } }
      }
      mirrors = {
        nothing    = { source = "a", mirror = "b", copy = [] }
        everything = { source = "a", mirror = "c" }
      }
    }
  }
  assert {
    condition     = jsondecode(output.rules).mirrors.nothing.copy == "none" && !can(jsondecode(output.rules).mirrors.everything.copy)
    error_message = "`copy` is wrong: ${output.rules}"
  }
}

run "names_from_the_environment" {
  variables {
    rules_file  = "tests/fixtures/app.yaml"
    environment = { TABLE = "app-test" }
  }
  assert {
    condition     = data.aws_dynamodb_table.this["app"].name == "app-test" && local.function.environment[0].variables.TABLE == "app-test"
    error_message = "the table's name does not come from the environment"
  }
}

run "long_rules_are_packed" {
  variables {
    rules = {
      tables = { app = { key = ["pk", "sk"] } }
      entities = merge({ b = { table = "app", key = { pk = "b#{x}", sk = "b" } } }, {
        for number in range(60) : "entity_${number}" => { table = "app", key = { pk = "entity_${number}#{x}", sk = "b#{x}" } }
      })
      references = { for number in range(60) : "rule_${number}" => { from = "entity_${number}", to = "b" } }
    }
  }
  assert {
    condition     = local.function.environment[0].variables.REFEREE_RULES_GZ == base64gzip(output.rules) && !contains(keys(local.function.environment[0].variables), "REFEREE_RULES_JSON")
    error_message = "long rules are not packed"
  }
}

run "rules_in_the_package" {
  variables {
    rules_file       = "tests/fixtures/app.yaml"
    rules_in_package = true
    code             = { package = "placeholder.zip" }
  }
  assert {
    condition     = !anytrue([for name in keys(local.function.environment[0].variables) : startswith(name, "REFEREE_RULES")])
    error_message = "the rules are also in the environment"
  }
  assert {
    condition     = aws_lambda_function.this[0].source_code_hash != filebase64sha256("placeholder.zip")
    error_message = "changed rules would not be deployed"
  }
}

run "a_table_of_the_same_apply" {
  module {
    source = "./examples/single-table-many-to-many"
  }
  variables {
    package = "placeholder.zip"
  }
  assert {
    condition     = jsondecode(output.rules).tables.app.name == "app"
    error_message = "the table has no name"
  }
}

run "words_that_older_yaml_reads_as_booleans" {
  command = plan
  variables {
    rules_file = "tests/fixtures/words.yaml"
  }
  assert {
    condition = jsonencode(local.decoded) == jsonencode({
      version = 1
      tables  = { N = { name = "first", key = ["n", "y"] }, no = { name = "second", key = ["id:N"] } }
      entities = {
        on  = { table = "N", key = { n = "on#{n}", y = "{no}, on, off" }, attributes = { id = "N", off = "N" } }
        off = { table = "no", key = { id = "{n}" } }
      }
      references = {
        y = { from = "on", to = "off", on = { n = "{id}" }, mode = "off" }
        n = { from = "on", to = "off", on = { n = "{id}" }, find = "none" }
      }
    })
    error_message = "the file was read as ${jsonencode(local.decoded)}"
  }
}

run "a_name_that_is_unknown_at_plan" {
  command = plan
  module {
    source = "./tests/fixtures/unknown"
  }
  assert {
    condition     = alltrue([for filters in output.filters : length(filters.app) > 0])
    error_message = "the resources depend on a table's name"
  }
}
