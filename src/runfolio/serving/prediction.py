"""Jobs to answers: the one place where a model's code is called, and where all that it raises ends.

A fault of the model's is told to the client as MLflow tells it, without the stack trace (that is in the log, under the request's
number): only what ``ValueError`` and ``TypeError`` say of the data goes along, one line of it.
"""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runfolio.errors import UsageError
from runfolio.flavors.python_function import PyFuncModel
from runfolio.serving import options as said
from runfolio.serving.answers import JSON, Answer, RefusedError
from runfolio.serving.encoding import encode
from runfolio.serving.lanes import Job
from runfolio.serving.options import ServeOptions
from runfolio.serving.payloads import JSON_TYPE, Payload, enforced, parse_json, read, shaped
from runfolio.serving.rowwise import ArrayWay, array_way, marked_way

_log = logging.getLogger("runfolio.serving")
_UNEXPECTED = (
    "Encountered an unexpected error while evaluating the model. Verify that the serialized input Dataframe is compatible with the "
    "model for inference."
)
_numbers = itertools.count(1)
_MODEL = BaseException
"""What a model may raise, in a thread that is never asked to end by an exception: a model that calls ``sys.exit``, and what libraries
written in Rust raise where they panic (tokenizers, polars), must not end the thread; its client would wait until the time is up."""


class Predictor:
    """A loaded model, ready for requests.

    Parameters
    ----------
    model : PyFuncModel
    folder : path
        Where it was loaded from.
    options : ServeOptions
    way : ArrayWay, optional
        In place of the model's own: another engine's.
    """

    def __init__(self, model: PyFuncModel, folder: Path, options: ServeOptions, way: ArrayWay | None = None) -> None:
        self.model = model
        self.signature = model.metadata.signature
        self._from_hint = bool(model.metadata.more.get("is_signature_from_type_hint"))
        loose = options.batching == said.ON
        self.way = way or array_way(model, folder, loose=loose)
        if self.way is None and options.batching != said.OFF:
            self.way = marked_way(model, folder, loose=loose)
        self.joins = self.way is not None and self.way.joins and options.batching != said.OFF

    def run(self, jobs: list[Job]) -> None:
        """Set the answer of each job; raises nothing."""
        ready: list[tuple[Job, Any]] = []
        for job in jobs:
            try:
                rows = self._decode(job)
                if rows is not None:
                    ready.append((job, rows))
            except RefusedError as error:
                job.answer = error.answer()
            except _MODEL as error:
                _log.error("a request could not be read: this is a fault of runfolio", exc_info=error)
                job.answer = RefusedError("The server failed to read the request.", "INTERNAL_ERROR").answer()
        if self.joins and len(ready) > 1 and self._together(ready):
            return
        for job, rows in ready:
            assert self.way is not None
            job.answer = self._answered(self.way.call, rows)

    def _decode(self, job: Job) -> Any:
        """Return the array of a job that takes the short way; answer any other."""
        if self.way is None or job.media != JSON_TYPE:
            payload = read(job.request.body, job.media, self.signature, from_hint=self._from_hint)
        else:
            object_ = parse_json(job.request.body)
            rows = self.way.decoder.decode(object_)
            if rows is not None:
                job.rows = len(rows)
                return rows
            payload = shaped(object_, self.signature, from_hint=self._from_hint)
        job.rows = _rows(payload.data)
        job.answer = self._answered(lambda data: self._predict(data, payload), payload.data, bare=payload.bare)
        return None

    def _predict(self, data: Any, payload: Payload) -> Any:
        return self.model.predict(data, params=payload.params)

    def _together(self, ready: list[tuple[Job, Any]]) -> bool:
        import numpy

        assert self.way is not None
        try:
            made = self.way.call(numpy.concatenate([rows for _, rows in ready]))
            if len(made) != sum(len(rows) for _, rows in ready):
                return False
            at, answers = 0, []
            for _, rows in ready:
                answers.append(Answer(200, encode(made[at : at + len(rows)]), JSON))
                at += len(rows)
        except _MODEL:
            return False  # one of them is to blame: each alone tells which
        for (job, _), answer in zip(ready, answers, strict=True):
            job.answer = answer
        return True

    def _answered(self, call: Callable[[Any], Any], data: Any, *, bare: bool = False) -> Answer:
        try:
            return Answer(200, encode(call(data), bare=bare), JSON)
        except UsageError as error:
            return enforced(error).answer()
        except RefusedError as error:
            if error.status == 500:
                _log.error("%s", error.message, exc_info=error)
            return error.answer()
        except _MODEL as error:
            return model_fault(error)


def model_fault(error: BaseException) -> Answer:
    """Log what a model raised, and return what the client is told."""
    number = f"{os.getpid():x}-{next(_numbers):x}"
    _log.error("the model raised %s (request %s)", type(error).__name__, number, exc_info=error)
    lines = str(error).splitlines() if isinstance(error, (ValueError, TypeError)) else []
    what = f" {type(error).__name__}: {lines[0][:300]}" if lines else ""
    return RefusedError(f"{_UNEXPECTED}{what} (The server's log tells more of request {number}.)").answer()


def _rows(data: Any) -> int:
    try:
        return len(next(iter(data.values())) if isinstance(data, dict) and data else data)
    except TypeError:
        return 1
