"""What a site is made from: the records of one commit, read through the index, and the objects that they name.

Invariants:

- Everything is of one commit; nothing is read from the work tree, and nothing of live runs.
- Memory does not follow the bytes of the records: the outline of all runs is held, records are read when they are rendered.
- A record that cannot be read is counted and named in `faults`, and hides no other.
"""

from __future__ import annotations

import hashlib
import json
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from runfolio._dataclass import dataclass, field
from runfolio.errors import DamagedError, NotFoundError
from runfolio.folio import Folio
from runfolio.formats import paths
from runfolio.formats.runs import run_fields, run_of_fields
from runfolio.gitstore.trees import folder_names
from runfolio.records import Experiment, Lifecycle, Objective, Run
from runfolio.records.settings import SiteSettings
from runfolio.site.chunks import chunked
from runfolio.site.columns import Cells, add_cells
from runfolio.site.details import detail_of, row_cells
from runfolio.site.options import BuildOptions
from runfolio.site.output import Output
from runfolio.site.overrides import team_templates
from runfolio.site.public import Redaction, redaction_of

if TYPE_CHECKING:
    from runfolio.index import Index, RunRow
    from runfolio.records.reproductions import Reproduction
    from runfolio.site.catalogue import ModelData
    from runfolio.site.charts.declared import Declared
    from runfolio.site.datasets import DatasetData
    from runfolio.site.growing import Grown
    from runfolio.site.history import History
    from runfolio.site.render import Renderer

_SLICE = 2000
_ID, _SLUG, _OID, _BY_START = itemgetter(1), itemgetter(2), itemgetter(7), itemgetter(5, 1)
"""``run_id``, ``slug``, ``oid``, and start with id, of a :class:`~runfolio.index.RunRow`, by place: asked of every run, again and again."""
MOST_LISTS = 2000
"""Package lists of a site."""
SERIES_BUDGET = 1 << 27
"""Bytes of metric histories in a site, about; many runs get fewer points each."""


@dataclass(slots=True)
class ExperimentData:
    """One experiment with its runs.

    Parameters
    ----------
    experiment : Experiment
    objective : Objective or None
        Its own, or what the settings say for its name.
    rows : list of RunRow
        Active runs by start, then id; a row's place here is its number in the table.
    """

    experiment: Experiment
    objective: Objective | None
    rows: list[RunRow]
    columns: dict[str, dict[str, Any]] | None = None
    """Facts of the columns of its table, once they are known; the first ones are `core`."""
    core: tuple[str, ...] = ()
    values: dict[int, float] | None = None
    """What `Site.objective_values` read."""
    summary: object | None = None
    """What `runfolio.site.summaries` made of it."""

    @property
    def slug(self) -> str:
        """Name of its folder."""
        return self.experiment.slug

    @property
    def name(self) -> str:
        """What people call it."""
        return self.experiment.name

    def place_of(self, row: RunRow) -> int:
        """Return a run's number in the table."""
        return bisect_left(self.rows, (row.start, row.run_id), key=_BY_START)


class _Keeping:
    """Has room for what cached properties keep, which slots have not."""


