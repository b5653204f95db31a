"""MLflow, folio, MLflow, of stores that hypothesis makes: ``python round_trips.py FOLDER EXAMPLES``, in a process that sees MLflow.

One process makes many stores, since starting MLflow takes longer than a store. What MLflow says of the second store must be what it says
of the first, field by field, and a second export must write nothing.
"""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

import mlflow  # noqa: E402
from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow import entities as theirs  # noqa: E402
from told_by import tell  # noqa: E402

from runfolio.folio.opening import open_folio  # noqa: E402
from runfolio.transfer.exporting import export_store  # noqa: E402
from runfolio.transfer.folio_source import FolioSource  # noqa: E402
from runfolio.transfer.importing import import_store  # noqa: E402
from runfolio.transfer.mlflow_source import open_mlflow  # noqa: E402
from runfolio.transfer.mlflow_target import open_target  # noqa: E402

NEW = hasattr(MlflowClient, "create_logged_model")
MARK = 1_700_000_000_000

# Text without control characters and lone halves of pairs; no home path and no secret, which an import takes out.
texts = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="~$"), max_size=12)
words = st.text("abcdefghijklmnopqrstuvwxyzäß中", min_size=1, max_size=6)
keys = st.builds("k{}{}{}".format, words, st.sampled_from(["", " ", ".", "-", "_", "/"]), words)
numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, width=64), st.sampled_from([0.0, -0.0, 1.5, math.nan, math.inf])
)
moments = st.integers(MARK, MARK + 50)
points = st.tuples(numbers, moments, st.integers(-2, 3))
tags = st.dictionaries(keys, texts, max_size=3)

runs = st.fixed_dictionaries(
    {
        "name": words,
        "params": st.dictionaries(keys, texts, max_size=4),
        "tags": tags,
        "history": st.dictionaries(keys, st.lists(points, min_size=1, max_size=6), max_size=2),
        "status": st.sampled_from(["FINISHED", "FAILED", "KILLED", "RUNNING"]),
        "end": moments,
        "user": st.sampled_from(["", "ada", "unknown"]),
        "deleted": st.booleans(),
        "nested": st.booleans(),
        "source": st.booleans(),
        "datasets": st.lists(
            st.tuples(words, texts, st.sampled_from(["", "training"])), max_size=2, unique_by=lambda item: item[0]
        ),
        "files": st.dictionaries(words, st.binary(max_size=20), max_size=3),
        "model": st.booleans(),
    }
)
versions = st.fixed_dictionaries(
    {
        "stage": st.sampled_from(["None", "Staging", "Production", "Archived"]),
        "gap": st.booleans(),
        "alias": st.booleans(),
        "description": texts,
        "tags": tags,
        "of_run": st.booleans(),
    }
)
stores = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["database", "folder"]),
        "back": st.sampled_from(["database", "folder"]),
        "experiments": st.dictionaries(
            words,
            st.fixed_dictionaries({"tags": tags, "note": texts, "deleted": st.booleans(), "runs": st.lists(runs, max_size=3)}),
            min_size=1,
            max_size=2,
        ),
        "models": st.dictionaries(
            words,
            st.fixed_dictionaries({"tags": tags, "description": texts, "versions": st.lists(versions, max_size=3)}),
            max_size=2,
        ),
    }
)


class Place:
    """A folder for one example, with databases that need no migration."""

    def __init__(self, root: Path) -> None:
        self.root = Path(tempfile.mkdtemp(dir=root))
        self.template = root / "template.db"

    def store(self, name: str, kind: str) -> str:
        """Return the address of an empty store."""
        if kind == "folder":
            return str(self.root / name / "mlruns")
        (self.root / name).mkdir()
        shutil.copy(self.template, self.root / name / "mlflow.db")
        return f"sqlite:///{self.root / name}/mlflow.db"


