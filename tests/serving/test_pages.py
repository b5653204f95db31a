"""What tells of the server: OpenAPI, the page /docs, metrics, the log."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import runfolio
from tests.serving.conftest import Models, Serve, Server


def test_the_description_holds_the_columns_and_an_example_that_works(wine: Server, models: Models) -> None:
    said = wine.get("/openapi.json").json
    content = said["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]
    [records] = [form for form in content["schema"]["oneOf"] if form["title"] == "dataframe_records"]
    assert list(records["properties"]["dataframe_records"]["items"]["properties"]) == list(models.frame.columns)
    assert wine.post(content["example"]).status == 200


def test_the_description_is_openapi(wine: Server) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(wine.get("/openapi.json").json)


def test_metrics_are_read_by_prometheus_own_parser(wine: Server) -> None:
    parser = pytest.importorskip("prometheus_client.parser")

    def families() -> dict[str, Any]:
        reply = wine.get("/metrics")
        assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        return {family.name: family for family in parser.text_string_to_metric_families(reply.body.decode())}

    def count(found: dict[str, Any], status: str) -> float:
        return sum(
            sample.value
            for sample in found["runfolio_serving_requests"].samples
            if sample.labels == {"path": "/invocations", "status": status}
        )

    before = families()
    body = wine.get("/openapi.json").json["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"][
        "example"
    ]
    for _ in range(3):
        wine.post(body)
    wine.post(b"{")
    after = families()
    assert count(after, "200") - count(before, "200") == 3
    assert count(after, "400") - count(before, "400") == 1
    buckets = [sample.value for sample in after["runfolio_serving_invocation_seconds"].samples if sample.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert all(family.documentation and family.type in ("counter", "gauge", "histogram") for family in after.values())


def test_the_log_is_lines_of_json_where_asked(models: Models, serve: Serve, tmp_path: Path) -> None:
    server = serve(models["linear"], "--log-format", "json", "--access-log")
    server.post(b"{")
    server.end()
    lines = [json.loads(line) for line in server.log]
    [request] = [line for line in lines if line.get("event") == "request"]
    assert (request["path"], request["status"], request["level"]) == ("/invocations", 400, "info")


def test_what_is_warned_of_is_a_line_of_the_log(serve: Serve, tmp_path: Path) -> None:
    def warned(model_input: list[int]) -> list[int]:
        import warnings

        warnings.warn("two\nlines", FutureWarning, stacklevel=1)
        return model_input

    runfolio.pyfunc.save_model(tmp_path / "model", python_model=warned, pip_requirements=["cloudpickle"])
    described = tmp_path / "model" / "MLmodel"
    described.write_text(re.sub("cloudpickle_version: .*", "cloudpickle_version: 0.1", described.read_text()))
    server = serve(tmp_path / "model", "--log-format", "json")
    assert server.post({"inputs": [1]}).status == 200
    server.end()
    lines = [json.loads(line) for line in server.log]
    assert [line["message"] for line in lines if "two" in line["message"]] == ["FutureWarning: two lines"]
    [told] = [line for line in lines if "cloudpickle 0.1" in line["message"]]
    assert told["level"] == "warning"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_predicts_and_loads_nothing_from_elsewhere(wine: Server, browser: Any, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 800})
    page = context.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(f"http://127.0.0.1:{wine.port}/docs")
    page.click("#go")
    page.wait_for_selector('#out:has-text("predictions")')
    assert all(url.startswith((f"http://127.0.0.1:{wine.port}/", "data:")) for url in asked)
    assert faults == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert f"curl http://127.0.0.1:{wine.port}/invocations" in page.inner_text("main"), "as it can be pasted"
    context.close()


@pytest.mark.browser
def test_the_page_of_a_registered_version_is_as_wide_as_a_phone_and_opens_with_the_token(
    models: Models, serve: Serve, browser: Any
) -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    server = serve(models["linear"], "--served-as", "wine", "3", digest, env={"RUNFOLIO_SERVE_TOKEN": "s3cret"})
    refused = server.get("/docs")
    assert (refused.status, refused.headers["www-authenticate"].partition(" ")[0]) == (401, "Basic")
    context = browser.new_context(
        viewport={"width": 390, "height": 800}, http_credentials={"username": "ada", "password": "s3cret"}
    )
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/docs")
    assert digest in page.inner_text("main")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    heads = page.locator("h2:has-text('What it gives') + .wide th").all_inner_texts()
    assert heads == ["name", "type"]
    page.fill("#token", "s3cret")
    page.click("#go")
    page.wait_for_selector('#out:has-text("predictions")')
    context.close()
