"""Whole folios, made by real training scripts in processes of their own, and their built sites; named for what is in them.

Each maker takes a new folder and returns the built site and the folio. They are dear (seconds), so the fixtures of
``conftest.py`` make each once in a session and no test may change one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runfolio.folio import Folio, initialise, open_folio
from runfolio.formats.canonical import dump
from runfolio.records import Lifecycle, Objective, Run
from runfolio.site import BuildOptions, build_site
from tests.site.folios import HOSTILE_FILES, PNG

NOBODY = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
ADA = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "a@b.org",
}


@dataclass
class BuiltSite:
    """A built site.

    Attributes
    ----------
    folder : Path
        The folio it was built from.
    out : Path
        The site.
    runs : list of Run
        Committed runs, oldest first.
    """

    folder: Path
    out: Path
    runs: list[Run] = field(default_factory=list)

    def pages(self) -> list[str]:
        """Return every page, from the site's root; pages of any run with the address of a run."""
        found = sorted(path.relative_to(self.out).as_posix() for path in self.out.rglob("*.html"))
        ids = [run.run_id for run in self.runs if run.lifecycle is Lifecycle.ACTIVE]
        shown = {"r/run.html": [f"#{run_id}" for run_id in ids[:3]], "compare.html": ["#r=" + ",".join(ids[:6])]}
        return [name + fragment for name in found for fragment in shown.get(name, [""])]

    def run(self, name: str) -> Run:
        """Return the run of that name."""
        return next(run for run in self.runs if run.name == name)

    def address(self, place: str) -> str:
        """Return where a page is as a file."""
        path, _, fragment = place.partition("#")
        return (self.out / path).as_uri() + (f"#{fragment}" if fragment else "")


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process that knows no git settings but Ada's name."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "RUNFOLIO_", "MLFLOW_"))}
    return {**kept, **NOBODY, **ADA, **more}


def git(folder: Path, *words: str) -> str:
    """Run git as Ada."""
    done = subprocess.run(["git", *words], cwd=folder, env=environment(), capture_output=True, text=True, check=True)
    return done.stdout


def train(folder: Path, source: str, *words: str, name: str = "train.py") -> None:
    """Run a training script in a folder."""
    (folder / name).write_text(source, "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", name, *words],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def set_objective(folder: Path, experiment: str, objective: Objective) -> None:
    """Give an experiment its objective."""
    folio = open_folio(folder)
    try:
        found = next(item for item in folio.experiments.all() if item.name == experiment)
        folio.experiments.edit(found.experiment_id, "set the objective of", objective=objective)
    finally:
        folio.close()


def all_runs(folio: Folio) -> list[Run]:
    """Return the runs of a folio, oldest first, also those that are deleted."""
    from runfolio.query import Filter
    from runfolio.records import ViewType

    return sorted(folio.runs.search(Filter(), view=ViewType.ALL, limit=10_000), key=lambda run: (run.start, run.run_id))


def built(folder: Path, out: Path, warnings: Sequence[str] = ("NOT FOR THE PUBLIC",)) -> BuiltSite:
    """Build the site of a folio."""
    folio = open_folio(folder)
    try:
        report = build_site(folio, out, BuildOptions())
        unexpected = [text for text in report.warnings if not any(part in text for part in warnings)]
        assert not unexpected, unexpected
        return BuiltSite(folder, out, all_runs(folio))
    finally:
        folio.close()


def new_folio(folder: Path) -> Path:
    """Make an empty folio in a repository of its own."""
    initialise(folder, own=True).folio.close()
    return folder


# ---- every field hostile

