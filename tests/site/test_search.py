"""The search page: what it looks through, and what it finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.site import BuildOptions, build_site
from runfolio.site.data import search
from tests.site.folios import committed, plain_folio
from tests.site.test_publishing import value_of


def searched(out: Path) -> dict[str, Any]:
    [path] = out.glob("data/search.*.js")
    value: dict[str, Any] = value_of(path)
    return {**value, "runs": [run for part in value["parts"] for run in value_of(out / part)]}


def test_all_experiments_and_the_newest_runs_are_looked_through(folio_dir, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_RUNS", 3)
    monkeypatch.setattr(search, "PART", 2)
    folio = plain_folio(folio_dir, 5)
    build_site(folio, tmp_path / "out", BuildOptions())
    value = searched(tmp_path / "out")
    assert [name for name, *_ in value["experiments"]] == ["wine"]
    assert [name for name, *_ in value["runs"]] == ["run 4", "run 3", "run 2"]
    assert value["left"] == 2


@pytest.mark.browser
def test_runs_are_found_by_name_id_user_and_tag(folio_dir, tmp_path, open_page) -> None:
    plain_folio(folio_dir, 12)
    runfolio.set_tracking_uri(str(folio_dir))
    runfolio.set_experiment("iris of 1936")
    with runfolio.start_run(run_name="<b>calm</b>-otter") as run:
        runfolio.set_tag("team", "Rot & Blau")
    folio = committed(folio_dir)
    out = tmp_path / "out"
    build_site(folio, out, BuildOptions())
    page = open_page(out / "search.html")
    found = "[...document.querySelectorAll('#search-found li')].map(line => [line.querySelector('a').textContent, line.querySelector('.muted').textContent])"

    def search_for(text: str) -> list[list[str]]:
        page.fill("#search-box", text)
        page.wait_for_selector(".search-told")
        result: list[list[str]] = page.evaluate(found)
        return result

    assert search_for("otter CALM") == [["<b>calm</b>-otter", "run of iris of 1936"]]
    assert search_for("rot blau") == [["<b>calm</b>-otter", "run of iris of 1936"]]
    assert search_for(run.info.run_id[:14]) == [["<b>calm</b>-otter", "run of iris of 1936"]]
    assert search_for("1936")[0] == ["iris of 1936", "1 run"]
    assert ["runs: iris of 1936: 1 run", "commit"] in search_for("1936")[1:]
    assert len([about for _, about in search_for("run") if about == "run of wine"]) == 12
    assert [name for name, _ in search_for("run 1")][:3] == ["run 11", "run 10", "run 1"]
    assert search_for("no such thing") == []
    assert page.text_content(".search-told") == "Nothing found."
    assert page.is_hidden("#search-all")
    search_for("run 11")
    again = open_page(page.url)
    again.wait_for_selector("#search-found a")
    assert again.input_value("#search-box") == "run 11"
    again.click("#search-found a")
    again.wait_for_url("**/r/*/index.html")
