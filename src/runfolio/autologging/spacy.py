"""spaCy's trainings: by its own loop (``spacy train``, ``spacy.training.loop.train``), and loops over ``nlp.update``. MLflow has neither.

A loop of one's own has no end that could be seen, so it starts no run: its losses go to the run that is active.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from runfolio.autologging.guarding import guard
from runfolio.autologging.patching import Patches
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.sessions import is_part
from runfolio.autologging.spacy_training import Watch, flat, loop_metrics
from runfolio.autologging.switches import switch
from runfolio.autologging.training import Call, Recording, logged
from runfolio.tracking import fluent

_here = threading.local()


def autolog(
    log_models: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Log what spaCy trains.

    Of spaCy's own loop the config as params and ``config.cfg``, scores and losses of each evaluation, ``best_score`` and ``best_step``,
    the model: the best pipeline where there is an output folder, else the last. Of a loop over ``nlp.update``, while a run is active,
    the pipeline's config and the losses of each update; its model is logged by :func:`runfolio.spacy.log_model`.

    Parameters
    ----------
    log_models : bool
        Keep the pipeline that spaCy's own loop trained.
    disable : bool
        Put spaCy back as it was.
    exclusive : bool
        Log only to runs that autologging starts itself, never to one that is active already.
    disable_for_unsupported_versions : bool
        Log nothing with a version that runfolio was not made for.
    silent : bool
        Write no log lines; what went wrong still stands in the run.
    registered_model_name : str, optional
        Make each model the next version of that registered model.
    extra_tags : Mapping, optional
        Tags of each run that autologging starts.
    """
    switch("spacy", dict(locals()))


def _record(log: RunLog, call: Call) -> Recording:
    nlp = call.named()["nlp"]
    if str(nlp.config["training"]["logger"].get("@loggers", "")).startswith("runfolio."):
        yield  # that logger finds this run, and logs to it
        return
    _here.watch = watch = Watch(log, nlp)
    try:
        _, last = yield
    finally:
        _here.watch = None
    watch.end(None if last is None else Path(last).parent)


def _watched(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Iterator[Any]:
    """Pass on the steps of spaCy's loop, and log those that were evaluated."""
    watch: Watch | None = getattr(_here, "watch", None)
    for batch, info, is_best in original(*args, **kwargs):
        if watch is not None and is_best is not None:
            watch.evaluated(info)
        yield batch, info, is_best


class _Loops:
    """Loops of users' own: where each pipeline's updates are logged, and how many there were."""

    def __init__(self, patches: Patches) -> None:
        self._patches = patches
        self._logs: weakref.WeakKeyDictionary[Any, tuple[RunLog, list[int]]] = weakref.WeakKeyDictionary()

    def update(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Update, and log the losses to the active run."""
        found = None
        with guard("an update", framework="spacy", silent=self._patches.options.silent):
            found = self._of(args[0])
        if found is None:
            return original(*args, **kwargs)
        before = dict(kwargs.get("losses") or {})
        losses = original(*args, **kwargs)
        log, steps = found
        with log.guard("the losses of an update"):
            log.metrics(dict(loop_metrics(losses, before)), step=steps[0])
            steps[0] += 1
        return losses

    def _of(self, nlp: Any) -> tuple[RunLog, list[int]] | None:
        active = fluent.active_run()
        if active is None or active.live.closed or self._patches.options.exclusive or is_part():
            return None
        found = self._logs.get(nlp)
        if found is None or found[0].run_id != active.info.run_id:
            found = self._logs[nlp] = RunLog("spacy", self._patches.options, active.live), [0]
            with found[0].guard("the config"):
                # Not [training]: that is of spaCy's own loop, and says nothing of this one.
                config = nlp.config.interpolate()
                found[0].params(flat({name: config[name] for name in ("nlp", "components")}))
        return found


def _patch_loop(module: ModuleType, patches: Patches) -> None:
    patches.function((module,), "train", logged(patches, _record))
    patches.function((module,), "train_while_improving", _watched)


def _patch_cli(module: ModuleType, patches: Patches) -> None:
    patches.function((module,), "train_nlp", logged(patches, _record))


def _patch_language(module: ModuleType, patches: Patches) -> None:
    patches.method(module.Language, "update", _Loops(patches).update)


WATCHED: Mapping[str, Callable[[ModuleType, Patches], None]] = {
    "spacy.language": _patch_language,
    "spacy.training.loop": _patch_loop,
    "spacy.cli.train": _patch_cli,
}
