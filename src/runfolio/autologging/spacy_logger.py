"""spaCy's logger ``runfolio.SpacyLogger.v1``, for ``spacy train``.

The config names it::

    [training.logger]
    @loggers = "runfolio.SpacyLogger.v1"

No annotations by ``__future__`` here: spaCy reads those of the function to check the config.
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from runfolio.autologging.guarding import guard
from runfolio.autologging.options import Options
from runfolio.autologging.run_log import RunLog, active_log
from runfolio.autologging.spacy_training import Watch

Setup = Callable[..., tuple[Callable[[dict[str, Any] | None], None], Callable[[], None]]]


def spacy_logger(
    log_models: bool = True,
    registered_model_name: str | None = None,
    console_output: bool = True,
    progress_bar: bool = False,
) -> Setup:
    """Log a training of spaCy's to the active run, or to one that begins and ends with it.

    Parameters
    ----------
    log_models : bool
        Keep the best pipeline (with an output folder), or the last one (without).
    registered_model_name : str, optional
        Make it the next version of that registered model.
    console_output, progress_bar : bool
        Of the table that spaCy's own console logger prints.
    """
    options = Options(log_models=log_models, registered_model_name=registered_model_name)

    def setup(
        nlp: Any, stdout: IO[str] = sys.stdout, stderr: IO[str] = sys.stderr
    ) -> tuple[Callable[[dict[str, Any] | None], None], Callable[[], None]]:
        from spacy.training.loggers import console_logger

        told, ended = console_logger(progress_bar=progress_bar, console_output=console_output)(nlp, stdout, stderr)
        to = _Logger(nlp, options)

        def step(info: dict[str, Any] | None) -> None:
            told(info)
            to.step(info)

        def finalize() -> None:
            with ExitStack() as both:
                both.callback(ended)
                to.finalize()

        return step, finalize

    return setup


class _Logger:
    """The two functions that spaCy calls, and the run that they write to; None where none could be started."""

    def __init__(self, nlp: Any, options: Options) -> None:
        self._log: RunLog | None = None
        self._watch: Watch | None = None
        self._output: Path | None = None
        self._error = sys.exc_info()[1]
        with guard("a run", framework="spacy"):
            self._log = active_log("spacy", options)
            self._watch = Watch(self._log, nlp)

    def step(self, info: dict[str, Any] | None) -> None:
        if info is not None and self._watch is not None:
            self._watch.evaluated(info)
            self._output = Path(info["output_path"]).parent if "output_path" in info else None

    def finalize(self) -> None:
        """End the run: spaCy calls this while an error passes, too."""
        if self._log is None or self._watch is None:
            return
        failed = sys.exc_info()[1] is not self._error
        if not failed:
            with self._log.guard("what comes of training"):
                self._watch.end(self._output)
        with self._log.guard("the end of the run"):
            self._log.end("FAILED" if failed else "FINISHED")
