"""The tables of an export: their names, columns, kinds and units. Long tables, so that no key of a user is a column but in one.

A key that a user chose (of a param, metric or tag) is a value of a long table: there are as many as there are, none collides with a
column's name, and the table grows by rows alone. ``runs_wide`` has one row a run and a column a key, as ``mlflow.search_runs`` gives it;
it holds `MOST_WIDE` keys at most.
"""

from __future__ import annotations

from runfolio._dataclass import dataclass

MOST_WIDE = 2000
"""Keys that have a column in ``runs_wide``; where there are more, those of the most runs."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column.

    Parameters
    ----------
    name : str
    kind : str
        ``text``, ``time``, ``whole``, ``number`` or ``flag``.
    says : str
        What it means, with its unit.
    """

    name: str
    kind: str
    says: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Parameters
    ----------
    name : str
    says : str
        What a row is.
    fields : tuple of Field
    """

    name: str
    says: str
    fields: tuple[Field, ...]


def _table(name: str, says: str, columns: str) -> Table:
    """Make a table from lines ``name kind what it means``."""
    parts = (line.split(None, 2) for line in columns.strip().splitlines())
    return Table(name, says, tuple(Field(*part) for part in parts))


EXPERIMENTS = _table(
    "experiments",
    "An experiment.",
    """
experiment_id text The id that the API shows.
experiment text Its name.
slug text Its folder in the folio; never changes.
lifecycle text active or deleted.
created time When it was made.
updated time When it was last changed.
description text What it is about.
objective_metric text The metric by which its runs are judged.
objective_direction text max or min: which way is better.
objective_replicate text The param that alone tells replicates apart.
baseline_run_id text The run with which the others are compared.
""",
)
RUNS = _table(
    "runs",
    "A run.",
    """
run_id text Its id.
experiment_id text The id of its experiment.
experiment text The name of its experiment.
name text Its name.
status text RUNNING, SCHEDULED, FINISHED, FAILED or KILLED.
lifecycle text active or deleted.
start_time time When it began.
end_time time When it ended; missing while it goes on.
duration_s number From start to end, in seconds.
user text Who ran it, as git names them.
parent_run_id text The run that it is a child of.
deleted_at time When it was deleted.
git_commit text The commit that was checked out.
git_branch text The branch that was checked out.
git_remote text The repository's address.
git_dirty flag Whether there were changes that were not committed.
code_tree text The id of the git tree with the exact code, kept under refs/runfolio/code.
script text What was started, from the repository's root.
entry_type text LOCAL, NOTEBOOK, PROJECT or PROGRAM.
arguments text The command's arguments, a JSON list.
python text The version of Python.
platform text Operating system and processor.
environment text The name of its list of packages: environments/<name>.txt in the folio.
artifacts whole How many files it has.
artifact_bytes whole The size of its files together, in bytes.
metric_points whole How many points its metrics have together.
notices text What was redacted, cut or left out as it was recorded, a JSON list.
resumed_times text When results were added after its end, a JSON list of milliseconds since the epoch, UTC.
""",
)
WIDE = (
    Field("run_id", "text", "The run's id."),
    Field("experiment", "text", "The name of its experiment."),
    Field("name", "text", "Its name."),
    Field("status", "text", "RUNNING, SCHEDULED, FINISHED, FAILED or KILLED."),
    Field("start_time", "time", "When it began."),
    Field("duration_s", "number", "From start to end, in seconds."),
)
"""The first columns of ``runs_wide``; then ``metrics.KEY`` (last value), ``params.KEY`` and ``tags.KEY``, each kind by key."""
PARAMS = _table(
    "params",
    "A param of a run.",
    """
run_id text The run.
key text The param's name.
value text Its value, as text.
""",
)
METRICS = _table(
    "metrics",
    "A metric of a run, by its last value.",
    """
run_id text The run.
key text The metric's name.
value number The value with the largest step, then time, then value.
step whole The step of that value.
timestamp time When that value was logged.
count whole How many points were logged.
min number The least value; missing where every point is NaN.
min_step whole Where it was first reached.
max number The greatest value; missing where every point is NaN.
max_step whole Where it was first reached.
""",
)
POINTS = _table(
    "metric_points",
    "A point of a metric; of one metric in the order in which they were logged.",
    """
