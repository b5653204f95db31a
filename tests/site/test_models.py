"""The catalogue, the models and their versions, as a visitor sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy
import pytest

import runfolio
from runfolio import MlflowClient
from runfolio.cli.main import main
from runfolio.folio import open_folio
from runfolio.records import ArtifactEntry, new_run_id
from runfolio.records.deployments import Deployment, DeploymentState
from runfolio.records.reproductions import Deviation, Outcome, Reproduction
from runfolio.registry.cards import render_card, write_card
from runfolio.site import BuildOptions, build_site
from runfolio.tracking.session import forget_sessions
from tests.conftest import git
from tests.site.visiting import faults_at_each_width

MLMODEL = """\
flavors: {sklearn: {}}
signature:
  inputs: '[{"type": "double", "name": "<b>alcohol</b>", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
"""


@pytest.fixture
def wine(folio_dir: Path) -> Path:
    """Two versions of ``Wine <i>``, the second in Production with a card, the first Archived."""
    runfolio.set_tracking_uri(folio_dir)
    runfolio.set_experiment("cellar")
    for name, accuracy in (("one", 0.9), ("two", 0.95)):
        with runfolio.start_run(run_name=name) as run:
            runfolio.log_params({"trees": 10 if name == "one" else 200})
            runfolio.log_metric("accuracy", accuracy)
            runfolio.log_input(runfolio.data.from_numpy(numpy.arange(6.0), name="wine"), context="training")
            runfolio.log_text(MLMODEL, "model/MLmodel")
            runfolio.log_text(f"weights {name}", "model/model.pkl")
        runfolio.register_model(f"runs:/{run.info.run_id}/model", "Wine <i>", tags={"owner": "ada", "internal.id": "7"})
    client = MlflowClient()
    client.transition_model_version_stage("Wine <i>", 1, "Production")
    client.transition_model_version_stage("Wine <i>", 2, "Production", archive_existing_versions=True)
    client.set_registered_model_alias("Wine <i>", "champion", 2)
    client.update_model_version("Wine <i>", 2, "more <script>alert(1)</script> trees")
    forget_sessions()
    folio = open_folio(folio_dir)
    model = folio.models.find("Wine <i>")
    text = render_card(model, folio.models.version(model, 2), None).replace(
        "## Limits\n", "## Limits\n\nNo *rosé*. <img src=x>\n"
    )
    write_card(folio, model, folio.models.version(model, 2), text)
    folio.close()
    return folio_dir


def built(folder: Path, out: Path, **options: Any) -> Path:
    folio = open_folio(folder)
    try:
        build_site(folio, out, BuildOptions(**options))
    finally:
        folio.close()
    return out


def test_the_catalogue_says_what_is_live(wine: Path, tmp_path: Path) -> None:
    out = built(wine, tmp_path / "site")
    catalogue, home = (out / "models" / "index.html").read_text(), (out / "index.html").read_text()
    for page in (catalogue, home):
        assert "Wine &lt;i&gt;" in page
        assert "Production" in page
        assert 'm/wine-i/2/index.html">version 2</a>' in page
        assert "@champion" in page
    assert "0.9500" in catalogue


def test_a_version_shows_files_signature_changes_card_and_history(wine: Path, tmp_path: Path) -> None:
    page = (built(wine, tmp_path / "site") / "m" / "wine-i" / "2" / "index.html").read_text()
    for said in (
        "runs code", "model.pkl", "&lt;b&gt;alcohol&lt;/b&gt;", "int64 [-1]", "Changes since version 1", "trees", "<em>rosé</em>",
        "version 2: None → Production", "models:/Wine", "not written yet: Intended use", "more &lt;script&gt;alert(1)&lt;/script&gt; trees",
    ):  # fmt: skip
        assert said in page, said
    assert "<img" not in page.split('id="card"')[1].split("</section>")[0]
    assert "What is it for, and who uses it?" not in page
    assert 'href="../../../r/' in page


def test_pages_say_what_serves(wine: Path, tmp_path: Path) -> None:
    folio = open_folio(wine)
    for name, version, state in (
        ("payments", 2, DeploymentState.LIVE),
        ("try <b>", 2, DeploymentState.DELETED),
        ("old", 1, DeploymentState.LIVE),
    ):
        made = Deployment("sagemaker", name, version, "eu-west-1", state=state, endpoint=f"at-{version}-{state.value}")
        folio.deployments.record("wine-i", made, "create")
    folio.close()
    out = built(wine, tmp_path / "site")
    lineage = (out / "m/wine-i/2/index.html").read_text().split('id="lineage"')[1].split("</section>")[0]
    assert (
        '<span class="small muted">Serving</span><b>payments</b><span class="small muted">sagemaker (eu-west-1)</span>' in lineage
    )
    assert "try" not in lineage and "old" not in lineage
    page = (out / "m/wine-i/index.html").read_text()
    assert "<code>at-2-live</code>" in page and "at-2-deleted" not in page, "nobody answers where a deployment was taken down"
    assert "2 live deployments" in (out / "models" / "index.html").read_text()
    shared = (built(wine, tmp_path / "public", public=True) / "m/wine-i/2/index.html").read_text()
    assert "eu-west-1" not in shared


def test_most_of_a_long_signature_is_folded_away(wine: Path, tmp_path: Path) -> None:
    columns = [{"type": "double", "name": f"column {at}"} for at in range(30)]
    runfolio.set_tracking_uri(wine)
    with runfolio.start_run() as run:
        runfolio.log_text(json.dumps({"flavors": {}, "signature": {"inputs": json.dumps(columns)}}), "model/MLmodel")
    runfolio.register_model(f"runs:/{run.info.run_id}/model", "wide")
    forget_sessions()
    part = (built(wine, tmp_path / "site") / "m/wide/1/index.html").read_text().split('id="signature"')[1].split("</section>")[0]
    shown, folded = part.split("<details")
    assert ("column 11<" in shown, "column 12<" in shown, "column 29<" in folded) == (True, False, True)
    assert "18 more rows" in folded


POLICY = """schema: 1
promotions:
  - to: Staging
    require:
      - where: metrics.accuracy >= 0.9
      - {no_code: true, id: safe}
