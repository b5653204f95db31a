"""Hostile text in every field of a run: it is shown as text, runs nothing, asks for nothing and breaks no layout."""

from __future__ import annotations

from typing import Any

import pytest

from tests.site.table_site import TableSite
from tests.site.visiting import leave_dialog

pytestmark = pytest.mark.browser

EVIL = [
    "<img src=x onerror=alert(1)>",
    "</script><script>window.ran=1</script>",
    "\"><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "' OR 1=1 --",
    "a" * 250,
    "\u202eright to left\u202c עברית",
    "nul\u0000 bell\u0007 \u2028 \u2029",
    "=HYPERLINK(\"http://evil.example\")",
    "e\u0301" * 60,
    "__proto__",
    "constructor",
    "<!--",
    "]]>",
    "&lt;b&gt;",
    "",
]  # fmt: skip


def evil_rows() -> tuple[list[dict[str, Any]], list[str]]:
    rows = []
    for at, text in enumerate(EVIL):
        row: dict[str, Any] = {
            "run_id": f"{at:032x}", "attributes.run_name": text, "attributes.status": "FINISHED" if at % 2 else text,
            "attributes.start_time": at * 10**15 - 10**16, "attributes.user_id": text, "metrics.acc": at / 10,
        }  # fmt: skip
        for other in EVIL[:14]:
            row[f"params.{other}"] = text
        row[f"metrics.{text}"] = float("nan")
        row[f"tags.{text}"] = text
        row["datasets.name"] = [text, text]
        rows.append(row)
    core = [
        "attributes.run_name",
        "metrics.acc",
        *(f"params.{text}" for text in EVIL[:6]),
        "attributes.status",
        "attributes.start_time",
    ]
    return rows, core


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_hostile_text_is_text(open_page, tmp_path, phone: bool) -> None:
    rows, core = evil_rows()
    site = TableSite(
        tmp_path, rows, core=core, objective={"metric": "acc", "direction": "max", "replicate": EVIL[0]}, baseline=1, name=EVIL[1]
    )
    page = open_page(site.page(range(len(rows))), phone=phone)
    page.evaluate("rf.table.ready")
    for key in ("attributes.run_name", f"params.{EVIL[0]}", "attributes.user_id"):
        page.evaluate("key => rf.table.sortBy(key)", key)
    page.evaluate("keys => rf.table.set({ keys })", [key for key in site.columns if key != "attributes.run_name"])
    page.evaluate("rf.table.set({ grouped: true })")
    page.evaluate("rf.table.fold(rf.table.entries.find(Array.isArray) || [0, 0])")
    page.evaluate("rf.table.set({ grouped: false })")
    page.click("[data-do=columns]")
    leave_dialog(page)
    for text in EVIL:
        page.fill("#rf-filter", f"tags.`{text}` = '{text}'")
        page.keyboard.press("Enter")
    page.fill("#rf-filter", "")
    page.keyboard.press("Enter")
    page.evaluate("rf.table.select([...rf.table.rows], true)")
    page.evaluate("rf.bytesOf(rf.table, 'csv').then(() => rf.bytesOf(rf.table, 'parquet'))")
    assert page.evaluate("typeof window.ran") == "undefined"
    assert page.locator("main img, main script, main iframe").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    names = page.evaluate("rf.table.column('attributes.run_name').dict")
    assert set(names) == set(EVIL)
    shown = set(page.eval_on_selector_all(".runs-rows a", "links => links.map(link => link.textContent)"))
    assert shown <= {*EVIL, f"{len(EVIL) - 1:032x}"[:12]}
    assert f"{len(EVIL) - 1:032x}"[:12] in shown  # a run without a name goes by its id
    heights = page.eval_on_selector_all(".runs-rows tr", "rows => [...new Set(rows.map(row => row.offsetHeight))]")
    assert heights == [64 if phone else 36]


@pytest.mark.parametrize(
    "fragment", ["#q=%", "#s=&c=&sel=&base=&g=", "#sel=../../evil,<img>&base=javascript:x", "#c=" + "x," * 500, "#q=%E0%A4%A"]
)
def test_a_hostile_address_is_a_state_like_any_other(open_page, tmp_path, fragment: str) -> None:
    rows, core = evil_rows()
    path = TableSite(
        tmp_path, rows, core=core, objective={"metric": "acc", "direction": "max", "replicate": None}, baseline=1
    ).page()
    page = open_page(path.as_uri() + fragment)
    page.evaluate("rf.table.ready")
    page.keyboard.press("?")
    assert page.locator("dialog").count() == 1
    assert page.locator(".runs-rows tr").count() > 0
