"""Models: loaded by alias beside MLflow on SQLite, in turn; saved and logged beside the bare writing and hashing of their bytes."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmarks import peers
from benchmarks.places import folio, mlflow, ours

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting

KINDS = ("sklearn", "pyfunc")
PLAIN = "writing the bytes to a file and hashing them"


def models(setting: Setting) -> Iterator[Row]:
    """Time of load_model by alias, and CPU of save_model and log_model for one large array."""
    from benchmarks.rows import Row

    calls = setting.size(60, 3)
    if not setting.alone:
        python = peers.python_of("mlflow")
        turns = []
        for number in range(setting.size(3, 1)):
            mine = ours(folio(setting.new(f"ours-{number}"), "process"), "load_by_alias", calls)
            place = setting.new(f"theirs-{number}")
            turns.append((mine, mlflow(python, place, "load_by_alias", f"sqlite:///{place}/m.db", calls)))
        for kind in KINDS:
            wall = statistics.median(theirs[kind][0] / mine[kind][0] for mine, theirs in turns)
            cpu = statistics.median(theirs[kind][1] / mine[kind][1] for mine, theirs in turns)
            took = statistics.median(mine[kind][1] for mine, _ in turns) * 1e3
            note = f"a small linear model, files verified; {took:.1f} ms of CPU, {cpu:.1f} × less"
            yield Row(f"`{kind}.load_model` by alias, local store (wall)", "MLflow, SQLite", wall, "≥ 3 ×", note)
    else:
        ours(folio(setting.new("ours"), "process"), "load_by_alias", calls)
    found = ours(folio(setting.new("large"), "process"), "large_model", setting.size(100, 2))
    for verb in ("save", "log"):
        ratio = statistics.median(mine / plain for mine, plain in zip(found[verb], found["plain"], strict=True))
        taken = statistics.median(found[verb]) * 1e3
        note = f"scikit-learn, `process`; {taken:.0f} ms beside {statistics.median(found['plain']) * 1e3:.0f}"
        yield Row(f"CPU of `{verb}_model` of {setting.size(100, 2)} MB", PLAIN, ratio, "≤ 1.2 ×", note)
