"""Figures become bytes that are the same every time and fetch nothing."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from runfolio.errors import MissingPackageError, UsageError
from runfolio.tracking.figures import render_figure

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


def line(numbers: tuple[int, ...] = (1, 3, 2)) -> Any:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.plot(numbers, label="a")
    axes.set_title("Loss")
    axes.legend()
    return figure


@pytest.fixture
def plotly_line() -> Iterator[Any]:
    objects = pytest.importorskip("plotly.graph_objects")
    return objects.Figure(objects.Scatter(y=[1, 3, 2]), layout={"title": {"text": "Loss"}})


MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "jpg": b"\xff\xd8", "webp": b"RIFF"}


@pytest.mark.parametrize("ending", sorted(MAGIC))
def test_matplotlib_figure_is_written_in_the_format_of_the_ending(ending: str) -> None:
    assert render_figure(line(), f"plots/loss.{ending}").startswith(MAGIC[ending])


@pytest.mark.parametrize("name", ["loss", "loss.d/loss", "LOSS.PNG"])
def test_png_is_the_format_without_an_ending(name: str) -> None:
    assert render_figure(line(), name).startswith(MAGIC["png"])


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_equal_figures_give_equal_bytes_in_another_process(ending: str) -> None:
    program = (
        "import sys, hashlib; from tests.tracking.test_figures import line, render_figure;"
        f"print(hashlib.sha256(render_figure(line(), 'a.{ending}')).hexdigest())"
    )
    digests = {
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=env).stdout
        for env in ({**_environment(), "PYTHONHASHSEED": seed} for seed in ("1", "2"))
    }
    assert len(digests) == 1


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in ["", *sys.path] if "pytest" not in path)}


def test_no_program_and_no_date_is_written() -> None:
    assert b"Software" not in render_figure(line(), "a.png")
    svg = render_figure(line(), "a.svg")
    assert b"<dc:date>" not in svg and b"Matplotlib v" not in svg
    pdf = render_figure(line(), "a.pdf")
    assert b"CreationDate" not in pdf and b"Producer" not in pdf


def test_metadata_that_the_user_asks_for_is_written() -> None:
    assert b"Ada" in render_figure(line(), "a.png", {"metadata": {"Author": "Ada"}})


def test_save_kwargs_reach_savefig() -> None:
    assert len(render_figure(line(), "a.png", {"dpi": 200})) > len(render_figure(line(), "a.png", {"dpi": 50}))


def test_save_kwargs_are_not_changed() -> None:
    given = {"format": "svg", "metadata": {"Title": "t"}}
    render_figure(line(), "a.png", given)
    assert given == {"format": "svg", "metadata": {"Title": "t"}}


def test_format_that_matplotlib_lacks_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\.xyz"):
        render_figure(line(), "a.xyz")


def test_plotly_page_fetches_no_script(plotly_line: Any) -> None:
    page = render_figure(plotly_line, "loss.html").decode()
    assert len(page) > 1_000_000, "plotly.js is inside"
    assert not re.search(r"<script[^>]+src=", page)
    assert not re.search(r"<link[^>]+href=", page)


@pytest.mark.parametrize("option", [{"include_plotlyjs": "cdn"}, {"include_mathjax": "cdn"}])
def test_asking_for_a_cdn_warns_and_embeds(plotly_line: Any, option: dict[str, Any]) -> None:
    with pytest.warns(UserWarning, match="load a script from elsewhere"):
        page = render_figure(plotly_line, "loss.html", option)
    assert not re.search(rb"<script[^>]+src=", page)


def test_plotly_page_is_the_same_every_time(plotly_line: Any) -> None:
    assert render_figure(plotly_line, "a.html") == render_figure(plotly_line, "b.html", {"auto_open": False})


def test_plotly_json_reads_back(plotly_line: Any) -> None:
    assert json.loads(render_figure(plotly_line, "a.json"))["data"][0]["type"] == "scatter"


def test_plotly_ending_that_nothing_writes_is_refused_and_the_others_named(plotly_line: Any) -> None:
    with pytest.raises(UsageError, match=r"\.html, \.json, \.png"):
        render_figure(plotly_line, "a.xyz")


def test_plotly_image_without_kaleido_names_the_command(plotly_line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "kaleido" else real(name, *rest))
    with pytest.raises(MissingPackageError, match="pip install kaleido"):
        render_figure(plotly_line, "a.png")


def test_altair_chart_is_its_specification_with_all_its_data() -> None:
    altair = pytest.importorskip("altair")
    pandas = pytest.importorskip("pandas")
    chart = altair.Chart(pandas.DataFrame({"x": range(6000)})).mark_point().encode(x="x")
    said = json.loads(render_figure(chart, "a.json"))
    assert [len(rows) for rows in said["datasets"].values()] == [6000]
    assert render_figure(chart, "a.json") == render_figure(chart, "b.json")
    with pytest.raises(UsageError, match=r"a\.json"):
        render_figure(chart, "a.png")


@pytest.mark.parametrize("value", [None, "a", 3, [1, 2], object()])
def test_anything_else_is_refused_and_the_accepted_types_named(value: object) -> None:
    with pytest.raises(UsageError, match="matplotlib Figure, a plotly Figure or an altair Chart"):
        render_figure(value, "a.png")


def test_axes_are_refused_with_a_hint() -> None:
    with pytest.raises(UsageError, match=r"pass \.figure"):
        render_figure(line().axes[0], "a.png")


def test_no_plotting_package_is_imported_for_a_wrong_object() -> None:
    program = (
        "import sys\nfrom runfolio.tracking.media import render_figure\nfrom runfolio.errors import UsageError\n"
        "try: render_figure(1, 'a.png')\nexcept UsageError: pass\n"
        "print([name for name in ('matplotlib', 'plotly', 'altair', 'PIL', 'numpy', 'pandas', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=_environment())
    assert done.stdout.strip() == "[]"