# Each would set `window.pwned` if a browser took it for more than text.
EVIL: Sequence[str] = (
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "<svg/onload=window.pwned=1>",
    "javascript:window.pwned=1",
    "{{7*7}}{% raw %}{{ ''.__class__ }}",
    "${7*7}`${window.pwned=1}`",
    "__proto__",
    "constructor",
    "toString",
    "--><!-- <b>",
    "]]></script>",
    "'); window.pwned=1; ('",
    "}*{background:url(https://evil.example/x.png)}",
    '"style="position:fixed;inset:0',
    "line\u2028paragraph\u2029end",
    "\u202egnikaeps txet\u202c \u2066isolate",
    "nul\u2400 bell\u0007 escape\u001b[31m",
    "=HYPERLINK(\"https://evil.example\")",
    "https://evil.example/track.gif",
    "n" * 250,
    "שלום עולם מימין לשמאל " * 6,
    "🧪🧬👩‍🔬" * 20,
    "e\u0301" * 60,
    "&lt;b&gt;&#x3c;script&#x3e;",
)  # fmt: skip
# No line break, quote or control character, and what git allows in a branch's name.
EVIL_BRANCH = "<script>window.pwned=1</script>"
EVIL_SCRIPT = "'\"><img src=x onerror=window.pwned=1>.py"
_HOSTILE = """
import json, math, os, runfolio
from pathlib import Path
import pandas
evil = json.loads(Path("evil.json").read_text())
files = Path("hostile-files")
for number in range(6):
    runfolio.set_experiment("wine")
    names = evil[number * 4:] + evil[:number * 4]
    with runfolio.start_run(run_name=names[0], description="\\n\\n".join(names)):
        runfolio.log_params({f"evil-{at}": names[at] for at in range(len(evil))})
        for step in range(3):
            runfolio.log_metrics({f"evil-{at}": [math.nan, math.inf, -math.inf, at / 7][(at + number) % 4] + step for at in range(len(evil))}, step=step)
            runfolio.log_metric("accuracy", 0.5 + number / 20 + step / 100, step=step)
        runfolio.set_tags({f"evil-{at}": names[at] for at in range(len(evil))})
        runfolio.set_tags({"mlflow.user": evil[3], "mlflow.source.name": evil[1]})
        frame = pandas.DataFrame({text: [text, text] for text in evil})
        runfolio.log_input(runfolio.data.from_pandas(frame, source=evil[19], name=names[2][:200]), context=evil[0])
        runfolio.log_table({text: [text, "b"] for text in evil}, "table.json")
        runfolio.log_table({"true": [evil[0], evil[1], "b"], "predicted": [evil[0], "b", evil[1]]}, "confusion.json")
        runfolio.log_artifacts(str(files), "files")
        for at in range(3 if number == 0 else 0):
            with runfolio.start_run(run_name=names[at + 1], nested=True):
                pass
runfolio.set_experiment(evil[1])
with runfolio.start_run(run_name=evil[0]):
    runfolio.log_metric("accuracy", 1)
"""


def hostile_site(folder: Path, out: Path) -> BuiltSite:
    """Build the site of a folio in which every field that a stranger can write is hostile.

    Keys of params, metrics and tags cannot be logged like that; they are written into the committed records, as a pull request could.
    """
    new_folio(folder)
    git(folder, "config", "user.name", EVIL[3])
    git(folder, "config", "user.email", "x@evil.example")
    git(folder, "remote", "add", "origin", "https://evil.example/<script>window.pwned=1</script>")
    git(folder, "switch", "-qc", EVIL_BRANCH)
    files = folder / "hostile-files"
    files.mkdir()
    named = {text.replace("/", "∕")[:60]: text.encode() for text in EVIL[:20] if "\u2400" not in text}
    for name, data in {**HOSTILE_FILES, **named, f"{'w' * 200}.png": PNG, "<img src=x>.png": PNG}.items():
        (files / name).write_bytes(data)
    (folder / "evil.json").write_text(json.dumps(EVIL))
    (folder / ".gitignore").write_text("hostile-files\nevil.json\n")
    train(folder, _HOSTILE, name=EVIL_SCRIPT)
    folio = open_folio(folder)
    try:
        folio.commit()
    finally:
        folio.close()
    set_objective(folder, "wine", Objective("accuracy", "max", "evil-0"))
    _rewrite(folder)
    # The experiment's description has characters that no file of ours may have.
    return built(folder, out, ("NOT FOR THE PUBLIC", "seems to hold a GitHub token", "1 record could not be read"))


def _rewrite(folder: Path) -> None:
    for record in folder.glob("runs/**/*.json"):
        record.write_bytes(dump(_evil_keys(json.loads(record.read_text("utf-8")))))
    experiment = next(folder.glob("experiments/wine*.yaml"))
    text = experiment.read_text("utf-8").replace("evil-0", "'" + EVIL[0] + "'")
    words = json.dumps("\n\n".join(EVIL), ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    experiment.write_text(text + f"description: {words}\n", "utf-8")
    git(folder, "add", "runs", "experiments")
    git(
        folder,
        "commit",
        "-qm",
        f"{EVIL[1]} {EVIL[2]}\n\n{EVIL[10]}\u2028",
        "--author",
        '"onload=window.pwned=1 &lt;script&gt; <x@evil.example>',
    )


def _evil_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            EVIL[int(key[5:])] if key.startswith("evil-") and key[5:].isdigit() else key: _evil_keys(item)
            for key, item in value.items()
        }
    return [_evil_keys(item) for item in value] if isinstance(value, list) else value


# ---- every number and size odd

