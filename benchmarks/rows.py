"""One function a row group: measures both sides in turn, and yields the rows."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers
from benchmarks.autolog_rows import autologging
from benchmarks.data_rows import data
from benchmarks.door_rows import door
from benchmarks.importing_rows import importing
from benchmarks.model_rows import models
from benchmarks.pipeline_rows import pipelines
from benchmarks.places import AUTHOR, HERE, clean_environment, fill, fill_versions, folio, make_runs, mlflow, ours
from benchmarks.project_rows import projects
from benchmarks.publish_rows import publishing
from benchmarks.reproduce_rows import reproducing
from benchmarks.review_rows import review
from benchmarks.serving_rows import serving
from benchmarks.site_rows import site_build, site_pages
from benchmarks.store_rows import stores
from benchmarks.sweep_rows import sweeps
from benchmarks.training_rows import training
from benchmarks.whole_rows import whole
from runfolio.formats import paths
from runfolio.formats.runs import encode_run
from runfolio.gitstore import Repo


@dataclass(frozen=True)
class Row:
    """One measured ratio.

    Parameters
    ----------
    what, peer : str
    ratio : float
        How many times the peer's cost ours is (`better` "more") or ours is the peer's (`better` "less").
    target : str
    note : str
    """

    what: str
    peer: str
    ratio: float
    target: str
    note: str = ""


@dataclass(frozen=True)
class Setting:
    """How much to measure, and where."""

    folder: Path
    quick: bool = False
    alone: bool = False

    def size(self, full: int, quick: int) -> int:
        """Return how many."""
        return quick if self.quick else full

    def new(self, name: str) -> Path:
        """Return a new folder."""
        made = self.folder / name
        made.mkdir(parents=True)
        return made


def median_ratio(rounds: int, peer: Callable[[], float], ours_: Callable[[], float]) -> float:
    """Measure both sides in turn and return the median of peer / ours."""
    return statistics.median(peer() / ours_() for _ in range(rounds))


def cpu_of(command: list[str], folder: Path, data: bytes | None = None) -> float:
    """Return CPU seconds of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=clean_environment(), input=data, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def logging_runs(setting: Setting) -> Iterator[Row]:
    """Runs logged call by call, sealed and committed."""
    folders = {mode: folio(setting.folder / f"log-{mode}", mode) for mode in ("process", "power", "power-each")}
    if setting.alone:
        yield Row(
            "runs logged, durability power", "itself", 1.0, "", f"{ours(folders['power'], 'log_runs', 20) * 1e3:.2f} ms a run"
        )
        return
    python, work = peers.python_of("mlflow"), setting.new("log-mlflow")
    rounds = setting.size(3, 1)
    promise = {
        "process": "ours survives kill -9; SQLite syncs each call",
        "power": "ours syncs at the end of a run; SQLite syncs each call",
        "power-each": "equal: both sync each item",
    }
    targets = {"process": "≥ 100 ×", "power": "≥ 60 ×", "power-each": "≥ 6 ×"}
    counts = {"process": 400, "power": 300, "power-each": 25}
    for mode, folder in folders.items():
        ratio = median_ratio(
            rounds,
            lambda: mlflow(python, work, "log_runs", f"sqlite:///{work}/m.db", setting.size(12, 5)),
            lambda folder=folder, mode=mode: ours(folder, "log_runs", counts[mode]),
        )
        yield Row(f"runs logged call by call, `{mode}`", "MLflow, SQLite", ratio, targets[mode], promise[mode])
    ratio = median_ratio(
        rounds,
        lambda: mlflow(python, work, "log_runs", f"file://{work}/mlruns", setting.size(40, 15)),
        lambda: ours(folders["process"], "log_runs", 400),
    )
    yield Row("runs logged call by call, `process`", "MLflow, file store", ratio, "", "neither syncs")
    with peers.postgres() as url:
        if url:
            ratio = median_ratio(
                rounds,
                lambda: mlflow(python, work, "log_runs", url, setting.size(15, 5)),
                lambda: ours(folders["power-each"], "log_runs", 25),
            )
            yield Row("runs logged call by call, `power-each`", "MLflow, PostgreSQL", ratio, "", "equal: both sync each item")
    one, two = ours(folders["power"], "log_metric", 5000), ours(folders["process"], "log_metric", 5000)
    theirs = mlflow(python, work, "log_metric", f"sqlite:///{work}/m.db", setting.size(100, 30))
    yield Row("`log_metric`, `power`", "MLflow, SQLite", theirs / one[0], "≥ 1,000 ×", f"{one[0] * 1e6:.1f} µs")
    yield Row("`log_metric`, `process`", "MLflow, SQLite", theirs / two[0], "≥ 1,000 ×", f"{two[0] * 1e6:.1f} µs")
    yield Row("cost of `log_metric`", "appending the line to an open file", two[0] / two[1], "< 10 ×")

    def their_artifact() -> float:
        return float(mlflow(python, work, "log_artifact", f"sqlite:///{work}/m.db", 10))

    yield Row(
        "an artifact of 1 MB",
        "MLflow, local",
        median_ratio(rounds, their_artifact, lambda: ours(folders["process"], "log_artifact", 10)),
        "> 1 ×",
        "`process`: neither syncs; the hash is taken after the call",
    )
    whole = ours(folders["process"], "run_of_artifact", 10)
    yield Row(
        "a whole run with an artifact of 1 MB",
        "MLflow, SQLite",
        mlflow(python, work, "run_of_artifact", f"sqlite:///{work}/m.db", 10) / whole,
        "",
        f"`process`: {whole * 1e3:.1f} ms until `end_run` has returned, hash included; SQLite syncs",
    )
    yield Row(
        "an artifact of 1 MB, synced",
        "MLflow, local",
        median_ratio(rounds, their_artifact, lambda: ours(folders["power"], "log_artifact", 10)),
        "",
        "`power`: ours syncs file and folder before the run ends, MLflow does not",
    )


