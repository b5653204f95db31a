"""review/sections, review/markdown.py: what the comment says, in which order, and that nothing of it can be turned against its readers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runfolio.diff.states import FieldChange
from runfolio.records.settings import SECTIONS
from runfolio.review.change import Change, CodeChange
from runfolio.review.fitting import render_bodies
from runfolio.review.options import ReportOptions
from tests.review import changes
from tests.review.hosts_markdown import html, other_html, read

NASTY = st.text(alphabet=st.sampled_from("`|\\@#!*_~[]()<>&:/.-{}$ \n\r\tabwx19\u202e\u200b"), min_size=1, max_size=24)
SPOOFS = (
    "<!-- runfolio:review project=demo head=x run=1 -->", "\n<!-- runfolio:review -->\n", "</details>", "<details>", "| a | b |\n|---|---|",
    "```\n@team\n```", "`@team`", "> [!CAUTION]\n> boo", "@team", "![x](https://evil.example/x.png)", "<img src=https://evil.example/x>",
    "~~~", "## All gates passed", "</sub>", "\\|", "a\\|b", "-->", "[x]: https://evil.example", "www.evil.example", "fixes #1", "", " ", "/approve",
)  # fmt: skip
OPTIONS = ReportOptions(marker=(("project", "demo"), ("head", "2b2b2b"), ("run", "17")))


def body(change: Change, **more: object) -> str:
    return render_bodies(change, replace(OPTIONS, **more))[0].replace("\u00a0", " ")  # type: ignore[arg-type]


def headings(text: str) -> list[str]:
    return [found.replace("\u00a0", " ") for found in read(text).headings]


def checked_safe(text: str) -> None:
    for renderer in (html, other_html):
        checked_safe_in(text, renderer)


def checked_safe_in(text: str, renderer: Callable[[str], str]) -> None:
    seen = read(text, renderer)
    assert seen.links == []
    assert seen.images == 0
    assert seen.strange == []
    assert seen.unbalanced == []
    assert seen.comments == [" runfolio:review project=demo head=2b2b2b run=17 "]
    assert text.startswith("<!-- runfolio:review project=demo head=2b2b2b run=17 -->\n")
    assert re.search(r"[@#\[\]<>~]", seen.outside_text.replace("[!CAUTION]", "").replace("[!WARNING]", "")) is None
    assert all(len({len(row) for row in rows}) == 1 for rows in seen.tables)


def test_a_fold_does_not_promise_all_runs_where_the_best_are_listed() -> None:
    text = body(changes.everything(), runs=4)
    assert "10 new runs, the best of them listed" in text and "All 10" not in text


def test_code_and_files_are_told_under_the_experiments_name() -> None:
    change = changes.everything()
    renamed = replace(change, experiments=tuple(replace(item, name=item.name.title()) for item in change.experiments))
    text = body(renamed, sections=("code", "artifacts"))
    assert all(f"`{item.name}`" in text for item in renamed.experiments if item.slug == renamed.artifacts[0].experiment)
    assert f"`{renamed.artifacts[0].experiment}`" not in text


def test_a_comment_says_all_of_a_change_in_the_order_of_a_reviewer() -> None:
    text = body(changes.everything())
    order = [
        "## ", "> [!CAUTION]", "**Existing runs that were edited**", "### Promotions", "### Gates", "### Results", "```mermaid",
        "All 10 new runs", "Packages: 2", "Data: 1", "Code: 2", "Artifacts: 1", "<sub>",
    ]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    checked_safe(text)
    assert read(text).folds == 5


def test_what_leaves_production_for_another_stage_is_no_promotion() -> None:
    text = body(changes.taken_back())
    assert "1 version taken out of Production" in text and "1 promotion" not in text


def test_sections_are_those_asked_for_in_the_order_asked_for() -> None:
    text = body(changes.everything(), sections=("gates", "verdict", "promotions"))
    assert headings(text) == ["Gates", "❌ Do not merge yet: 2 errors to explain and 1 promotion refused", "Promotions"]
    assert set(SECTIONS) == set(ReportOptions().sections)


TITLES: list[tuple[Callable[[], Change], str]] = [
    (changes.improved, "✅ The best result improved"),
    (changes.regressed, "❌ Worse than what is live"),
    (changes.within_noise, "No difference beyond noise"),
    (changes.single, "New results, too few runs to claim a difference"),
    (changes.other_data, "⚠️ New results, not comparable: they come from different data"),
    (changes.tampered, "❌ Do not merge yet: 2 errors to explain"),
    (changes.promoted, "❌ Do not merge yet: 1 promotion refused"),
    (lambda: changes.promoted(changes.GATES[:1]), "✅ The best result improved; a model is promoted"),
    (changes.taken_back, "A model is taken out of Production"),
    (
        lambda: changes.promoted(changes.GATES[2:]),
        "✅ The best result improved; a model is promoted, once the pending gates pass",
    ),
]


@pytest.mark.parametrize(("made", "title"), TITLES)
def test_the_title_is_what_the_change_comes_to(made: Callable[[], Change], title: str) -> None:
    assert headings(body(made()))[0] == title


def test_everything_that_changed_is_counted() -> None:
    assert (
        "10 new training runs in 1 experiment, 1 of them failed · 1 existing run edited · 1 existing run deleted · 1 promotion · "
        "1 of 4 gates passed, 1 failed, 1 waived, 1 pending · 2 other changes of registered models"
    ) in body(changes.everything()).splitlines()


SENTENCES: list[tuple[Callable[[], Change], str]] = [
    (
        changes.improved,
        "`wine`: `accuracy` **improved by 0.0247** (95 % Welch interval +0.0107 to +0.0386, 3 and 3 seeds; best of 3 configurations tried, interval widened for it), against the best so far.",
    ),
    (
        changes.regressed,
        "`wine`: `accuracy` **got worse by 0.0500** (95 % Welch interval −0.0523 to −0.0477, 3 and 3 seeds), against `wine-quality 1 in Production`.",
    ),
    (
        changes.within_noise,
        "`wine`: `accuracy`: **within noise**, +0.0033 (95 % Welch interval −0.0198 to +0.0265, 3 and 3 seeds), against the best so far.",
    ),
    (
        changes.single,
        "`wine`: `accuracy`: **single run: nothing is claimed**; the difference is +0.0500, against the best so far.",
    ),
    (
        changes.other_data,
        "`wine`: `accuracy`: **not comparable: different data**; the numbers differ by +0.0800, against the best so far.",
    ),
]


@pytest.mark.parametrize(("made", "sentence"), SENTENCES)
def test_a_verdict_is_said_in_words_with_its_interval(made: Callable[[], Change], sentence: str) -> None:
    assert sentence in body(made()).splitlines()


def test_better_and_worse_follow_the_declared_direction_not_the_sign() -> None:
    loss = replace(changes.ACCURACY, metric="log_loss", direction="min")
    before, after = changes.seeds("a", (0.90, 0.91, 0.905), depth="3"), changes.seeds("b", (0.97, 0.98, 0.975), 10, depth="4")
    text = body(Change(changes.SPAN, experiments=(changes.experiment(before, after, objective=loss),)))
    assert "`log_loss` **improved by 0.0700**" in text
    assert (
        "| `log_loss` (lower is better) | 0.0950 ± 0.0124 (95 %, mean of 3 seeds) | 0.0250 ± 0.0124 (95 %, mean of 3 seeds) | ✅ ▼ −0.0700, better |"
        in text
    )
    assert "| `accuracy` | 0.9000 | 0.9700 | +0.0700 |" in text, "no direction is declared for it: no arrow, no praise"


def test_within_noise_is_neither_better_nor_worse() -> None:
    text = body(changes.within_noise())
    assert "| +0.0033, within noise |" in text
    assert "better" not in text.replace("higher is better", "")


def test_only_what_differs_stands_beside_the_baseline() -> None:
    rows = read(body(changes.improved(), sections=("results",))).tables[0]
    assert [row[0] for row in rows] == ["", "accuracy (higher is better)", "a run of each", "log_loss", "depth", "trees"]


def test_a_single_run_on_each_side_is_named_as_all_there_is() -> None:
    rows = read(body(changes.single(), sections=("results",))).tables[0]
    assert rows[2][:3] == ["run", "a", "b"]


def test_numbers_that_json_cannot_write_are_spelled_as_in_records() -> None:
    field = FieldChange(("metrics", "loss", "last"), float("nan"), [float("inf"), 1.5])
    edited = changes.Edited(changes.run("a"), "runs/a.json", (field,), ("metrics",))
    rows = read(body(Change(changes.SPAN, edited=(edited,)), sections=("alarms",))).tables[0]
    assert rows[1][1:4] == ["metrics.loss.last", '"NaN"', '["Infinity", 1.5]']


def test_several_experiments_are_put_below_each_other_with_their_course() -> None:
    rows = read(body(changes.several(), sections=("results",))).tables[0]
    assert rows == [
        ["Experiment", "Objective", "Before", "Best new", "Verdict", "New runs", "From the first to the last"],
        ["wine", "accuracy", "0.9567", "0.9813", "✅ improved", "10", "▇██▆▆▅▂▁▁"],
        ["iris", "accuracy", "0.9510", "0.9010", "❌ regressed", "3", "▁▅█"],
        ["notes", "–", "–", "–", "nothing to compare", "1", "–"],
    ]


def test_of_many_experiments_the_first_lines_name_the_worst_and_count_the_rest() -> None:
    change = changes.several()
    many = replace(
        change,
        experiments=(
            *change.experiments[:2],
            *(replace(change.experiments[0], slug=f"e{at}", name=f"e{at}") for at in range(40)),
        ),
    )
    lines = [line for line in body(many, sections=("verdict",)).splitlines() if line.startswith("- ")]
    assert lines[0].startswith("- `iris`: `accuracy` **got worse")
    assert lines[5:] == ["- …and 37 more experiments"]
    assert "…and 12 more experiments" in body(many, sections=("results",))


def test_a_long_text_is_bounded_everywhere() -> None:
    shown = body(changes.hostile("x" * 100_000))
    assert len(shown) < 20_000
    assert "(+99,940)" in shown
    checked_safe(shown)


def test_gates_name_their_file_and_line_and_waivers_their_reason_and_end() -> None:
    text = body(changes.promoted(), sections=("gates",))
    rows = read(text).tables[0]
    assert [row[0].split()[-1] for row in rows[1:]] == ["failed", "pending", "waived", "passed"]
    assert "of `wine-quality` 2 → `Production` (`models/wine-quality/model.yaml:7`): ❌ refused, 1 of 4 gates failed." in text
    assert rows[3][2] == "Loading it runs code: model.pkl. Waived by ada until 2027-01-15: the pickle is our own"


def test_each_gate_of_several_promotions_names_its_own_place() -> None:
    other = changes.promotion(changes.GATES[:1], "iris")
    rows = read(body(replace(changes.promoted(), promotions=(changes.promotion(), other)), sections=("gates",))).tables[0]
    places = {row[2]: row[4] for row in rows[1:]}
    assert places == {
        "wine-quality 2 → Production": "models/wine-quality/model.yaml:7",
        "iris 2 → Production": "models/iris/model.yaml:7",
    }


def test_a_stage_that_a_promotion_tells_is_not_told_twice() -> None:
    text = body(changes.promoted(), sections=("promotions",))
    assert "1: Production to Archived" in text
    assert "Staging to Production" not in text


def test_nothing_is_said_where_nothing_changed() -> None:
    assert render_bodies(changes.nothing(), OPTIONS) == []
    assert headings(body(changes.nothing(), quiet=False)) == ["Nothing that runfolio looks at changed"]


def test_rows_are_bounded_and_the_rest_is_counted() -> None:
    text = body(changes.many(60, 60), runs=5, sections=("runs",))
    assert len(read(text).tables[0]) == 6
    assert "…and 55 more runs" in text
    assert body(changes.everything(), rows=1, sections=("alarms",)).count("…and") == 2


@pytest.mark.parametrize("text", SPOOFS)
def test_a_hostile_text_in_every_field_does_nothing(text: str) -> None:
    for limit in (60_000, 4_000):
        checked_safe(body(changes.hostile(text), limit=limit))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(NASTY)
@example("@a|`")
@example("\\")
def test_no_text_does_anything(text: str) -> None:
    shown = body(changes.hostile(text))
    checked_safe(shown)
    expected = read(body(changes.hostile("x")))
    assert [len(rows) for rows in read(shown).tables] == [len(rows) for rows in expected.tables]
    assert [len(rows[0]) for rows in read(shown).tables] == [len(rows[0]) for rows in expected.tables]


def test_code_that_is_the_same_and_code_that_is_missing_are_told_apart() -> None:
    def folded(*found: CodeChange) -> str:
        return body(replace(changes.improved(), code=found), sections=("code",))

    assert "Code: the same" in folded(CodeChange("wine", "", changes.HEAD))
    assert "Code: 2 files differ" in folded(changes.promoted().code[0], CodeChange("iris", "", "", (), "it is not kept"))
    assert "Code: nothing to compare" in folded(CodeChange("wine", "", "", (), "the code of a is not kept"))


def test_a_branch_name_is_no_command() -> None:
    change = replace(changes.improved(), span=replace(changes.SPAN, head_text="$(reboot)`id`"))
    assert "`runfolio diff 1a1a1a1a1a..2b2b2b2b2b`" in body(change)


def test_a_file_that_differs_for_two_experiments_is_one_file() -> None:
    files = (("train.py", 12, 3),)
    made = tuple(CodeChange(name, changes.BASE, changes.HEAD, files) for name in ("wine", "iris"))
    assert "Code: 1 file differs" in body(replace(changes.improved(), code=made))
