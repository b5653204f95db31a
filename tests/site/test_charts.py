"""The canvas kit in a real browser: scales, smoothing, measures of association, and that nothing is drawn that is not there."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.97, 0.984), (-3, 7), (0, 1e9), (1e-9, 3e-9), (-0.001, 0.002), (5, 5)])
def test_linear_ticks_are_round_rise_and_have_labels_of_their_own(scripts_page: Any, low: float, high: float) -> None:
    ticks, labels = scripts_page.evaluate(
        "([lo, hi]) => { const s = rf.kit.scale('linear', lo, hi, 0, 300), t = s.ticks(5); return [t, s.labels(t)]; }",
        [low, high],
    )
    assert all(one < other for one, other in pairwise(ticks))
    assert 2 <= len(ticks) <= 11
    assert len(set(labels)) == len(labels)


def test_a_log_scale_has_no_place_for_zero_and_maps_there_and_back(scripts_page: Any) -> None:
    found = scripts_page.evaluate(
        "() => { const s = rf.kit.scale('log', 1e-5, 10, 200, 0);"
        "return [s.map(0), s.map(-1), s.map(1e-5), s.map(10), s.inv(s.map(0.03)), s.ticks(5)]; }"
    )
    zero, negative, low, high, back, ticks = found
    assert math.isnan(zero)
    assert math.isnan(negative)
    assert (low, round(high, 9)) == (200, 0)
    assert back == pytest.approx(0.03)
    assert all(1e-5 <= tick <= 10.0001 for tick in ticks)
    assert len(ticks) >= 3


def test_times_are_labelled_by_what_differs(scripts_page: Any) -> None:
    labels = scripts_page.evaluate(
        "() => [3600e3, 5 * 864e5, 400].map((span) => { const s = rf.kit.scale('time', 1.7e12, 1.7e12 + span, 0, 300), t = s.ticks(4); return s.labels(t); })"
    )
    assert all(len(set(each)) == len(each) for each in labels)
    assert labels[0][0].count(":") == 1
    assert labels[1][0].count("-") == 1


def test_one_moment_is_shown_with_its_minute_and_steps_at_whole_numbers(scripts_page: Any) -> None:
    at = "const s = rf.kit.scale('time', 1.7e12, 1.7e12, 0, 300), t = s.ticks(4); return [s.lo, s.hi, t, s.labels(t)];"
    low, high, ticks, labels = scripts_page.evaluate(f"() => {{ {at} }}")
    assert 1.7e12 - 3_600_000 < low < 1.7e12 < high < 1.7e12 + 3_600_000
    assert len(ticks) >= 2 and all(label.count(":") == 2 for label in labels)
    steps = scripts_page.evaluate("() => [4, 1, 2000].map((last) => rf.kit.scale('whole', 0, last, 0, 900).ticks(14))")
    assert steps[0] == [0, 1, 2, 3, 4] and steps[1] == [0, 1]
    assert 5 < len(steps[2]) < 30


def ema(values: list[float], weight: float) -> list[float]:
    """TensorBoard's debiased exponential moving average, by its definition as a weighted mean of all earlier values."""
    made = []
    seen: list[float] = []
    for value in values:
        if math.isfinite(value):
            seen.append(value)
        weights = [weight ** (len(seen) - 1 - at) for at in range(len(seen))]
        mean = sum(a * b for a, b in zip(weights, seen, strict=True)) / sum(weights) if seen else math.nan
        made.append(mean if math.isfinite(value) else math.nan)
    return made


@pytest.mark.parametrize("weight", [0.0, 0.5, 0.9, 0.99])
def test_smoothing_is_the_debiased_mean_and_gaps_stay_gaps(scripts_page: Any, weight: float) -> None:
    values = [1.0, 3.0, math.nan, 2.0, -5.0, math.inf, 0.25]
    found = scripts_page.evaluate("([v, w]) => Array.from(rf.curves.smooth(Float64Array.from(v), w))", [values, weight])
    for one, other in zip(found, ema(values, weight), strict=True):
        assert (math.isnan(one) and math.isnan(other)) or one == pytest.approx(other)


def test_values_that_are_far_apart_are_smoothed_less(scripts_page: Any) -> None:
    values, steps, weight = [1.0, 3.0, math.nan, 2.0, -5.0], [0, 1, 2, 50, 400], 0.9
    found = scripts_page.evaluate(
        "([v, x, w]) => Array.from(rf.curves.smooth(Float64Array.from(v), w, Float64Array.from(x)))", [values, steps, weight]
    )
    for at, one in enumerate(found):
        seen = [(values[place], weight ** (steps[at] - steps[place])) for place in range(at + 1) if math.isfinite(values[place])]
        mean = sum(value * share for value, share in seen) / sum(share for _, share in seen)
        assert math.isnan(one) if math.isnan(values[at]) else one == pytest.approx(mean)