def memory(setting: Setting) -> Iterator[Row]:
    """A million points in one run."""
    peaks = ours(folio(setting.folder / "million", "process"), "million", setting.size(1_000_000, 200_000))
    yield Row("peak memory, all points of one run", "a tenth of the points", peaks[1] / peaks[0], "about 1", f"{peaks[1]:.0f} MB")


def growth(setting: Setting) -> Iterator[Row]:
    """Cost of a run against the size of the store, and what a run adds to git."""
    many = setting.size(100_000, 10_000)
    took = {}
    for size in (1000, many):
        folder = folio(setting.folder / f"ledger-{size}", "process", "ledger")
        fill(folder, size, "refs/heads/ledger")
        took[size] = statistics.median(ours(folder, "cpu_of_runs", 300) for _ in range(3))
    yield Row(f"CPU a run in a store of {many:,} (ledger branch)", "in a store of 1,000", took[many] / took[1000], "≤ 1.5 ×")
    took = {}
    for size in (1000, setting.size(20_000, 5_000)):
        folder = folio(setting.folder / f"branch-{size}", "process")
        fill(folder, size)
        subprocess.run(["git", "reset", "-q", "--hard"], cwd=folder, env=clean_environment(), check=True)
        took[size] = statistics.median(ours(folder, "cpu_of_runs", 300) for _ in range(3))
    small, large = took
    yield Row(
        f"CPU a run in a store of {large:,} (checked out)",
        "in a store of 1,000",
        took[large] / took[small],
        "",
        "git's index grows",
    )
    folder = setting.folder / f"ledger-{many}"
    size = sum(path.stat().st_size for path in (folder / ".git" / "objects").rglob("*") if path.is_file())
    yield Row("bytes a run adds to git, packed", "2 KB", size / many / 2048, "< 1 ×", f"{size / many:.0f} bytes")


