"""The site's folder: only what is stale is written, only what is ours is removed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runfolio.errors import RunfolioError, StateError
from runfolio.site.memory import MEMORY
from runfolio.site.output import Output
from runfolio.site.parallel import in_processes
from runfolio.site.plan import Data, Page


def built(folder: Path, files: list, state: str = "s", **options: object) -> Output:
    output = Output(folder, **options)
    output.open()
    output.write(files)
    output.finish(state)
    return output


def page(path: str, text: str, calls: list | None = None) -> Page:
    def render() -> bytes:
        if calls is not None:
            calls.append(path)
        return text.encode()

    return Page(path, text, render)


def test_only_what_is_stale_is_made_again(tmp_path: Path) -> None:
    calls: list[str] = []
    built(tmp_path / "s", [page("a/index.html", "1", calls), page("b.html", "2", calls)])
    calls.clear()
    output = built(tmp_path / "s", [page("a/index.html", "1", calls), page("b.html", "3", calls)])
    assert calls == ["b.html"] and (output.rendered, output.kept) == (1, 1)
    assert (tmp_path / "s" / "b.html").read_text() == "3"


def test_a_file_that_somebody_cut_short_is_made_again(tmp_path: Path) -> None:
    built(tmp_path, [page("a.html", "1234")])
    (tmp_path / "a.html").write_text("1")
    assert built(tmp_path, [page("a.html", "1234")]).rendered == 1
    assert (tmp_path / "a.html").read_text() == "1234"


def test_what_the_plan_no_longer_has_goes_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    built(tmp_path, [page("r/1/index.html", "x"), page("k.html", "k")])
    (tmp_path / "CNAME").write_text("example.org")
    output = built(tmp_path, [page("k.html", "k")])
    assert output.kept == 1
    assert sorted(os.listdir(tmp_path)) == sorted([MEMORY, "CNAME", "k.html"])


def test_a_data_file_bears_its_digest_and_the_old_one_goes(tmp_path: Path) -> None:
    def data(text: str) -> Data:
        return Data("data/x", text, lambda: (text.encode(), {"facts": text}))

    first = built(tmp_path, [data("1")]).path("data/x")
    output = built(tmp_path, [data("2")])
    assert first != output.path("data/x") and output.facts("data/x") == {"facts": "2"}
    assert os.listdir(tmp_path / "data") == [Path(output.path("data/x")).name]
    again = built(tmp_path, [data("2")])
    assert again.facts("data/x") == {"facts": "2"} and again.kept == 1


def test_a_folder_of_somebody_elses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(StateError, match=r"is not empty and holds no site.*-o DIR"):
        built(tmp_path, [page("a.html", "1")])
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_a_broken_memory_means_everything_again(tmp_path: Path) -> None:
    built(tmp_path, [page("a.html", "1")])
    (tmp_path / MEMORY).write_text("{")
    assert built(tmp_path, [page("a.html", "1")]).rendered == 1


def test_a_build_that_was_killed_is_done_again(tmp_path: Path) -> None:
    built(tmp_path, [page("a.html", "1")], "one")
    output = Output(tmp_path)
    output.open()
    output.write([page("a.html", "2")])  # killed before finish
    output = Output(tmp_path)
    output.open()
    assert not output.is_current("two")
    output.write([page("a.html", "2")])
    output.finish("two")
    assert json.loads((tmp_path / MEMORY).read_text())["state"] == "two"
    assert (tmp_path / "a.html").read_text() == "2"


def test_what_a_first_build_that_was_killed_left_is_used_or_removed(tmp_path: Path) -> None:
    output = Output(tmp_path)
    output.open()
    output.begin()
    output.write([Data("data/x", "1", lambda: (b"1", None)), page("r/1/index.html", "x")])  # killed before finish
    built(tmp_path, [Data("data/x", "2", lambda: (b"2", None)), page("a.html", "1")])
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert [name for name in names if name.startswith("data/")] == [
        built(tmp_path, [Data("data/x", "2", lambda: (b"2", None)), page("a.html", "1")]).path("data/x")
    ]


def test_many_processes_make_what_one_makes(tmp_path: Path) -> None:
    files = [page(f"p/{number}.html", str(number)) for number in range(100)]
    built(tmp_path / "one", files)
    built(tmp_path / "four", files, jobs=4)
    assert {path.name: path.read_text() for path in (tmp_path / "one" / "p").iterdir()} == {
        path.name: path.read_text() for path in (tmp_path / "four" / "p").iterdir()
    }
    assert (tmp_path / "one" / MEMORY).read_bytes() == (tmp_path / "four" / MEMORY).read_bytes()


def test_results_come_in_the_order_of_the_items() -> None:
    assert in_processes(lambda number: [number * 2], list(range(101)), 3) == [[number * 2] for number in range(101)]


def test_an_error_in_a_child_is_raised_here() -> None:
    def work(number: int) -> list[int]:
        if number == 57:
            raise StateError("fifty-seven")
        return [number]

    with pytest.raises(StateError, match="fifty-seven"):
        in_processes(work, list(range(100)), 2)


def test_a_child_that_dies_is_said() -> None:
    parent = os.getpid()

    def work(number: int) -> list[int]:
        if os.getpid() != parent:
            os._exit(9)
        return [number]

    with pytest.raises(RunfolioError, match="ended early"):
        in_processes(work, list(range(100)), 2)
