"""A site that is brought up to date step by step has the bytes of one that is built anew, and reads only what is new."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.diff.verdict import judge
from runfolio.folio import Folio, initialise, open_folio
from runfolio.formats import paths
from runfolio.formats.canonical import dump
from runfolio.formats.experiments import encode_experiment
from runfolio.gitstore import FileChange, Ident, commit_files
from runfolio.records import Experiment, Objective
from runfolio.site import BuildOptions, api, build_site, earlier, parquet
from runfolio.site.columns import Cells, cells_of, decode_column, encode_column, lengthened
from runfolio.site.data import search, tables
from runfolio.site.gather import Site
from runfolio.site.output import Output
from runfolio.site.pages import experiment
from runfolio.site.unchanged import report_if_unchanged
from tests.site.test_build import digest

START = 1_750_000_000_000
Records = dict[str, dict[str, Any]]


def run_id(number: int) -> str:
    stamp = f"{START + 60_000 * number:012x}"
    return f"{stamp}70008000{number:012x}"


def record(number: int, slug: str = "wine", **more: Any) -> dict[str, Any]:
    start = START + 60_000 * number
    made: dict[str, Any] = {
        "schema": 1, "run_id": run_id(number), "experiment": slug, "name": f"run {number}", "status": "FINISHED",
        "start": start, "end": start + 1000 + number, "user": "Ada",
        "params": {"depth": str(number % 5), "id": f"only {number}"},
        "metrics": {"acc": {"at": start, "last": number / 7, "step": 0}, "loss": {"at": start, "last": "NaN" if number % 3 == 0 else 123456.789 + number,
                                                                                 "step": 0}},
        "tags": {"team": "red"},
    }  # fmt: skip
    if number % 9 == 0:
        made["params"]["rare"] = "yes"
        made["metrics"]["rare"] = {"at": start, "last": number, "step": 0}
    for key, value in more.items():
        made[key] = {**made[key], **value} if isinstance(value, dict) and key in made else value
    return made


class Steps:
    """A folio that is changed step by step, and its site."""

    def __init__(self, folder: Path) -> None:
        self.folio: Folio = initialise(folder / "folio", own=True, branch="ledger").folio
        self.records: Records = {}
        self.out, self._place, self._count = folder / "site", folder, 0
        wine = Experiment("wine", "wine", "wine", START, START, objective=Objective("acc", "max", "seed"))
        change = FileChange(paths.experiment_path("wine"), encode_experiment(wine))
        commit_files(
            self.folio.repo, "refs/heads/ledger", self.folio.place.tip(), [change], "wine\n", Ident("a", "a@example.org")
        )

    def commit(self, changed: dict[str, dict[str, Any] | None], *, settings: bytes | None = None) -> None:
        files = []
        for name, value in changed.items():
            made = value or self.records[name]
            path = paths.run_path(made["experiment"], name, made["start"])
            files.append(FileChange(path, dump(value) if value else None))
            if value:
                self.records[name] = value
            else:
                del self.records[name]
        place = self.folio.place
        assert commit_files(self.folio.repo, "refs/heads/ledger", place.tip(), files, "step\n", Ident("a", "a@example.org"))

    def build(self, **options: Any) -> Any:
        return build_site(self.folio, self.out, BuildOptions(**options))

    def at_once(self) -> Any:
        """Return what is reported without opening the folio; None where something is to be built."""
        return report_if_unchanged(str(self.folio.place.root), self.out, BuildOptions())

    def same_as_anew(self, **options: Any) -> None:
        self._count += 1
        anew = self._place / f"anew-{self._count}"
        build_site(self.folio, anew, BuildOptions(**options))
        assert digest(self.out) == digest(anew)


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Steps]:
    # A table of some dozen runs that is cut and rounded like one of a hundred thousand.
    for module, name, value in (
        (tables, "SHARD", 40), (tables, "PIECE", 15), (tables, "ROUND_FROM", 30), (search, "PART", 15), (search, "MOST_RUNS", 45),
        (parquet, "GROUP", 20), (parquet, "PIECE", 5), (api, "PAGE", 5),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    made = Steps(tmp_path)
    yield made
    made.folio.close()


def new(numbers: range, **more: Any) -> dict[str, dict[str, Any] | None]:
    return {run_id(number): record(number, **more) for number in numbers}


def edited(steps: Steps, number: int, **more: Any) -> dict[str, dict[str, Any] | None]:
    made = copy.deepcopy(steps.records[run_id(number)])
    made.update(more)
    return {run_id(number): made}


LONG = "x" * 500
CHANGES: list[tuple[str, Callable[[Steps], dict[str, dict[str, Any] | None]]]] = [
    ("a new run", lambda steps: new(range(24, 25))),
    ("a new run with a new column", lambda steps: new(range(25, 26), params={"new": "1"}, metrics={"new": {"at": 1, "last": 0.1234567, "step": 0}})),
    ("runs past the border of rounding", lambda steps: new(range(26, 33))),
    ("a run without what all had", lambda steps: {run_id(33): {**record(33), "params": {}, "metrics": {}}}),
    ("a run with a dataset", lambda steps: new(range(34, 35), inputs=[{"name": "wine", "digest": "d1", "source_type": "local", "source": "x"}])),
    ("runs past the border of a shard", lambda steps: new(range(35, 44))),
    ("a new experiment", lambda steps: new(range(50, 53), slug="digits")),
    ("an edited run at the end", lambda steps: edited(steps, 43, tags={"team": "blue"})),
    ("an edited run in the middle", lambda steps: edited(steps, 12, name="another")),
    ("a run that is deleted", lambda steps: edited(steps, 43, lifecycle="deleted")),
    ("a file that is gone", lambda steps: {run_id(5): None}),
    ("a run that started before others", lambda steps: {f"{'0' * 12}70008000{1:012x}": {**record(60), "run_id": f"{'0' * 12}70008000{1:012x}", "start": START}}),
    ("long texts", lambda steps: {run_id(61): record(61, params={"long": f"{LONG}1"})}),
    ("long texts that begin alike", lambda steps: {run_id(62): record(62, params={"long": f"{LONG}2"})}),
    ("many runs", lambda steps: new(range(70, 130))),
    ("nothing of the last build is there", lambda steps: new(range(130, 131))),
]  # fmt: skip


def test_each_kind_of_change_gives_the_bytes_of_a_new_build(steps: Steps) -> None:
    steps.commit(new(range(24)))
    steps.build()
    for what, change in CHANGES:
        steps.commit(change(steps))
        if what.startswith("nothing"):
            for file in (steps.out / "data" / "e").rglob("*-core.*"):
                file.unlink()
        assert steps.at_once() is None, what
        steps.build()
        try:
            steps.same_as_anew()
        except AssertionError as error:
            raise AssertionError(what) from error
        assert steps.at_once() == steps.build() and steps.build().rendered == 0


def test_a_public_site_grows_like_another(steps: Steps) -> None:
    steps.commit(new(range(24)))
    steps.build(public=True)
    steps.commit(new(range(24, 27)))
    steps.build(public=True)
    steps.same_as_anew(public=True)
    steps.build()
    steps.same_as_anew()


@pytest.mark.parametrize("step", ["runs", "tables", "search", "pages", "API", "feeds"])
def test_a_build_that_ends_half_way_is_done_again(steps: Steps, step: str) -> None:
    class StoppedError(Exception):
        pass

    def stop(name: str, done: int, total: int) -> None:
        if name == step:
            raise StoppedError

    steps.commit(new(range(24)))
    steps.build()
    steps.commit(new(range(24, 30)))
    with pytest.raises(StoppedError):
        build_site(steps.folio, steps.out, BuildOptions(), stop)
    steps.commit(new(range(30, 32)))
    steps.build()
    steps.same_as_anew()


def test_a_site_of_an_older_version_is_brought_up_to_date(steps: Steps) -> None:
    steps.commit(new(range(24)))
    steps.build()
    memory = steps.out / ".runfolio-build.json"
    held = json.loads(memory.read_text())
    for name, made in held["files"].items():
        made[0] = "0" * 32
        if name == "data/history":
            made[4] = {
                oid: {key: value for key, value in brought.items() if key != "edited"}
                for oid, brought in made[4]["brought"].items()
            }
        elif name.endswith("-facts"):
            made[4] = made[4]["columns"]
        elif name.startswith("data/search/"):
            made[4] = None
    del held["told"]
    memory.write_text(json.dumps({**held, "state": "0" * 64}))
    steps.commit(new(range(24, 25)))
    steps.build()
    steps.same_as_anew()


def test_one_new_run_reads_few_records(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    steps.commit(new(range(39)))
    steps.build()
    read: set[int] = set()
    bodies = Site.bodies

    def counted(site: Site, rows: Any) -> list[bytes]:
        read.update(row.pk for row in rows)
        return bodies(site, rows)

    monkeypatch.setattr(Site, "bodies", counted)
    monkeypatch.setattr(Site, "prepared", frozenset())
    monkeypatch.setattr(experiment, "FIRST_ROWS", 5)
    steps.build(force=True)
    assert len(read) == 39
    read.clear()
    steps.commit(new(range(39, 40)))
    steps.build()
    # A chunk of 20, of which the page of the API, the group of the Parquet file and the first rows of the page are parts.
    assert 0 < len(read) <= 20


def test_a_build_with_nothing_new_opens_no_index(steps: Steps) -> None:
    steps.commit(new(range(3)))
    first = steps.build()
    index = steps.folio.place.local / "index.sqlite"
    steps.folio.index.close()
    for file in index.parent.glob("index.sqlite*"):
        file.unlink()
    second = steps.build()
    assert (second.runs, second.experiments, second.rendered) == (first.runs, first.experiments, 0)
    assert not index.exists()


@pytest.mark.parametrize("direction", ["max", "min"])
def test_the_best_earlier_configuration_is_the_one_that_reading_all_of_them_finds(
    steps: Steps, direction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(5)
    objective = Objective("acc", direction, "seed")
    made: dict[str, dict[str, Any] | None] = {}
    for number in range(80):
        value: Any = chance.choice(["NaN", "Infinity", chance.choice([0.5, 0.25]), chance.random()])
        params = {"depth": str(chance.randrange(6)), "lr": chance.choice(["1", "2"]), "seed": str(number)}
        made[run_id(number)] = {**record(number), "params": params, "metrics": {"acc": {"at": START, "last": value, "step": 0}}}
    steps.commit(made)
    site = Site(steps.folio, BuildOptions(), str(steps.folio.place.tip()), Output(steps.out))
    (item,) = (found for found in site.experiments if found.slug == "wine")
    for size in (80, 40, 3, 1, 0):
        newer = {row.run_id for row in chance.sample(item.rows, 80 - size)}
        item.values = None
        monkeypatch.setattr(earlier, "MOST_ASKED", 50)
        few = earlier.earlier_trials(site, item, objective, newer)
        monkeypatch.setattr(earlier, "MOST_ASKED", 0)
        every = earlier.earlier_trials(site, item, objective, newer)
        assert len(few) <= len(every) <= size
        assert judge(few, [], objective).before == judge(every, [], objective).before


VALUES = {
    "num": st.one_of(st.integers(-10, 10), st.floats(-1e6, 1e6), st.sampled_from(["NaN", "Infinity"])),
    "text": st.one_of(
        st.sampled_from(["a", "b", ""]), st.text("ab é😀\ud800", max_size=5), st.just(LONG + "1"), st.just(LONG + "2")
    ),
    "time": st.integers(0, 10**13),
    "list": st.lists(st.sampled_from(["wine", "iris"]), max_size=2).map(tuple),
}


@st.composite
def shards(draw: st.DrawFn) -> tuple[str, list[Any], list[Any]]:
    kind = draw(st.sampled_from(sorted(VALUES)))
    value = VALUES[kind] if draw(st.booleans()) else st.none() | VALUES[kind]
    return kind, draw(st.lists(value, min_size=1, max_size=60)), draw(st.lists(value, max_size=30))


def cells(kind: str, values: list[Any], first: int = 0) -> Cells | None:
    made = cells_of({kind: {} if value is None else {"k": value}} for value in values).get("k")
    return made and Cells(made.kind, [row + first for row in made.rows], made.values)


@given(shards(), st.sampled_from([None, 5]))
def test_a_column_that_is_lengthened_is_the_one_that_is_encoded_whole(
    found: tuple[str, list[Any], list[Any]], digits: int | None
) -> None:
    kind, old, new_values = found
    before, whole = cells(kind, old), cells(kind, [*old, *new_values])
    if before is None or whole is None:
        return
    column = json.loads(json.dumps(encode_column(before, len(old), digits)))
    wanted = json.loads(json.dumps(encode_column(whole, len(old) + len(new_values), digits)))
    new_cells = cells(kind, new_values, len(old))
    made = lengthened(column, len(before.rows), new_cells, len(old) + len(new_values), digits)
    assert made is None or json.loads(json.dumps(made)) == wanted
    back = decode_column(column, kind)
    joined = Cells(kind, [*back.rows, *new_cells.rows], [*back.values, *new_cells.values]) if new_cells else back
    assert json.loads(json.dumps(encode_column(joined, len(old) + len(new_values), digits))) == wanted


def test_the_newest_runs_that_have_pages_move_on_in_steps(steps: Steps) -> None:
    root = steps.folio.place.root
    settings = root / "runfolio.yaml"
    settings.write_text(settings.read_text() + "\nsite:\n  run_pages: 8\n")
    steps.folio.close()
    steps.folio = open_folio(root)
    steps.commit(new(range(20)))
    steps.build()
    before: set[str] = set()
    lost = []
    for number in range(20, 26):
        steps.commit(new(range(number, number + 1)))
        steps.build()
        pages = {path.name for path in (steps.out / "r").iterdir() if path.is_dir()}
        assert {run_id(at) for at in range(number - 7, number + 1)} <= pages and len(pages) <= 9
        lost.append(len(before - pages))
        before = pages
    assert lost == [0, 2, 0, 2, 0, 2]
    steps.same_as_anew()
