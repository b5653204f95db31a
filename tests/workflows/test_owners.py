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
from runfolio.workflows.owners import BEGIN, END, block, file_of, guidance, handle, merged, ownership
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


def tokens(line: str) -> list[str]:
    """Split a line as Gitea and Forgejo do (``TokenizeCodeOwnersLine``): a backslash goes, and what follows it is taken as it is."""
    return [re.sub(r"\\(.)", r"\1", token) for token in re.findall(r"(?:\\.|[^ \\])+", line)]


def test_forges_read_regular_expressions_whose_backslashes_they_take_away(folio: Folio) -> None:
    made = ownership(folio, decode_policy(POLICY), "forgejo")
    rules = [tokens(line) for line in block(made, "forgejo").splitlines() if not line.startswith("#")]
    patterns = {pattern for pattern, *_ in rules}
    assert {r"models/[^/]*/model\.yaml", r"models/wine-[^/]*/model\.yaml", r"policy\.yaml", r"\.forgejo/.*"} <= patterns
    assert r"\.gitea/CODEOWNERS" in patterns  # Forgejo reads it before its own
    assert any(re.fullmatch(pattern, "models/wine-red/model.yaml") for pattern in patterns)
    assert not any("bob@example.org" in names for _, *names in rules) and made.unknown == ("bob@example.org",)


def test_gitlab_asks_each_file_for_no_more_approvals_than_it_has_owners(folio: Folio) -> None:
    """Its number is a section's; a rule that more must approve than can is approved by itself there."""
    lines = block(ownership(folio, decode_policy(POLICY), "gitlab", ["boss"]), "gitlab")
    parts = re.split(r"^(\[.*)\n", lines, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert set(sections) == {"[folio policy]", "[folio policy 2][2]"} and parts[0].startswith(BEGIN)
    assert "/policy.yaml @boss" in sections["[folio policy]"] and "/.gitlab/ @boss" in sections["[folio policy]"]
    assert "/runs/wine/ @dave" in sections["[folio policy]"]
    assert "/models/wine-*/model.yaml @ada bob@example.org @lab/wine" in sections["[folio policy 2][2]"]


def test_a_path_has_one_line(folio: Folio) -> None:
    slug = next(model.slug for model in folio.models.all() if model.name == "Big Iris")
    policy = POLICY.replace(b"[clean_source]", b"[{approvals: {from: [eve]}, id: eve}]").replace(b'"iris"', f'"{slug}"'.encode())
    lines = block(ownership(folio, decode_policy(policy), "github"), "github")
    assert lines.count(f"/models/{slug}/model.yaml ") == 1 and asked(lines, f"models/{slug}/model.yaml")[-2:] == [
        "@carol",
        "@lab/iris",
    ]


@pytest.mark.parametrize(
    ("host", "there", "read"),
    [
        ("github", ["CODEOWNERS", ".github/CODEOWNERS"], ".github/CODEOWNERS"),
        ("gitlab", [".gitlab/CODEOWNERS", "docs/CODEOWNERS", "CODEOWNERS"], "CODEOWNERS"),
        ("gitlab", [".gitlab/CODEOWNERS", "docs/CODEOWNERS"], "docs/CODEOWNERS"),
        ("forgejo", [".forgejo/CODEOWNERS", ".gitea/CODEOWNERS"], ".gitea/CODEOWNERS"),
        ("gitea", [], ".gitea/CODEOWNERS"),
    ],
)
def test_the_file_is_the_one_that_the_host_reads(tmp_path: Path, host: str, there: list[str], read: str) -> None:
    for name in there:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert file_of(tmp_path, host) == read


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