def test_the_first_smoothed_value_is_the_first_value(scripts_page: Any) -> None:
    assert scripts_page.evaluate("rf.curves.smooth([7, 7, 7], 0.99)[0]") == pytest.approx(7)


def test_ranks_share_ties_and_correlation_is_spearmans(scripts_page: Any) -> None:
    assert scripts_page.evaluate("Array.from(rf.ranks([10, 20, 10, 5]))") == [2.5, 4, 2.5, 1]
    xs, ys = [1, 2, 3, 4, 5, 6, 7, 8], [1, 4, 9, 16, 25, 36, 49, 640]
    told = scripts_page.evaluate(
        "([a, b]) => rf.association({values: a, names: null}, {values: b}, a.map((_, at) => at))", [xs, ys]
    )
    assert told["share"] == pytest.approx(1)
    assert (told["sign"], told["n"], told["kind"]) == (1, 8, "rho")


def test_the_share_between_categories_is_epsilon_squared(scripts_page: Any) -> None:
    groups, values = [0, 0, 0, 1, 1, 1, 2, 2, 2], [1.0, 2, 3, 2, 3, 4, 7, 8, 9]
    mean = sum(values) / 9
    total = sum((value - mean) ** 2 for value in values)
    within = sum((value - sum(values[g * 3 : g * 3 + 3]) / 3) ** 2 for g, value in zip(groups, values, strict=True))
    expected = 1 - (within / 6) / (total / 8)
    assert scripts_page.evaluate("([g, v]) => rf.correlationRatio(g, v)", [groups, values]) == pytest.approx(expected)


def test_a_param_that_names_each_run_explains_nothing(scripts_page: Any) -> None:
    assert scripts_page.evaluate("rf.correlationRatio([0, 1, 2, 3, 4], [5, 1, 3, 2, 4])") == 0


def test_the_best_line_rises_only(scripts_page: Any) -> None:
    rows = scripts_page.evaluate("rf.frontier([3, 1, 2, 4, NaN], [5, 2, 1, 9, 99], [0, 1, 2, 3, 4], true)")
    assert rows == [1, 0, 3]
    assert scripts_page.evaluate("rf.frontier([3, 1, 2, 4], [5, 2, 1, 9], [0, 1, 2, 3], false)") == [1, 2]


def test_package_lists_are_compared_by_name(scripts_page: Any) -> None:
    changes = scripts_page.evaluate("rf.packageChanges(['a==1', 'b==2', 'd @ file:///x'], ['a==1', 'b==3', 'c==1'])")
    assert [(item["name"], item["what"], item["before"], item["after"]) for item in changes] == [
        ("b", "changed", "2", "3"),
        ("c", "added", "", "1"),
        ("d", "removed", "@ file:///x", ""),
    ]


def test_only_what_differs_and_nan_is_the_same_as_nan(scripts_page: Any) -> None:
    found = scripts_page.evaluate(
        "rf.differences([{a: 1, n: NaN, constructor: 'x'}, {a: 2, n: NaN, constructor: 'x'}, {a: 1, n: NaN}])"
    )
    assert {row["key"]: row["differs"] for row in found} == {"a": True, "n": False, "constructor": True}


def test_pictures_are_grouped_by_their_name_without_its_last_number(scripts_page: Any) -> None:
    groups = scripts_page.evaluate(
        "rf.pictureGroups([{run_id: 'a', artifacts: ['s/e-10.png', 's/e-9.png', 'roc.png'].map((path) => ({path, preview: {kind: 'image'}}))}], ['image'])"
    )
    assert [(group["name"], [step["path"] for step in group["steps"]]) for group in groups] == [
        ("roc.png", ["roc.png"]),
        ("s/e-#.png", ["s/e-9.png", "s/e-10.png"]),
    ]


def test_pictures_that_log_image_named_are_grouped_by_key_and_step(scripts_page: Any) -> None:
    names = [
        f"images/a#b%step%{step}%timestamp%{at}%z12-34{ending}"
        for step, at in ((10, 7), (9, 8))
        for ending in (".png", "%compressed.webp")
    ]
    groups = scripts_page.evaluate(
        "(names) => rf.pictureGroups([{run_id: 'a', artifacts: names.map((path) => ({path, preview: {kind: 'image'}}))}], ['image'])",
        names,
    )
    assert [(group["name"], [step["path"] for step in group["steps"]]) for group in groups] == [("a/b", [names[2], names[0]])]
    assert scripts_page.evaluate("(path) => rf.artifactName(path)", names[0]) == "a/b, step 10"