_ODD = """
import math, runfolio
from runfolio import MlflowClient
runfolio.set_experiment("odd")
with runfolio.start_run(run_name="no metric"):
    runfolio.log_param("lr", "0.1")
with runfolio.start_run(run_name="nothing"):
    pass
with runfolio.start_run(run_name="one point"):
    runfolio.log_metric("accuracy", 0.5, step=7)
with runfolio.start_run(run_name="not finite"):
    for step, value in enumerate([math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 0.0, -0.0]):
        runfolio.log_metric("accuracy", value, step=step)
        runfolio.log_metric("always nan", math.nan, step=step)
        runfolio.log_metric("always inf", math.inf, step=-step)
with runfolio.start_run(run_name="n" * 250, description="d" * 3000):
    runfolio.log_param("p" * 250, "v" * 6000)
    runfolio.log_metric("m" * 250, 1e-300)
    runfolio.set_tag("t" * 250, "w" * 5000)
with runfolio.start_run(run_name="שלום עולם"):
    runfolio.log_params({"اسم": "قيمة طويلة من اليمين إلى اليسار", "שם": "ערך"})
    runfolio.log_metric("دقة", 0.75)
with runfolio.start_run(run_name="many params"):
    runfolio.log_params({f"group/{number:05d}": number for number in range(10_000)})
with runfolio.start_run(run_name="parent"):
    parent = runfolio.active_run().info.run_id
    with runfolio.start_run(run_name="orphan", nested=True):
        runfolio.log_metric("accuracy", 0.25)
MlflowClient().delete_run(parent)
MlflowClient().create_registered_model("m" * 200)
runfolio.set_experiment("nobody logged here")
runfolio.set_experiment("wide")
for number in range(20):
    with runfolio.start_run(run_name=f"wide {number}"):
        runfolio.log_metrics({f"m{at:05d}": at + number / 100 for at in range(number * 600, number * 600 + 600)})
        runfolio.log_metric("accuracy", number / 20)
"""


def odd_site(folder: Path, out: Path) -> BuiltSite:
    """Build the site of a folio of runs that few people have and that no page may stumble over."""
    new_folio(folder)
    train(folder, _ODD)
    folio = open_folio(folder)
    try:
        folio.commit()
    finally:
        folio.close()
    set_objective(folder, "odd", Objective("accuracy", "max"))
    record = next(path for path in folder.glob("runs/odd/**/*.json") if '"one point"' in path.read_text("utf-8"))
    for random_id in ("0123456789abcdef0123456789abcdef", "ffffffffffff4fffbfffffffffffffff"):
        held = {**json.loads(record.read_text("utf-8")), "run_id": random_id, "name": f"imported {random_id[:4]}"}
        record.with_name(f"{random_id}.json").write_bytes(dump({key: value for key, value in held.items() if key != "series"}))
    git(folder, "add", "runs")
    git(folder, "commit", "-qm", "runs of elsewhere")
    return built(folder, out)


# ---- a team at work

_TEAM = """
import math, runfolio
runfolio.set_experiment("wine")
for number in range(24):
    depth, seed = 2 + number // 3 % 4, number % 3
    with runfolio.start_run(run_name=f"forest-{number:02d}"):
        runfolio.log_params({"depth": depth, "seed": seed, "criterion": ["gini", "entropy"][number % 2], "same": "in all"})
        runfolio.set_tag("team", ["red", "blue"][number // 12])
        for step in range(20):
            runfolio.log_metric("loss", math.exp(-step / (4 + depth)) + 0.01 * seed, step=step)
        runfolio.log_metric("accuracy", 0.8 + depth / 50 + seed / 1000 - (0.1 if number == 7 else 0))
        runfolio.log_text(f"notes of {number}", "notes.txt")
runfolio.set_experiment("digits")
for number in range(4):
    with runfolio.start_run(run_name=f"mlp-{number}", description="A small network."):
        runfolio.log_param("hidden", 16 * (number + 1))
        for step in range(60):
            runfolio.log_metric("valid_accuracy", 1 - math.exp(-step / (10 + number)), step=step)
        runfolio.log_table({"true": ["a", "b", "b"], "predicted": ["a", "b", "a"]}, "confusion.json")
"""
TEAM_SETTINGS = """site:
  title: Team
  description: What the team tries.
  run_pages: 8
"""


def team_site(folder: Path, out: Path) -> BuiltSite:
    """Build the site of two experiments of a team; only some runs have pages of their own."""
    new_folio(folder)
    settings = folder / "runfolio.yaml"
    settings.write_text(settings.read_text("utf-8") + TEAM_SETTINGS, "utf-8")
    git(folder, "add", "runfolio.yaml")
    git(folder, "commit", "-qm", "settings")
    train(folder, _TEAM)
    folio = open_folio(folder)
    try:
        folio.commit()
    finally:
        folio.close()
    set_objective(folder, "wine", Objective("accuracy", "max", "seed"))
    set_objective(folder, "digits", Objective("valid_accuracy", "max"))
    return built(folder, out)