def bulk(setting: Setting) -> Iterator[Row]:
    """A fold of many runs against the bare fast-import of the same files."""
    from runfolio.folio import open_folio
    from runfolio.journal.spool import sealed_name

    count = setting.size(5000, 1000)
    folder = folio(setting.folder / "bulk", "process", "ledger")
    held = open_folio(folder)
    for run in make_runs(count):
        header = {"schema": 1, "run_id": run.run_id, "experiment": "bench", "experiment_name": "bench", "name": run.name,
                  "start": run.start, "user": run.user, "code": dict(run.code), "entry": dict(run.entry), "tags": dict(run.tags),
                  "environment": dict(run.environment)}  # fmt: skip
        writer = held.start(header)
        for key, value in run.params.items():
            writer.event("p", key, value)
        for key, point in run.metrics.items():
            writer.metric(key, point.last, point.timestamp, 0)
        writer.event("end", "FINISHED", run.end)
        writer.close(sealed_name=sealed_name(writer.path), durable=False)
    held.close()
    ours_ = cpu_of([sys.executable, "-m", "runfolio", "commit"], folder)
    bare = setting.new("bare")
    subprocess.run(["git", "init", "-q", "--bare", "."], cwd=bare, env=clean_environment(), check=True)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from benchmarks.rows import import_bare\n"
        "import_bare(sys.argv[2], int(sys.argv[3]))\n"
    )
    stream = setting.folder / "stream"
    subprocess.run([sys.executable, "-c", script, str(HERE.parent), str(stream), str(count)], check=True)
    theirs = cpu_of(["git", "fast-import", "--quiet"], bare, stream.read_bytes())
    yield Row(
        f"CPU of committing {count:,} ended runs",
        "`git fast-import` of the same files",
        ours_ / theirs,
        "≤ 2 ×",
        "ours reads, checks and encodes them first",
    )


