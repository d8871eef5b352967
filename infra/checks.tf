# Validates the input, and reports all problems at once, before anything is created. `referee check`
# finds more problems, with their locations. These checks find problems that would cause a wrong
# policy, alarm or filter.

locals {
  # The allowed values of a rule's keys.
  reference_words = {
    tables        = ["same", "paired", "any"]
    match         = ["simple", "full"]
    expired       = ["present", "absent"]
    on_missing    = ["report", "delete", "unset", "set_default", "revert"]
    on_delete     = ["report", "cascade", "unset", "set_default", "restore", "ignore"]
    on_ttl_delete = ["report", "cascade", "unset", "set_default", "restore", "ignore"]
    mode          = ["off", "observe", "enforce"]
    severity      = ["error", "warn"]
  }
  mirror_words = {
    tables           = ["same", "paired"]
    on_mirror_delete = ["restore", "delete_source", "report"]
    on_mirror_edit   = ["overwrite", "report"]
    mode             = ["off", "observe", "enforce"]
    severity         = ["error", "warn"]
  }
  # The keys that a rule file may have. They equal the keys of the types in variables_rules.tf,
  # except for `parts`, another name for `on`.
  known_keys = {
    tables     = ["name", "key", "separator", "ttl", "account", "region"]
    entities   = ["table", "key", "attributes", "where"]
    references = ["from", "to", "tables", "on", "parts", "on_key", "match", "required", "expired", "on_missing", "on_delete", "on_ttl_delete", "default", "unset", "none", "find", "grace", "mode", "severity", "max_fanout", "max_depth"]
    mirrors    = ["was", "source", "mirror", "tables", "copy", "on_mirror_delete", "on_mirror_edit", "adopt", "mode", "severity"]
  }
  known_types = ["S", "N", "B", "BOOL", "SS", "NS", "BS", "L", "M"]

  restricts = [
    for one in flatten([
      for name, rule in local.model.references : [
        for key in ["on_missing", "on_delete", "on_ttl_delete"] : "references.${name}.${key}" if try(rule[key] == "restrict", false)
      ]
    ]) : "${local.rules_variable}: ${one} is \"restrict\", but a stream is read after the write, so nothing can be prevented; use \"report\", or \"restore\" to write the deleted item again."
  ]

  wrong_words = concat(
    flatten([
      for name, rule in local.model.references : [
        for key, words in local.reference_words :
        "${local.rules_variable}: references.${name}.${key} is \"${rule[key]}\", but must be one of ${join(", ", words)}."
        if try(rule[key] != "restrict" && !contains(words, rule[key]), false)
      ]
    ]),
    flatten([
      for name, rule in local.model.mirrors : [
        for key, words in local.mirror_words :
        "${local.rules_variable}: mirrors.${name}.${key} is \"${rule[key]}\", but must be one of ${join(", ", words)}."
        if try(!contains(words, rule[key]), false)
      ]
    ]),
    flatten([
      for name, entity in local.model.entities : [
        for path, type in try(entity.attributes, {}) :
        "${local.rules_variable}: entities.${name}.attributes: the type of `${path}` is \"${type}\", but must be one of ${join(", ", local.known_types)}, or a template such as \"user#{id}\"."
        if !contains(local.known_types, type) && !strcontains(type, "{")
      ]
    ]),
  )

  # These problems can only be found in a rule file: Terraform drops arguments that their type does
  # not declare.
  unknown_keys = flatten([
    for section, known in local.known_keys : [
      for name, record in try(local.decoded[section], {}) : [
        for key in try(keys(record), []) :
        "${local.rules_variable}: ${section}.${name} has the unknown key `${key}`; run `referee check`, which suggests a known one."
        if !contains(known, key)
      ]
    ]
  ])

  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
  wrong_names = concat(
    [
      for name in concat(keys(local.model.references), keys(local.model.mirrors)) :
      "${local.rules_variable}: the rule `${name}` has an invalid name; a name is a dimension of metrics, so it must have at most 64 letters, digits, `_` and `-`, and begin with a letter or `_`."
      if !can(regex("^[A-Za-z_][A-Za-z0-9_-]{0,63}$", name))
    ],
    [
      for name in keys(local.model.references) :
      "${local.rules_variable}: a reference and a mirror are both named `${name}`; metrics need distinct names."
      if contains(keys(local.model.mirrors), name)
    ],
  )

  undeclared = concat(
    flatten([
      for name, tables in local.entity_tables : [
        for table in length(tables) == 0 ? [""] : tables :
        "${local.rules_variable}: entities.${name}.table is `${table}`, which is not in `tables`; it has ${join(", ", formatlist("`%s`", keys(local.model.tables)))}."
        if !contains(keys(local.model.tables), table)
      ]
    ]),
    flatten([
      for section, sides in { references = ["from"], mirrors = ["source", "mirror"] } : [
        for name, rule in local.model[section] : [
          for side in sides :
          "${local.rules_variable}: ${section}.${name}.${side} is `${try(rule[side], "")}`, which is not in `entities`; it has ${join(", ", formatlist("`%s`", keys(local.model.entities)))}."
          if !contains(keys(local.model.entities), try(rule[side], ""))
        ]
      ]
    ]),
    flatten([
      for name, targets in local.targets : [
        for to in length(targets) == 0 ? [""] : targets[*].to :
        "${local.rules_variable}: references.${name}.to is `${to}`, which is not in `entities`; it has ${join(", ", formatlist("`%s`", keys(local.model.entities)))}."
        if !contains(keys(local.model.entities), to)
      ]
    ]),
    [
      for name, rule in local.model.references :
      "${local.rules_variable}: references.${name}.find.mirror is `${rule.find.mirror}`, which is not in `mirrors`."
      if can(rule.find.mirror) && !contains(keys(local.model.mirrors), try(rule.find.mirror, ""))
    ],
    [
      for alias in keys(var.tables) :
      "tables: `${alias}` is not a table of `${local.rules_variable}`, which has ${join(", ", formatlist("`%s`", keys(local.model.tables)))}."
      if !contains(keys(local.model.tables), alias)
    ],
    [
      for alias in keys(var.mappings) :
      "mappings: `${alias}` is not a table that `${local.rules_variable}` watches; it watches ${join(", ", formatlist("`%s`", local.watched))}."
      if !contains(local.watched, alias)
    ],
  )

  wrong_shapes = concat(
    [
      for name, entity in local.placed_entities :
      "${local.rules_variable}: entities.${split(" ", name)[0]}.key must have a template for each key attribute of its table, ${join(" and ", [for attribute in local.key_attributes[entity.table] : "`${attribute.name}`"])}."
      if contains(keys(local.model.tables), try(entity.table, "")) &&
      !try(sort(keys(entity.key)) == sort([for attribute in local.key_attributes[entity.table] : attribute.name]), false)
    ],
    [
      for name, rule in local.model.references :
      "${local.rules_variable}: references.${name}.find must be one of ${var.rules == null ? "`none`" : "`{ none = true }`"}, an `index` with the one or two attributes of its `key`, or a `mirror`."
      if can(rule.find) && !anytrue([
        try(rule.find == "none", false),
        can(rule.find.each),
        can(rule.find.mirror) && !can(rule.find.index) && !can(rule.find.key),
        can(rule.find.index) && contains([1, 2], try(length(rule.find.key), 0)) && !can(rule.find.mirror),
      ])
    ],
    distinct(flatten([
      for name, rule in local.references : [
        for position, target in local.targets[name] : [
          for from_at, from in try(local.placed_names[rule.from], []) :
          "${local.rules_variable}: references.${name}.tables must say in which of its tables an item of `${target.to}` is: `same`, `paired` or `any`; run `referee check`, which explains it."
          if contains(keys(local.placed_names), target.to) && !contains(keys(local.placed_alternatives), "${name}/${position}/${from_at}")
        ]
      ]
    ])),
    [
      for name, rule in local.mirrors :
      "${local.rules_variable}: mirrors.${name} needs a table of `${rule.mirror}` for each table of `${rule.source}`, and perhaps `tables`; run `referee check`, which explains it."
      if try(
        length(local.entity_tables[rule.mirror]) < length(local.entity_tables[rule.source]) ||
        length([for one in local.placed_mirrors : one if one.rule == name]) < length(local.entity_tables[rule.source]),
        false
      )
    ],
    var.rules == null ? [] : [
      for name, entity in var.rules.entities :
      "rules: entities.${name} must have one of `table` and `tables`."
      if length([for one in [entity.table != null, entity.tables != null] : one if one]) != 1
    ],
    var.rules == null ? [] : [
      for name, mirror in var.rules.mirrors :
      "rules: mirrors.${name} has more than one of `copy`, `copy_except` and `copy_as`; set one of them."
      if length([for one in [mirror.copy != null, mirror.copy_except != null, mirror.copy_as != null] : one if one]) > 1
    ],
    var.rules == null ? [] : [
      for name, rule in local.model.references :
      "rules: each element of references.${name}.find.key must have one attribute: [{ PARTITION = \"{capture}\" }, { SORT = \"{capture}\" }]."
      if anytrue([for part in try(coalesce(var.rules.references[name].find.key, []), []) : length(part) != 1])
    ],
  )

  # A name that is unknown at plan is checked during the apply.
  wrong_tables = [
    for alias, name in local.table_names :
    "${local.rules_variable}: tables.${alias} has the name `${local.written_names[alias]}`, which becomes `${name}`; the name of a DynamoDB table has 3 to 255 letters, digits, `_`, `-` and `.`, and its variables come from `environment`."
    if !can(regex("^[A-Za-z0-9_.-]{3,255}$", name))
  ]

  wrong_filters = flatten([
    for alias, filters in { for alias in local.watched : alias => coalesce(local.mappings[alias].filters, []) } : concat(
      length(filters) <= 10 ? [] : ["${contains(keys(var.mappings), alias) ? "mappings.${alias}" : "mapping"}.filters: has ${length(filters)} filters, but Lambda allows at most 10 for a stream (5 without a higher quota); combine them, because the tests in one list are alternatives."],
      [
        for filter in filters :
        "mapping.filters: a filter must be JSON that tests only `dynamodb.Keys`, or it would drop records that the rules need: ${filter}"
        if !try(keys(jsondecode(filter)) == ["dynamodb"] && keys(jsondecode(filter).dynamodb) == ["Keys"], false)
      ],
    )
  ])

  wrong_mappings = flatten([
    for alias, mapping in local.mappings : [
      for key, range in {
        batch_size             = [1, 10000]
        batching_window        = [0, 300]
        parallelization_factor = [1, 10]
        maximum_record_age     = [60, 86400]
        maximum_retry_attempts = [-1, 10000]
      } : "${contains(keys(var.mappings), alias) ? "mappings.${alias}" : "mapping"}.${key} is ${mapping[key]}, but must be ${range[0]} to ${range[1]}."
      if mapping[key] < range[0] || mapping[key] > range[1]
    ]
  ])

  # An invocation waits until the grace period of its youngest suspect is over. It also needs time to
  # read, to repair and to answer.
  grace_margin_seconds = 5
  grace_seconds = {
    for name, rule in local.references : name => (
      tonumber(regex("^[0-9]+", try(rule.grace, "2s"))) * { ms = 0.001, s = 1, m = 60 }[regex("(?:ms|s|m)$", try(rule.grace, "2s"))]
    ) if can(regex("^[0-9]+(ms|s|m)$", try(rule.grace, "2s")))
  }
  short_timeouts = [
    for name, seconds in local.grace_seconds :
    "timeout: is ${var.timeout} s, but the rule `${name}` has a `grace` of ${try(local.references[name].grace, "2s")}; set timeout = ${ceil(seconds) + local.grace_margin_seconds} or more, so that records need not be delivered again."
    if var.timeout < seconds + local.grace_margin_seconds
  ]

  problems = concat(
    (var.rules == null) == (var.rules_file == null) ? ["rules: set either `rules` or `rules_file`."] : (
      length(local.model.tables) == 0 ? ["${local.rules_variable}: no table with a key can be read${var.rules_file == null ? "" : " in ${basename(var.rules_file)}"}; run `referee check`, which reports the locations of the problems."] :
      length(local.model.references) + length(local.model.mirrors) == 0 ? ["${local.rules_variable}: there is no rule; declare `references` or `mirrors`."] :
      length(local.watched) == 0 && length(local.undeclared) == 0 ? ["${local.rules_variable}: every rule is off, so there is nothing to watch; change the mode of a rule, or `mode`."] : []
    ),
    try(local.decoded.version, 1) == 1 && try(var.rules.version, 1) == 1 ? [] : [
      "${local.rules_variable}: `version` must be 1, the only version that this module supports.",
    ],
    local.restricts,
    local.wrong_words,
    local.unknown_keys,
    local.wrong_names,
    local.undeclared,
    local.wrong_shapes,
    local.wrong_filters,
    local.wrong_mappings,
    local.short_timeouts,
    var.release == null || var.code != null ? [] : [
      "release: Terraform can only publish versions of code that it deploys; set `code`, or use `cargo lambda deploy --alias`, which publishes a version, and omit `release`.",
    ],
    var.metrics != "emf" || contains(["DEBUG", "INFO"], var.log_level) ? [] : [
      "log_level: with metrics = \"emf\", metrics are log lines of level INFO; use log_level = \"INFO\", or another destination of metrics.",
    ],
    length(local.audited_tables) * try(var.audit.segments, 0) <= local.audit_parts_max ? [] : [
      "audit.segments is ${try(var.audit.segments, 0)}, but ${length(local.audited_tables)} tables may have at most ${local.audit_parts_max} segments together.",
    ],
    !var.rules_in_package || var.code != null ? [] : [
      "rules_in_package: Terraform does not deploy the package of `cargo lambda deploy`; include the rules there with `--include referee.yaml` and omit rules_in_package, or set `code`.",
    ],
  )
}

resource "terraform_data" "checks" {
  lifecycle {
    precondition {
      condition     = length(local.problems) == 0
      error_message = join("\n", local.problems)
    }
    precondition {
      condition     = length(local.wrong_tables) == 0
      error_message = join("\n", local.wrong_tables)
    }
    precondition {
      condition = alltrue([
        for alias, table in var.tables :
        anytrue([!contains(local.watched, alias), try(table.stream_enabled && table.stream_view_type == "NEW_AND_OLD_IMAGES", false)])
      ])
      error_message = join("\n", [
        for alias, table in var.tables :
        "tables: `${alias}` needs a stream with NEW_AND_OLD_IMAGES; set stream_enabled = true and stream_view_type = \"NEW_AND_OLD_IMAGES\" on the table."
        if contains(local.watched, alias) && !try(table.stream_enabled && table.stream_view_type == "NEW_AND_OLD_IMAGES", false)
      ])
    }
    precondition {
      condition     = length(local.problems) > 0 || local.environment_bytes <= local.environment_bytes_max
      error_message = "${local.rules_variable}: these rules exceed the 4,096 bytes of a function's environment even when packed; include the rules in the package with `make package RULES=referee.yaml`, and set rules_in_package = true."
    }
  }
}
