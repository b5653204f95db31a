"""CODEOWNERS from ``policy.yaml``: whoever a host would ask is whoever the policy names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import runfolio
from runfolio.errors import UsageError
from runfolio.folio import Folio
from runfolio.folio.opening import open_folio
from runfolio.policy import decode_policy
from runfolio.tracking.session import forget_sessions
from runfolio.workflows.owners import BEGIN, END, block, guidance, handle, merged, ownership
from tests.cli.conftest import Command, run_cli  # noqa: F401
from tests.conftest import git

POLICY = b"""schema: 1
promotions:
  - to: Production
    require:
      - approvals: {minimum: 2, from: [ada, bob@example.org]}
  - to: [Staging, Production]
    models: ["wine-*"]
    require:
      - approvals: {from: ["@lab/wine"]}
        id: of-the-wine-lab
  - to: Staging
    models: ["iris"]
    require: [clean_source]
"""


@pytest.fixture
def folio(folio_dir: Path) -> Iterator[Folio]:
    """A folio with the models wine-red and Big Iris, and the experiment wine with an owner."""
    runfolio.set_tracking_uri(folio_dir)
    client = runfolio.MlflowClient() if hasattr(runfolio, "MlflowClient") else runfolio.client.MlflowClient()
    client.create_registered_model("wine-red")
    client.create_registered_model("Big Iris", tags={"owners": "carol, @lab/iris"})
    client.create_experiment("wine", tags={"owner": "dave"})
    (folio_dir / "policy.yaml").write_bytes(POLICY)
    git(folio_dir, "add", "policy.yaml")
    git(folio_dir, "commit", "-qm", "policy")
    forget_sessions()
    opened = open_folio(folio_dir)
    yield opened
    opened.close()


def asked(lines: str, path: str) -> list[str]:
    """Whom GitHub asks for a path: the owners of the last line that fits."""
    found: list[str] = []
    for line in lines.splitlines():
        if not line.startswith("#"):
            pattern, *names = line.split()
            pattern = pattern.removeprefix("/")
            if fnmatchcase(path, pattern + "*" if pattern.endswith("/") else pattern):
                found = names
    return found


def test_the_last_line_that_fits_names_all_who_must_approve(folio: Folio) -> None:
    lines = block(ownership(folio, decode_policy(POLICY), "github"), "github")
    slug = next(model.slug for model in folio.models.all() if model.name == "Big Iris")
    both = ["@ada", "bob@example.org"]
    assert asked(lines, "models/unknown/model.yaml") == both
    assert asked(lines, "models/wine-red/model.yaml") == [*both, "@lab/wine"]
    assert asked(lines, f"models/{slug}/model.yaml") == [*both, "@carol", "@lab/iris"]
    assert asked(lines, "experiments/wine.yaml") == asked(lines, "runs/wine/2026-01/01/x.json") == ["@dave"]
    for path in ("policy.yaml", "runfolio.yaml", ".github/workflows/x.yml", ".github/CODEOWNERS", "CODEOWNERS"):
        assert asked(lines, path) == [*both, "@lab/wine"]
    assert asked(lines, "train.py") == asked(lines, "models/wine-red/versions/1.yaml") == []


def test_other_hosts_read_their_own_spelling(folio: Folio) -> None:
    made = ownership(folio, decode_policy(POLICY), "gitlab", ["boss"])
    assert "[folio policy][2]" in block(made, "gitlab") and "/.gitlab/ @boss" in block(made, "gitlab")
    lines = block(ownership(folio, decode_policy(POLICY), "forgejo"), "forgejo").splitlines()
    patterns = {line.split()[0] for line in lines if not line.startswith("#")}
    assert {r"models/[^/]*/model\.yaml", r"models/wine-[^/]*/model\.yaml", r"policy\.yaml", r"\.forgejo/.*"} <= patterns
    assert any(re.fullmatch(pattern, "models/wine-red/model.yaml") for pattern in patterns)


def test_the_rest_of_a_file_stays_and_the_block_is_renewed(folio: Folio) -> None:
    lines = block(ownership(folio, decode_policy(POLICY), "github"), "github")
    assert merged("", lines) == lines and merged("* @team\n", lines) == "* @team\n\n" + lines
    assert (
        merged(merged("* @team\n", lines) + "/docs/ @writer\n", f"{BEGIN}\n{END}\n")
        == f"* @team\n\n{BEGIN}\n{END}\n/docs/ @writer\n"
    )


def test_the_guidance_names_branch_count_and_ledger(folio: Folio) -> None:
    made = ownership(folio, decode_policy(POLICY), "github")
    said = guidance(made, "github", "trunk", "runfolio/ledger")
    assert "branch trunk" in said and "2 approvals" in said and "code owners" in said and "runfolio/ledger" in said
    assert "@" not in guidance(made, "gitlab", "main", None) and "main" in guidance(made, "gitea", "main", None)
    assert made.unnamed == ("iris to Staging",)


@pytest.mark.parametrize("name", ["a b", "", "ada\n* @eve", "@", "a,b", "#x"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no name that a git host knows"):
        handle(name)


def test_a_policy_that_names_nobody_says_what_to_add(folio: Folio) -> None:
    with pytest.raises(UsageError, match="names nobody who approves"):
        ownership(folio, decode_policy(b"schema: 1\npromotions:\n  - {to: Production, require: [clean_source]}\n"), "github")


def test_the_command_prints_and_writes(folio: Folio, run_cli: Command, folio_dir: Path) -> None:  # noqa: F811
    (folio_dir / "CODEOWNERS").write_text("* @team\n")
    shown = run_cli("policy", "owners")
    assert shown.code == 0 and "/models/wine-*/model.yaml @ada bob@example.org @lab/wine" in shown.out
    assert "iris to Staging" in shown.err and "Rules" in shown.err
    assert run_cli("policy", "owners", "--write").out == "wrote CODEOWNERS\n"
    assert (folio_dir / "CODEOWNERS").read_text() == "* @team\n\n" + shown.out
    assert run_cli("policy", "owners", "--write").out == "CODEOWNERS is up to date\n"
