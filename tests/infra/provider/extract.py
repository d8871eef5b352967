#!/usr/bin/env python3
"""Extracts the schema of the AWS provider's resources from an npm package generated from it.

    npm pack @cdktn/provider-aws@25.7.0 && tar xzf cdktn-provider-aws-25.7.0.tgz
    tests/infra/provider/extract.py package > tests/infra/provider/schema.json

The package contains bindings of the provider for JavaScript. Its code still has the name and type of
each argument, and whether the argument is required, optional or computed. Nothing else is used. The
package is under the Mozilla Public License 2.0.
"""

import json
import re
import sys
from pathlib import Path

RESOURCES = [
    "cloudwatch_dashboard",
    "cloudwatch_log_group",
    "cloudwatch_log_metric_filter",
    "cloudwatch_metric_alarm",
    "dynamodb_table",
    "iam_role",
    "iam_role_policy",
    "lambda_alias",
    "lambda_event_source_mapping",
    "lambda_function",
    "s3_bucket",
    "s3_bucket_lifecycle_configuration",
    "s3_bucket_policy",
    "s3_bucket_public_access_block",
    "s3_bucket_server_side_encryption_configuration",
    "s3_bucket_versioning",
    "scheduler_schedule",
    "sfn_state_machine",
    "sns_topic",
    "sqs_queue",
]
# The arguments of the provider itself that examples and tests may set.
PROVIDER = {
    "attributes": {name: {"type": "string", "optional": True} for name in ["profile", "region"]},
    "block_types": {
        "default_tags": {
            "nesting_mode": "list",
            "block": {"attributes": {"tags": {"type": ["map", "string"], "optional": True}}},
        }
    },
}
DATA_SOURCES = ["caller_identity", "dynamodb_table", "partition", "region", "service_principal"]

MEMBER = re.compile(
    r"// (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n"
    r"(?:\s+_\w+ = new (\w+)\(this, \"\w+\"(?:, (true|false))?\);\n|\s+_\w+;\n)?"
    r"\s+(?:static )?get \w+\(\) \{\n\s+return ([^\n]*);"
)
WRITTEN = re.compile(
    r"(\w+): \{\n\s+value: [^\n]*\n\s+isBlock: (true|false),\n"
    r"\s+type: \"(\w+)\",\n\s+storageClassType: \"([^\"]*)\""
)
SIMPLE = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}


class Source:
    """The JavaScript code of one resource."""

    def __init__(self, text):
        self.text = text

    def body(self, name):
        start = self.text.index(f"\nclass {name} extends")
        return self.text[start : self.text.index("\nexports.", start)]

    def written(self, name, body):
        """Returns the code that writes each argument, by the argument's name."""
        function = f"function {name[0].lower()}{name[1:].removesuffix('OutputReference')}ToHclTerraform("
        if "synthesizeHclAttributes" in body:
            text = body[body.index("synthesizeHclAttributes") :]
        elif function in self.text:
            start = self.text.index(function)
            text = self.text[start : self.text.index("\n}\n", start)]
        else:
            text = ""
        return {found[0]: found[1:] for found in WRITTEN.findall(text)}

    def block(self, name):
        body = self.body(name)
        written = self.written(name, body)
        attributes, blocks = {}, {}
        for member, computed, optional, required, complex_class, is_set, value in MEMBER.findall(body):
            how = written.get(member)
            if complex_class and how and how[0] == "true":
                blocks[member] = self.nested(complex_class, is_set, how[1], required)
                continue
            attribute = {"type": self.type_of(how, complex_class, is_set, value)}
            flags = {"computed": computed, "optional": optional, "required": required}
            attribute |= {flag: True for flag, said in flags.items() if said == "true"}
            attributes[member] = attribute
        block = {"attributes": attributes}
        return block | ({"block_types": blocks} if blocks else {})

    def nested(self, complex_class, is_set, written_type, required):
        is_many = complex_class.endswith("List")
        inner = complex_class.removesuffix("List") + "OutputReference" if is_many else complex_class
        if written_type == "struct":
            return {"nesting_mode": "single", "block": self.block(inner)}
        mode = "set" if is_set == "true" else "list"
        nested = {"nesting_mode": mode, "block": self.block(inner)}
        if required == "true":
            nested["min_items"] = 1
        return nested if is_many else nested | {"max_items": 1}

    def type_of(self, how, complex_class, is_set, value):
        if complex_class in {"StringMap", "cdktn.StringMap"}:
            return ["map", "string"]
        if complex_class:
            inner = complex_class.removesuffix("List") + "OutputReference"
            attributes = self.block(inner)["attributes"]
            of = ["object", {name: attribute["type"] for name, attribute in attributes.items()}]
            return ["set" if is_set == "true" else "list", of]
        if how and how[1] == "simple":
            return SIMPLE[how[2]]
        if how:
            element = re.sub(r"(List|Map)$", "", how[2])
            return [how[1], SIMPLE[element]]
        for getter, kind in [("String", "string"), ("Number", "number"), ("Boolean", "bool")]:
            if f"get{kind.capitalize() if kind != 'bool' else getter}Attribute(" in value:
                return kind
        if "MapAttribute(" in value:
            return ["map", "string"]
        if "getListAttribute(" in value:
            return ["set" if "tolist(" in value else "list", "string"]
        if "getNumberListAttribute(" in value:
            return ["list", "number"]
        return "string"


def schema(package, folder):
    text = (package / "lib" / folder.replace("_", "-") / "index.js").read_text()
    text = re.sub(r"\n//# sourceMappingURL.*", "", text)
    [name] = re.findall(r"\nclass (\w+) extends cdktn\.Terraform", text)
    return {"version": 0, "block": Source(text).block(name)}


def main():
    package = Path(sys.argv[1])
    resources = {f"aws_{name}": schema(package, name) for name in RESOURCES}
    data = {f"aws_{name}": schema(package, f"data_aws_{name}") for name in DATA_SOURCES}
    provider = {"version": 0, "block": PROVIDER}
    everything = {"provider": provider, "resource_schemas": resources, "data_source_schemas": data}
    json.dump(everything, sys.stdout, separators=(",", ":"), sort_keys=True)
    print()


main()
