"""What a folio knows of deployments: committed, checked, told by history, review and site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runfolio.cli.main import main
from runfolio.errors import NotFoundError
from runfolio.folio import Folio, open_folio
from runfolio.folio.checking import check
from runfolio.records.deployments import Deployment, DeploymentState
from runfolio.records.runs import Digest
from runfolio.registry.history import history
from runfolio.review.reading import read_change
from runfolio.review.releases import registry_changes
from runfolio.site import BuildOptions, build_site
from tests.conftest import git

LIVE = Deployment("kubernetes", "wine-prod", 2, place="default", endpoint="http://wine.example.org", image="wine@sha256:1")


@pytest.fixture
def folio(wine: Path) -> Iterator[Folio]:
    opened = open_folio(wine)
    yield opened
    opened.close()


def of_version(folio: Folio, number: int, deployment: Deployment = LIVE) -> Deployment:
    version = folio.models.version(folio.models.find("wine"), number)
    return replace(deployment, version=number, digest=version.digest)


def test_a_deployment_is_one_commit_and_leaves_the_tree_clean(folio: Folio, wine: Path) -> None:
    made = folio.deployments.record("wine", of_version(folio, 2), "create")
    assert (made.user, made.created) == ("Ada", made.updated)
    assert git(wine, "log", "-1", "--format=%s") == "deployments: create wine-prod at kubernetes: wine 2\n"
    assert git(wine, "show", "--stat=200", "--format=").splitlines()[0].split("|")[0].strip() == (
        "models/wine/deployments/kubernetes-default-wine-prod.json"
    )
    assert git(wine, "status", "--porcelain") == ""
    assert folio.deployments.of_model("wine") == [made]
    assert check(folio) == []


def test_an_update_keeps_when_it_was_made_and_a_new_one_after_a_deletion_does_not(folio: Folio) -> None:
    first = folio.deployments.record("wine", of_version(folio, 1), "create")
    second = folio.deployments.record("wine", of_version(folio, 2), "update")
    assert (second.created, second.version) == (first.created, 2)
    folio.deployments.record("wine", replace(second, state=DeploymentState.DELETED), "delete")
    with pytest.raises(NotFoundError, match="runfolio deployments list"):
        folio.deployments.find("kubernetes", "wine-prod")
    again = folio.deployments.record("wine", of_version(folio, 2), "create")
    assert again.created == again.updated
    assert len(folio.deployments.all()) == 1


def test_a_version_of_another_model_that_takes_the_name_replaces_it(folio: Folio) -> None:
    folio.deployments.record("wine", of_version(folio, 2), "create")
    folio.models.create("port")
    folio.deployments.record("port", replace(LIVE, version=1), "update")
    (left,) = folio.deployments.of_model("wine")
    assert left.state is DeploymentState.REPLACED
    assert folio.deployments.find("kubernetes", "wine-prod")[0] == "port"


def test_two_names_with_one_slug_have_two_files(folio: Folio) -> None:
    for place in ("a", "A"):
        folio.deployments.record("wine", replace(of_version(folio, 2), place=place), "create")
    assert {item.place for item in folio.deployments.of_model("wine")} == {"a", "A"}


@pytest.mark.parametrize(
    ("change", "rule", "field"),
    [
        (lambda item: replace(item, version=9), "deployment.version", "version"),
        (lambda item: replace(item, digest=Digest("sha256:" + "0" * 64)), "deployment.digest", "digest"),
    ],
)
def test_check_names_a_deployment_of_what_is_not_there(
    folio: Folio, change: Callable[[Deployment], Deployment], rule: str, field: str
) -> None:
    folio.deployments.record("wine", change(of_version(folio, 2)), "create")
    (found,) = check(folio)
    assert (found.rule, found.field) == (rule, field)


def test_check_names_a_deleted_version_that_serves_and_a_damaged_record(folio: Folio, wine: Path) -> None:
    folio.deployments.record("wine", of_version(folio, 1), "create")
    folio.models.delete_version("wine", 1)
    assert [(item.rule, item.severity.value) for item in check(folio)] == [("deployment.version", "warning")]
    file = wine / "models/wine/deployments/kubernetes-default-wine-prod.json"
    file.write_text(file.read_text().replace('"live"', '"up"'))
    git(wine, "commit", "-qam", "by hand")
    assert [item.rule for item in check(folio)] == ["deployment.format"]
    assert folio.deployments.of_model("wine") == []


def test_history_and_review_tell_what_was_deployed(folio: Folio, wine: Path) -> None:
    base = folio.place.tip()
    folio.deployments.record("wine", of_version(folio, 1), "create")
    folio.deployments.record("wine", of_version(folio, 2), "update")
    middle = folio.place.tip()
    folio.deployments.record("wine", replace(of_version(folio, 2), state=DeploymentState.DELETED), "delete")
    told = [event.text for event in history(folio, "wine") if event.kind == "deployed"]
    assert told == [
        "version 2 taken down from wine-prod at kubernetes (default)",
        "version 2 in place of 1 deployed as wine-prod at kubernetes (default)",
        "version 1 deployed as wine-prod at kubernetes (default)",
    ]
    assert base and middle
    changes = registry_changes(read_change(folio.place, base, middle))
    assert [(item.kind, item.text) for item in changes] == [
        ("deployed", "version 2 deployed as wine-prod at kubernetes (default)")
    ]


def test_models_show_and_list_versions_as_the_guide_types_it(
    folio: Folio, wine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folio.deployments.record("wine", of_version(folio, 2), "create")
    assert main(["models", "show", "wine", "Production"]) == 0
    assert "deployed:      wine-prod at kubernetes (default), http://wine.example.org" in capsys.readouterr().out
    folio.deployments.record("wine", replace(of_version(folio, 2), endpoint="wine-prod"), "update")  # SageMaker's is the name
    assert main(["models", "show", "wine", "Production"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "deployed:      wine-prod at kubernetes (default)" in said
    assert main(["models", "list-versions", "-m", "wine"]) == 0
    assert "Production" in capsys.readouterr().out


def test_the_site_shows_where_a_version_is_deployed_and_a_public_one_no_address(folio: Folio, tmp_path: Path) -> None:
    folio.deployments.record("wine", of_version(folio, 2), "create")
    build_site(folio, tmp_path / "site", BuildOptions())
    pages = [(tmp_path / "site" / "m" / "wine" / name).read_text() for name in ("index.html", "2/index.html")]
    for page in pages:
        assert 'id="deployments"' in page
        assert "http://wine.example.org" in page
        assert "kubernetes (default)" in page
    assert 'id="deployments"' not in (tmp_path / "site" / "m" / "wine" / "1" / "index.html").read_text()
    assert "version 2 deployed as wine-prod" in pages[1]
    build_site(folio, tmp_path / "public", BuildOptions(public=True))
    said = "".join(file.read_text() for file in (tmp_path / "public").rglob("*.html"))
    assert "wine-prod" in said
    assert "wine.example.org" not in said
    assert "(default)" not in said
