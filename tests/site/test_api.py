"""The API is what its schemas say, in any language's JSON, and grows at its end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import runfolio
from runfolio.site import BuildOptions
from runfolio.site.api import PAGE, SCHEMAS, schema
from tests.docs.pages import fenced
from tests.site.folios import ALERT, HOSTILE_NAME, close_all, committed, data_of, hostile_folio, plain_folio


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_all()


def refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def read(path: Path) -> Any:
    return json.loads(path.read_bytes().decode("utf-8"), parse_constant=refuse)


def api_files(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in (out / "api").rglob("*") if path.is_file()}


@pytest.fixture
def hostile(folio_dir: Path, tmp_path: Path) -> Path:
    data_of(hostile_folio(folio_dir, tmp_path / "files"), tmp_path / "site")
    return tmp_path / "site"


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema(name)))


def test_every_file_names_its_schema_and_keeps_it(hostile: Path) -> None:
    seen = set()
    for path in (hostile / "api/v1").rglob("*.json"):
        if path.parent.name == "schemas":
            continue
        value = read(path)
        validator = jsonschema.Draft202012Validator(read(hostile / value["schema"]))
        assert list(validator.iter_errors(value)) == []
        seen.add(Path(value["schema"]).stem)
    assert seen == set(SCHEMAS)


def test_every_path_that_a_file_names_is_there(hostile: Path) -> None:
    index = read(hostile / "api/v1/index.json")
    paths = [index["experiments"], index["models"], index["parquet"], *index["schemas"].values()]
    for item in read(hostile / index["experiments"])["experiments"]:
        paths += [item["summary"], item["latest"], *(page["path"] for page in read(hostile / item["summary"])["pages"])]
    assert [path for path in paths if not (hostile / path).is_file()] == []


def test_hostile_fields_come_back_as_they_are(hostile: Path) -> None:
    (path,) = (hostile / "api/v1/experiments").glob("*/runs/0.json")
    runs = read(path)["runs"]
    assert [run["name"] for run in runs] == [f"{number} {HOSTILE_NAME}" for number in range(3)]
    assert runs[0]["params"]["text"] == ALERT
    assert (runs[1]["metrics"]["accuracy"], runs[0]["metrics"]["loss"]) == ("NaN", "Infinity")
    for path, entry in runs[2]["artifacts"].items():
        assert entry["file"] is None or (hostile / entry["file"]).stat().st_size == entry["size"], path


def test_new_run_touches_the_last_page_only(folio_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    data_of(plain_folio(folio_dir, PAGE + 3), out)
    before = api_files(out)
    close_all()
    data_of(plain_folio(folio_dir, 1), out)
    after = api_files(out)
    changed = sorted(path for path in after if before.get(path) != after[path])
    assert changed == [
        "api/v1/experiments.json",
        "api/v1/experiments/wine.json",
        "api/v1/experiments/wine/latest.json",
        "api/v1/experiments/wine/runs/1.json",
        "api/v1/index.json",
        "api/v1/runs.parquet",
    ]
    pages = read(out / "api/v1/experiments/wine.json")["pages"]
    assert [page["runs"] for page in pages] == [PAGE, 4]
    assert read(out / "api/v1/experiments/wine/latest.json")["run"]["run_id"] == pages[-1]["last"]


def test_experiment_without_runs_has_no_page_and_no_latest_run(folio_dir: Path, tmp_path: Path) -> None:
    runfolio.set_tracking_uri(str(folio_dir))
    runfolio.create_experiment("empty")
    data_of(committed(folio_dir), tmp_path / "site")
    assert read(tmp_path / "site/api/v1/experiments/empty.json")["pages"] == []
    assert read(tmp_path / "site/api/v1/experiments/empty/latest.json")["run"] is None


def test_metrics_keep_all_their_digits(folio_dir: Path, tmp_path: Path) -> None:
    import pyarrow.parquet

    data_of(plain_folio(folio_dir, 3), tmp_path / "site")
    found = [run["metrics"]["accuracy"] for run in read(tmp_path / "site/api/v1/experiments/wine/runs/0.json")["runs"]]
    assert found == [0.0, 1 / 3, 2 / 3]
    table = pyarrow.parquet.read_table(tmp_path / "site/api/v1/runs.parquet")
    assert table.column("metrics.accuracy").to_pylist() == found
    assert table.column("params.seed").to_pylist() == ["0", "1", "2"]


def test_feed_and_sitemap_are_xml_with_hostile_names(folio_dir: Path, tmp_path: Path) -> None:
    from xml.etree import ElementTree

    folio = hostile_folio(folio_dir, tmp_path / "files")
    for options in (BuildOptions(), BuildOptions(base_url="https://team.example.org/folio")):
        out = tmp_path / f"site-{bool(options.base_url)}"
        data_of(folio, out, options)
        top = ElementTree.fromstring((out / "feed.xml").read_bytes())
        atom = "{http://www.w3.org/2005/Atom}"
        (entry,) = top.findall(f"{atom}entry")
        assert entry.findtext(f"{atom}title") == f"3 runs in Wine {ALERT}"
        assert ALERT not in (entry.findtext(f"{atom}content") or "")
        ids = [node.text or "" for node in top.iter(f"{atom}id")]
        assert all(name.startswith("tag:") for name in ids)
        assert len(set(ids)) == len(ids)
        assert (out / "sitemap.xml").exists() == bool(options.base_url)
    places = [
        node.text for node in ElementTree.fromstring((out / "sitemap.xml").read_bytes()).iter() if node.text and node.text.strip()
    ]
    assert "https://team.example.org/folio/index.html" in places
    assert (out / "robots.txt").read_text().endswith("Sitemap: https://team.example.org/folio/sitemap.xml\n")


def test_feeds_of_two_folios_on_one_host_share_no_id(folio_dir: Path, tmp_path: Path) -> None:
    from xml.etree import ElementTree

    folio, found = plain_folio(folio_dir, 1), []
    for place in ("wine", "digits", ""):
        data_of(folio, tmp_path / f"site-{place}", BuildOptions(base_url=f"https://team.github.io/{place}"))
        top = ElementTree.fromstring((tmp_path / f"site-{place}" / "feed.xml").read_bytes())
        found += [node.text for node in top.iter("{http://www.w3.org/2005/Atom}id")]
    assert len(found) == len(set(found)) >= 6


def test_ids_of_the_feed_stay_when_runs_are_added(folio_dir: Path, tmp_path: Path) -> None:
    from runfolio.site.feeds import entries

    first = entries(data_of(plain_folio(folio_dir, 1), tmp_path / "one"))
    close_all()
    second = entries(data_of(plain_folio(folio_dir, 1), tmp_path / "two"))
    key = [(entry["slug"], entry["day"]) for entry in first]
    assert [(entry["slug"], entry["day"]) for entry in second][-1:] == key
    assert second[0]["title"].endswith("runs in wine")


def test_card_is_a_picture_of_the_size_that_chats_want(folio_dir: Path, tmp_path: Path) -> None:
    from runfolio.site.kinds import Kind, kind_of

    folio = hostile_folio(folio_dir, tmp_path / "files")
    out = tmp_path / "site"
    data_of(folio, out, BuildOptions(base_url="https://team.example.org"))
    (card,) = out.glob("e/*/card.png")
    assert kind_of(card.read_bytes()) == Kind("image", ".png", 1200, 630)


def test_run_of_the_documentation_keeps_the_schema() -> None:
    (text,) = [block for language, block in fenced("site-api.md") if language == "json"]
    runs_schema = json.loads(schema("runs"))
    validator = jsonschema.Draft202012Validator({"$ref": "#/$defs/run", "$defs": runs_schema["$defs"]})
    assert list(validator.iter_errors(json.loads(text))) == []
    assert set(json.loads(text)) == set(runs_schema["$defs"]["run"]["properties"])


def test_the_feed_tells_of_what_goes_live_and_of_what_is_taken_back(folio_dir: Path, tmp_path: Path) -> None:
    from xml.etree import ElementTree

    plain_folio(folio_dir, 1)
    close_all()
    (tmp_path / "model").mkdir()
    for number in (1, 2):
        (tmp_path / "model" / "weights.txt").write_text(str(number))
        assert command(folio_dir, "models", "register", str(tmp_path / "model"), "churn") == 0
        assert command(folio_dir, "models", "promote", "churn", str(number), "Production", "--direct") == 0
    assert command(folio_dir, "models", "demote", "churn", "2", "--direct") == 0
    out = tmp_path / "site"
    assert command(folio_dir, "site", "build", "--public", "-o", str(out)) == 0
    atom = "{http://www.w3.org/2005/Atom}"
    top = ElementTree.fromstring((out / "feed.xml").read_bytes())
    titles = {entry.findtext(f"{atom}title"): entry.find(f"{atom}link") for entry in top.findall(f"{atom}entry")}
    assert titles.keys() >= {
        "churn 1 is in Production", "churn 2 is in Production, in place of version 1", "churn 2 is no longer in Production",
    }  # fmt: skip
    assert len(titles) == 4, "and the day of the runs"
    for link in titles.values():
        assert link is not None and (out / str(link.get("href"))).is_file()
    ids = [node.text for node in top.iter(f"{atom}id")]
    assert len(set(ids)) == len(ids)


def command(folder: Path, *args: str) -> int:
    """Run the command line in a folder."""
    from tests.review.folios import runfolio_command

    done = runfolio_command(folder, *args)
    assert done.returncode == 0, done.stderr
    return done.returncode


def test_the_feed_puts_a_days_best_result_beside_the_best_before(folio_dir: Path, tmp_path: Path) -> None:
    from runfolio.site.feeds import entries
    from tests.review.folios import log_runs, with_objective

    plain_folio(folio_dir, 1)
    close_all()
    with_objective(folio_dir, "judged")
    log_runs(folio_dir, "judged", {"depth": 1}, (0.90, float("nan"), 0.92))
    site = data_of(committed(folio_dir), tmp_path / "site")
    (entry,) = [item for item in entries(site) if item["slug"] == "judged"]
    assert entry["summary"] == "3 finished; best accuracy 0.9200 (higher is better)"
    (item,) = [found for found in site.experiments if found.slug == "judged"]
    last = item.rows[-1]
    item.rows[-1] = last._replace(start=last.start + 86_400_000)
    newer = max((found for found in entries(site) if found["slug"] == "judged"), key=lambda found: str(found["day"]))
    assert newer["summary"] == "1 finished; best accuracy 0.9200, the best before was 0.9000 (higher is better)"
