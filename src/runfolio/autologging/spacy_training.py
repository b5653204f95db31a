"""What a training by spaCy's own loop logs: its config, scores and losses of each evaluation, the best pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runfolio.autologging.run_log import RunLog
from runfolio.flavors.spacy import save_model
from runfolio.tracking.flavor_models import logs

BEST = "model-best"
"""Folder in which spaCy keeps the pipeline of the best evaluation."""
_log_model = logs(save_model)


class Watch:
    """One training of a pipeline.

    Parameters
    ----------
    log : RunLog
    nlp : spacy.language.Language
    """

    def __init__(self, log: RunLog, nlp: Any) -> None:
        self._log, self._nlp = log, nlp
        self._best: tuple[float, int] | None = None
        with log.guard("the config"):
            config = nlp.config.interpolate()
            log.params(flat(config))
            log.text(config.to_str(), "config.cfg")

    def evaluated(self, info: Mapping[str, Any]) -> None:
        """Log an evaluation: what spaCy hands to its loggers."""
        with self._log.guard("the scores of an evaluation"):
            made = {"score": float(info["score"]), "epoch": info["epoch"], "words": info["words"]}
            made |= {f"loss_{name}": float(value) for name, value in info["losses"].items()}
            self._log.metrics({**numbers(info["other_scores"] or {}), **made}, step=info["step"])
            # The earliest of equal ones: spaCy judges its patience so.
            if self._best is None or made["score"] > self._best[0]:
                self._best = made["score"], info["step"]

    def end(self, output: Path | None) -> None:
        """Log what the training came to.

        Parameters
        ----------
        output : Path, optional
            spaCy's output folder. Where there is none, the pipeline is logged as the last step left it.
        """
        if self._best is not None:
            self._log.metrics({"best_score": self._best[0], "best_step": self._best[1]})
        if self._log.options.log_models:
            with self._log.guard("the model"):
                nlp = self._nlp if output is None else _loaded(output / BEST)
                _log_model(nlp, "model", registered_model_name=self._log.options.registered_model_name)


def _loaded(place: Path) -> Any:
    import spacy

    return spacy.load(place)


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of nested tables by dotted names."""
    made: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}".replace("@", "_at_")
        if isinstance(value, Mapping):
            made |= flat(value, f"{name}.")
        else:
            made[name] = value
    return made


def numbers(scores: Mapping[str, Any]) -> dict[str, float]:
    """Return the scores that are numbers, those of each label by dotted names."""
    return {key: float(value) for key, value in flat(scores).items() if isinstance(value, (int, float))}


def loop_metrics(losses: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Give the losses of one update: spaCy adds them up in the table that it is given."""
    for name, value in losses.items():
        yield f"loss_{name}", float(value) - float(before.get(name, 0.0))