def test_a_cell_that_a_spreadsheet_would_run_is_text(scripts_page: Any) -> None:
    assert scripts_page.evaluate("rf.kit.csv([['=cmd|calc', '-1.5', 'a,\"b', null]])") == '\'=cmd|calc,-1.5,"a,""b",\n'


CHART = """(runs) => {
  const group = rf.curves.group(), host = document.createElement('div');
  host.style.width = '600px';
  document.body.append(host);
  const made = rf.curves.chart('loss', runs, group, { height: 200 });
  host.append(made.node);
  window.made = made;
  window.group = group;
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(() => done(made.base.getAttribute('aria-label'))))));
}"""
INK = "() => { const c = made.base, d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n; }"


def run(values: list[Any], slot: int = 0, **more: Any) -> dict[str, Any]:
    steps = list(range(len(values)))
    series = {"loss": {"step": steps, "time": [1_700_000_000_000 + 1000 * step for step in steps], "value": values}}
    return {
        "run_id": f"{slot:032x}",
        "name": f"run {slot}",
        "slot": slot,
        "start": 1_700_000_000_000,
        "series": series,
        "metrics": {},
        **more,
    }


def test_a_curve_with_gaps_is_drawn_and_says_how_many_there_are(scripts_page: Any) -> None:
    label = scripts_page.evaluate(CHART, [run([1, "NaN", 0.5, "Infinity", 0.25])])
    assert label == "loss from 1 at step 0 to 0.2500 at step 4; 2 values are not a number"
    assert scripts_page.evaluate(INK) > 200


@pytest.mark.parametrize("values", [[0.5], ["NaN"], [], [0, 0, 0], [-1, -2], [1e-300, 1e300], ["Infinity", "-Infinity"]])
@pytest.mark.parametrize("log", [False, True])
def test_odd_series_draw_without_a_fault(scripts_page: Any, values: list[Any], log: bool) -> None:
    scripts_page.evaluate(CHART, [run(values)])
    scripts_page.evaluate(f"group.set({{ log: {str(log).lower()}, weight: 0.6 }})")
    for axis in ("time", "relative", "step"):
        scripts_page.evaluate(
            f"new Promise((done) => {{ group.set({{ axis: '{axis}' }}); requestAnimationFrame(() => requestAnimationFrame(done)); }})"
        )


def test_the_keyboard_walks_along_a_curve_and_says_its_values(scripts_page: Any) -> None:
    scripts_page.evaluate(CHART, [run([4, 2, 1])])
    scripts_page.focus("canvas[role=img]")
    scripts_page.keyboard.press("ArrowRight")
    scripts_page.keyboard.press("ArrowRight")
    scripts_page.wait_for_function("() => document.querySelector('.chart [aria-live]').textContent !== ''")
    assert scripts_page.text_content(".chart [aria-live]") == "step 1: loss 2"
    scripts_page.keyboard.press("End")
    scripts_page.wait_for_function("() => document.querySelector('.chart [aria-live]').textContent === 'step 2: loss 1'")
    scripts_page.keyboard.press("Escape")
    assert scripts_page.evaluate("group.at") is None


def test_dragging_zooms_and_a_double_click_shows_all_again(scripts_page: Any) -> None:
    scripts_page.evaluate(CHART, [run([float(at) for at in range(100)])])
    box = scripts_page.locator("canvas[role=img]").bounding_box()
    scripts_page.mouse.move(box["x"] + 200, box["y"] + 80)
    scripts_page.mouse.down()
    scripts_page.mouse.move(box["x"] + 400, box["y"] + 90, steps=4)
    scripts_page.mouse.up()
    low, high = scripts_page.evaluate("group.zoom")
    assert 20 < low < 40
    assert 55 < high < 75
    scripts_page.locator("canvas[role=img]").dblclick(position={"x": 300, "y": 80})
    assert scripts_page.evaluate("group.zoom") is None


def test_twenty_runs_of_a_thousand_points_redraw_within_a_frame_budget_of_the_plain_loop(scripts_page: Any) -> None:
    runs = [run([math.sin(at / 50 + slot) for at in range(1000)], slot) for slot in range(20)]
    scripts_page.evaluate(CHART, runs)
    painted, plain = scripts_page.evaluate(
        """() => {
          const time = (work) => { const from = performance.now(); for (let at = 0; at < 5; at++) work(); return performance.now() - from; };
          const canvas = document.createElement('canvas'), ctx = canvas.getContext('2d');
          canvas.width = 600; canvas.height = 200;
          const bare = () => { for (let run = 0; run < 20; run++) { ctx.beginPath(); for (let at = 0; at < 1000; at++) ctx.lineTo(at * 0.6, 100 + 80 * Math.sin(at / 50 + run)); ctx.stroke(); } };
          made.paintNow(); bare();
          return [time(() => made.paintNow()), time(bare)];
        }"""
    )
    # A ratio, not milliseconds: the chart may cost a few times a loop that strokes the same points and does nothing else.
    assert painted < 25 * plain


