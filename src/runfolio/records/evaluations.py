"""How an evaluation is told in a run: the role of its dataset, and the tags that say which model it was of.

The tags name a model by the digest of its files, as the record of a registered version does: what was evaluated is exactly those bytes.
"""

from __future__ import annotations

from runfolio.records.runs import Run

CONTEXT = "eval"
MODEL_TAG, DIGEST_TAG, BASELINE_TAG = "runfolio.evaluated.model", "runfolio.evaluated.digest", "runfolio.evaluated.baseline"


def evaluated_on(run: Run, dataset: str = "") -> bool:
    """Tell whether a run evaluated on a dataset, named by its name or digest; on any, without one."""
    return any(item.context == CONTEXT and dataset in ("", item.name, item.digest) for item in run.inputs)
