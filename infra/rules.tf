# The rules: their text, which the function reads, and the AWS resources that they need.
#
# Only a table's `name` may be unknown at plan, for example with a random suffix. Everything that
# decides which resources exist comes from `local.model`, which has no table names.

locals {
  rules_variable = var.rules == null ? "rules_file" : "rules"

  # The declared rules, without null values and without table names.
  declared = var.rules == null ? null : {
    version = 1
    tables = {
      for alias, table in var.rules.tables : alias => {
        for key, value in { key = table.key, separator = table.separator } : key => value if value != null
      }
    }
    entities = {
      for name, entity in var.rules.entities : name => {
        for key, value in {
          # Both results of a conditional expression must have the same type.
          table      = jsondecode(entity.tables == null ? jsonencode(entity.table) : jsonencode(entity.tables))
          key        = entity.key
          attributes = entity.attributes
          # A literal must have the type that `attributes` declares, but all values of a Terraform
          # map have one type. A list or a comparison is written with `jsonencode`.
          where = entity.where == null ? null : {
            for path, text in entity.where : path => jsondecode(
              can(jsondecode(text)) && (can(regex("^[\\[{]", text)) || contains(["N", "BOOL"], try(entity.attributes[path], "S"))) ? text : jsonencode(text)
            )
          }
        } : key => value if value != null
      }
    }
    references = {
      for name, reference in var.rules.references : name => merge(
        { for key, value in reference : key => value if value != null && !contains(["default", "find", "unset_in_lists"], key) },
        reference.unset_in_lists == null ? {} : { unset = reference.unset_in_lists },
        reference.default == null ? {} : {
          default = {
            for capture, text in reference.default : capture => jsondecode(
              contains(["N", "NS"], try(var.rules.entities[reference.from].attributes[
                trimsuffix(trim(try(reference.on[capture], capture), "{}"), "[*]")
              ], "S")) && can(jsondecode(text)) ? text : jsonencode(text)
            )
          }
        },
        reference.find == null ? {} : {
          # Both results of a conditional expression must have the same type, so this converts them
          # to JSON and back.
          find = jsondecode(coalesce(reference.find.none, false) ? jsonencode("none") : jsonencode({
            for key, value in reference.find : key => value if value != null && key != "none"
          }))
        }
      )
    }
    mirrors = {
      for name, mirror in var.rules.mirrors : name => {
        for key, value in merge(mirror, {
          copy = jsondecode(
            mirror.copy_except != null ? jsonencode({ except = mirror.copy_except }) :
            mirror.copy_as != null ? jsonencode(mirror.copy_as) :
            mirror.copy == null ? "null" : length(mirror.copy) == 0 ? jsonencode("none") : jsonencode(mirror.copy)
          )
        }) : key => value if value != null && !contains(["copy_except", "copy_as"], key)
      }
    }
  }

  # The JSON text of each reference. It is built by hand, because `jsonencode` sorts maps, but
  # `find.key` must keep the order of the index's key.
  reference_texts = var.rules == null ? [] : [
    for name, reference in local.declared.references : join("", [
      jsonencode(name), ":{",
      !can(reference.find.key) ? "" : format(
        "\"find\":{\"index\":%s,\"key\":{%s}},", jsonencode(reference.find.index),
        join(",", [for part in reference.find.key : trim(jsonencode(part), "{}")])
      ),
      trimprefix(jsonencode({
        for key, value in reference : key => value if key != "find" || !can(reference.find.key)
      }), "{")
    ])
  ]

  declared_text = var.rules == null ? null : format(
    "{\"version\":1,\"tables\":%s,\"entities\":%s,\"references\":{%s},\"mirrors\":%s}",
    jsonencode({
      for alias, table in local.declared.tables : alias =>
      merge(table, { name = coalesce(var.rules.tables[alias].name, alias) })
    }),
    jsonencode(local.declared.entities),
    join(",", local.reference_texts),
    jsonencode(local.declared.mirrors)
  )

  # `yamldecode` reads `on`, `off`, `N` and similar words as booleans, as YAML 1.1 did. These words
  # are therefore quoted first, unless they are part of a quoted string or a template.
  yaml_words = "([yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)"
  yaml_parts = "\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^']|'')*'|#[^\\n]*|[^\"'\\s]+|\\s+|[\"']"
  file_text  = var.rules_file == null ? "" : file(var.rules_file)
  file_quoted = join("", [
    for part in regexall(local.yaml_parts, local.file_text) : can(regex("^[\"'#\\s]", part)) ? part :
    replace(
      replace(part, "/^([{\\[,]*)${local.yaml_words}([:,}\\]]|$)/", "$1\"$2\"$3"),
      "/([\\[,])${local.yaml_words}([,\\]])/", "$1\"$2\"$3"
    )
  ])
  file_json = can(jsondecode(local.file_text)) ? local.file_text : try(jsonencode(yamldecode(local.file_quoted)), "null")

  # The function reads the unchanged rule file, with its comments and `$${VARIABLES}`.
  rules_text = var.rules == null ? local.file_text : local.declared_text

  # The rules from either source, in the same structure.
  decoded = jsondecode(var.rules == null ? local.file_json : jsonencode(local.declared))
  model = {
    tables     = try({ for alias, table in local.decoded.tables : alias => table if can(table.key[0]) }, {})
    entities   = try({ for name, entity in local.decoded.entities : name => entity if can(entity.key) }, {})
    references = try({ for name, rule in local.decoded.references : name => merge(rule, local.settings.references[name]) }, {})
    mirrors    = try({ for name, rule in local.decoded.mirrors : name => merge(rule, local.settings.mirrors[name]) }, {})
  }

  # The values in which the function replaces `$${VARIABLE}` and `$${VARIABLE:-default}`.
  variable = "([^$]*)(?:\\$\\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\\})?"
  settings = {
    for section in ["references", "mirrors"] : section => {
      for name, rule in try(local.decoded[section], {}) : name => {
        for key in ["mode", "grace", "severity"] : key => join("", [
          for part in regexall(local.variable, rule[key]) :
          join("", [part[0], part[1] == null ? "" : try(coalesce(lookup(var.environment, part[1], ""), part[2]), "")])
        ]) if can(regex("\\$\\{", rule[key]))
      }
    }
  }

  # The names of the DynamoDB tables, with `$${VARIABLE}` and `$${VARIABLE:-default}` replaced.
  written_names = {
    for alias, table in local.model.tables : alias =>
    var.rules == null ? try(tostring(table.name), alias) : coalesce(try(var.rules.tables[alias].name, null), alias)
  }
  table_names = {
    for alias, name in local.written_names : alias => join("", [
      for part in regexall(local.variable, name) :
      join("", [part[0], part[1] == null ? "" : try(coalesce(lookup(var.environment, part[1], ""), part[2]), "")])
    ])
  }

  # The mode in which each rule runs.
  rule_modes = {
    for name, rule in merge(local.model.references, local.model.mirrors) : name => (
      try(rule.mode, "enforce") == "off" ? "off" : coalesce(var.mode, try(rule.mode, "enforce"))
    )
  }
  references = { for name, rule in local.model.references : name => rule if local.rule_modes[name] != "off" }
  mirrors    = { for name, rule in local.model.mirrors : name => rule if local.rule_modes[name] != "off" }

  # The entities that each reference may lead to: one, any of a list, those by a discriminator, or one
  # that is known by the key of an index.
  targets = {
    for name, rule in local.model.references : name => flatten([
      for entry in flatten([try(rule.to, "")]) : concat(
        [for to in [entry] : { to = tostring(to), in_index = null } if can(tostring(to))],
        [for key, to in try({ for key, to in entry : key => to if can(entry.by) && key != "by" }, {}) : { to = tostring(to), in_index = null }],
        [for to in [entry] : { to = tostring(to.entity), in_index = { name = to.index, key = to.key } } if can(to.index)],
      )
    ])
  }

  # The tables of each entity, and its name for each of them.
  entity_tables = {
    for name, entity in local.model.entities : name => [for table in flatten([try(entity.table, "")]) : try(tostring(table), "")]
  }
  placed_names = {
    for name, tables in local.entity_tables : name => [for table in tables : length(tables) == 1 ? name : "${name} in ${table}"]
  }
  # The entities, each once for every table that it has.
  placed_entities = merge([
    for name, tables in local.entity_tables : {
      for position, table in tables : local.placed_names[name][position] => merge(local.model.entities[name], { table = table })
    }
  ]...)

  # Each reference once for every table of the referencing entity, and for every entity that it may
  # lead to, in the tables that belong to that one.
  alternatives = merge(flatten([
    for name, rule in local.references : [
      for position, target in local.targets[name] : [
        for from_at, from in try(local.placed_names[rule.from], [rule.from]) : {
          for to_at, to in try(local.placed_names[target.to], [target.to]) : "${name}/${position}/${from_at}/${to_at}" => merge(
            { for key, value in rule : key => value if key != "find" },
            { rule = name, in_index = target.in_index, from = from, to = to },
            { for key, value in { find = try(rule.find.each[target.to], rule.find, null) } : key => value if can(rule.find) && (!can(rule.find.each) || can(rule.find.each[target.to])) },
            ) if try(length(local.placed_names[target.to]), 1) == 1 || try(rule.tables, "same") == "any" || (
            try(rule.tables, "same") == "paired" ? to_at == from_at : try(local.entity_tables[target.to][to_at] == local.entity_tables[rule.from][from_at], false)
          )
        }
      ]
    ]
  ])...)

  # The tables of referencing entities, and the targets, that have alternatives.
  placed_alternatives = { for key in keys(local.alternatives) : join("/", slice(split("/", key), 0, 3)) => key... }

  # Each mirror rule once for every table of its source.
  placed_mirrors = merge(flatten([
    for name, rule in local.model.mirrors : [
      for source_at, source in try(local.placed_names[rule.source], [rule.source]) : {
        for mirror_at, mirror in try(local.placed_names[rule.mirror], [rule.mirror]) : "${name}/${source_at}" => merge(rule, { rule = name, source = source, mirror = mirror })
        if try(length(local.placed_names[rule.mirror]), 1) == 1 || (
          try(rule.tables, "same") == "paired" ? mirror_at == source_at : try(local.entity_tables[rule.mirror][mirror_at] == local.entity_tables[rule.source][source_at], false)
        )
      }
    ]
  ])...)
  active_mirrors = { for name, rule in local.placed_mirrors : name => rule if local.rule_modes[rule.rule] != "off" }

  # The entities that a rule uses, and their tables.
  used_entities = {
    for name in distinct(flatten([
      [for rule in local.alternatives : [rule.from, rule.to]],
      [for rule in local.active_mirrors : [rule.source, rule.mirror]],
    ])) : name => local.placed_entities[name]
    if contains(keys(local.model.tables), try(local.placed_entities[name].table, ""))
  }
  table_of    = { for name, entity in local.used_entities : name => entity.table }
  used_tables = toset(values(local.table_of))

  # How Referee finds the items that refer to a deleted item. It cannot find them if the reference
  # has no `find` and the target's key does not determine their partition.
  finding = {
    for name, rule in local.alternatives : name => {
      is_queried = !alltrue([for key in ["on_delete", "on_ttl_delete"] : try(rule[key], rule.on_delete, "report") == "ignore"])
      derived = !can(rule.find) && alltrue([
        for capture in try(local.captures[rule.from][local.key_attributes[local.table_of[rule.from]][0].name], []) :
        contains(concat(
          [
            for to in distinct(flatten(values(try(local.index_captures[name], local.captures[rule.to], {})))) :
            try(regex("^\\{([A-Za-z0-9_]+)\\}$", try(rule.on[to], rule.parts[to]))[0], to)
          ],
          # A discriminator has one value for the items that refer to an entity.
          try(regex("^\\{([A-Za-z0-9_]+)\\}$", local.references[rule.rule].to.by), []),
        ), capture)
      ])
      index  = try(rule.find.index, null)
      mirror = try([for mirror in local.placed_mirrors : mirror.mirror if mirror.rule == rule.find.mirror && mirror.source == rule.from][0], null)
    }
  }

  # The tables whose streams the rules need. The stream of a target's table is needed only if a
  # delete of the target can leave orphans that Referee can find.
  watched = toset([
    for entity in flatten([
      [for rule in local.alternatives : rule.from],
      [
        for name, rule in local.alternatives : rule.to if local.finding[name].is_queried
        && (local.finding[name].derived || local.finding[name].index != null || local.finding[name].mirror != null)
      ],
      [for rule in local.active_mirrors : [rule.source, rule.mirror]],
    ]) : local.table_of[entity] if contains(keys(local.table_of), entity)
  ])

  # The key attributes of each table, in order, with their types.
  key_attributes = {
    for alias, table in local.model.tables : alias => [
      for attribute in table.key : {
        name = regex("^(.*?)(?::[SNB])?$", attribute)[0]
        type = try(regex(":([SNB])$", attribute)[0], "S")
      }
    ]
  }

  # The captures of the key of an index by which targets are known.
  index_captures = {
    for name, rule in local.alternatives : name => {
      for attribute, template in rule.in_index.key : attribute => [
        for capture in regexall("\\{([A-Za-z0-9_]+)\\*?(?::[^}]*)?\\}", replace(tostring(template), "{{", "")) : capture[0]
      ]
    } if can(rule.in_index.key)
  }

  # The captures of each key attribute's template. `{{` is an escaped brace and begins no capture.
  captures = {
    for name, entity in local.used_entities : name => {
      for attribute, template in entity.key : attribute => [
        for capture in regexall("\\{([A-Za-z0-9_]+)\\*?(?::[^}]*)?\\}", replace(tostring(template), "{{", "")) : capture[0]
      ]
    }
  }
}
