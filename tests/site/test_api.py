"""The API is what its schemas say, in any language's JSON, and grows at its end."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import runfolio
from runfolio.index import RunRow
from runfolio.site import BuildOptions, parquet
from runfolio.site.api import PAGE, SCHEMAS, schema
from runfolio.site.columns import Cells, cells_of
from runfolio.site.details import row_cells
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


@dataclass
class Rows:
    """As much of a site as the Parquet file looks at."""

    commit: str = "a" * 40
    kept: list[Any] = field(default_factory=list)

    def columns(self, rows: list[RunRow]) -> dict[str, Cells]:
        return cells_of(map(row_cells, self.records(rows)))

    def records(self, rows: list[RunRow]) -> list[dict[str, Any]]:
        return [
            {
                "run_id": row.run_id,
                "name": row.name,
                "status": row.status,
                "start": row.start,
                "metrics": {"acc": {"last": "NaN" if row.pk == 2 else row.pk / 3}} if row.pk % 2 == 0 else {},
                "params": {"é ,\ud800": "\ud800"},
                "tags": {f"only-{row.pk}": "x"},
            }
            for row in rows
        ]


ROWS = [RunRow(pk, f"id{pk}", "wine", "n", "FINISHED", 1000 * pk, None if pk == 1 else 1000 * pk + 5) for pk in range(19)]


def table_of(data: bytes) -> Any:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(io.BytesIO(data))
    table.validate(full=True)
    return table


def test_parquet_tells_missing_from_nan() -> None:
    site: Any = Rows()
    table = table_of(parquet.parquet_bytes(site, ROWS))
    values = table.column("metrics.acc").to_pylist()
    assert (values[0], values[1], values[4]) == (0.0, None, 4 / 3)
    assert values[2] != values[2]
    assert [value is None for value in table.column("end_time").to_pylist()[:3]] == [False, True, False]


def test_parquet_is_the_same_bytes_twice() -> None:
    site: Any = Rows()
    assert parquet.parquet_bytes(site, ROWS) == parquet.parquet_bytes(site, ROWS)


def test_parquet_leaves_out_the_emptiest_columns_and_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MAX_CELLS", len(ROWS) * 14)
    site: Any = Rows()
    table = table_of(parquet.parquet_bytes(site, ROWS))
    assert table.num_columns == 14
    assert {"metrics.acc", "params.é ,?"} <= set(table.column_names)
    assert table.schema.metadata[b"runfolio.columns_left_out"] == b"17"


def rows_with(count: int, changed: int = -1) -> list[RunRow]:
    return [
        RunRow(pk, f"id{pk:05}", "wine", "n", "FAILED" if pk == changed else "FINISHED", pk, None if pk % 7 == 0 else pk + 5)
        for pk in range(count)
    ]


def slices_of(rows: list[RunRow]) -> list[str]:
    return [f"{hash(tuple(rows[at : at + parquet.SLICE])):x}" for at in range(0, len(rows), parquet.SLICE)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (rows_with(25), rows_with(26)),
        (rows_with(25), rows_with(25, changed=3)),
        (rows_with(25), rows_with(25, changed=24)),
        (rows_with(25), rows_with(20)),
        (rows_with(20), rows_with(20)),
        (rows_with(25), rows_with(5)),
        ([], rows_with(3)),
        (rows_with(3), []),
    ],
)
def test_parquet_made_from_the_last_one_has_the_same_bytes(
    first: list[RunRow], second: list[RunRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "SLICE", 10)
    site: Any = Rows()
    before = tmp_path / "runs.parquet"
    before.write_bytes(parquet.parquet_bytes(site, first, slices_of(first), before))
    anew = parquet.parquet_bytes(site, second, slices_of(second))
    assert parquet.parquet_bytes(site, second, slices_of(second), before) == anew


def test_parquet_reads_back_only_what_has_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "SLICE", 10)
    asked: list[int] = []

    class Counting(Rows):
        def records(self, rows: list[RunRow]) -> list[dict[str, Any]]:
            asked.extend(row.pk for row in rows)
            return super().records(rows)

    site: Any = Counting()
    before = tmp_path / "runs.parquet"
    first, second = rows_with(25), rows_with(26)
    before.write_bytes(parquet.parquet_bytes(site, first, slices_of(first)))
    asked.clear()
    parquet.parquet_bytes(site, second, slices_of(second), before)
    assert asked == list(range(20, 26))


def test_parquet_is_the_same_from_columns_that_are_at_hand_in_another_order() -> None:
    site: Any = Rows()
    wanted = parquet.parquet_bytes(site, ROWS)
    last, first = ROWS[:6:-1], ROWS[2:5]
    site.kept = [(last, site.columns(last)), (first, site.columns(first))]
    asked: list[list[RunRow]] = []
    site.columns = lambda rows: asked.append(rows) or Rows().columns(rows)
    assert parquet.parquet_bytes(site, ROWS) == wanted
    assert asked == [[*ROWS[:2], *ROWS[5:7]]]
    plain: Any = Rows()
    few: Any = Rows(kept=[(last, Rows().columns(last))])
    assert parquet.parquet_bytes(few, ROWS[10:]) == parquet.parquet_bytes(plain, ROWS[10:])


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"PAR1" + bytes(50) + b"PAR1"])
def test_damaged_parquet_of_the_last_build_is_made_anew(damage: bytes, tmp_path: Path) -> None:
    site: Any = Rows()
    before = tmp_path / "runs.parquet"
    before.write_bytes(damage)
    assert parquet.parquet_bytes(site, ROWS, ["x"], before) == parquet.parquet_bytes(site, ROWS, ["x"])


def test_parquet_is_written_without_pandas() -> None:
    code = (
        "import sys\nfrom tests.site.test_api import ROWS, Rows\nfrom runfolio.site import parquet\n"
        "loaded = 'pandas' in sys.modules\nparquet.parquet_bytes(Rows(), ROWS)\nprint(loaded, 'pandas' in sys.modules)\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_without_pyarrow_the_page_says_what_to_do(folio_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "find_spec", lambda name: None)
    data_of(plain_folio(folio_dir, 1), tmp_path / "site")
    assert "pip install 'runfolio[parquet]'" in (tmp_path / "site/data.html").read_text()
    assert not (tmp_path / "site/api/v1/runs.parquet").exists()
    assert read(tmp_path / "site/api/v1/index.json")["parquet"] is None


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
