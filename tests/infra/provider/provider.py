#!/usr/bin/env python3
"""A stand-in for the AWS provider: it has the provider's schema and needs no network.

With it, `terraform validate`, `test` and `plan` work even if no provider can be downloaded. It
rejects values that AWS would reject, describes fictitious tables according to their names, and
never applies anything.

`provider.py SOCKET` listens on a socket until it is stopped. Terraform finds the socket through
TF_REATTACH_PROVIDERS, so that it need not start a process for each step of each test.
"""

import json
import sys
from concurrent import futures
from pathlib import Path

import grpc
from tf.gen import grpc_controller_pb2 as controller_pb
from tf.gen import grpc_controller_pb2_grpc as controller_rpc
from tf.gen import grpc_stdio_pb2_grpc as stdio_rpc
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc
from tf.types import Unknown
from tf.utils import read_dynamic_value, to_dynamic_value

from checks import problems_of

SCHEMA = json.loads((Path(__file__).parent / "schema.json").read_text())
NESTING = pb.Schema.NestedBlock.NestingMode
REGION, ACCOUNT = "eu-west-1", "123456789012"


def message_of_block(block):
    attributes = [
        pb.Schema.Attribute(name=name, **(attribute | {"type": json.dumps(attribute["type"]).encode()}))
        for name, attribute in block["attributes"].items()
    ]
    nested = [
        pb.Schema.NestedBlock(
            type_name=name,
            block=message_of_block(inner["block"]),
            nesting=NESTING.Value(inner["nesting_mode"].upper()),
            min_items=inner.get("min_items", 0),
            max_items=inner.get("max_items", 0),
        )
        for name, inner in block.get("block_types", {}).items()
    ]
    return pb.Schema.Block(attributes=attributes, block_types=nested)


def message_of(schema):
    return pb.Schema(version=schema["version"], block=message_of_block(schema["block"]))


def with_unknowns(block, value):
    """Returns the planned value, in which the values that AWS determines are unknown."""
    planned = dict(value)
    for name, attribute in block["attributes"].items():
        if attribute.get("computed") and planned.get(name) is None:
            planned[name] = Unknown
    for name, nested in block.get("block_types", {}).items():
        inner = planned.get(name)
        if isinstance(inner, list):
            planned[name] = [with_unknowns(nested["block"], one) for one in inner]
    return planned


def read_table(config):
    """Returns a fictitious table. The end of its name selects its problem, if any."""
    name = config["name"]
    if name.endswith("-missing"):
        raise LookupError(f"reading DynamoDB Table ({name}): couldn't find resource")
    arn = f"arn:aws:dynamodb:{config.get('region') or REGION}:{ACCOUNT}:table/{name}"
    streams = not name.endswith("-without-stream")
    return {
        "arn": arn,
        "stream_enabled": streams,
        "stream_arn": f"{arn}/stream/2026-01-01T00:00:00.000" if streams else "",
        "stream_view_type": "KEYS_ONLY" if name.endswith("-keys-only") else "NEW_AND_OLD_IMAGES" if streams else "",
        "server_side_encryption": [],
    }


DATA = {
    "aws_dynamodb_table": read_table,
    "aws_region": lambda config: {"region": config.get("region") or REGION, "name": REGION, "id": REGION},
    "aws_caller_identity": lambda _: {"account_id": ACCOUNT, "id": ACCOUNT},
    "aws_service_principal": lambda config: {"name": f"{config['service_name']}.amazonaws.com", "suffix": "amazonaws.com"},
    "aws_partition": lambda _: {"partition": "aws", "dns_suffix": "amazonaws.com", "id": "aws"},
}


def error(text):
    return pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=text)


class Provider(rpc.ProviderServicer):
    """The calls of the plugin protocol that Terraform makes for a plan."""

    def GetProviderSchema(self, request, context):
        resources = {name: message_of(schema) for name, schema in SCHEMA["resource_schemas"].items()}
        data = {name: message_of(schema) for name, schema in SCHEMA["data_source_schemas"].items()}
        return pb.GetProviderSchema.Response(
            provider=message_of(SCHEMA["provider"]), resource_schemas=resources, data_source_schemas=data
        )

    def ValidateProviderConfig(self, request, context):
        return pb.ValidateProviderConfig.Response()

    def ConfigureProvider(self, request, context):
        return pb.ConfigureProvider.Response()

    def ValidateResourceConfig(self, request, context):
        problems = problems_of(request.type_name, read_dynamic_value(request.config))
        return pb.ValidateResourceConfig.Response(diagnostics=[error(text) for text in problems])

    def ValidateDataResourceConfig(self, request, context):
        return pb.ValidateDataResourceConfig.Response()

    def UpgradeResourceState(self, request, context):
        state = json.loads(request.raw_state.json)
        return pb.UpgradeResourceState.Response(upgraded_state=to_dynamic_value(state))

    def ReadResource(self, request, context):
        return pb.ReadResource.Response(new_state=request.current_state)

    def PlanResourceChange(self, request, context):
        proposed = read_dynamic_value(request.proposed_new_state)
        if proposed is None:
            return pb.PlanResourceChange.Response(planned_state=request.proposed_new_state)
        problems = problems_of(request.type_name, proposed)
        planned = with_unknowns(SCHEMA["resource_schemas"][request.type_name]["block"], proposed)
        return pb.PlanResourceChange.Response(
            planned_state=to_dynamic_value(planned), diagnostics=[error(text) for text in problems]
        )

    def ApplyResourceChange(self, request, context):
        return pb.ApplyResourceChange.Response(diagnostics=[error("a stand-in applies nothing")])

    def ReadDataSource(self, request, context):
        config = read_dynamic_value(request.config)
        try:
            found = config | DATA[request.type_name](config)
        except LookupError as missing:
            return pb.ReadDataSource.Response(diagnostics=[error(str(missing))])
        return pb.ReadDataSource.Response(state=to_dynamic_value(found))

    def StopProvider(self, request, context):
        return pb.StopProvider.Response()


class Controller(controller_rpc.GRPCControllerServicer):
    """The controller that every plugin must have. It ignores shutdowns, because this plugin serves many commands."""

    def Shutdown(self, request, context):
        return controller_pb.Empty()


class Stdio(stdio_rpc.GRPCStdioServicer):
    """The output service that every plugin must have. This plugin has no output."""

    def StreamStdio(self, request, context):
        return iter([])


def serve(socket):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    rpc.add_ProviderServicer_to_server(Provider(), server)
    controller_rpc.add_GRPCControllerServicer_to_server(Controller(), server)
    stdio_rpc.add_GRPCStdioServicer_to_server(Stdio(), server)
    server.add_insecure_port(f"unix://{socket}")
    server.start()
    server.wait_for_termination()


serve(sys.argv[1])
