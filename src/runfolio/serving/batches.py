"""Predictions for a file: read by chunks, predicted, written; what ``runfolio models predict`` does.

JSON is a request's body, and its answer is written as MLflow writes it. JSON lines, CSV and Parquet may be larger than memory: a
chunk of rows is held at a time, and the answer is JSON lines, CSV or Parquet by the output's name.
"""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, UsageError, missing_package
from runfolio.flavors.python_function import PyFuncModel
from runfolio.flavors.schema import Schema
from runfolio.serving.answers import RefusedError, in_one_line
from runfolio.serving.encoding import encode
from runfolio.serving.payloads import JSON_TYPE, enforced, read
from runfolio.serving.tables import cast_frame, csv_frame

CHUNK = 10_000
KINDS = ("json", "jsonl", "csv", "parquet")
_ENDINGS = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet", ".pq": "parquet"}
_PACKED = (".gz", ".bz2", ".xz", ".zip", ".zst")


@dataclass(frozen=True, slots=True)
class Done:
    """What was predicted."""

    rows: int
    chunks: int


def kind_of(path: str | None, said: str | None, default: str) -> str:
    """Return the kind of a file: what was said, or by its name.

    Raises
    ------
    UsageError
        If its name says that it is packed.
    """
    if said:
        return said
    if not path:
        return default
    ending = Path(path).suffix.lower()
    if ending in _PACKED:
        raise UsageError(f"{path}: packed files are neither read nor written. Unpack it on the way: gunzip -c FILE | … -t csv")
    return _ENDINGS.get(ending, default)


def predict_file(
    model: PyFuncModel,
    source: str | None,
    target: str | None,
    *,
    kind: str,
    output_kind: str | None = None,
    chunk: int = CHUNK,
    told: Callable[[int], None] | None = None,
) -> Done:
    """Predict a file, and write the predictions; on a fault nothing is left under the output's name.

    Parameters
    ----------
    model : PyFuncModel
    source, target : path, optional
        Standard input and output by default.
    kind : {"json", "jsonl", "csv", "parquet"}
        Of the input.
    output_kind : str, optional
        By the output's name; JSON by default.
    chunk : int
        Rows at a time.
    told : callable, optional
        Called with the number of rows so far.

    Raises
    ------
    UsageError
        Naming the rows that the model does not take, or that it raised at; if there are no rows, or the output is the input.
    """
    _check_apart(source, target)
    try:
        return _predicted(model, source, target, kind, kind_of(target, output_kind, "json"), chunk, told)
    except RefusedError as error:
        raise UsageError(error.message) from error


def _predicted(
    model: PyFuncModel,
    source: str | None,
    target: str | None,
    kind: str,
    written: str,
    chunk: int,
    told: Callable[[int], None] | None,
) -> Done:
    if kind == "json":
        if written != "json":
            raise UsageError(f"The answer to a JSON body is JSON; --output-type {written} goes with CSV, JSON lines and Parquet.")
        return _whole(model, source, target)
    schema = model.metadata.signature.inputs if model.metadata.signature else None
    rows = chunks = 0
    with ExitStack() as stack:
        sink = stack.enter_context(_Sink(target, written))
        for frame in _frames(source, kind, schema, chunk):
            if not len(frame):
                continue
            sink.write(_made(model, frame, None, f"rows {rows + 1} to {rows + len(frame)}: "), len(frame))
            rows, chunks = rows + len(frame), chunks + 1
            if told is not None:
                told(rows)
        if not rows:
            raise UsageError(f"{source or 'The input'}: there are no rows to predict.")
    return Done(rows, chunks)


def _check_apart(source: str | None, target: str | None) -> None:
    """Refuse to replace the input by the output."""
    if source and target and os.path.exists(source) and os.path.exists(target) and os.path.samefile(source, target):
        raise UsageError(f"{target}: the predictions would replace the rows that they are of. Give the output another name.")


def _made(model: PyFuncModel, data: Any, params: dict[str, Any] | None, where: str = "") -> Any:
    """Predict; what the model raises is told with the rows, and is no fault of runfolio."""
    try:
        return model.predict(data, params=params)
    except RefusedError:
        raise
    except UsageError as error:
        raise UsageError(f"{where}{enforced(error).message}") from None
    except Exception as error:  # whatever the model raises
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise UsageError(
            f"{where}the model raised {in_one_line(error)} (at {last.filename}:{last.lineno} in {last.name})."
        ) from error


def _whole(model: PyFuncModel, source: str | None, target: str | None) -> Done:
    if source is None:
        data = sys.stdin.buffer.read()
    else:
        with _open(source) as file:
            data = file.read()
    from_hint = bool(model.metadata.more.get("is_signature_from_type_hint"))
    payload = read(data, JSON_TYPE, model.metadata.signature, from_hint=from_hint)
    made = _made(model, payload.data, payload.params)
    answer = encode(made, bare=payload.bare)
    with _Sink(target, "json") as sink:
        sink.raw(answer)
    return Done(len(made) if hasattr(made, "__len__") else 1, 1)


