"""Hypothesis strategies for records, with text as nasty as people and attackers write it."""

from __future__ import annotations

from hypothesis import strategies as st

from runfolio.records import (
    ArtifactEntry,
    DatasetInput,
    Experiment,
    Lifecycle,
    MetricSummary,
    Objective,
    Run,
    RunStatus,
    SeriesRef,
)

NASTY = [
    "no", "null", "~", "true", "010", "1e3", "12:30", "2026-01-31", "0x1f", ".inf", "-", "- a", "? a", "a: b", "a #b", "#",
    "&a", "*a", "!t", "%d", "@", "`", "{a: b}", "[1]", "'", '"', "\\", "\\u202e", " lead", "trail ", "\ttab", "two\nlines",
    "block\n  in\nout\n", "\n", "a\r\nb", "\r", "\x00", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202eevil", "\u200b",
    "\ufeff", "😀", "👩\u200d🔬", "❤\ufe0f", "e\u0301", "\U000e0041", "\ufffe", "yes\n", "...", "---", "<<", "=", "x" * 1200,
    "é" * 300, "line \nspace", "a\n\n\nb", " a\nb", "null\nnull",
]  # fmt: skip
texts = st.text(max_size=20) | st.sampled_from(NASTY)
times = st.integers(-(10**13), 10**14)
digests = st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256:{raw.hex()}")
ids = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,20}", fullmatch=True)
slugs = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,12}", fullmatch=True)
mappings = st.dictionaries(texts, texts, max_size=4)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def summaries(draw: st.DrawFn) -> MetricSummary:
    """Summaries as they follow from points."""
    values = draw(st.lists(st.floats(), min_size=1, max_size=4))
    step, at = draw(st.integers(-5, 10**6)), draw(times)
    numbers = [value for value in values if value == value]
    if not numbers:
        return MetricSummary(values[-1], step, at, len(values))
    if len(values) == 1:
        return MetricSummary(values[0], step, at, 1, values[0], values[0], step, step)
    low, high = draw(st.integers(0, 99)), draw(st.integers(0, 99))
    return MetricSummary(values[-1], step, at, len(values), min(numbers), max(numbers), low, high)


entries = st.builds(ArtifactEntry, digests, st.integers(0, 2**50), st.sampled_from(["", "text/csv"]))
datasets = st.builds(DatasetInput, texts, texts, texts, texts, texts, texts, mappings)
series = st.builds(SeriesRef, st.integers(0, 10**9), st.just(True)) | st.builds(
    SeriesRef, st.integers(0, 10**9), st.just(False), digests, st.integers(0, 10**9)
)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Runs with anything in them that a record can hold."""
    artifacts = draw(st.dictionaries(texts, entries, max_size=3))
    manifest = None if artifacts else draw(st.none() | entries)
    deleted = draw(st.booleans())
    extra = draw(st.dictionaries(st.sampled_from(["later", "zz", "Élan"]), json_values, max_size=2))
    return Run(
        run_id=draw(ids),
        experiment=draw(slugs),
        name=draw(texts),
        status=draw(st.sampled_from(RunStatus)),
        start=draw(times),
        end=draw(st.none() | times),
        lifecycle=Lifecycle.DELETED if deleted else Lifecycle.ACTIVE,
        deleted_at=draw(st.integers(1, 10**13)) if deleted else None,
        user=draw(texts),
        parent=draw(st.none() | ids),
        params=draw(mappings),
        metrics=draw(st.dictionaries(texts, summaries(), max_size=3)),
        tags=draw(mappings),
        inputs=tuple(draw(st.lists(datasets, max_size=2))),
        artifacts=artifacts,
        manifest=manifest,
        artifact_count=draw(st.integers(0, 10**6)) if manifest else len(artifacts),
        series=draw(st.none() | series),
        code=draw(st.dictionaries(texts, json_values, max_size=3)),
        entry=draw(st.dictionaries(texts, json_values, max_size=2)),
        environment=draw(st.dictionaries(texts, json_values, max_size=2)),
        notices=tuple(draw(st.lists(texts, max_size=2))),
        resumed=tuple(draw(st.lists(times, max_size=2))),
        extra=extra,
    )


names = texts.filter(lambda text: text.strip() and len(text) <= 500)


@st.composite
def experiments(draw: st.DrawFn, slug: str | None = None) -> Experiment:
    """Experiments with anything in them that a file can hold."""
    place = draw(slugs) if slug is None else slug
    objective = st.builds(Objective, names, st.sampled_from(["max", "min"]), names)
    return Experiment(
        experiment_id=draw(st.just(place) | ids),
        slug=place,
        name=draw(st.just(place) | names),
        created=draw(st.integers(-(10**12), 10**14)),
        updated=draw(st.just(0) | st.integers(0, 10**13)),
        description=draw(texts | st.text(max_size=200)),
        tags=draw(mappings),
        objective=draw(st.none() | objective),
        baseline=draw(st.none() | ids),
        lifecycle=draw(st.sampled_from(Lifecycle)),
        extra=draw(st.dictionaries(st.sampled_from(["later", "no", "two words", "a: b"]), json_values, max_size=2)),
    )