"""


def test_each_gate_of_a_promotion_is_on_the_page_of_the_version(
    wine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(wine)
    (wine / "policy.yaml").write_text(POLICY)
    git(wine, "add", "policy.yaml")
    git(wine, "commit", "-qm", "policy")
    why = ("--waive", "safe", "--reason", "our own <b>")
    assert main(("models", "promote", "Wine <i>", "2", "Staging", "--direct", *why)) == 0
    page = (built(wine, tmp_path / "site") / "m/wine-i/2/index.html").read_text()
    gates = page.split('id="gates"')[1].split("</section>")[0]
    assert "To Staging: 1 passed, 1 waived (safe)" in gates
    assert '<li class="gate-passed"><b>where-accuracy</b>' in gates
    assert "accuracy is 0.95, as asked: &gt;= 0.9." in gates
    assert '<li class="gate-waived"><b>safe</b>' in gates
    assert "our own &lt;b&gt;" in gates
    shared = (built(wine, tmp_path / "public", public=True) / "m/wine-i/2/index.html").read_text()
    assert '<li class="gate-passed"><b>where-accuracy</b>' in shared
    assert "accuracy is 0.95, as asked" not in shared


def test_one_way_to_use_a_version_is_shown_at_a_time_and_all_on_paper(
    wine: Path, tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    page = open_page((built(wine, tmp_path / "site") / "m/wine-i/2/index.html").as_uri())
    shown = page.locator(".use:visible")
    assert page.locator(".uses > label").all_inner_texts() == ["Python", "CLI", "Serve", "REST", "Docker", "MLflow client"]
    assert "load_model" in shown.inner_text()
    page.locator("label", has_text="Docker").click()
    assert "docker run -p 5000:8080 wine-i:2" in shown.inner_text()
    page.keyboard.press("ArrowLeft")
    assert "curl" in shown.inner_text()
    page.goto(page.url.replace("/2/index.html", "/index.html"))
    page.locator("label", has_text="REST").click()
    assert '"columns": ["<b>alcohol</b>"]' in page.locator(".use:visible").inner_text()
    page.go_back()
    page.emulate_media(media="print")
    assert (shown.count(), shown.locator("h3").count()) == (6, 6)


def test_what_a_commit_did_to_a_model_is_on_its_page(wine: Path, tmp_path: Path) -> None:
    out = built(wine, tmp_path / "site")
    said = {page.parent.name: page.read_text() for page in (out / "changes").glob("*/index.html")}
    moved = [text for text in said.values() if "stages.Archived" in text]
    assert len(moved) == 1 and "model changed" in moved[0] and "stages.Production" in moved[0]
    registered = [text for text in said.values() if "version registered" in text]
    assert len(registered) == 2 and any('m/wine-i/2/index.html">Wine &lt;i&gt; 2</a>' in text for text in registered)
    written = [text for text in said.values() if "card written" in text]
    assert len(written) == 1 and "alert(1)</script>" not in "".join(said.values())
    assert not any("No record differs" in text for text in said.values())
    pills = (out / "changes" / "index.html").read_text()
    assert "1 version registered" in pills and "1 model changed" in pills and "1 card written" in pills


def test_the_picture_of_a_link_is_an_experiments_and_not_a_models_card(wine: Path, tmp_path: Path) -> None:
    out = built(wine, tmp_path / "site", base_url="https://example.org/x/")
    assert "og:image" not in (out / "m" / "wine-i" / "2" / "index.html").read_text()
    assert 'og:image" content="https://example.org/x/e/cellar/card.png"' in (out / "e" / "cellar" / "index.html").read_text()


def test_a_run_names_the_versions_that_it_made(wine: Path, tmp_path: Path) -> None:
    out = built(wine, tmp_path / "site")
    folio = open_folio(wine)
    run_id = folio.runs.resolve("two")
    folio.close()
    assert "Wine &lt;i&gt; 2, Production" in (out / "r" / run_id / "index.html").read_text()


def test_the_data_api_lists_models_as_its_schema_says(wine: Path, tmp_path: Path) -> None:
    out = built(wine, tmp_path / "site")
    said = json.loads((out / "api/v1/models.json").read_text())
    jsonschema.validate(said, json.loads((out / "api/v1/schemas/models.json").read_text()))
    (model,) = said["models"]
    assert (model["name"], model["stages"], model["aliases"]) == (
        "Wine <i>",
        {"Production": [2], "Archived": [1]},
        {"champion": 2},
    )
    assert [item["metrics"] for item in model["versions"]] == [{"accuracy": 0.95}, {"accuracy": 0.9}]
    assert all((out / item["page"]).is_file() for item in [model, *model["versions"]])


def test_the_past_shows_what_was_live_then(wine: Path, tmp_path: Path) -> None:
    commit = git(wine, "log", "--format=%H", "--grep=promote Wine <i> 1 to", "-1").strip()
    page = (built(wine, tmp_path / "site", at=commit) / "models" / "index.html").read_text()
    assert "version 1</a>" in page
    assert "@champion" not in page


def test_a_version_whose_list_of_files_is_lost_is_shown_all_the_same(wine: Path, tmp_path: Path) -> None:
    folio = open_folio(wine)
    digest = folio.models.version(folio.models.find("Wine <i>"), 2).digest
    assert digest is not None
    folio.store.delete(digest)
    folio.close()
    page = (built(wine, tmp_path / "site") / "m" / "wine-i" / "2" / "index.html").read_text()
    assert "The list of its files was not at hand" in page


def test_a_public_site_names_nobody(wine: Path, tmp_path: Path) -> None:
    (wine / "runfolio.yaml").write_text("schema: 1\nsite: {hide: ['internal.*']}\n")
    git(wine, "commit", "-qam", "hide")
    out = built(wine, tmp_path / "site", public=True)
    text = "".join(path.read_text() for path in (out / "m").rglob("*.html")) + (out / "models/index.html").read_text()
    assert "owner: ada" in text
    for gone in ("Ada", "ada@example.org", "internal.id"):
        assert gone not in text, gone


def test_two_builds_are_the_same_bytes_and_a_promotion_makes_only_what_it_changes_anew(wine: Path, tmp_path: Path) -> None:
    out, other = built(wine, tmp_path / "site"), built(wine, tmp_path / "other")
    files = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    assert [name for name in files if (out / name).read_bytes() != (other / name).read_bytes()] == []


def test_a_damaged_version_hides_nothing_else(wine: Path, tmp_path: Path) -> None:
    (wine / "models/wine-i/versions/1.yaml").write_text("schema: 1\nsize: many\n")
    git(wine, "commit", "-qam", "by hand")
    page = (built(wine, tmp_path / "site") / "models" / "index.html").read_text()
    assert "Wine &lt;i&gt;" in page


@pytest.mark.parametrize("page", ["models/index.html", "m/wine-i/index.html", "m/wine-i/2/index.html"])
@pytest.mark.parametrize("dark", [False, True])
def test_pages_hold_in_a_browser_wide_and_narrow(
    wine: Path, tmp_path: Path, open_page: Callable[..., Any], page: str, dark: bool
) -> None:
    out = built(wine, tmp_path / "site")
    opened = open_page((out / page).as_uri(), dark=dark)
    assert faults_at_each_width(opened) == []
    assert opened.locator("h1").inner_text().startswith(("Models", "Wine <i>"))


def test_on_a_phone_what_a_version_changed_stands_without_scrolling(
    wine: Path, tmp_path: Path, open_page: Callable[..., Any]
) -> None:
    """The last column, which says what is new, was cut off at the screen's edge."""
    opened = open_page((built(wine, tmp_path / "site") / "m/wine-i/2/index.html").as_uri())
    opened.set_viewport_size({"width": 390, "height": 844})
    for part in ("changes", "metrics"):
        wide, shown = opened.locator(f"#{part} .plain-wrap").evaluate("box => [box.scrollWidth, box.clientWidth]")
        assert wide <= shown, part


