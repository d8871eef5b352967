"""Validates resources as AWS would.

Each limit is documented in the service's API reference.
"""

import json
import re

from msgpack.ext import ExtType
from tf.types import Unknown

ARN = re.compile(r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:.+$")
RETENTION_DAYS = {0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}


def problems_of(kind, config):
    """Returns all problems of a resource. Values that are not known yet are not checked."""
    if config is None:
        return []
    find = CHECKS.get(kind, lambda _: [])
    known = without_unknown(config)
    arns = [
        f"{kind}: `{name}` is no ARN: {value}"
        for name, value in known.items()
        if name.endswith("_arn") and isinstance(value, str) and not ARN.match(value)
    ]
    return arns + [f"{kind}: {problem}" for problem in find(known)]


def without_unknown(value):
    """Returns the value, with every unknown part replaced by null."""
    if value is Unknown or isinstance(value, ExtType):
        return None
    if isinstance(value, list):
        return [without_unknown(one) for one in value]
    if isinstance(value, dict):
        return {name: without_unknown(one) for name, one in value.items()}
    return value


def one_of(config, name, allowed):
    value = config.get(name)
    return [] if value is None or value in allowed else [f"`{name}` is {value}"]


def between(config, name, low, high):
    value = config.get(name)
    return [] if value is None or low <= value <= high else [f"`{name}` is {value}, not {low} to {high}"]


def matching(config, name, pattern):
    value = config.get(name)
    return [] if value is None or re.fullmatch(pattern, value) else [f"`{name}` is {value}"]


def is_json(config, name):
    value = config.get(name)
    try:
        parsed = {} if value is None else json.loads(value)
    except ValueError as wrong:
        return [f"`{name}` is no JSON: {wrong}"]
    return [] if isinstance(parsed, dict) else [f"`{name}` is no object"]


def policy(config, name):
    problems = is_json(config, name)
    if problems or config.get(name) is None:
        return problems
    document = json.loads(config[name])
    if document.get("Version") != "2012-10-17":
        problems.append(f"`{name}` has no version")
    sids = [statement.get("Sid", "") for statement in document["Statement"]]
    problems += [f"`{name}` has the Sid {sid}" for sid in sids if not re.fullmatch(r"[A-Za-z0-9]+", sid)]
    if len(sids) != len(set(sids)):
        problems.append(f"`{name}` has a Sid twice")
    for statement in document["Statement"]:
        if not statement.get("Resource", True) or not statement.get("Action"):
            problems.append(f"`{name}` has the empty statement {statement.get('Sid')}")
    return problems


def mapping(config):
    problems = between(config, "batch_size", 1, 10_000)
    problems += between(config, "maximum_batching_window_in_seconds", 0, 300)
    problems += between(config, "parallelization_factor", 1, 10)
    problems += between(config, "maximum_retry_attempts", -1, 10_000)
    problems += between(config, "maximum_record_age_in_seconds", -1, 604_800)
    problems += one_of(config, "starting_position", {"TRIM_HORIZON", "LATEST"})
    for criteria in config.get("filter_criteria") or []:
        filters = criteria.get("filter") or []
        if len(filters) > 10:
            problems.append(f"{len(filters)} filters")
        for one in filters:
            problems += is_json(one, "pattern")
    return problems


def function(config):
    problems = matching(config, "function_name", r"[A-Za-z0-9_-]{1,64}")
    problems += between(config, "memory_size", 128, 10_240) + between(config, "timeout", 1, 900)
    problems += one_of(config, "runtime", {"provided.al2023"})
    problems += [f"the architecture {one}" for one in config.get("architectures") or [] if one not in {None, "arm64", "x86_64"}]
    for environment in config.get("environment") or []:
        variables = environment.get("variables") or {}
        size = sum(len(name) + len((value or "").encode()) for name, value in variables.items())
        if size > 4096:
            problems.append(f"{size} bytes of environment")
    return problems


def alarm(config):
    problems = one_of(config, "treat_missing_data", {"missing", "ignore", "breaching", "notBreaching"})
    problems += one_of(config, "statistic", {"SampleCount", "Average", "Sum", "Minimum", "Maximum"})
    operators = {"GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"}
    problems += one_of(config, "comparison_operator", operators)
    problems += matching(config, "alarm_name", r"[ -~]{1,255}")
    if len(config.get("alarm_description") or "") > 1024:
        problems.append("the description is too long")
    period = config.get("period")
    if period is not None and period not in {10, 20, 30} and period % 60:
        problems.append(f"a period of {period} s")
    points, periods = config.get("datapoints_to_alarm"), config.get("evaluation_periods")
    if points is not None and periods is not None and points > periods:
        problems.append(f"{points} of {periods} data points")
    return problems


CHECKS = {
    "aws_cloudwatch_dashboard": lambda config: is_json(config, "dashboard_body")
    + matching(config, "dashboard_name", r"[A-Za-z0-9_-]{1,255}"),
    "aws_cloudwatch_log_group": lambda config: one_of(config, "retention_in_days", RETENTION_DAYS)
    + matching(config, "name", r"[A-Za-z0-9_/.#-]{1,512}"),
    "aws_cloudwatch_metric_alarm": alarm,
    "aws_iam_role": lambda config: policy(config, "assume_role_policy") + matching(config, "name", r"[\w+=,.@-]{1,64}"),
    "aws_iam_role_policy": lambda config: policy(config, "policy") + matching(config, "name", r"[\w+=,.@-]{1,128}"),
    "aws_lambda_event_source_mapping": mapping,
    "aws_lambda_function": function,
    "aws_s3_bucket": lambda config: matching(config, "bucket", r"[a-z0-9.-]{3,63}")
    + matching(config, "bucket_prefix", r"[a-z0-9.-]{1,37}"),
    "aws_scheduler_schedule": lambda config: matching(config, "name", r"[0-9a-zA-Z_.-]{1,64}")
    + matching(config, "schedule_expression", r"(cron|rate|at)\(.+\)"),
    "aws_sfn_state_machine": lambda config: is_json(config, "definition") + matching(config, "name", r"[0-9A-Za-z_-]{1,80}"),
    "aws_s3_bucket_policy": lambda config: policy(config, "policy"),
    "aws_sqs_queue": lambda config: between(config, "message_retention_seconds", 60, 1_209_600)
    + between(config, "visibility_timeout_seconds", 0, 43_200)
    + between(config, "max_message_size", 1_024, 1_048_576)
    + matching(config, "name", r"[A-Za-z0-9_-]{1,80}"),
    "aws_sns_topic": lambda config: matching(config, "name", r"[A-Za-z0-9_-]{1,256}"),
}
