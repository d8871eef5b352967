"""Only the loop in which Lambda's managed Python runtime calls a handler.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html"""

import http.client
import json
import os
from types import SimpleNamespace

connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def call(method, path, body=None):
    connection.request(method, f"/2018-06-01/runtime/{path}", body)
    response = connection.getresponse()
    return response.headers, response.read()


from handler import handler  # noqa: E402 (the runtime, too, loads it last)

while True:
    headers, body = call("GET", "invocation/next")
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    try:
        answer = handler(json.loads(body), SimpleNamespace(aws_request_id=request_id))
        call("POST", f"invocation/{request_id}/response", json.dumps(answer))
    except Exception as error:  # noqa: BLE001 (every error is reported to Lambda)
        failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
        call("POST", f"invocation/{request_id}/error", json.dumps(failure))