def verdict_on(folder: Path, version: int, **more: Any) -> None:
    """Write a verdict on the run behind a version."""
    folio = open_folio(folder)
    try:
        run_id = folio.models.version(folio.models.find("Wine <i>"), version).run_id
        assert run_id is not None
        log = ArtifactEntry(*folio.store.put_bytes(b"it ran\n"))
        given = {
            "at": 1_750_000_000_000,
            "manager": "virtualenv",
            "tolerance": 1e-9,
            "compared": 1,
            "log": log,
            "user": "Ada",
            **more,
        }
        folio.reproductions.record(Reproduction(run_id, new_run_id(), **given))
    finally:
        folio.close()


def test_a_reproduced_model_says_so_on_every_page_and_counts_on_the_first(wine: Path, tmp_path: Path) -> None:
    out = built(wine, tmp_path / "none")
    home = (out / "index.html").read_text()
    assert "0 of 1 Production model" in home
    assert "nobody has made it again yet" in home
    assert "runfolio reproduce models:/Wine &lt;i&gt;/Production" in home
    verdict_on(wine, 2, verdict=Outcome.EXACT, exact=1, command=("python", "train.py"))
    out = built(wine, tmp_path / "site")
    home = (out / "index.html").read_text()
    assert "1 of 1 Production model" in home
    assert "reproduced, bit for bit" in home
    for path in ("models/index.html", "m/wine-i/index.html"):
        assert "reproduced, bit for bit" in (out / path).read_text(), path
    page = (out / "m/wine-i/2/index.html").read_text()
    for said in (
        "2025-06-15",
        "by Ada",
        "virtualenv",
        "1 of 1 the same bit for bit",
        "rel 1e-09",
        "Its output",
        "python train.py",
    ):
        assert said in page, said
    (model,) = json.loads((out / "api/v1/models.json").read_text())["models"]
    found = {item["version"]: item["reproduced"] for item in model["versions"]}
    assert found[1] is None
    assert (found[2]["verdict"], found[2]["manager"]) == ("exact", "virtualenv")
    jsonschema.validate(
        json.loads((out / "api/v1/models.json").read_text()), json.loads((out / "api/v1/schemas/models.json").read_text())
    )


