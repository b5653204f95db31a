"""The filter language in JavaScript gives the answers, and the words, of the one in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runfolio.errors import UsageError
from runfolio.formats.canonical import read_number
from runfolio.query import compile_like, parse_filter, parse_order_by
from tests.query.golden_table import golden
from tests.site.table_site import TableSite

pytestmark = pytest.mark.browser

ANSWER = """async ({ page, cases }) => {
  const columns = new rf.Columns(page);
  const ids = await columns.get("attributes.run_id");
  const all = rf.order.newestFirst(columns.length, await columns.get("attributes.start_time"));
  const answers = [];
  for (const { filter, order_by } of cases) {
    try {
      const clauses = rf.filter.parse(filter);
      const keys = rf.filter.parseOrder(order_by);
      const held = new Map();
      for (const key of rf.filter.keys([...clauses, ...keys])) held.set(key, await columns.get(key));
      const rows = rf.filter.apply(clauses, (key) => held.get(key), all);
      const order = keys.map(({ entity, key, ascending }) => ({ column: held.get(`${entity}.${key}`), ascending }));
      answers.push({ expect: Array.from(rf.order.sort(rows, order), (row) => ids.text(row)) });
    } catch (error) {
      if (!(error instanceof rf.FilterError)) throw error;
      answers.push({ error: error.message });
    }
  }
  return answers;
}"""


def golden_rows() -> list[dict[str, Any]]:
    """The runs of the golden table as cells; what one page has in common (experiment, lifecycle) as columns, too."""
    rows = []
    for run in sorted(golden()["runs"], key=lambda run: (run["start"], run["run_id"])):
        row: dict[str, Any] = {
            "run_id": run["run_id"],
            "attributes.run_name": run["name"],
            "attributes.status": run["status"],
            "attributes.start_time": run["start"],
            "attributes.duration": None if run["end"] is None else run["end"] - run["start"],
            "attributes.experiment_id": "0" if run["experiment"] == "default" else run["experiment"],
            "attributes.lifecycle_stage": run["lifecycle"],
            "attributes.user_id": run["user"] or None,
            "attributes.parent_run_id": run.get("parent"),
        }
        row |= {f"params.{key}": value for key, value in run["params"].items()}
        row |= {f"metrics.{key}": read_number(value) for key, value in run["metrics"].items()}
        row |= {f"tags.{key}": value for key, value in run["tags"].items() if not key.startswith("mlflow.")}
        if run["inputs"]:
            row["datasets.name"] = [item["name"] for item in run["inputs"]]
            row["datasets.digest"] = [item["digest"] for item in run["inputs"]]
            row["datasets.context"] = [item.get("context", "") for item in run["inputs"]]
        rows.append({key: value for key, value in row.items() if value is not None})
    return rows


def error_of(case: dict[str, Any]) -> str:
    with pytest.raises(UsageError) as caught:
        parse_filter(case["filter"])
        parse_order_by(case["order_by"])
    return caught.value.message


def served(scripts_page: Any, rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Write the rows' data beside the page of scripts, and return what a page would know of it."""
    folder = Path(scripts_page.evaluate("new URL('.', document.baseURI).pathname"))
    return TableSite(folder, rows, core=["attributes.run_name", "attributes.start_time", "attributes.duration"], **more).page_data


@pytest.mark.parametrize("shard", [25_000, 5], ids=["one shard", "three shards"])
def test_every_golden_case_has_the_same_answer_and_every_error_the_same_words(scripts_page, shard: int) -> None:
    cases = golden()["cases"]
    page = served(scripts_page, golden_rows(), shard=shard, pack=3)
    answers = scripts_page.evaluate(ANSWER, {"page": page, "cases": cases})
    wanted = [{"expect": case["expect"]} if "expect" in case else {"error": error_of(case)} for case in cases]
    differing = [(case, found, said) for case, found, said in zip(cases, answers, wanted, strict=True) if found != said]
    assert differing == []


HARD = [
    "params.x = 'unclosed",
    "metrics.ａｂｃ ~ 1",
    "tags.😀😀😀 = nothing",
    "params.e\u0301e\u0301 > '1'",
    "params." + "long" * 60 + " == 'x'",
    "x" * 300 + " = 1",
    "it's = 1",
    'attributes."it\'s" = 1',
    "__proto__ = 1",
    "constructor.x = 1",
    "metrics.acc > 1 AND\u3000metrics.acc <> 2",
    "metrics.acc > 1\tOR 2",
]


@pytest.mark.parametrize("text", HARD, ids=lambda text: ascii(text)[:30])
def test_hard_texts_are_refused_in_the_same_words(scripts_page, text: str) -> None:
    said = scripts_page.evaluate("text => { try { rf.filter.parse(text); } catch (error) { return error.message; } }", text)
    assert said == error_of({"filter": text, "order_by": []})


LIKES = [
    "",
    "%",
    "_",
    "%%",
    "a%",
    "%a",
    "%a%",
    "a_c",
    "a%b%c",
    "%ab%ab",
    "ab%ab",
    "_%_",
    "%_",
    ".",
    "a.c",
    "[a]",
    "a\\b",
    "%\n%",
    "a/b",
    "(",
    "😀",
    "_b",
]
TEXTS = ["", "a", "ab", "abc", "abab", "aab", "A", "a.c", "axc", "[a]", "a\\b", "a\nb", "a/b", "(", "😀", "😀b", "ab ab ab", "É"]


def test_like_means_the_same(scripts_page) -> None:
    found = scripts_page.evaluate(
        "([likes, texts]) => likes.map((like) => [false, true].map((ignore) => texts.map(rf.filter.like(like, ignore))))",
        [LIKES, TEXTS],
    )
    wanted = [[[compile_like(like, ignore_case=ignore)(text) for text in TEXTS] for ignore in (False, True)] for like in LIKES]
    assert found == wanted
