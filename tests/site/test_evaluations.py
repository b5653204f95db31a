"""Evaluations on the pages of runs and of versions: drawn by scripts, told without them, harmless whatever a document says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.folio import initialise, open_folio
from runfolio.site import BuildOptions, build_site
from runfolio.site.calling import uses_of
from runfolio.tracking.session import forget_sessions
from tests.conftest import GIT_CONFIG, git
from tests.site.test_accessible import violations
from tests.site.visiting import faults_at_each_width, settled

pandas = pytest.importorskip("pandas")
numpy = pytest.importorskip("numpy")
pytest.importorskip("sklearn")

CONFIG = {"log_plots": False, "bootstrap_resamples": 60}
HOSTILE = {
    "format": "runfolio-evaluation",
    "schema": 1,
    "model": {"name": "<img src=x onerror=alert(1)>"},
    "metrics": {
        "</script><script>alert(1)</script>": {"value": "NaN", "low": "Infinity", "high": 1},
        "roc_auc": {"value": 1e299},
    },
    "notes": ["<b>note</b>"],
    "slices": {
        "metric": "x",
        "rows": [{"name": "<i>s</i>", "rows": 1, "metrics": {"x": {"value": "-Infinity"}}}, {"name": "empty"}],
    },
    "confusion": {"labels": ["<u>a</u>", "b"], "counts": [[0, 0], [9007199254740990, 1]]},
    "curves": [{"label": "x"}, {"label": "y", "roc": {"fpr": [0, 1], "tpr": [0, 1]}}],
    "residuals": {"target": [1e299, -1e299], "prediction": [0, 0], "edges": [0, 0], "rows": [3]},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folio with a registered model that another run evaluated, a regression, and a document that somebody made up."""
    from sklearn.linear_model import LinearRegression, LogisticRegression

    folder = tmp_path_factory.mktemp("evaluated")
    (folder / "config").write_text(GIT_CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", str(folder / "config"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        folio = folder / "folio"
        folio.mkdir()
        git(folio, "init", "-q")
        git(folio, "commit", "-qm", "first", "--allow-empty")
        initialise(folio, commit=True).folio.close()
        runfolio.set_tracking_uri(folio)
        generator = numpy.random.default_rng(0)
        X = pandas.DataFrame({"a": generator.normal(size=200), "b": generator.normal(size=200)})
        y = (X["a"] + generator.normal(0, 0.7, 200) > 0).map({False: "no", True: "yes"})
        good, bad = LogisticRegression().fit(X, y), LogisticRegression().fit(X[["a", "b"]].assign(a=0), y)
        with runfolio.start_run(run_name="train"):
            signature = runfolio.models.infer_signature(X, good.predict(X))
            info = runfolio.sklearn.log_model(
                good, "model", signature=signature, input_example=X.head(1), registered_model_name="line"
            )
            runfolio.sklearn.log_model(bad, "other")
        data = runfolio.data.from_pandas(
            X.assign(y=y, side=(X["b"] > 0).map({True: "left", False: "right"})), targets="y", name="held out"
        )
        with runfolio.start_run(run_name="evaluate"):
            runfolio.evaluate(
                "models:/line/1", data, model_type="classifier", baseline_model=bad, slices=["side"], evaluator_config=CONFIG,
                feature_names=["a", "b"],
            )  # fmt: skip
        with runfolio.start_run(run_name="numbers"):
            runfolio.evaluate(
                LinearRegression().fit(X[["a"]], X["b"]),
                X,
                targets="b",
                model_type="regressor",
                slices=["a"],
                evaluator_config=CONFIG,
            )
        with runfolio.start_run(run_name="hostile"):
            runfolio.log_dict(HOSTILE, "evaluation.json")
        assert info.registered_model_version == 1
        forget_sessions()
        runfolio.set_tracking_uri(None)
        yield folio


def built(folder: Path, out: Path, **options: Any) -> Path:
    folio = open_folio(folder)
    try:
        build_site(folio, out, BuildOptions(**options))
    finally:
        folio.close()
    return out


@pytest.fixture(scope="module")
def site(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(place, tmp_path_factory.mktemp("site") / "site")


def page_of(site: Path, name: str) -> Path:
    """Return the page of the run of that name."""
    (found,) = (path for path in site.glob("r/*/index.html") if f"<h1>{name}</h1>" in path.read_text("utf-8"))
    return found


def section(page: Path) -> str:
    """Return the section of the evaluation, without the document that its script reads."""
    text = page.read_text("utf-8")
    before, _, after = text.partition('id="evaluation"')[2].partition('<script type="application/json">')
    return before + after.partition("</script>")[2].partition('<section id="metrics"')[0].partition('<section id="artifacts"')[0]


def test_without_scripts_the_facts_are_told(site: Path) -> None:
    for page in (page_of(site, "evaluate"), site / "m" / "line" / "1" / "index.html"):
        said = section(page)
        for words in (
            "roc_auc by slice", "side = left", "ROC curve", "Precision and recall", "Calibration", "Brier score", "Confusion matrix",
            "held out (", "95 % interval", "McNemar", "wilson", "bootstrap", "False positive rate", "<dd>yes</dd>",
        ):  # fmt: skip
            assert words in said, words
        assert said.count('class="chart-svg"') == 3
        assert said.count('class="slice-dot"') >= 3
    numbers = section(page_of(site, "numbers"))
    assert "Answers over true values" in numbers
    assert "root_mean_squared_error by slice" in numbers
    assert '<th scope="row">root_<wbr>mean_<wbr>squared_<wbr>error ' in numbers, "a line ends between words, not in one"


def test_a_small_confusion_matrix_stands_beside_three_charts(site: Path) -> None:
    said = section(page_of(site, "evaluate"))
    grid = said.split('<div class="chart-grid">')[1].split("data-explorer")[0]
    assert grid.count("data-evaluation-chart") == 3
    assert said.count("Confusion matrix</h3>") == grid.count("Confusion matrix</h3>") == 1


def test_most_of_the_metrics_that_an_evaluation_logs_are_folded_away(site: Path) -> None:
    part = page_of(site, "evaluate").read_text("utf-8").split('<section id="metrics"')[1].split("</section>")[0]
    assert part.split("<details")[0].count('<th scope="row">') == 12


def test_a_version_links_to_the_run_that_evaluated_it(site: Path) -> None:
    said = section(site / "m" / "line" / "1" / "index.html")
    assert f"r/{page_of(site, 'evaluate').parent.name}/index.html" in said


def test_a_version_says_how_to_call_it(site: Path, place: Path, tmp_path: Path) -> None:
    text = (site / "m" / "line" / "1" / "index.html").read_text("utf-8")
    assert "runfolio models serve -m models:/line/1 -p 5000" in text
    assert "curl http://127.0.0.1:5000/invocations" in text
    assert "0.12573022" in text  # the input example
    public = (built(place, tmp_path / "public", public=True) / "m" / "line" / "1" / "index.html").read_text("utf-8")
    assert "0.12573022" not in public
    assert "[[0.5, 0.5]]" in public.replace("&#34;", '"')


def test_what_is_called_is_quoted() -> None:
    lines = [line for _, lines in uses_of("a b", "a-b", "/1", "1", """{"inputs": ["it's"]}""") for line in lines]
    assert "runfolio models serve -m 'models:/a b/1' -p 5000" in lines
    assert """  -d '{"inputs": ["it'"'"'s"]}'""" in lines


@pytest.mark.browser
def test_scripts_draw_the_curves_and_move_the_threshold(site: Path, open_page: Callable[..., Any]) -> None:
    page = open_page(site / "m" / "line" / "1" / "index.html")
    assert faults_at_each_width(page) == []
    assert page.locator("#evaluation canvas[role=img]").count() == 3
    flagged = page.locator(".explorer dl div").filter(has_text="Flagged").locator("dd")
    slider = page.get_by_label("Threshold", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    assert flagged.inner_text() == "200"
    page.keyboard.press("End")
    assert flagged.inner_text() == "0"
    cells = page.locator(".explorer td").all_inner_texts()
    assert sum(map(int, cells)) == 200
    page.get_by_label("Metric of the slices").select_option("accuracy_score")
    assert page.locator(".slices-card h3").inner_text() == "accuracy_score by slice"
    assert page.locator(".slices tbody tr").count() == 3


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_section_is_accessible(site: Path, open_page: Callable[..., Any], dark: bool) -> None:
    for path in (site / "m" / "line" / "1" / "index.html", page_of(site, "numbers")):
        page = open_page(path, dark=dark, phone=dark, bypass_csp=True)
        settled(page)
        assert violations(page) == []


@pytest.mark.browser
def test_what_a_matrix_says_is_read_whole_on_a_phone(site: Path, open_page: Callable[..., Any]) -> None:
    page = open_page(page_of(site, "evaluate"), phone=True)
    caption = page.locator("#evaluation .card .confusion.plain-wrap caption")
    caption.evaluate("item => item.textContent = item.textContent.replace(/[0-9]+ of [0-9]+/, '1,073 of 1,200')")
    beyond = "item => item.getBoundingClientRect().right - item.closest('.card').getBoundingClientRect().right"
    assert caption.evaluate(beyond) <= 0
    assert caption.evaluate("item => item.closest('.plain-wrap').scrollWidth - item.closest('.plain-wrap').clientWidth") <= 0


@pytest.mark.browser
def test_the_page_of_any_run_draws_it_from_data(site: Path, open_page: Callable[..., Any]) -> None:
    run_id = page_of(site, "evaluate").parent.name
    page = open_page(f"file://{site}/r/run.html#{run_id}")
    page.wait_for_selector(".preview.evaluation .explorer")
    assert faults_at_each_width(page) == []
    assert page.locator(".preview.evaluation .slices tbody tr").count() == 3


@pytest.mark.browser
def test_a_document_that_somebody_made_up_is_harmless(site: Path, open_page: Callable[..., Any]) -> None:
    path = page_of(site, "hostile")
    text = path.read_text("utf-8")
    assert "<script>alert" not in text
    assert "<b>note</b>" not in text
    page = open_page(path)
    assert faults_at_each_width(page) == []
    page = open_page(f"file://{site}/r/run.html#{path.parent.name}")
    page.wait_for_selector(".preview.evaluation")
    assert faults_at_each_width(page) == []


def test_a_second_build_writes_no_page_again(place: Path, tmp_path: Path) -> None:
    out = built(place, tmp_path / "site")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.html")}
    built(place, out)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.html")} == before
