# The function's permissions, which are exactly the permissions that the rules need. `referee iam`
# prints the same policy.

locals {
  # The entities and indexes that Referee queries, most of them to find the items that refer to a
  # deleted item.
  queried_entities = distinct(compact(concat(
    [for name, rule in local.alternatives : rule.from if local.finding[name].is_queried && local.finding[name].derived],
    [for name, rule in local.alternatives : local.finding[name].mirror if local.finding[name].is_queried],
  )))
  queried_indexes = distinct(concat(
    [
      for name, rule in local.alternatives : {
        table = local.table_of[rule.from]
        index = local.finding[name].index
      } if local.finding[name].is_queried && local.finding[name].index != null && contains(keys(local.table_of), rule.from)
    ],
    # The referenced items of these rules are known by the key of an index.
    [
      for name, rule in local.alternatives : {
        table = local.table_of[rule.to]
        index = rule.in_index.name
      } if can(rule.in_index.name) && contains(keys(local.table_of), rule.to)
    ],
  ))

  # The write requests of each rule in enforce mode, with the entities that they write. A
  # transaction needs the permission for each of its actions.
  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
  reference_actions = flatten([
    for name, rule in local.alternatives : [
      for action in distinct([
        "missing:${try(rule.on_missing, "report")}",
        "delete:${try(rule.on_delete, "report")}",
        "delete:${try(rule.on_ttl_delete, rule.on_delete, "report")}",
      ]) : { rule = rule, action = action }
    ] if local.rule_modes[rule.rule] == "enforce"
  ])
  needs_of_action = {
    "missing:delete"      = { from = ["DeleteItem"], to = ["ConditionCheckItem"] }
    "missing:unset"       = { from = ["UpdateItem"], to = ["ConditionCheckItem"] }
    "missing:set_default" = { from = ["UpdateItem"], to = ["ConditionCheckItem"] }
    "missing:revert"      = { from = ["DeleteItem", "UpdateItem"], to = [] }
    "delete:cascade"      = { from = ["DeleteItem"], to = ["ConditionCheckItem"] }
    "delete:unset"        = { from = ["UpdateItem"], to = ["ConditionCheckItem"] }
    "delete:set_default"  = { from = ["UpdateItem"], to = ["ConditionCheckItem"] }
    "delete:restore"      = { from = ["ConditionCheckItem"], to = ["PutItem"] }
  }
  # Whether an item of one entity may have the key of another entity.
  same_keys = {
    for name, tests in local.key_tests : name => {
      for other, others in local.key_tests : other => alltrue([
        for attribute, test in tests :
        startswith(test.text, others[attribute].text) || startswith(others[attribute].text, test.text)
      ])
      if local.table_of[name] == local.table_of[other] && can(local.used_entities[name].where) && can(local.used_entities[other].where)
    }
  }
  writes_of_references = flatten([
    for one in local.reference_actions : [
      [for request in try(local.needs_of_action[one.action].from, []) : { entity = one.rule.from, request = request }],
      [for request in try(local.needs_of_action[one.action].to, []) : { entity = one.rule.to, request = request }],
      # An item that was only changed, such as by a soft delete, is changed back.
      one.action == "delete:restore" && length(try(local.used_entities[one.rule.to].where, {})) > 0 ? [{ entity = one.rule.to, request = "UpdateItem" }] : [],
      # A cascade within one entity records its depth in the items.
      one.action == "delete:cascade" && one.rule.from == one.rule.to ? [{ entity = one.rule.from, request = "UpdateItem" }] : [],
      # Before an item is reverted, the references of its earlier state are checked. This state may
      # belong to another entity with the same key but another `where`.
      one.action != "missing:revert" ? [] : [
        for other in local.alternatives : { entity = other.to, request = "ConditionCheckItem" }
        if other.from == one.rule.from || try(local.same_keys[one.rule.from][other.from], false)
      ],
    ]
  ])
  # Referee puts and deletes mirrors. If deleting a mirror deletes its source, Referee also marks a
  # mirror before it deletes it, and it deletes a source in a transaction that checks that the
  # mirror is absent.
  writes_of_mirrors = flatten([
    for rule in local.active_mirrors : [
      [for request in ["PutItem", "DeleteItem"] : { entity = rule.mirror, request = request }],
      try(rule.on_mirror_delete, "restore") == "delete_source" ? [
        { entity = rule.mirror, request = "UpdateItem" },
        { entity = rule.mirror, request = "ConditionCheckItem" },
        { entity = rule.source, request = "DeleteItem" },
      ] : [],
    ] if local.rule_modes[rule.rule] == "enforce"
  ])
  # The tables that need each request.
  requests = {
    for request in ["PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"] : request => sort(distinct([
      for write in concat(local.writes_of_references, local.writes_of_mirrors) : local.table_of[write.entity]
      if write.request == request && contains(keys(local.table_of), write.entity)
    ]))
  }
  # The beginning of the partition keys of each entity, as a pattern of IAM. It is empty if they may
  # begin with any text, or are not text.
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
  leading_patterns = {
    for name, tests in local.key_tests : name => try(
      tests[local.key_attributes[local.table_of[name]][0].name].text == "" ? "" : format(
        "%s%s",
        replace(replace(replace(tests[local.key_attributes[local.table_of[name]][0].name].text, "$", "$${$}"), "*", "$${*}"), "?", "$${?}"),
        tests[local.key_attributes[local.table_of[name]][0].name].full ? "" : "*"
      ), ""
    )
  }
  # The patterns of the items that are written to each table; none if there is an item whose key may
  # begin with any text.
  written_patterns = {
    for alias in keys(local.write_requests) : alias => [
      for pattern in [sort(distinct([
        for write in concat(local.writes_of_references, local.writes_of_mirrors) : lookup(local.leading_patterns, write.entity, "")
        if write.request != "ConditionCheckItem" && try(local.table_of[write.entity] == alias, false)
      ]))] : contains(pattern, "") ? [] : pattern
    ][0]
  }
  # The requests that each table needs.
  write_requests = {
    for alias in sort(distinct(flatten([for request in ["DeleteItem", "PutItem", "UpdateItem"] : local.requests[request]]))) :
    alias => join(",", [for request in ["DeleteItem", "PutItem", "UpdateItem"] : request if contains(local.requests[request], alias)])
  }
  # Tables that need the same requests on the same keys share a statement.
  write_groups = {
    for alias, requests in local.write_requests : "${requests}|${join(",", local.written_patterns[alias])}" => alias...
  }
  # Statements with the same requests have a number from the second on.
  write_numbers = {
    for position, group in keys(local.write_groups) : group => length([
      for other in slice(keys(local.write_groups), 0, position + 1) : other if split("|", other)[0] == split("|", group)[0]
    ])
  }

  table_arns = { for alias, table in local.tables : alias => table.arn }
  read_arns  = [for alias in sort(local.used_tables) : local.table_arns[alias]]
  query_arns = concat(
    [for alias in sort(distinct([for entity in local.queried_entities : local.table_of[entity]])) : local.table_arns[alias]],
    [for one in local.queried_indexes : "${local.table_arns[one.table]}/index/${one.index}"],
  )

  # The statements are strings, because a statement with a condition has a different type than a
  # statement without one.
  statements = concat(
    [
      jsonencode({
        Sid      = "ReadStreams"
        Effect   = "Allow"
        Action   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
        Resource = [for alias in sort(local.watched) : local.tables[alias].stream_arn]
      }),
      # The permission to list streams cannot be restricted to some of them.
      jsonencode({ Sid = "ListStreams", Effect = "Allow", Action = ["dynamodb:ListStreams"], Resource = ["*"] }),
      jsonencode({ Sid = "ReadItems", Effect = "Allow", Action = ["dynamodb:BatchGetItem"], Resource = local.read_arns }),
    ],
    !local.audits ? [] : [
      jsonencode({ Sid = "ScanItems", Effect = "Allow", Action = ["dynamodb:Scan"], Resource = [for alias in local.audited_tables : local.table_arns[alias]] }),
    ],
    length(local.query_arns) == 0 ? [] : [
      jsonencode({ Sid = "QueryItems", Effect = "Allow", Action = ["dynamodb:Query"], Resource = local.query_arns }),
    ],
    [
      for group, aliases in local.write_groups : jsonencode(merge(
        {
          Sid      = "WriteItems${replace(replace(split("|", group)[0], "Item", ""), ",", "")}${local.write_numbers[group] == 1 ? "" : local.write_numbers[group]}"
          Effect   = "Allow"
          Action   = [for request in split(",", split("|", group)[0]) : "dynamodb:${request}"]
          Resource = [for alias in aliases : local.table_arns[alias]]
        },
        # Where every written item's key begins with literal text, only such keys may be written.
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
        {
          for patterns in [local.written_patterns[aliases[0]]] :
          "Condition" => { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = patterns } } if length(patterns) > 0
        }
      ))
    ],
    length(local.requests.ConditionCheckItem) == 0 ? [] : [
      jsonencode({
        Sid      = "CheckItems"
        Effect   = "Allow"
        Action   = ["dynamodb:ConditionCheckItem"]
        Resource = [for alias in local.requests.ConditionCheckItem : local.table_arns[alias]]
      }),
    ],
    var.metrics != "cloudwatch" ? [] : [
      jsonencode({
        Sid       = "PublishMetrics"
        Effect    = "Allow"
        Action    = ["cloudwatch:PutMetricData"]
        Resource  = ["*"]
        Condition = { StringEquals = { "cloudwatch:namespace" = var.namespace } }
      }),
    ],
    [
      jsonencode({
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${local.arn_prefix.logs}:log-group:${local.log_group}:*"]
      }),
    ],
    [for statement in local.destination_statements : jsonencode(merge({ Effect = "Allow" }, statement))],
    local.recheck_statements,
    # Reading a table that is encrypted with a customer managed key requires permission to use the key
    # through DynamoDB.
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
    length(local.table_key_arns) == 0 ? [] : [
      jsonencode({
        Sid       = "UseKeysOfTables"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = local.table_key_arns
        Condition = { StringEquals = { "kms:ViaService" = "dynamodb.${local.region}.${local.dns_suffix}" } }
      }),
    ],
    !var.tracing ? [] : [
      jsonencode({
        Sid      = "WriteTraces"
        Effect   = "Allow"
        Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        Resource = ["*"]
      }),
    ],
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
    var.vpc == null ? [] : [
      jsonencode({
        Sid    = "JoinNetwork"
        Effect = "Allow"
        Action = [
          "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
        ]
        Resource = ["*"]
      }),
    ],
  )
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[${join(",", local.statements)}]}"
}

resource "aws_iam_role" "this" {
  name                 = local.role_name
  description          = "The role of the Lambda function ${var.name}, which checks references between DynamoDB items."
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RunFunction"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = local.principals.lambda }
    }]
  })

  depends_on = [terraform_data.checks]
}

resource "aws_iam_role_policy" "this" {
  name   = "referee"
  role   = aws_iam_role.this.name
  policy = local.policy

  lifecycle {
    precondition {
      # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
      condition     = length(local.policy) <= 10240
      error_message = "${local.rules_variable}: the policy for these rules has ${length(local.policy)} characters; IAM's maximum is 10,240. Divide the rules among several modules, by table."
    }
  }
}