def import_bare(target: str, count: int) -> None:
    """Write the stream that commits the records of some runs."""
    with open(target, "wb") as out:
        stamp = AUTHOR.line(1_700_000_000)
        out.write(f"commit refs/heads/main\ncommitter {stamp}\ndata 1\nx\n".encode())
        for run in make_runs(count):
            data = encode_run(run)
            path = paths.run_path("bench", run.run_id, run.start)
            out.write(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")


def starting(setting: Setting) -> Iterator[Row]:
    """Fresh processes."""
    bare = statistics.median(cpu_of([sys.executable, "-c", "pass"], setting.folder) for _ in range(15))
    own = statistics.median(cpu_of([sys.executable, "-c", "import runfolio"], setting.folder) for _ in range(15))
    yield Row("CPU of `import runfolio`", "a bare interpreter start", own / bare, "≤ 2 ×")
    folder = folio(setting.folder / "fresh", "process")
    script = "import runfolio\nwith runfolio.start_run():\n    for n in range(5): runfolio.log_param(f'p{n}', n); runfolio.log_metric(f'm{n}', n)\n"
    (folder / "train.py").write_text(script)
    for command in (["git", "add", "train.py"], ["git", "commit", "-qm", "train"]):  # as on dvclive's side
        subprocess.run(command, cwd=folder, env=clean_environment(), capture_output=True, check=True)
    if setting.alone:
        yield Row("one short run, fresh process", "itself", 1.0, "", f"{cpu_of([sys.executable, 'train.py'], folder):.2f} s CPU")
        return
    theirs = setting.new("fresh-mlflow")
    (theirs / "train.py").write_text(
        f"import mlflow\nmlflow.set_tracking_uri('sqlite:///{theirs}/m.db')\n" + script.replace("runfolio", "mlflow")
    )
    mlflow_python, dvc_python = str(peers.python_of("mlflow")), str(peers.python_of("dvc"))
    subprocess.run([mlflow_python, "train.py"], cwd=theirs, env=clean_environment(), capture_output=True, check=True)

    def wall(python: str, where: Path) -> float:
        start = time.perf_counter()
        subprocess.run([python, "train.py"], cwd=where, env=clean_environment(), capture_output=True, check=True)
        return time.perf_counter() - start

    rounds = setting.size(5, 2)
    ratio = median_ratio(rounds, lambda: wall(mlflow_python, theirs), lambda: wall(sys.executable, folder))
    yield Row("one short run, fresh process, import included (wall)", "MLflow, SQLite", ratio, "≥ 5 ×")
    live = setting.new("fresh-dvc")
    (live / "train.py").write_text(
        "from dvclive import Live\nwith Live(save_dvc_exp=True) as live:\n    for n in range(5): live.log_param(f'p{n}', n); live.log_metric(f'm{n}', n)\n"
    )
    for command in (
        ["git", "init", "-q"],
        [dvc_python, "-m", "dvc", "init", "-q"],
        ["git", "add", "."],
        ["git", "commit", "-qm", "start"],
    ):
        subprocess.run(command, cwd=live, env=clean_environment(), capture_output=True, check=True)
    subprocess.run([dvc_python, "train.py"], cwd=live, env=clean_environment(), capture_output=True, check=True)
    ratio = median_ratio(rounds, lambda: wall(dvc_python, live), lambda: wall(sys.executable, folder))
    yield Row("one short run, fresh process, import included (wall)", "dvclive, save_dvc_exp", ratio, "≥ 10 ×")


def listing(setting: Setting) -> Iterator[Row]:
    """List 1,000 runs."""
    folder = folio(setting.folder / "list", "process", "ledger")
    fill(folder, 1000, "refs/heads/ledger")
    repo = Repo.discover(folder)
    tip = repo.resolve("refs/heads/ledger")
    assert tip is not None
    names = "".join(f"{entry.oid}\n" for entry in repo.tree_entries(tip, "runs")).encode()
    repo.close()
    command = [sys.executable, "-m", "runfolio", "runs", "list", "-n", "1000"]
    local = folder / ".git" / "runfolio"
    floor = statistics.median(cpu_of(["git", "cat-file", "--batch"], folder, names) for _ in range(7))
    script = "from runfolio.folio import open_folio; f = open_folio(); f.fresh_index(); f.close()"
    start = statistics.median(cpu_of([sys.executable, "-c", script], folder) for _ in range(5))

    def cold() -> float:
        for left in (*local.glob("index.sqlite*"), local / "parsed.json"):
            left.unlink(missing_ok=True)
        return cpu_of(command, folder)

    fresh = statistics.median(cold() for _ in range(5))
    warm = statistics.median(cpu_of(command, folder) for _ in range(5))
    yield Row(
        "CPU of listing 1,000 runs, nothing cached, our interpreter included",
        "`git cat-file --batch` of the same blobs",
        fresh / floor,
        "≤ 5 ×",
        f"{fresh * 1e3:.0f} ms beside {floor * 1e3:.0f} ms, of which {start * 1e3:.0f} ms are start and imports",
    )
    yield Row(
        "the same without our start and imports",
        "`git cat-file --batch` of the same blobs",
        (fresh - start) / floor,
        "",
        "builds the index",
    )
    yield Row("CPU of listing 1,000 runs, index at hand", "our start and imports", warm / start, "≤ 2 ×", f"{warm * 1e3:.0f} ms")


def searching(setting: Setting) -> Iterator[Row]:
    """The best 100 of many runs by a metric."""
    for size in (10_000, setting.size(100_000, 20_000)):
        folder = folio(setting.folder / f"search-{size}", "process", "ledger")
        fill(folder, size, "refs/heads/ledger")
        best = statistics.median(ours(folder, "search", 7) for _ in range(3))
        plain = statistics.median(ours(folder, "search_plain", 7) for _ in range(3))
        if setting.alone:
            yield Row(f"search, {size:,} runs", "itself", 1.0, "", f"{best * 1e3:.1f} ms")
            continue
        python, work = peers.python_of("mlflow"), setting.new(f"search-mlflow-{size}")
        sqlite = f"sqlite:///{work}/m.db"
        mlflow(python, work, "fill", sqlite, size)
        if size == 10_000:
            theirs = mlflow(python, work, "search", sqlite, 2)
            yield Row(
                f"best 100 of {size:,} runs, filter and order",
                "MLflow, SQLite as it comes",
                theirs / best,
                "≥ 20 ×",
                f"{best * 1e3:.1f} ms",
            )
            frame, theirs = ours(folder, "search_frame", 3), mlflow(python, work, "search_frame", sqlite, 2)
            yield Row(
                f"`search_runs`: a data frame of {size:,} runs", "MLflow, SQLite", theirs / frame, "", f"{frame * 1e3:.0f} ms"
            )
            theirs = mlflow(python, work, "search_plain", sqlite, 5)
            yield Row(
                f"100 of {size:,} runs, filter alone", "MLflow, SQLite as it comes", theirs / plain, "", f"{plain * 1e3:.1f} ms"
            )
        mlflow(python, work, "analyze", sqlite, 1)
        theirs = mlflow(python, work, "search", sqlite, 5)
        yield Row(
            f"best 100 of {size:,} runs, filter and order",
            "MLflow, SQLite after ANALYZE",
            theirs / best,
            "≥ 3 ×",
            f"{best * 1e3:.1f} ms",
        )
        with peers.postgres() as url:
            if url:
                mlflow(python, work, "fill", url, size)
                mlflow(python, work, "analyze", url, 1)
                theirs = mlflow(python, work, "search", url, 5)
                yield Row(
                    f"best 100 of {size:,} runs, filter and order",
                    "MLflow, PostgreSQL",
                    theirs / best,
                    "≥ 3 ×",
                    f"{best * 1e3:.1f} ms",
                )


def registry(setting: Setting) -> Iterator[Row]:
    """Registered models: a version registered, named by an alias, and read back by it; at few versions and at many."""
    folder, ratios, took = setting.folder, [], []
    python, work = None if setting.alone else peers.python_of("mlflow"), setting.new("registry-mlflow")
    for turn in range(setting.size(5, 1)):
        # Both in turn, each in a fresh store: what else the machine does meets both.
        folder = folio(setting.folder / f"registry-{turn}", "process", "ledger")
        took.append(ours(folder, "register", 20))
        if python is not None:
            ratios.append(mlflow(python, work, "register", f"sqlite:///{work}/m{turn}.db", setting.size(20, 5)) / took[-1])
    few = statistics.median(took)
    if python is not None:
        yield Row(
            "a version registered, aliased, read by alias",
            "MLflow, SQLite",
            statistics.median(ratios),
            "≥ 5 ×",
            f"{few * 1e3:.1f} ms, two commits",
        )
        script = (
            "import {0} as tool\n{1}client = tool.MlflowClient()\nsource = client.get_model_version('bench', 1).source\n"
            "made = client.create_model_version('bench', source)\nclient.set_registered_model_alias('bench', 'newest', made.version)\n"
            "assert client.get_model_version_by_alias('bench', 'newest').version == made.version\n"
        )
        (work / "register.py").write_text(script.format("mlflow", f"tool.set_tracking_uri('sqlite:///{work}/m0.db')\n"))
        (folder / "register.py").write_text(script.format("runfolio", ""))

        def wall(program: str, where: Path) -> float:
            start = time.perf_counter()
            subprocess.run([program, "register.py"], cwd=where, env=clean_environment(), capture_output=True, check=True)
            return time.perf_counter() - start

        ratio = median_ratio(setting.size(5, 2), lambda: wall(str(python), work), lambda: wall(sys.executable, folder))
        yield Row("the same in a fresh process, import included (wall)", "MLflow, SQLite", ratio, "≥ 5 ×")
    many = setting.size(1000, 30)
    fill_versions(folder, many)
    beside = setting.folder / "registry-0" if setting.size(5, 1) > 1 else folio(setting.folder / "few", "process", "ledger")
    if beside.name == "few":
        ours(beside, "register", 10)
    grown = statistics.median(
        ours(folder, "register_later", 10) / ours(beside, "register_later", 10) for _ in range(setting.size(5, 1))
    )
    yield Row(f"the same at {many:,} versions and {10 * many:,} promotions", "at some tens of versions", grown, "≤ 1.3 ×")
    command = [sys.executable, "-m", "runfolio", "models", "list"]
    start = statistics.median(cpu_of([sys.executable, "-m", "runfolio", "models", "--help"], folder) for _ in range(7))
    whole = statistics.median(cpu_of(command, folder) for _ in range(7))
    yield Row("CPU of `models list` there", "its own start (`models --help`)", whole / start, "≤ 1.3 ×", f"{whole * 1e3:.0f} ms")


GROUPS: dict[str, Callable[[Setting], Iterator[Row]]] = {
    "logging": logging_runs,
    "memory": memory,
    "growth": growth,
    "bulk": bulk,
    "starting": starting,
    "listing": listing,
    "searching": searching,
    "registry": registry,
    "door": door,
    "importing": importing,
    "models": models,
    "stores": stores,
    "data": data,
    "autolog": autologging,
    "training": training,
    "whole": whole,
    "sweeps": sweeps,
    "projects": projects,
    "pipelines": pipelines,
    "reproduce": reproducing,
    "review": review,
    "serving": serving,
    "site-build": site_build,
    "publishing": publishing,
    "site-pages": site_pages,
}


def machine() -> str:
    """Say what machine this is."""
    return f"{os.cpu_count()} shared cores, Python {sys.version.split()[0]}"
