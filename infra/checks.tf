# What is wrong with the input, all at once, before anything is made. `referee check` finds more, and
# says where: this finds what would make a wrong policy, alarm or filter.

locals {
  # The words that a key of a rule may have.
  reference_words = {
    match         = ["simple", "full"]
    on_missing    = ["report", "delete", "unset", "set_default", "revert"]
    on_delete     = ["report", "cascade", "unset", "set_default", "restore", "ignore"]
    on_ttl_delete = ["report", "cascade", "unset", "set_default", "restore", "ignore"]
    mode          = ["off", "observe", "enforce"]
    severity      = ["error", "warn"]
  }
  mirror_words = {
    on_mirror_delete = ["restore", "delete_source", "report"]
    on_mirror_edit   = ["overwrite", "report"]
    mode             = ["off", "observe", "enforce"]
    severity         = ["error", "warn"]
  }
  # The keys that a rule file may have: those of the types in variables_rules.tf.
  known_keys = {
    tables     = ["name", "key", "separator"]
    entities   = ["table", "key", "attributes", "where"]
    references = ["from", "to", "on", "match", "required", "on_missing", "on_delete", "on_ttl_delete", "default", "find", "grace", "mode", "severity", "max_fanout", "max_depth"]
    mirrors    = ["source", "mirror", "copy", "on_mirror_delete", "on_mirror_edit", "adopt", "mode", "severity"]
  }
  known_types = ["S", "N", "B", "BOOL", "SS", "NS", "BS", "L", "M"]

  restricts = [
    for one in flatten([
      for name, rule in local.model.references : [
        for key in ["on_missing", "on_delete", "on_ttl_delete"] : "references.${name}.${key}" if try(rule[key] == "restrict", false)
      ]
    ]) : "${local.rules_variable}: ${one} is \"restrict\", and nothing can be prevented after it was written; use \"report\", or \"restore\" to write the deleted item again."
  ]

  wrong_words = concat(
    flatten([
      for name, rule in local.model.references : [
        for key, words in local.reference_words :
        "${local.rules_variable}: references.${name}.${key} is \"${rule[key]}\", and must be one of ${join(", ", words)}."
        if try(rule[key] != "restrict" && !contains(words, rule[key]), false)
      ]
    ]),
    flatten([
      for name, rule in local.model.mirrors : [
        for key, words in local.mirror_words :
        "${local.rules_variable}: mirrors.${name}.${key} is \"${rule[key]}\", and must be one of ${join(", ", words)}."
        if try(!contains(words, rule[key]), false)
      ]
    ]),
    flatten([
      for name, entity in local.model.entities : [
        for path, type in try(entity.attributes, {}) :
        "${local.rules_variable}: entities.${name}.attributes: the type of `${path}` is \"${type}\", and must be one of ${join(", ", local.known_types)}."
        if !contains(local.known_types, type)
      ]
    ]),
  )

  # Terraform drops what a type does not know; of a rule file, everything is there.
  unknown_keys = flatten([
    for section, known in local.known_keys : [
      for name, record in try(local.decoded[section], {}) : [
        for key in try(keys(record), []) :
        "${local.rules_variable}: ${section}.${name} has the unknown key `${key}`; run `referee check`, which says what it may mean."
        if !contains(known, key)
      ]
    ]
  ])

  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
  wrong_names = concat(
    [
      for name in concat(keys(local.model.references), keys(local.model.mirrors)) :
      "${local.rules_variable}: the rule `${name}` is a dimension of metrics, and needs a name of up to 64 letters, digits, `_` and `-` that begins with a letter or `_`."
      if !can(regex("^[A-Za-z_][A-Za-z0-9_-]{0,63}$", name))
    ],
    [
      for name in keys(local.model.references) :
      "${local.rules_variable}: a reference and a mirror are both named `${name}`; metrics need names that differ."
      if contains(keys(local.model.mirrors), name)
    ],
  )

  undeclared = concat(
    [
      for name, entity in local.model.entities :
      "${local.rules_variable}: entities.${name}.table is `${try(entity.table, "")}`, which `tables` does not have; it has ${join(", ", formatlist("`%s`", keys(local.model.tables)))}."
      if !contains(keys(local.model.tables), try(entity.table, ""))
    ],
    flatten([
      for section, sides in { references = ["from", "to"], mirrors = ["source", "mirror"] } : [
        for name, rule in local.model[section] : [
          for side in sides :
          "${local.rules_variable}: ${section}.${name}.${side} is `${try(rule[side], "")}`, which `entities` does not have; it has ${join(", ", formatlist("`%s`", keys(local.model.entities)))}."
          if !contains(keys(local.model.entities), try(rule[side], ""))
        ]
      ]
    ]),
    [
      for name, rule in local.model.references :
      "${local.rules_variable}: references.${name}.find.mirror is `${rule.find.mirror}`, which `mirrors` does not have."
      if can(rule.find.mirror) && !contains(keys(local.model.mirrors), try(rule.find.mirror, ""))
    ],
    [
      for alias in keys(var.tables) :
      "tables: `${alias}` is no table of `${local.rules_variable}`, which has ${join(", ", formatlist("`%s`", keys(local.model.tables)))}."
      if !contains(keys(local.model.tables), alias)
    ],
    [
      for alias in keys(var.mappings) :
      "mappings: `${alias}` is no table that `${local.rules_variable}` watches; it watches ${join(", ", formatlist("`%s`", local.watched))}."
      if !contains(local.watched, alias)
    ],
  )

  wrong_shapes = concat(
    [
      for name, entity in local.model.entities :
      "${local.rules_variable}: entities.${name}.key must have a template for each key attribute of its table, ${join(" and ", [for attribute in local.key_attributes[entity.table] : "`${attribute.name}`"])}."
      if contains(keys(local.model.tables), try(entity.table, "")) &&
      !try(sort(keys(entity.key)) == sort([for attribute in local.key_attributes[entity.table] : attribute.name]), false)
    ],
    [
      for name, rule in local.model.references :
      "${local.rules_variable}: references.${name}.find must be one of ${var.rules == null ? "`none`" : "`{ none = true }`"}, an `index` with the one or two attributes of its `key`, or a `mirror`."
      if can(rule.find) && !anytrue([
        try(rule.find == "none", false),
        can(rule.find.mirror) && !can(rule.find.index) && !can(rule.find.key),
        can(rule.find.index) && contains([1, 2], try(length(rule.find.key), 0)) && !can(rule.find.mirror),
      ])
    ],
    var.rules == null ? [] : [
      for name, rule in local.model.references :
      "rules: each element of references.${name}.find.key must have one attribute: [{ PARTITION = \"{capture}\" }, { SORT = \"{capture}\" }]."
      if anytrue([for part in try(coalesce(var.rules.references[name].find.key, []), []) : length(part) != 1])
    ],
  )

  # A name that is not known yet is checked when it is.
  wrong_tables = [
    for alias, name in local.table_names :
    "${local.rules_variable}: no table of DynamoDB is named `${name}`, as tables.${alias} is by `${local.written_names[alias]}`; a name has 3 to 255 letters, digits, `_`, `-` and `.`, and its variables come from `environment`."
    if !can(regex("^[A-Za-z0-9_.-]{3,255}$", name))
  ]

  wrong_filters = flatten([
    for alias, filters in { for alias in local.watched : alias => coalesce(local.mappings[alias].filters, []) } : concat(
      length(filters) <= 10 ? [] : ["${contains(keys(var.mappings), alias) ? "mappings.${alias}" : "mapping"}.filters: Lambda takes 10 filters for a stream at most (5 without a higher quota), and here are ${length(filters)}; join them, for the tests in one list are alternatives."],
      [
        for filter in filters :
        "mapping.filters: a filter must be JSON that looks at `dynamodb.Keys` alone, or it would drop records that the rules need: ${filter}"
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
        maximum_retry_attempts = [0, 10000]
      } : "${contains(keys(var.mappings), alias) ? "mappings.${alias}" : "mapping"}.${key} is ${mapping[key]}, and must be ${range[0]} to ${range[1]}."
      if mapping[key] < range[0] || mapping[key] > range[1]
    ]
  ])

  problems = concat(
    (var.rules == null) == (var.rules_file == null) ? ["rules: give either `rules` or `rules_file`."] : (
      length(local.model.tables) == 0 ? ["${local.rules_variable}: no table with a key can be read${var.rules_file == null ? "" : " in ${basename(var.rules_file)}"}; run `referee check`, which says where it is wrong."] :
      length(local.model.references) + length(local.model.mirrors) == 0 ? ["${local.rules_variable}: there is no rule; declare `references` or `mirrors`."] :
      length(local.watched) == 0 && length(local.undeclared) == 0 ? ["${local.rules_variable}: every rule is off, and nothing is watched; give a rule, or `mode`, another mode."] : []
    ),
    try(local.decoded.version, 1) == 1 && try(var.rules.version, 1) == 1 ? [] : [
      "${local.rules_variable}: `version` must be 1, the version of the rules' language that this module knows.",
    ],
    local.restricts,
    local.wrong_words,
    local.unknown_keys,
    local.wrong_names,
    local.undeclared,
    local.wrong_shapes,
    local.wrong_filters,
    local.wrong_mappings,
    var.metrics != "emf" || contains(["DEBUG", "INFO"], var.log_level) ? [] : [
      "log_level: metrics = \"emf\" are lines of level INFO; use log_level = \"INFO\", or another destination of metrics.",
    ],
    !var.rules_in_package || var.code != null ? [] : [
      "rules_in_package: the package of `cargo lambda deploy` is not Terraform's; give it the rules with `--include referee.yaml`, and set `code`, or leave this out.",
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
        "tables: `${alias}` needs a stream of NEW_AND_OLD_IMAGES; set stream_enabled = true and stream_view_type = \"NEW_AND_OLD_IMAGES\" on the table."
        if contains(local.watched, alias) && !try(table.stream_enabled && table.stream_view_type == "NEW_AND_OLD_IMAGES", false)
      ])
    }
    precondition {
      condition     = length(local.problems) > 0 || local.environment_bytes <= local.environment_bytes_max
      error_message = "${local.rules_variable}: a function's environment has 4,096 bytes, which these rules exceed even packed; put the rules into the package with `make package RULES=referee.yaml`, and set rules_in_package = true."
    }
  }
}