def _open(path: str) -> IO[bytes]:
    try:
        return open(path, "rb")  # closed by who reads it
    except OSError as error:
        raise NotFoundError(f"{path}: {error.strerror}.") from None


# Reading.


def _frames(source: str | None, kind: str, schema: Schema | None, chunk: int) -> Iterator[Any]:
    with sys.stdin.buffer if source is None else _open(source) as file:
        if kind == "csv":
            yield from _rows_of_csv(file, schema, chunk)
        elif kind == "jsonl":
            yield from _lines(file, schema, chunk)
        else:
            yield from _parquet(file, schema, chunk)


def _rows_of_csv(file: IO[bytes], schema: Schema | None, chunk: int) -> Iterator[Any]:
    read = iter(csv_frame(file, schema, chunksize=chunk))
    first = 1
    while True:
        try:
            frame = next(read, None)
        except (ValueError, TypeError, OverflowError) as error:  # of pandas: a row is parsed only now
            last = first + chunk - 1
            raise UsageError(
                f"rows {first} to {last}, or to the last one: not of the columns' types: {in_one_line(error)}."
            ) from None
        if frame is None:
            return
        first += len(frame)
        yield frame


def _lines(file: IO[bytes], schema: Schema | None, chunk: int) -> Iterator[Any]:
    import pandas

    held: list[dict[str, Any]] = []
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UsageError(f"line {number}: not JSON: {error}.") from None
        if not isinstance(row, dict):
            raise UsageError(f"line {number}: each line is an object, with a column's value under its name.")
        held.append(row)
        if len(held) == chunk:
            yield _cast(pandas.DataFrame(held), schema)
            held = []
    if held:
        yield _cast(pandas.DataFrame(held), schema)


def _parquet(file: IO[bytes], schema: Schema | None, chunk: int) -> Iterator[Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise missing_package("pyarrow", "parquet", "read Parquet") from error
    try:
        held = pyarrow.parquet.ParquetFile(file if file.seekable() else io.BytesIO(file.read()))
        for batch in held.iter_batches(batch_size=chunk):
            yield _cast(batch.to_pandas(), schema)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise UsageError(f"The input is no Parquet file: {str(error)[:200]}") from None


def _cast(frame: Any, schema: Schema | None) -> Any:
    return frame if schema is None else cast_frame(frame, schema)


# Writing.


class _Sink:
    """Where predictions go, under a temporary name until all are there."""

    def __init__(self, target: str | None, kind: str) -> None:
        self._target, self._kind = target, kind
        self._part = f"{target}.part" if target else None
        self._file: Any = None
        self._parquet: Any = None
        self._any = False

    def __enter__(self) -> _Sink:
        try:
            self._file = open(self._part, "wb") if self._part else sys.stdout.buffer
        except OSError as error:
            raise NotFoundError(f"{self._target}: {error.strerror}.") from None
        return self

    def raw(self, data: bytes) -> None:
        self._file.write(data)

    def write(self, made: Any, rows: int) -> None:
        """Write the predictions of a chunk."""
        if self._kind in ("csv", "parquet"):
            self._table(_frame(made, rows))
            return
        said = json.loads(encode(made, bare=True))
        items = said if isinstance(said, list) else [said]
        if self._kind == "jsonl":
            self.raw("".join(json.dumps(each) + "\n" for each in items).encode())
            return
        text = json.dumps(items)[1:-1]
        if text:
            self.raw(((", " if self._any else '{"predictions": [') + text).encode())
            self._any = True

    def _table(self, frame: Any) -> None:
        if self._kind == "csv":
            self.raw(frame.to_csv(index=False, header=not self._any).encode())
        else:
            import pyarrow
            import pyarrow.parquet

            table = pyarrow.Table.from_pandas(frame, preserve_index=False)
            if self._parquet is None:
                self._parquet = pyarrow.parquet.ParquetWriter(self._file, table.schema)
            self._parquet.write_table(table)
        self._any = True

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._kind == "json" and self._parquet is None and self._any:
            self.raw(b"]}")
        if self._parquet is not None:
            self._parquet.close()
        if self._part is None:
            self._file.flush()
            return
        self._file.close()
        assert self._target is not None
        if kind is None:
            os.replace(self._part, self._target)
        else:
            os.unlink(self._part)


def _frame(made: Any, rows: int) -> Any:
    import pandas

    if isinstance(made, pandas.DataFrame):
        return made
    if isinstance(made, pandas.Series):
        return made.to_frame("prediction" if made.name is None else made.name)
    shape: tuple[int, ...] = getattr(made, "shape", (rows,))
    if len(shape) == 2:
        return pandas.DataFrame(made, columns=[f"prediction_{at}" for at in range(shape[1])])
    return pandas.DataFrame({"prediction": list(made) if len(shape) > 1 else made})
