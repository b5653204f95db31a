"""AWS for tests: moto's server on this machine, with the one call that it lacks (``UpdateEndpoint``) answered here.

That call's request is held against botocore's own model of the service, and what it changes is changed in moto's endpoint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import boto3
import botocore.session
import botocore.validate
from moto.backends import get_backend
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

ACCOUNT = "123456789012"
REGION = "us-east-1"
Start = Callable[..., Any]


@dataclass
class Server:
    """The server, and the calls that were made, as ``SageMaker.CreateModel`` or ``s3 PUT /bucket/key``."""

    url: str = ""
    calls: list[str] = field(default_factory=list)
    slow: int = 0
    """How often an endpoint is still ``Updating`` when it is asked for."""
    fails: str = ""
    """What an update fails of."""

    def client(self, service: str) -> Any:
        session = boto3.session.Session("testing", "testing", region_name=REGION)
        return session.client(service, endpoint_url=self.url)


def update_endpoint(server: Server, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    shape = botocore.session.get_session().get_service_model("sagemaker").operation_model("UpdateEndpoint").input_shape
    report = botocore.validate.ParamValidator().validate(request, shape)
    if report.has_errors():
        return "400 Bad Request", {"__type": "ValidationException", "message": report.generate_report()}
    backend = get_backend("sagemaker")[ACCOUNT][REGION]
    endpoint = backend.endpoints.get(request["EndpointName"])
    if endpoint is None or request["EndpointConfigName"] not in backend.endpoint_configs:
        return "400 Bad Request", {"__type": "ValidationException", "message": "Could not find endpoint or configuration."}
    if server.fails:
        endpoint.failure_reason, endpoint.endpoint_status = server.fails, "Failed"
    else:
        endpoint.endpoint_config_name = request["EndpointConfigName"]
        endpoint.production_variants = endpoint.production_variants
    return "200 OK", {"EndpointArn": endpoint.arn}


def application(server: Server) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    moto = DomainDispatcherApplication(create_backend_app)

    def answer(start: Start, status: str, said: dict[str, Any]) -> Iterable[bytes]:
        start(status, [("Content-Type", "application/x-amz-json-1.1")])
        return [json.dumps(said).encode()]

    def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        server.calls.append(target or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        if target == "SageMaker.UpdateEndpoint":
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            return answer(start, *update_endpoint(server, json.loads(body)))
        if target == "SageMaker.DescribeEndpoint" and server.slow and "SageMaker.UpdateEndpoint" in server.calls:
            server.slow -= 1
            name = re.search(rb'"EndpointName": "([^"]+)"', environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            assert name
            return answer(start, "200 OK", {"EndpointName": name[1].decode(), "EndpointStatus": "Updating"})
        return moto(environ, start)  # type: ignore[no-any-return]

    return app


@contextmanager
def running() -> Iterator[Server]:
    server = Server()
    listening = make_server("127.0.0.1", 0, application(server), threaded=True)
    thread = Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{listening.server_port}"
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