def fill(client: MlflowClient, wanted: dict, place: Path) -> None:
    """Make a store by MLflow's client."""
    made: list[str] = []
    for name, item in wanted["experiments"].items():
        experiment = client.create_experiment(name, None if wanted["kind"] == "folder" else str(place / name), item["tags"])
        if item["note"]:
            client.set_experiment_tag(experiment, "mlflow.note.content", item["note"])
        parent = ""
        for run in item["runs"]:
            # In the trash of a folder MLflow itself does not find the models of an experiment.
            lost = item["deleted"] and wanted["kind"] == "folder"
            parent = fill_run(client, experiment, {**run, "model": run["model"] and not lost}, parent, place)
            if not item["deleted"]:
                made.append(parent)
        if item["deleted"]:
            client.delete_experiment(experiment)
    for name, item in wanted["models"].items():
        client.create_registered_model(name, item["tags"], item["description"] or None)
        fill_versions(client, name, item["versions"], made, place)


def fill_run(client: MlflowClient, experiment: str, run: dict, parent: str, place: Path) -> str:
    said = {**run["tags"], **({"mlflow.user": run["user"]} if run["user"] else {})}
    said.update({"mlflow.parentRunId": parent} if run["nested"] and parent else {})
    said.update({"mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL"} if run["source"] else {})
    run_id = client.create_run(experiment, MARK, said, run["name"]).info.run_id
    logged = [theirs.Metric(key, *point) for key, history in run["history"].items() for point in history]
    client.log_batch(run_id, logged, [theirs.Param(key, text) for key, text in run["params"].items()], [])
    inputs = [
        theirs.DatasetInput(
            theirs.Dataset(name, f"d{len(text)}", "local", '{"uri": "a.csv"}', '{"x": 1}', '{"rows": 3}'),
            [theirs.InputTag("mlflow.data.context", context)] if context else [],
        )
        for name, text, context in run["datasets"]
    ]
    if inputs:
        client.log_inputs(run_id, inputs)
    for name, data in run["files"].items():
        (place / "one").mkdir(parents=True, exist_ok=True)
        (place / "one" / name).write_bytes(data)
        client.log_artifact(run_id, str(place / "one" / name), "some")
    if run["model"] and NEW:
        fill_logged(client, experiment, run_id, place)
    if run["status"] != "RUNNING":
        client.set_terminated(run_id, run["status"], run["end"])
    if run["deleted"]:
        client.delete_run(run_id)
    return str(run_id)


def fill_logged(client: MlflowClient, experiment: str, run_id: str, place: Path) -> None:
    (place / "weights").mkdir(parents=True, exist_ok=True)
    (place / "weights" / "w.bin").write_bytes(b"\1\2")
    for owner in (run_id, None):
        model = client.create_logged_model(experiment, "forest", owner, {"a": "1"}, {"p": "2"}, "tree")
        client.log_model_artifacts(model.model_id, str(place / "weights"))
        client.finalize_logged_model(model.model_id, "READY")
        if owner:
            client.log_outputs(run_id, [theirs.LoggedModelOutput(model.model_id, 3)])
            client.log_metric(run_id, "measured", 0.5, MARK, 1, model_id=model.model_id)
        else:
            client.log_inputs(run_id, models=[theirs.LoggedModelInput(model.model_id)])


def fill_versions(client: MlflowClient, name: str, wanted: list, made: list[str], place: Path) -> None:
    gaps = []
    for number, item in enumerate(wanted):
        folder = place / "files" / f"{name}-{number}"
        folder.mkdir(parents=True)
        (folder / "MLmodel").write_text(f"flavors: {{}}\nrun: {number}\n")
        # Files of no run: those of another run that the version does not name, inside of the store, where an import takes them.
        holder = client.create_run("0", MARK, run_name="holder").info
        client.log_artifacts(holder.run_id, str(folder), "held")
        client.set_terminated(holder.run_id, "FINISHED", MARK)
        source, run_id = f"{holder.artifact_uri}/held", None
        if item["of_run"] and made and client.get_run(made[0]).info.lifecycle_stage == "active":
            run_id = made[0]
            client.log_artifacts(run_id, str(folder), f"m{number}{name}")
            source = f"{client.get_run(run_id).info.artifact_uri}/m{number}{name}"
        version = client.create_model_version(name, source, run_id, dict(item["tags"]), description=item["description"] or None)
        if item["stage"] != "None":
            client.transition_model_version_stage(name, version.version, item["stage"])
        if item["alias"]:
            client.set_registered_model_alias(name, f"alias{number}", version.version)
        if item["gap"] and number < len(wanted) - 1:
            gaps.append(version.version)
    for number in gaps:
        client.delete_model_version(name, number)


