"""Predictions for a file by a model's URI, here or in an environment made for the model.

``runfolio models predict``, and in Python ``runfolio.models.predict``, which is MLflow's.

>>> import runfolio                                                                            # doctest: +SKIP
>>> runfolio.models.predict("models:/wine/Production", [[13.2, 1.8]])                     # doctest: +SKIP
{"predictions": [0]}
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError

if TYPE_CHECKING:
    from runfolio.serving.sources import Source

LOCAL = "local"
MANAGERS = (LOCAL, "virtualenv", "uv")


@dataclass(frozen=True, slots=True)
class Files:
    """What is predicted, and where to.

    Parameters
    ----------
    source, target : str, optional
        Paths; standard input and output by default.
    kind : {"json", "jsonl", "csv", "parquet"}
        Of the input.
    output_kind : str, optional
        By the output's name by default.
    chunk : int
        Rows at a time.
    """

    source: str | None
    target: str | None
    kind: str
    output_kind: str | None = None
    chunk: int = 10_000


def predict_by_uri(
    source: Source,
    files: Files,
    *,
    manager: str = LOCAL,
    more: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    told: Callable[[int], None] | None = None,
) -> int:
    """Fetch a model, verified, and predict a file; return the exit code of the process that did, 0 where it was this one.

    Parameters
    ----------
    source : Source
        Of the model.
    files : Files
    manager : {"local", "virtualenv", "uv"}
    more : sequence of str
        Requirements that go before the model's own, in an environment.
    env : Mapping, optional
        Variables of the process in an environment.
    told : callable, optional
        Called with the number of rows so far, where this process predicts.
    """
    with tempfile.TemporaryDirectory(prefix="runfolio-predict-") as made:
        folder = source.fetch(source.which(), Path(made) / "model")
        if manager == LOCAL:
            from runfolio.flavors.python_function import load_folder
            from runfolio.serving.batches import predict_file

            predict_file(
                load_folder(folder),
                files.source,
                files.target,
                kind=files.kind,
                output_kind=files.output_kind,
                chunk=files.chunk,
                told=told,
            )
            return 0
        from runfolio.serving.environments import python_for

        said = {"model": str(folder), "source": files.source, "target": files.target, "kind": files.kind,
                "output_kind": files.output_kind, "chunk": files.chunk}  # fmt: skip
        python = python_for(folder, manager, more=more)
        command = [python, "-m", "runfolio.serving.predicting"]
        return subprocess.run(
            command, env={**os.environ, **(env or {}), "RUNFOLIO_PREDICT": json.dumps(said)}, check=False
        ).returncode


def predict(
    model_uri: str | os.PathLike[str],
    input_data: Any = None,
    input_path: str | os.PathLike[str] | None = None,
    content_type: str = "json",
    output_path: str | os.PathLike[str] | None = None,
    env_manager: str = "local",
    install_mlflow: bool = False,
    pip_requirements_override: Sequence[str] | None = None,
    extra_envs: Mapping[str, str] | None = None,
) -> None:
    """Predict as a scoring server would, and print the answer as JSON, or write it into a file.

    Parameters
    ----------
    model_uri : str or path
        ``models:/…``, ``runs:/…``, or a folder.
    input_data : Any, optional
        What ``predict`` takes; of CSV also its text.
    input_path : path, optional
        A file in its place.
    content_type : {"json", "csv"}
        Of the input.
    output_path : path, optional
        Written in place of standard output.
    env_manager : {"local", "virtualenv", "uv"}
        Where the model runs: here, or in an environment made of its requirements, which tests that they suffice. (MLflow's default is
        ``virtualenv``.)
    install_mlflow : bool
        Taken for MLflow's sake.
    pip_requirements_override : sequence of str, optional
        Requirements that go before the model's own ones, in an environment.
    extra_envs : Mapping of str to str, optional
        Variables for the process in an environment.

    Raises
    ------
    UsageError
        If the input is missing, given twice, or not what the model takes.
    EnvironmentFailedError
        If the model failed in its environment; what it said stands on standard error.
    """
    from runfolio.environments import EnvironmentFailedError
    from runfolio.serving.sources import Source
    from runfolio.tracking.session import session

    if content_type not in ("json", "csv"):
        raise UsageError(f"content_type: 'json' or 'csv' is expected, found {content_type!r}.")
    if env_manager not in MANAGERS:
        raise UsageError(f"env_manager: one of {', '.join(MANAGERS)} is expected, found {env_manager!r}.")
    if env_manager == LOCAL and (pip_requirements_override or extra_envs):
        raise UsageError("pip_requirements_override and extra_envs are of an environment: say env_manager='virtualenv' or 'uv'.")
    if (input_data is None) == (input_path is None):
        raise UsageError("Give input_data=… or input_path=…, one of the two.")
    uri = os.fspath(model_uri)
    with tempfile.TemporaryDirectory(prefix="runfolio-predict-") as made:
        given = os.fspath(input_path) if input_path is not None else _written(input_data, content_type, Path(made))
        answer = Path(made) / "answer.json"
        target = str(answer) if output_path is None else os.fspath(output_path)
        source = Source(uri, session().location if uri.startswith(("models:/", "runs:/")) else None)
        try:
            code = predict_by_uri(
                source,
                Files(given, target, content_type, "json"),
                manager=env_manager,
                more=tuple(pip_requirements_override or ()),
                env=extra_envs,
            )
        finally:
            source.close()
        if code:
            raise EnvironmentFailedError(f"{uri}: the model did not predict in its environment (exit code {code}).")
        if output_path is None:
            sys.stdout.write(answer.read_text("utf-8") + "\n")


def _written(data: Any, content_type: str, folder: Path) -> str:
    """Write data as the body of a request."""
    from runfolio.flavors.examples import serving_body

    if content_type == "json":
        body = serving_body(data)
    elif isinstance(data, str):
        body = data
    else:
        import pandas

        try:
            body = pandas.DataFrame(data).to_csv(index=False)
        except (ValueError, TypeError) as error:
            raise UsageError(f"input_data: with content_type='csv', a table or text is expected: {error}.") from None
    path = folder / f"input.{content_type}"
    path.write_text(body, "utf-8")
    return str(path)