run_id text The run.
key text The metric's name.
step whole The step.
timestamp time When it was logged.
value number The value.
""",
)
TAGS = _table(
    "tags",
    "A tag of a run, those of MLflow's that its columns do not say.",
    """
run_id text The run.
key text The tag's name.
value text Its value.
""",
)
INPUTS = _table(
    "inputs",
    "A dataset that a run read.",
    """
run_id text The run.
name text The dataset's name.
digest text Its digest, as the run named it.
context text Its role, such as training.
source_type text What kind of source.
source text Where it came from, as MLflow writes it: JSON.
schema text Its columns: JSON.
profile text Its size and the like: JSON.
tags text Tags of the input: a JSON object.
""",
)
ARTIFACTS = _table(
    "artifacts",
    "A file of a run.",
    """
run_id text The run.
path text Its path among the run's files.
size whole In bytes.
digest text sha256: and 64 hex digits, of its bytes.
media_type text Its media type, where its name does not say it.
uri text runs:/RUN/PATH, as runfolio and MLflow's clients take it.
present flag Whether the object store has it; missing where that was not looked at.
""",
)
DATASETS = _table(
    "datasets",
    "A recorded dataset, with the content that is current.",
    """
dataset text Its name.
slug text Its file in the folio.
digest text Of its content.
kind text file or folder.
path text Where it lies, from the repository's root.
held_by text Who keeps the bytes: store, dvc or source.
source text Where it came from.
created time When it was recorded first.
description text What it is.
size whole In bytes.
files whole How many files.
rows whole Rows of a table, lines of a text.
""",
)
MODELS = _table(
    "models",
    "A registered model.",
    """
model text Its name.
slug text Its folder in the folio; never changes.
created time When it was made.
description text What it is.
versions whole How many versions stand in this export.
""",
)
VERSIONS = _table(
    "model_versions",
    "A version of a registered model.",
    """
model text The model's name.
version whole Its number.
stage text The stage that it is in, or None.
lifecycle text active or deleted.
created time When it was registered.
user text Who registered it.
run_id text The run that made it.
source text What was registered: runs:/… or models:/….
path text Its folder among the run's files.
digest text sha256: and 64 hex digits, of the list of its files.
size whole Of its files together, in bytes.
files whole How many files.
flavors text What can load it, a JSON list.
runs_code text Files of it that run code when they are loaded, a JSON list.
inputs text The columns that it takes: JSON.
outputs text What it gives: JSON.
params text Params of its prediction: JSON.
input_example flag Whether it brings an example.
description text What it is.
""",
)
ALIASES = _table(
    "model_aliases",
    "An alias of a registered model.",
    """
model text The model's name.
alias text The alias.
version whole The version that it names.
""",
)
HISTORY = _table(
    "stage_history",
    "Something that happened to a registered model, oldest first, as git tells it.",
    """
model text The model's name.
version whole The version that it is about; missing where it is about the model.
time time When it was committed.
event text created, registered, stage, alias, described, tagged, waived, renamed, deployed, deleted or damaged.
stage_from text The stage before; None for none.
stage_to text The stage after; None for none.
what text What happened, in words.
author text Who committed it.
commit text The commit's id.
pull_request text The number of the pull request that brought it.
merged_by text Who merged it.
gates text What the policy said when it was promoted.
""",
)
OTHER_TAGS = _table(
    "other_tags",
    "A tag of an experiment, dataset, model or version.",
    """
of text experiment, dataset, model or version.
name text The name of the experiment, dataset or model.
version whole The version's number.
key text The tag's name.
value text Its value.
""",
)
OF_RUNS = (RUNS, PARAMS, METRICS, POINTS, TAGS, INPUTS, ARTIFACTS)
OTHERS = (EXPERIMENTS, DATASETS, MODELS, VERSIONS, ALIASES, HISTORY, OTHER_TAGS)