def test_a_model_that_differs_names_its_metrics_and_what_differed(wine: Path, tmp_path: Path) -> None:
    metrics = {"accuracy": Deviation(Outcome.DIFFERS, 0.95, 0.91, 0.042)}
    said = {"packages": {"numpy": ("1.26.4", "2.0.1")}, "inputs": {"wine": ("aa", "bb")}, "notes": ("<i>note</i>",)}
    verdict_on(wine, 2, verdict=Outcome.DIFFERS, metrics=metrics, **said)
    out = built(wine, tmp_path / "site")
    assert "0 of 1 Production model" in (out / "index.html").read_text()
    run = next(page for page in out.glob("r/*/index.html") if "Made again" in page.read_text()).read_text()
    for page in ((out / "m/wine-i/2/index.html").read_text(), run):
        for text in ("differs: accuracy by 0.042 (rel)", "numpy", "1.26.4", "2.0.1", "&lt;i&gt;note&lt;/i&gt;", "not reproduced"):
            assert text in page, text
    assert "By hand" in run or "runfolio reproduce" in run


def test_a_verdict_with_other_code_counts_for_nothing(wine: Path, tmp_path: Path) -> None:
    verdict_on(wine, 2, verdict=Outcome.EXACT, exact=1, code={"from": "here"}, changed_code={"train.py": "+1 -1"})
    out = built(wine, tmp_path / "site")
    assert "0 of 1 Production model" in (out / "index.html").read_text()
    assert "with the code of" in (out / "m/wine-i/2/index.html").read_text()
    assert "bit for bit" not in (out / "m/wine-i/index.html").read_text()


