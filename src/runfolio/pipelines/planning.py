"""Which steps are up to date, which are not, and why.

A step is judged when the outputs of all that it needs are known: those of the runs that made them. So a step whose input was made again,
and came out the same to the byte, is up to date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, RunfolioError, UsageError
from runfolio.folio.datasets import DatasetBook
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.formats.canonical import MAX_RECORD_BYTES
from runfolio.gitstore.repo import Repo
from runfolio.objects import decode_manifest
from runfolio.pipelines.code import CodeFiles, path_of
from runfolio.pipelines.contents import Content, Stamps, below, digest_of
from runfolio.pipelines.facts import Facts, changes, read_facts
from runfolio.pipelines.finding import Finder, Made
from runfolio.pipelines.model import INSTALLED, NONE, Input, Pipeline, Step
from runfolio.records.datasets import DatasetKind
from runfolio.records.names import check_run_id
from runfolio.records.pipelines import STEP_DOCUMENT
from runfolio.records.redaction import Redactor
from runfolio.records.runs import ArtifactEntry, Run

MAX_FACTS_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Judged:
    """A step, judged.

    Parameters
    ----------
    step : Step
    facts : Facts or None
        None where it waits for a step that is not up to date.
    made : Made or None
        The run that made its outputs, where it is up to date.
    why : tuple of str
        Why it is not.
    inputs : Mapping of str to Content
        What it reads, by place.
    """

    step: Step
    facts: Facts | None = None
    made: Made | None = None
    why: tuple[str, ...] = ()
    inputs: Mapping[str, Content] = field(default_factory=dict)


class Planner:
    """Judges the steps of one pipeline.

    Parameters
    ----------
    repo : Repo
        That of the pipeline's file.
    folio : Folio
        That of its runs.
    pipeline : Pipeline
    redactor : Redactor
    """

    def __init__(self, repo: Repo, folio: Folio, pipeline: Pipeline, redactor: Redactor) -> None:
        self.folio, self.redactor = folio, redactor
        self.base = path_of(repo, pipeline)
        self._datasets = DatasetBook(folio.place)
        self.pipeline = with_places(pipeline, self._datasets)
        same = repo.common_dir == folio.repo.common_dir
        self.stamps = Stamps(folio.place.local / "pipelines" / "stamps.json")
        self.finder = Finder(folio, pipeline.name)
        self._code = CodeFiles(repo, self.pipeline, folio.place.prefix if same else "")
        self._fetched: dict[str, Content] = {}

    def faults(self, steps: Iterable[Step]) -> list[str]:
        """Say what the steps need and is not there, before any of them is started."""
        made = []
        for step in steps:
            missing = self._code.of(step)[1]
            made += [
                f"{step.name}: code: no file is, or fits, {pattern!r}. Correct it in {self.pipeline.file}." for pattern in missing
            ]
            for item in step.inputs:
                if not item.step:
                    made += self._input_faults(step, item)
            if step.environment not in ((INSTALLED,), (NONE,)):
                made += [
                    f"{step.name}: environment: there is no file {name!r}."
                    for name in step.environment
                    if not (self.base / name).is_file()
                ]
        return made

    def _input_faults(self, step: Step, item: Input) -> list[str]:
        try:
            if not item.uri and not item.dataset and self.stamps.content(self.base, item.place) is None:
                return [
                    f"{step.name}: the input {item.place} is not there, and no step makes it. Bring it, or name what makes it."
                ]
            self.source(item)
        except RunfolioError as error:
            return [f"{step.name}: the input {item.uri or item.dataset or item.place}: {error.message}"]
        return []

    def source(self, item: Input) -> Content:
        """Return the content of an input that no step makes."""
        said = item.uri or (f"data:{item.dataset}" if item.dataset else "")
        if said:
            if said not in self._fetched:
                self._fetched[said] = self._of_uri(item.uri) if item.uri else self._of_dataset(item)
            return self._fetched[said]
        found = self.stamps.content(self.base, item.place)
        if found is None:
            raise NotFoundError(f"There is no {item.place} below {self.base}.")
        return found

    def _of_uri(self, uri: str) -> Content:
        if uri.startswith("models:/"):
            from runfolio.registry import files_of, parse_model_uri, resolve

            asked = parse_model_uri(uri)
            found = below(files_of(self.folio, resolve(self.folio, asked)[1]), asked.path)
        else:
            run_id, _, path = uri[len("runs:/") :].partition("/")
            run = self.folio.runs.get(self.folio.runs.resolve(check_run_id(run_id)))
            found = below(self.folio.runs.artifacts(run), path)
        if not found:
            raise NotFoundError(f"{uri} names no file. Look: runfolio artifacts list")
        return found

    def _of_dataset(self, item: Input) -> Content:
        """Return the content of a dataset that is current; of one that another tool keeps, what lies here."""
        dataset = self._datasets.find(item.dataset)
        if dataset.object is None:
            found = self.stamps.content(self.base, item.place)
            if found is None:
                raise NotFoundError(f"The dataset {dataset.name} is not here. Bring it: runfolio data get {dataset.name}")
            return found
        if dataset.kind is DatasetKind.FOLDER:
            return decode_manifest(self.folio.store.read(dataset.object, MAX_RECORD_BYTES), f"the list of dataset {dataset.name}")
        return {"": ArtifactEntry(dataset.object, self.folio.store.size(dataset.object))}

    def judge(self, step: Step, made: Mapping[str, Made], *, force: bool = False) -> Judged:
        """Judge a step.

        Parameters
        ----------
        step : Step
        made : Mapping of str to Made
            What the steps that are up to date by now have made.
        force : bool, optional
            Do not look for a run that made its outputs.
        """
        waits = [name for name in step.needs if name not in made]
        if waits:
            return Judged(step, why=tuple(f"{name} is made again before it" for name in waits))
        inputs = {item.place: made[item.step].at(item.place) if item.step else self.source(item) for item in step.inputs}
        empty = [place for place, content in inputs.items() if not content]
        if empty:
            raise UsageError(
                f"{step.name}: the input {empty[0]} is an empty folder, or was not made. Look at the step that makes it."
            )
        facts = self._facts(step, inputs)
        if force:
            return Judged(step, facts, None, ("asked for by --force",), inputs)
        found, gone = self.finder.made(facts.key)
        if found is not None:
            return Judged(step, facts, found, (), inputs)
        return Judged(step, facts, None, (gone,) if gone else self._why(step, facts), inputs)

    def _facts(self, step: Step, inputs: Mapping[str, Content]) -> Facts:
        return Facts(
            step.command,
            self.pipeline.values(step),
            step.env,
            {path: str(self.stamps.entry(self.base / path).digest) for path in self._code.of(step)[0]},
            self._environment(step),
            {place: digest_of(content) for place, content in inputs.items()},
            step.outputs,
        )

    def _environment(self, step: Step) -> dict[str, str]:
        import sys

        if step.environment == (NONE,):
            return {}
        python = {"python": "{}.{}".format(*sys.version_info[:2])}
        if step.environment != (INSTALLED,):
            return {**python, **{name: str(self.stamps.entry(self.base / name).digest) for name in step.environment}}
        from runfolio.tracking.packages import installed, lock_name

        return {**python, "packages": lock_name(_without_us(installed()))}

    def _why(self, step: Step, facts: Facts) -> tuple[str, ...]:
        last = self.finder.last(self.pipeline.name, step.name)
        if last is None:
            return ("it has not run yet",)
        entry = self.folio.runs.artifacts(last).get(STEP_DOCUMENT)
        old = None
        if entry is not None and self.folio.store.exists(entry.digest):
            old = read_facts(self.folio.store.read(entry.digest, MAX_FACTS_BYTES), STEP_DOCUMENT)
        if old is None:
            return (f"what run {last.run_id} was made of is not known",)
        ended = () if last.status.value == "FINISHED" else (f"run {last.run_id} {last.status.value.lower()}",)
        now = read_facts(facts.written(self.redactor.fresh()), STEP_DOCUMENT)
        assert now is not None
        return (*ended, *changes(old, now, lambda name: self._packages(name, last))) or ("a value that is kept secret changed",)

    def _packages(self, name: str, last: Run) -> str:
        """Return a list of packages without ours: that of the run, or of this process."""
        from runfolio.tracking.packages import installed, lock_name

        here = _without_us(installed())
        if name == lock_name(here):
            return here
        lock = str(last.environment.get("lock", ""))
        data = self.folio.place.read(self.folio.place.tip(), f"{paths.ENVIRONMENTS}/{lock}.txt") or self.folio.spool.environment(
            lock
        )
        text = _without_us((data or b"").decode("utf-8", "replace"))
        return text if lock_name(text) == name else ""


def with_places(pipeline: Pipeline, datasets: DatasetBook) -> Pipeline:
    """Return the pipeline with the places of datasets that its file gives none: their own.

    Raises
    ------
    NotFoundError
        If there is no dataset of a name.
    UsageError
        If one lies outside of the pipeline's folder.
    """

    def placed(item: Input) -> Input:
        if not item.dataset or item.place:
            return item
        path, start = datasets.find(item.dataset).path, f"{pipeline.folder}/" if pipeline.folder else ""
        if not path or not path.startswith(start):
            raise UsageError(
                f"{pipeline.file}: the dataset {item.dataset} lies outside of the pipeline's folder. Say where to put it: "
                f"{{from: 'data:{item.dataset}', to: PATH}}"
            )
        return replace(item, place=path[len(start) :])

    steps = tuple(replace(step, inputs=tuple(placed(item) for item in step.inputs)) for step in pipeline.steps)
    return replace(pipeline, steps=steps)


def _without_us(text: str) -> str:
    """Leave runfolio out of a package list: what logs a step does not decide what it makes."""
    return "".join(f"{line}\n" for line in text.splitlines() if not line.startswith(("runfolio==", "runfolio @")))
