"""What an evaluation returns: metrics, artifacts, and the document that the site draws. MLflow's ``EvaluationResult``.

A result saved to a folder has MLflow's layout: ``metrics.json``, ``artifacts_metadata.json``, and the files under ``artifacts/``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from runfolio.errors import DamagedError, NotFoundError
from runfolio.evaluation.artifacts import BY_NAME, EvaluationArtifact, plain

_METRICS, _ARTIFACTS, _FOLDER = "metrics.json", "artifacts_metadata.json", "artifacts"


class EvaluationResult:
    """What an evaluation found.

    Parameters
    ----------
    metrics : Mapping of str to float
    artifacts : Mapping of str to EvaluationArtifact
    run_id : str, optional
        The run that they were logged to.
    document : Mapping, optional
        What ``evaluation.json`` says: see docs/evaluation-format.md.
    baseline_metrics : Mapping of str to float, optional
        Of the model that it was compared with.
    """

    def __init__(
        self,
        metrics: Mapping[str, float],
        artifacts: Mapping[str, EvaluationArtifact],
        run_id: str | None = None,
        *,
        document: Mapping[str, Any] | None = None,
        baseline_metrics: Mapping[str, float] | None = None,
    ) -> None:
        self._metrics, self._artifacts, self._run_id = dict(metrics), dict(artifacts), run_id
        self._document, self._baseline = document, dict(baseline_metrics or {})

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics by name."""
        return self._metrics

    @property
    def artifacts(self) -> dict[str, EvaluationArtifact]:
        """Artifacts by name, such as ``roc_curve_plot``."""
        return self._artifacts

    @property
    def run_id(self) -> str | None:
        """The run that they were logged to."""
        return self._run_id

    @property
    def baseline_metrics(self) -> dict[str, float]:
        """Metrics of the baseline model on the same rows; none where there was no baseline."""
        return self._baseline

    @property
    def document(self) -> dict[str, Any]:
        """What the site draws: intervals, curves, slices, the comparison. See docs/evaluation-format.md."""
        if self._document is None:
            held = self._artifacts.get("evaluation")
            self._document = held.content if held is not None else {}
        return dict(self._document)

    @property
    def slices(self) -> Any:
        """The metrics of the slices, a row each, with intervals: a DataFrame."""
        import pandas

        rows = []
        for entry in self.document.get("slices", {}).get("rows", ()):
            row: dict[str, Any] = {"slice": entry["name"], "rows": entry["rows"]}
            for name, found in entry["metrics"].items():
                row[name] = found["value"]
                row |= {f"{name}_{part}": found[part] for part in ("low", "high", "difference") if part in found}
            rows.append(row)
        return pandas.DataFrame(rows)

    @property
    def tables(self) -> dict[str, Any]:
        """Tables by name, such as ``eval_results_table``: DataFrames."""
        import pandas

        made = {}
        for name, artifact in self._artifacts.items():
            content = artifact.content if artifact.uri.endswith((".json", ".csv", ".parquet")) and name != "evaluation" else None
            if isinstance(content, pandas.DataFrame):
                made[name] = content
            elif isinstance(content, dict) and isinstance(content.get("columns"), list) and isinstance(content.get("data"), list):
                made[name] = pandas.DataFrame(content["data"], columns=content["columns"])
        return made

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result to a folder, as MLflow does.

        Parameters
        ----------
        path : path
            Made where it is missing.
        """
        folder = Path(path)
        (folder / _FOLDER).mkdir(parents=True, exist_ok=True)
        (folder / _METRICS).write_text(json.dumps(plain(self._metrics)), "utf-8")
        said = {}
        for name, artifact in self._artifacts.items():
            kind = f"mlflow.models.evaluation.artifacts.{type(artifact).__name__}"
            said[name] = {"uri": artifact.uri, "class_name": kind}
            artifact.write(folder / _FOLDER / _file(artifact.uri))
        (folder / _ARTIFACTS).write_text(json.dumps(said), "utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> EvaluationResult:
        """Read a result that :meth:`save` wrote, here or in MLflow.

        Raises
        ------
        NotFoundError
            If the folder holds none.
        DamagedError
            If it names a kind of artifact that is not known, or that is read by running code.
        """
        folder = Path(path)
        try:
            metrics, said = (json.loads((folder / name).read_text("utf-8")) for name in (_METRICS, _ARTIFACTS))
        except FileNotFoundError as error:
            raise NotFoundError(f"No saved evaluation in {folder}: there is no {Path(str(error.filename)).name}.") from None
        except ValueError as error:
            raise DamagedError(f"The evaluation in {folder} is not JSON: {error}.") from None
        artifacts = {}
        for name, entry in said.items():
            kind = BY_NAME.get(str(entry["class_name"]).rpartition(".")[2])
            if kind is None:
                raise DamagedError(
                    f"{folder / _ARTIFACTS}: {name}: an artifact of the class {entry['class_name']} is not read here. There are "
                    f"{', '.join(BY_NAME)}; a pickle would run code."
                )
            artifacts[name] = kind(entry["uri"])
            artifacts[name].load(folder / _FOLDER / _file(entry["uri"]))
        return cls(metrics, artifacts)


def _file(uri: str) -> str:
    return urlparse(uri).path.rsplit("/", 1)[-1]