def folio_at(folder: Path):
    """Return a new folio."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    for name in ("name", "email"):
        subprocess.run(["git", "-C", str(folder), "config", f"user.{name}", "a@b"], check=True)
    subprocess.run([sys.executable, "-m", "runfolio", "init"], cwd=folder, check=True, capture_output=True)
    return folder


def round_trip(place: Place, wanted: dict) -> Counter:
    """Take a store into a folio and write it to another one; return how much was compared."""
    first, second = place.store("first", wanted["kind"]), place.store("second", wanted["back"])
    client = MlflowClient(first, first)
    mlflow.set_tracking_uri(first)
    fill(client, wanted, place.root / "made")
    expected = tell(first, more=True)
    shutil.copytree(place.template.parent / "folio", place.root / "folio")
    folio = open_folio(str(place.root / "folio"))
    try:
        took = import_store(folio, open_mlflow(first))
        assert not took.findings, took.findings
        target = open_target(second)
        done = export_store(FolioSource(folio, logged=target.logged), target)
        again = export_store(FolioSource(folio, logged=target.logged), open_target(second))
    finally:
        folio.close()
    said = [item for item in done.findings if "infinite" not in item.what and "are equal to another" not in item.what]
    assert not said, (said, wanted)
    assert not again.counts and not again.findings, again
    from mlflow.tracking._tracking_service import utils

    utils._artifact_repos_cache.clear()
    found = tell(second, more=True)
    if wanted["kind"] == "folder" and wanted["back"] == "database":
        for told in (expected, found):
            as_database(told)
    if "folder" in (wanted["kind"], wanted["back"]):
        for told in (expected, found):
            without_trash(told)
            without_ties(told)
    said = list(differences("", found, expected))
    assert not said, (said[:5], wanted)
    return Counter(
        runs=len(found["runs"]),
        points=sum(len(points) for run in found["runs"].values() for points in run["histories"].values()),
        versions=sum(len(model["versions"]) for model in found["models"].values()),
    )


def differences(where: str, found, expected):
    """Yield where two answers differ, and how."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in {*found, *expected}:
            yield from differences(f"{where}/{key}", found.get(key), expected.get(key))
    elif found != expected:
        yield f"{where}: {found!r} there, {expected!r} before"


def without_trash(told: dict) -> None:
    """Leave out files of deleted experiments: in its trash MLflow itself does not find them."""
    gone = {name for name, item in told["experiments"].items() if item[1] == "deleted"}
    for run in told["runs"].values():
        if run["experiment"] in gone:
            run["files"] = {}
    told["logged"] = {name: [*item[:5], *item[6:]] for name, item in told["logged"].items()}


def without_ties(told: dict) -> None:
    """Leave out last values where NaN is of the same step and time as another value: of these a folder's order decides, a database's not."""
    for run in told["runs"].values():
        for key, history in run["histories"].items():
            last = max((step, at) for _, at, step in history)
            tied = {value for value, at, step in history if (step, at) == last}
            if "nan" in tied and len(tied) > 1:
                run["metrics"][key] = "any"


def as_database(told: dict) -> None:
    """Say of a folder's histories what a database can: infinities are the greatest numbers, equal points are one."""
    most = {"inf": "1.7976931348623157e+308", "-inf": "-1.7976931348623157e+308", "-0.0": "0.0"}
    for run in told["runs"].values():
        run["metrics"] = {key: most.get(value, value) for key, value in run["metrics"].items()}
        for key, history in run["histories"].items():
            same = {(most.get(value, value), at, step) for value, at, step in history}
            run["histories"][key] = sorted([value, at, step] for value, at, step in same)


def main(folder: str, examples: str) -> None:
    root = Path(folder)
    open_target(f"sqlite:///{root}/template.db")
    folio_at(root / "folio")
    done: Counter = Counter()

    @settings(
        max_examples=int(examples),
        deadline=None,
        database=None,
        derandomize=True,
        print_blob=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(stores)
    def holds(wanted: dict) -> None:
        place = Place(root)
        try:
            done.update(round_trip(place, wanted), stores=1)
        finally:
            shutil.rmtree(place.root, ignore_errors=True)

    holds()
    print(json.dumps(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
