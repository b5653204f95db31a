"""What ``docs/how-to/hosts.md`` shows is true."""

from __future__ import annotations

from typing import Any

import pytest

from runfolio.hosts import Event, find_host, notify
from tests.docs.pages import DOCS, marked
from tests.hosts.conftest import Clock
from tests.hosts.test_webhook import Receiver

PAGE = (DOCS / "how-to/hosts.md").read_text("utf-8")


def test_the_receiver_of_the_page_tells_the_genuine_from_the_forged(clock: Clock) -> None:
    (code,) = marked("how-to/hosts.md", "example", "webhook-receiver")
    names: dict[str, Any] = {}
    exec(code, names)
    with Receiver() as server:
        notify(server.origin, Event("promotion", "wine 3 is in Production"), "s3cret", patience=clock.patience())
    (request,) = server.requests
    headers = {key.title(): value for key, value in request.headers.items()}
    assert names["genuine"](headers, request.raw, "s3cret")
    assert not names["genuine"](headers, request.raw + b" ", "s3cret")
    assert not names["genuine"](headers, request.raw, "guessed")
    assert not names["genuine"]({**headers, "X-Runfolio-Timestamp": "1"}, request.raw, "s3cret")


ROWS = [
    (cells[1].strip(" `"), [name.strip(" `") for name in cells[3].split(";")[0].split(",")])
    for cells in (line.split("|") for line in PAGE.splitlines())
    if len(cells) == 5 and ("TOKEN" in cells[3])
]
JOB = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "team/wine", "GITHUB_API_URL": "https://x.example/api"}
ENVIRONMENTS = {
    "GitHub Actions": JOB,
    "GitLab CI": {"GITLAB_CI": "true", "CI_PROJECT_ID": "1", "CI_API_V4_URL": "https://x.example/api/v4"},
    "Gitea Actions": {**JOB, "GITEA_ACTIONS": "true"},
    "Forgejo Actions": {**JOB, "GITEA_ACTIONS": "true", "FORGEJO_ACTIONS": "true"},
}


@pytest.mark.parametrize(("where", "names"), ROWS, ids=[row[0] for row in ROWS])
def test_tokens_are_taken_in_the_order_of_the_page(where: str, names: list[str]) -> None:
    remote = None
    if where.startswith("a remote on "):
        environ, remote = {}, f"https://{where.removeprefix('a remote on ')}/team/wine"
    elif where.startswith("RUNFOLIO_HOST="):
        environ = {"RUNFOLIO_HOST": where.removeprefix("RUNFOLIO_HOST=")}
        remote = f"{where.rpartition('=')[2]}/team/wine"
    else:
        environ = ENVIRONMENTS[where]
    tokens = {name: f"value-of-{name}" for _, row in ROWS for name in row}
    for name in names:
        host: Any = find_host({**tokens, **environ}, remote)
        assert host.api.token.variable == name
        del tokens[name]
    assert not find_host({**tokens, **environ}, remote).has_token  # type: ignore[union-attr]


def test_all_places_are_on_the_page() -> None:
    assert len(ROWS) == 11 and set(ENVIRONMENTS) <= {row[0] for row in ROWS}
