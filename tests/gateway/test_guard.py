"""Who may speak to a gateway, request by request."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from runfolio.errors import UsageError
from runfolio.gateway.guard import Guard, name_of
from runfolio.gateway.server import GatewayOptions

GUARD = Guard("s3cret")
HOST = {"host": "127.0.0.1:5000"}
BASIC = base64.b64encode(b"anybody:s3cret").decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer s3cret"},
        {"authorization": "bearer s3cret"},
        {"authorization": f"Basic {BASIC}"},
        {"cookie": "a=b; runfolio_gateway=s3cret"},
    ],
)
def test_who_shows_the_token_passes(headers: dict[str, str]) -> None:
    assert GUARD.answer("POST", "/api/2.0/mlflow/runs/create", "", {**HOST, **headers}) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer other"},
        {"authorization": "Bearer "},
        {"authorization": "Basic s3cret"},
        {"authorization": "Basic !!!"},
        {"authorization": "Basic " + base64.b64encode(b"s3cret:").decode()},
        {"authorization": "s3cret"},
        {"cookie": "runfolio_gateway=other"},
        {"cookie": 'broken="'},
        {"authorization": "Bearer \udcff"},
    ],
)
def test_who_does_not_is_told_what_to_do(headers: dict[str, str]) -> None:
    answer = GUARD.answer("GET", "/api/2.0/mlflow/experiments/search", "", {**HOST, **headers})
    assert answer is not None and answer.status == 401 and "MLFLOW_TRACKING_TOKEN" in answer.body
    assert dict(answer.headers)["WWW-Authenticate"].startswith("Basic")


def test_a_browser_gets_a_cookie_for_the_token_and_loses_it_from_the_address() -> None:
    answer = GUARD.answer("GET", "//evil.example/x", "token=s3cret&a=1", HOST)
    assert answer is not None and answer.status == 303
    assert dict(answer.headers)["Location"] == "/evil.example/x?a=1"
    assert "HttpOnly; SameSite=Strict" in dict(answer.headers)["Set-Cookie"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:5000", "", "[::2]", "\\localhost"])
def test_a_name_that_is_not_the_gateways_is_refused_even_with_the_token(host: str) -> None:
    answer = GUARD.answer("GET", "/", "", {"host": host, "authorization": "Bearer s3cret"})
    assert answer is not None and answer.status == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:5000", "127.0.0.1", "[::1]:5000"])
def test_names_of_this_machine_pass(host: str) -> None:
    assert name_of(host) in GUARD.hosts


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:6000"},
    ],
)
def test_a_write_from_another_sites_page_is_refused(headers: dict[str, str]) -> None:
    shown = {**HOST, "cookie": "runfolio_gateway=s3cret"}
    answer = GUARD.answer("POST", "/api/2.0/mlflow/runs/delete", "", {**shown, **headers})
    assert answer is not None and answer.status == 403
    assert GUARD.answer("POST", "/x", "", {**shown, "origin": "http://127.0.0.1:5000", "sec-fetch-site": "same-origin"}) is None


def test_health_is_told_to_anybody_by_the_right_name() -> None:
    assert GUARD.answer("GET", "/health", "", HOST) is None


def test_no_token_is_for_this_machine_alone(tmp_path: Path) -> None:
    assert GatewayOptions(tmp_path, token="").guard.token == ""
    with pytest.raises(UsageError, match="Keep the token"):
        _ = GatewayOptions(tmp_path, host="192.168.1.5", token="").guard
    assert GatewayOptions(tmp_path, host="0.0.0.0", allowed=("ml.example",)).guard.hosts[-1] == "ml.example"


@pytest.mark.parametrize("token", ["two\nlines", "a b", "a;b", 'a"b', "schlüssel", "="])
def test_a_token_that_no_header_or_cookie_can_hold_is_refused_at_the_start(tmp_path: Path, token: str) -> None:
    with pytest.raises(UsageError, match="letters, digits"):
        _ = GatewayOptions(tmp_path, token=token).guard
    assert GatewayOptions(tmp_path, token="aB3-_.~+/==").guard.token == "aB3-_.~+/=="