def test_a_hostile_name_is_text_in_the_tip_and_the_legend(scripts_page: Any) -> None:
    name = '<img src=x onerror="window.pwned=1">\u202e'
    scripts_page.evaluate(CHART, [run([1, 2], 0, name=name), run([2, 3], 1, name=name)])
    scripts_page.evaluate("document.body.append(rf.curves.legend(group, made.lines.map((line) => line.run)))")
    scripts_page.locator("canvas[role=img]").hover()
    assert scripts_page.text_content(".legend button") == name
    assert scripts_page.evaluate("window.pwned") is None
    assert scripts_page.locator("img").count() == 0


def test_a_hidden_run_leaves_the_chart_and_comes_back(scripts_page: Any) -> None:
    scripts_page.evaluate(CHART, [run([1, 2], 0), run([100, 200], 1)])
    scripts_page.evaluate("document.body.append(rf.curves.legend(group, made.lines.map((line) => line.run)))")
    button = scripts_page.locator(".legend button").nth(1)
    button.click()
    scripts_page.wait_for_function("() => made.plot().sy.hi < 10")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    scripts_page.wait_for_function("() => made.plot().sy.hi > 100")


def test_a_scatter_of_a_hundred_thousand_runs_is_drawn_and_brushed(scripts_page: Any) -> None:
    kept = scripts_page.evaluate(
        """() => {
          const n = 100000, x = Float64Array.from({ length: n }, (_, at) => at), y = Float64Array.from(x, (at) => (at * 7919) % 1000);
          const rows = Uint32Array.from(x), axis = (key, values, hi) => ({ key, name: key, kind: 'linear', values, lo: 0, hi, names: null, empty: false });
          let test = null;
          const view = { filtered: () => rows, slots: new Map([[5, 1]]), hover: -1, brush: (name, made) => { test = made; }, rowName: async () => 'a run' };
          const chart = rf.scatter(view, { brush: 'scatter', direction: () => 'max', pick() {} }), host = document.createElement('div');
          host.style.width = '400px';
          host.append(chart.node);
          document.body.append(host);
          chart.axes(axis('x', x, n), axis('y', y, 1000));
          chart.paintNow();
          window.kept = () => test ? rows.filter(test).length : -1;
          return chart.plot().usable.length;
        }"""
    )
    assert kept == 100_000
    box = scripts_page.locator("canvas[role=img]").bounding_box()
    scripts_page.mouse.move(box["x"] + 100, box["y"] + 40)
    scripts_page.mouse.down()
    scripts_page.mouse.move(box["x"] + 200, box["y"] + 140, steps=3)
    scripts_page.mouse.up()
    assert 1000 < scripts_page.evaluate("kept()") < 50_000


def test_colours_follow_the_theme(scripts_page: Any) -> None:
    scripts_page.evaluate(
        "() => { document.documentElement.style.setProperty('--s1', '#ff0000'); document.documentElement.setAttribute('data-theme', 'dark'); }"
    )
    scripts_page.wait_for_function("() => rf.kit.colour(0) === '#ff0000'")


@pytest.mark.parametrize(
    ("columns", "rows", "expected"),
    [
        (["", "cat", "dog"], [["cat", 5, 1], ["dog", 0, 7]], (["cat", "dog"], [[5, 1], [0, 7]])),
        (["y_true", "y_pred"], [["b", "a"], ["a", "a"], ["b", "b"], ["b", "b"]], (["a", "b"], [[1, 0], [1, 2]])),
        (["actual", "predicted", "count"], [["10", "9", 2], ["9", "9", "3"]], (["9", "10"], [[3, 0], [2, 0]])),
        (["", "cat", "dog"], [["cat", 5, 1], ["fish", 0, 7]], None),
        (["", "cat", "dog"], [["cat", 5, -1], ["dog", 0, 7]], None),
        (["question", "answer"], [["2+2", "4"]], None),
        (["true", "predicted"], [], None),
    ],
)
def test_a_table_that_counts_truth_against_prediction_is_a_confusion_matrix(
    scripts_page: Any, columns: list[str], rows: list[Any], expected: Any
) -> None:
    found = scripts_page.evaluate(
        "([columns, rows]) => rf.confusion({ columns, rows, total: rows.length, hidden: 0 })", [columns, rows]
    )
    assert (found and (found["names"], found["counts"])) == expected
    cut = scripts_page.evaluate("([columns, rows]) => rf.confusion({ columns, rows, total: 99, hidden: 0 })", [columns, rows])
    assert cut is None