def test_a_site_for_everybody_names_neither_people_nor_reasons(wine: Path, tmp_path: Path) -> None:
    verdict_on(
        wine, 2, verdict=Outcome.COULD_NOT_RUN, compared=0, reason="no /srv/secret/data here", notes=("at /srv/x",), command=("python", "/srv/y")
    )  # fmt: skip
    out = built(wine, tmp_path / "site", public=True)
    assert "could not be run" in (out / "index.html").read_text()
    held = b"".join(file.read_bytes() for file in out.rglob("*") if file.is_file())
    assert b"/srv/" not in held


def test_a_page_says_how_a_version_goes_live_and_a_prompt_is_live_by_its_alias(folio_dir: Path, tmp_path: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)
    (tmp_path / "prompt").mkdir()
    (tmp_path / "prompt" / "prompt.txt").write_text("Which wine?")
    prompt = {"mlflow.prompt.is_prompt": "true", "mlflow.prompt.text": "Which wine?"}
    client = MlflowClient()
    for name, tags in (("my model", {}), ("sommelier", prompt), ("waiting", prompt)):
        client.create_registered_model(name, tags)
        for _ in range(2):
            client.create_model_version(name, str(tmp_path / "prompt"), tags=tags)
    client.set_registered_model_alias("sommelier", "production", 2)
    forget_sessions()
    out = built(folio_dir, tmp_path / "site")
    pages = {name: (out / "m" / name / "index.html").read_text() for name in ("my-model", "sommelier", "waiting")}
    assert ">runfolio models promote &#39;my model&#39; VERSION Production --pull-request</pre>" in pages["my-model"]
    assert ">runfolio models alias waiting VERSION production</pre>" in pages["waiting"]
    assert "VERSION" not in pages["sommelier"] and 'class="card stage-card"' in pages["sommelier"]
    assert "Input example" in (out / "m" / "my-model" / "1" / "index.html").read_text()
    assert "Input example" not in (out / "m" / "sommelier" / "1" / "index.html").read_text()
