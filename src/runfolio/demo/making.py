"""Make the demonstration folio."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from shlex import quote

from runfolio._dataclass import dataclass
from runfolio.demo.proving import prove
from runfolio.demo.releasing import POLICY, Released, release
from runfolio.errors import AlreadyExistsError, RunfolioError, missing_package
from runfolio.folio import Folio, initialise, open_folio
from runfolio.formats import paths
from runfolio.gitstore import FileChange, commit_files
from runfolio.gitstore.checkout import empty_tree, update
from runfolio.gitstore.commits import configured_ident
from runfolio.records import Objective

README = """\
# A runfolio demonstration

`train_wine.py` and `train_digits.py` are ordinary training scripts; `evaluate_wine.py` looks at the model in Production.
Each run they log is a small file under `runs/`, committed here.

    runfolio runs list
    runfolio site serve --open
    runfolio models versions wine-cultivar
    runfolio models history wine-cultivar
    git log --stat
"""


@dataclass(frozen=True, slots=True)
class Script:
    """One training script of the demonstration."""

    name: str
    steps: int
    words: str
    verb: str = "training"


SCRIPTS = (
    Script("train_wine.py", 15, "wine: 5 random forests × 3 seeds"),
    Script("train_digits.py", 5, "digits: 5 networks × 40 epochs"),
)
EVALUATION = Script("evaluate_wine.py", 1, "wine: what is in Production on unseen rows, with slices", "evaluating")
PROOF = Script("train_wine.py", 1, "wine: the run behind what is in Production, made again", "reproducing")
QUESTIONS = {
    "wine-classification": (
        Objective("accuracy", "max", "seed"),
        "How large a random forest does the wine data need? Five configurations, three seeds each, on 30 % of the data.",
    ),
    "digits-curves": (
        Objective("valid_accuracy", "max", "seed"),
        "How fast do small networks learn the digits, and where do they stop?",
    ),
}
EVALUATED = "wine-evaluations"
EVALUATED_FOR = (
    Objective("accuracy_score", "max"),
    "How good is what is in Production, where is it weak, and how much better is it than the first version?",
)
BASELINES = {"wine-classification": "forest-10-seed1", "digits-curves": "mlp-16-lr0.001-seed0"}
SITE = """
site:
  title: Runfolio demo
  description: Real runs on scikit-learn's wine and digits data, made by two ordinary training scripts.
  charts:
    - title: Accuracy by size of the forest, a point a seed
      experiment: wine-classification
      spec:
        data: {name: runs}
        transform: [{filter: "isValid(datum['params.n_estimators'])"}]
        layer:
          - mark: {type: line, interpolate: monotone}
            encoding:
              y: {aggregate: mean, field: metrics.accuracy, type: quantitative}
          - mark: {type: point, filled: true, size: 60}
            encoding:
              y: {field: metrics.accuracy, type: quantitative, scale: {zero: false}, title: accuracy}
        encoding:
          x: {field: params.n_estimators, type: quantitative, scale: {type: log, nice: false, padding: 12}, title: trees}
"""

Progress = Callable[[Script, int], None]
BuildProgress = Callable[[str, int, int], None]


def make(folder: Path, progress: Progress) -> tuple[Folio, Released]:
    """Make a folio, train on real data, commit the runs, register the wine models and promote them.

    Parameters
    ----------
    folder : Path
        New or empty.
    progress : callable
        Called with a script and how many of its steps are done.

    Raises
    ------
    AlreadyExistsError
        If the folder holds something.
    MissingPackageError
        If scikit-learn or matplotlib is not installed.
    RunfolioError
        If a script failed; its last words are in the message.
    """
    for module, package in (("sklearn", "scikit-learn"), ("matplotlib", "matplotlib")):
        if importlib.util.find_spec(module) is None:
            raise missing_package(package, "demo", "train the models of the demonstration")
    if folder.exists() and any(folder.iterdir()):
        raise AlreadyExistsError(f"{folder} is not empty. Give a new folder: runfolio demo DIR")
    folio = initialise(folder, own=True).folio  # never into a repository that happens to lie above
    _commit_code(folio)
    for name, (objective, question) in QUESTIONS.items():
        made = folio.experiments.create(name)
        folio.experiments.edit(made.experiment_id, "set the objective of", objective=objective, description=question)
    for script in SCRIPTS:
        run_script(folder, script, progress)
    folio.commit()
    for name, run_name in BASELINES.items():
        folio.experiments.edit(_experiment(folio, name), "set the baseline of", baseline=folio.runs.resolve(run_name))
    released = release(folio)
    run_script(folder, EVALUATION, progress)
    folio.commit()
    objective, question = EVALUATED_FOR
    folio.experiments.edit(_experiment(folio, EVALUATED), "set the objective of", objective=objective, description=question)
    progress(PROOF, 0)
    verdict = prove(folio)
    progress(PROOF, 1)
    return folio, replace(released, proof=verdict)


def _experiment(folio: Folio, name: str) -> str:
    found = folio.experiments.by_name(name)
    assert found is not None
    return found.experiment_id


def show(folder: Path, progress: BuildProgress) -> Path:
    """Build the site of the demonstration and return its first page.

    Parameters
    ----------
    folder : Path
        Of the folio.
    progress : callable
        See :func:`runfolio.site.build_site`.
    """
    from runfolio.site import build_site

    folio = open_folio(folder)  # anew: its settings were written after it was made
    try:
        return build_site(folio, folder / "site", progress=progress).out / "index.html"
    finally:
        folio.close()


def source_of(name: str) -> bytes:
    """Return one of the training scripts that the package brings."""
    return (files("runfolio.demo") / "files" / name).read_bytes()


def _commit_code(folio: Folio) -> None:
    repo = folio.repo
    contents = {script.name: source_of(script.name) for script in (*SCRIPTS, EVALUATION)}
    contents["README.md"] = README.encode()
    contents[".gitignore"] = b"/site/\n/proposal.html\n"
    contents[paths.POLICY] = POLICY
    settings = repo.read(f"HEAD:{folio.place.full(paths.SETTINGS)}")
    assert settings is not None
    contents[paths.SETTINGS] = settings + SITE.encode()
    commit_code(folio, contents, "train: a sweep on wine, learning curves on digits")


def commit_code(folio: Folio, contents: Mapping[str, bytes], message: str) -> None:
    """Commit files to the branch at hand, as their author would.

    Parameters
    ----------
    folio : Folio
    contents : Mapping of str to bytes
        By path from the folio's root.
    message : str
    """
    repo = folio.repo
    branch, parent = repo.head_branch(), repo.resolve("HEAD")
    assert branch is not None
    changes = [FileChange(folio.place.full(name), data) for name, data in contents.items()]
    commit_files(repo, branch, parent, changes, f"{message}\n", configured_ident(repo))
    tip = repo.resolve("HEAD")
    assert tip is not None
    update(repo, branch, parent or empty_tree(repo), tip, "")


def run_script(folder: Path, script: Script, progress: Progress) -> None:
    """Run a training script as its author would, in the folio's folder."""
    progress(script, 0)
    env = {key: value for key, value in os.environ.items() if not key.startswith("RUNFOLIO_")}
    command = [sys.executable, script.name]
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        for line in process.stdout:
            done, _, total = line.strip().partition("/")
            if total == str(script.steps) and done.isdigit():
                progress(script, int(done))
        said = process.stderr.read()
    if process.returncode:
        last = "; ".join(said.strip().splitlines()[-2:])
        raise RunfolioError(
            f"{script.name} failed: {last}. Run it by hand to see more: cd {quote(str(folder))} && {quote(sys.executable)} {script.name}"
        )