@dataclass(slots=True)
class Site(_Keeping):
    """The material of one site.

    Parameters
    ----------
    folio : Folio
    options : BuildOptions
    commit : str
        Object id of the commit that is shown.
    output : Output
    """

    folio: Folio
    options: BuildOptions
    commit: str
    output: Output
    previews: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What is published of runs' artifacts: by run id, then by path."""
    warnings: list[str] = field(default_factory=list)
    """What the person who builds should know."""
    kept: list[tuple[Sequence[RunRow], dict[str, Cells]]] = field(default_factory=list)
    """The columns of shards of runs that were read, as far as they are kept; see :mod:`runfolio.site.data.reading`."""
    grown: dict[str, Grown] = field(default_factory=dict)
    """Shards of which the last build wrote the first runs, by the name of their facts; see :mod:`runfolio.site.growing`."""
    words: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Name and searched words of runs that were read, by the run's number in the index."""

    @cached_property
    def index(self) -> Index:
        """The table of the records of the commit."""
        return self.folio.fresh_index(self.commit)

    @cached_property
    def committed_at(self) -> int:
        """When the commit was made, milliseconds since the epoch, UTC."""
        return self.folio.repo.committed_at(self.commit)

    @cached_property
    def folders(self) -> frozenset[str]:
        """What lies at the top of the folio, by name: of kinds of records that it does not have, nothing is loaded that reads them."""
        return frozenset(folder_names(self.folio.repo, f"{self.commit}:{self.folio.place.prefix.rstrip('/')}"))

    @cached_property
    def reproductions(self) -> Mapping[str, Sequence[Reproduction]]:
        """What came of making runs again, by run id, the newest first."""
        return self.folio.reproductions.all(self.commit) if paths.REPRODUCTIONS in self.folders else {}

    @cached_property
    def overrides(self) -> Mapping[str, str]:
        """The team's own templates and styles, by their path."""
        return team_templates(self.folio, self.commit, self.options.templates)

    @cached_property
    def charts(self) -> list[Declared]:
        """The charts that the team declares."""
        if not self.settings.charts:
            return []
        from runfolio.site.charts.declared import read_declared

        return read_declared(self)

    @property
    def settings(self) -> SiteSettings:
        """What ``runfolio.yaml`` says of the site."""
        return self.folio.settings.site

    @property
    def title(self) -> str:
        """What the site calls itself."""
        return self.settings.title or self.folio.place.root.name.removesuffix(".git") or "runfolio"

    @property
    def base_url(self) -> str:
        """Where the site will stand, with a slash at its end; empty where that is not known."""
        given = self.settings.base_url if self.options.base_url is None else self.options.base_url
        return given and given.rstrip("/") + "/"

    @cached_property
    def redaction(self) -> Redaction:
        """What a public site leaves out; nothing without ``--public``."""
        return redaction_of(self.settings, self.options.public)

    @cached_property
    def renderer(self) -> Renderer:
        """Makes HTML."""
        from runfolio.site.render import Renderer

        return Renderer(self)

    def html(self, template: str, path: str, **context: Any) -> bytes:
        """Render a page; see :meth:`runfolio.site.render.Renderer.html`."""
        return self.renderer.html(template, path, **context)

    @cached_property
    def models(self) -> list[ModelData]:
        """The registered models, by name."""
        if paths.MODELS not in self.folders:
            return []
        from runfolio.site.catalogue import read_catalogue

        return read_catalogue(self)

    @cached_property
    def datasets(self) -> list[DatasetData]:
        """The recorded datasets, by name."""
        from runfolio.site.datasets import read_datasets

        return read_datasets(self)

    @cached_property
    def dataset_slugs(self) -> dict[str, str]:
        """The folders of the recorded datasets, by their names."""
        return {item.dataset.name: item.dataset.slug for item in self.datasets}

    @cached_property
    def experiments(self) -> list[ExperimentData]:
        """Active experiments: those with the newest runs first, then by name."""
        rows = {slug: list(found) for slug, found in groupby(self.index.outline(), key=_SLUG)}
        found = [
            ExperimentData(item, item.objective or self.folio.settings.objective(item.name), rows.get(item.slug, []))
            for item in self.index.experiments()
            if item.lifecycle is Lifecycle.ACTIVE
        ]
        shown = [item for item in found if item.rows or item.experiment.experiment_id != "0"]
        return sorted(shown, key=lambda item: (-(item.rows[-1].start if item.rows else 0), item.name))

    @cached_property
    def rows(self) -> list[RunRow]:
        """The runs of all experiments, by id."""
        return sorted(chain.from_iterable(item.rows for item in self.experiments), key=_ID)

    @cached_property
    def prepared(self) -> frozenset[str]:
        """Ids of the runs whose pages are written ahead: of each experiment the newest, the best, the parents and the baseline.

        Parents have a place of their own: a sweep is older than all of its trials, and would not be among the newest.
        """
        made: set[str] = set()
        for item in self.experiments:
            made.update(row.run_id for row in item.rows[newest_from(len(item.rows), self.settings.run_pages) :])
            made.update(row.run_id for row in self.best(item, min(20, self.settings.run_pages)))
            most = min(50, self.settings.run_pages)
            made.update([row.run_id for row in item.rows if row.run_id in self.children][-most:] if most else ())
            if item.experiment.baseline in self.by_id:
                made.add(str(item.experiment.baseline))
        return frozenset(made)

    def best(self, item: ExperimentData, count: int) -> list[RunRow]:
        """Return an experiment's best runs by its objective, best first; the newest ones where it has none."""
        values = self.objective_values(item)
        if not values:
            return item.rows[::-1][:count]
        sign = -1 if item.objective and item.objective.direction == "max" else 1
        ranked = sorted(
            (sign * value, -row.start, row.run_id, row) for row in item.rows if (value := values.get(row.pk)) is not None
        )
        return [row for *_, row in ranked[:count]]

    def objective_values(self, item: ExperimentData) -> dict[int, float]:
        """Return the objective's value by the number of the run, without NaN; nothing where there is no objective."""
        if item.objective is None:
            return {}
        if item.values is None:
            found = self.index.metric(item.slug, item.objective.metric)
            item.values = {pk: value for pk, value in found.items() if value is not None}
        return item.values

    @cached_property
    def chunks(self) -> list[tuple[str, Sequence[RunRow]]]:
        """The runs as their data files hold them, each with its name."""
        return chunked(self.rows)

    @cached_property
    def environments(self) -> Mapping[str, str]:
        """Object ids of the package lists of runs, by name."""
        if paths.ENVIRONMENTS not in self.folders:
            return {}
        entries = self.folio.repo.tree_entries(self.commit, self.folio.place.full(paths.ENVIRONMENTS))
        named = {entry.path.rpartition("/")[2]: entry.oid for entry in entries}
        found = {name.removesuffix(".txt"): oid for name, oid in sorted(named.items()) if name.endswith(".txt")}
        return dict(list(found.items())[:MOST_LISTS])

    @cached_property
    def history(self) -> History:
        """The newest commits."""
        from runfolio.site.history import History

        return History(self)

    @cached_property
    def by_start(self) -> list[RunRow]:
        """The runs of all experiments, the oldest first."""
        # Those of an experiment are in this order already.
        return sorted(chain.from_iterable(item.rows for item in self.experiments), key=_BY_START)

    @cached_property
    def evaluations(self) -> Mapping[str, str]:
        """The run that evaluated a model last, by the digest of the model's files."""
        from runfolio.site.evaluated import evaluations_by_digest

        return evaluations_by_digest(self)

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of experiments by slug."""
        return {item.slug: item.name for item in self.experiments}

    @cached_property
    def by_id(self) -> dict[str, RunRow]:
        """The runs of all experiments, by id."""
        return dict(zip(map(_ID, self.rows), self.rows, strict=True))

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """Ids of nested runs, oldest first, by their parent's."""
        made: dict[str, list[str]] = defaultdict(list)
        for parent, row in self.index.parents():
            if row in self.by_id:
                made[parent].append(row)
        return {parent: tuple(sorted(ids)[:100]) for parent, ids in made.items()}

    @cached_property
    def points_a_run(self) -> int:
        """Points of metric histories that a run's data may hold: a power of two, so that it seldom changes."""
        share = SERIES_BUDGET // 12 // max(1, len(self.rows))
        return 1 << max(5, min(11, int(math.log2(max(1, share)))))

    def records(self, rows: Sequence[RunRow]) -> list[dict[str, Any]]:
        """Return the records of some runs as JSON values, without what a public site leaves out."""
        # Decoded here: of bytes, the parser would first guess the encoding.
        return [self.redaction.record(json.loads(body.decode())) for body in self.bodies(rows)]

    def digest(self, rows: Sequence[RunRow]) -> str:
        """Return one digest of the records of some runs."""
        # All of one length, so that joining them is as telling as digest_of, and five times as fast.
        return hashlib.sha256(b"".join(map(_OID, rows))).hexdigest()

    def bodies(self, rows: Sequence[RunRow]) -> list[bytes]:
        """Return the bytes of the records of some runs."""
        return self.index.bodies([row.pk for row in rows])

    def columns(self, rows: Sequence[RunRow]) -> dict[str, Cells]:
        """Return the table's columns of some runs; those of a shard that was read lately are at hand."""
        for kept, cells in self.kept:
            if kept == rows:
                return cells
        made: dict[str, Cells] = {}
        for at in range(0, len(rows), _SLICE):
            add_cells(made, map(row_cells, self.records(rows[at : at + _SLICE])), at)
        return made

    def run(self, run_id: str) -> Run:
        """Return a run.

        Raises
        ------
        NotFoundError
            If the site has no such run.
        """
        row = self.by_id.get(run_id)
        if row is None:
            raise NotFoundError(f"The site has no run {run_id!r}.")
        return run_of_fields(self.records([row])[0], run_id)

    def seen(self, run: Run) -> Run:
        """Return a run without what a public site leaves out."""
        return run_of_fields(self.redaction.record(run_fields(run)), run.run_id) if self.options.public else run

    def details(self, rows: Sequence[RunRow]) -> list[dict[str, Any]]:
        """Return everything that the pages of some runs show; see :func:`runfolio.site.details.detail_of`."""
        records = self.records(rows)
        drawn = [row for row, record in zip(rows, records, strict=True) if "series" in record]
        series = dict(zip([row.run_id for row in drawn], self.series(drawn), strict=True))
        return [
            detail_of(
                record,
                self.names.get(record["experiment"], record["experiment"]),
                series.get(record["run_id"]),
                self.artifacts(record),
                self.previews.get(record["run_id"], {}),
                self.children.get(record["run_id"], ()),
            )
            for record in records
        ]

    def artifacts(self, record: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        """Return a record's artifacts by path, also those that an object lists; none of the latter where it is not at hand."""
        listed = record.get("manifest")
        if not listed:
            inline: Mapping[str, Mapping[str, Any]] = record.get("artifacts", {})
            return inline
        from runfolio.objects.manifests import decode_manifest

        try:
            data = self.folio.store.read(listed["digest"])
        except (NotFoundError, DamagedError):
            return {}
        entries = decode_manifest(data, f"the list of artifacts of run {record['run_id']}")
        found = {path: {"digest": item.digest, "size": item.size, "type": item.media_type} for path, item in entries.items()}
        return self.redaction.artifacts(found)

    def series(self, rows: Sequence[RunRow]) -> list[Mapping[str, Any] | None]:
        """Return the metric histories to draw of runs that have some; None where the file is gone."""
        full = self.folio.place.full
        # The index has no start of a record that SQLite cannot hold.
        starts = [row.start or self.records([row])[0]["start"] for row in rows]
        named = zip(rows, starts, strict=True)
        wanted = [full(paths.series_path(paths.run_path(row.slug, row.run_id, start))) for row, start in named]
        if not wanted:
            return []
        from runfolio.site.thinning import curves_of

        found = self.folio.repo.read_many([f"{self.commit}:{path}" for path in wanted])
        return [curves_of(data, self.points_a_run) if data else None for _, data in found]


def newest_from(count: int, pages: int) -> int:
    """Return the place of the first of an experiment's newest runs whose pages are written ahead.

    It moves on in steps of a quarter of `pages`, so that there are up to a quarter more: were it to move with each run, then each would
    take the page of another away, and the files that tell which of the older runs have one would be made again.

    >>> newest_from(1234, 200), newest_from(1249, 200), newest_from(1250, 200), newest_from(150, 200), newest_from(9, 0)
    (1000, 1000, 1050, 0, 9)
    """
    return max(0, count - pages) // (step := max(1, pages // 4)) * step if pages else count
