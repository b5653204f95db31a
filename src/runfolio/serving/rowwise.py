"""Which models may be called with bare arrays, and with the rows of several requests at once: tried at start, on rows like theirs.

A model qualifies by what it is (an estimator of scikit-learn or one in its ways: each row's prediction depends on that row alone)
and by what it does: predictions of the same rows as a table, as an array, one by one and together are compared **bit for bit**.
Where arrays give anything else, tables are used; where rows together give anything else (sums of a matrix product may round
otherwise than those of a row), requests are predicted one by one.
"""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.flavors.catalogue import Predict, for_loader
from runfolio.flavors.python_function import PyFuncModel
from runfolio.serving.arrays import Columns, Decoder, Tensor, compiled
from runfolio.serving.encoding import encode

_log = logging.getLogger("runfolio.serving")
_FAMILIES = ("sklearn", "xgboost", "lightgbm")
_SPLITS = (3, 8)
_ALONE = 8
ROWS = 24
MARK = "row_wise"
"""Key of a model's metadata by which its author says that each row's prediction depends on that row alone."""


@dataclass(frozen=True, slots=True)
class ArrayWay:
    """How a model is called with arrays.

    Parameters
    ----------
    decoder : Decoder
    call : callable
        Of an array of rows.
    joins : bool
        Whether rows of several requests may be predicted at once.
    """

    decoder: Decoder
    call: Callable[[Any], Any]
    joins: bool


def array_way(model: PyFuncModel, folder: Path, *, loose: bool = False) -> ArrayWay | None:
    """Return how the model is called with arrays; None where it is called with what MLflow's rules make of a request.

    Parameters
    ----------
    model : PyFuncModel
    folder : path
        Of the model: its input example shows what rows are like.
    loose : bool
        Join requests also where rows together differ in the last digits.
    """
    if type(model.implementation).__module__.partition(".")[0] not in _FAMILIES:
        return None
    signature = model.metadata.signature
    decoder = compiled(signature.inputs if signature else None)
    if decoder is None:
        return None
    config = model.metadata.flavors["python_function"]
    leaf = for_loader(str(config.get("loader_module")))
    if leaf is None:
        return None
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    try:
        rows = sample_rows(decoder, folder)
        call = _column_major(leaf.predictor(nameless(model.implementation), config))
        wanted, got = model.predict(_as_data(decoder, rows)), call(rows)
        if not same(wanted, got):
            return None
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, NotImplementedError, RuntimeError) as error:
        _log.info("the model is called with tables: an array gave %s", type(error).__name__)
        return None
    return ArrayWay(decoder, call, joined_alike(call, rows, got, loose=loose))


def marked_way(model: PyFuncModel, folder: Path, *, loose: bool = False) -> ArrayWay | None:
    """Return how a model whose author says that rows do not depend on each other (:data:`MARK`) is called; None for any other.

    It is called with what it always gets, a table or an array, with the rows of several requests: the author's word is tried at
    start as that of a framework is, and not taken where rows together give other predictions than alone.
    """
    if (model.metadata.metadata or {}).get(MARK) is not True:
        return None
    signature = model.metadata.signature
    from_hint = model.metadata.more.get("is_signature_from_type_hint")
    decoder = None if from_hint else compiled(signature.inputs if signature else None)
    if decoder is None:
        _log.warning("the model is marked %s, and its requests are not joined: that needs a signature of numbers", MARK)
        return None
    rows = sample_rows(decoder, folder)

    def call(given: Any) -> Any:
        return model.predict(_as_data(decoder, given))

    try:
        alike = _marked_alike(call, rows, loose=loose)
    except (Exception, SystemExit) as error:  # noqa: BLE001 # a model's own code; it serves as one without the mark does
        _log.warning("the model is marked %s, and its requests are not joined: trying it gave %s", MARK, type(error).__name__)
        return None
    if not alike:
        _log.warning("the model is marked %s, and its requests are not joined: rows together give other predictions", MARK)
        return None
    return ArrayWay(decoder, call, joins=True)


def _marked_alike(call: Callable[[Any], Any], rows: Any, *, loose: bool) -> bool:
    import numpy

    together = call(rows)
    if len(together) != len(rows):
        return False
    if isinstance(together, numpy.ndarray):
        return joined_alike(call, rows, together, loose=loose)
    # Lists, series and tables: what the client would get is compared.
    parts = [(at, at + 1) for at in range(_ALONE)] + [(at, at + size) for size in _SPLITS for at in range(0, len(rows), size)]
    return all(encode(call(rows[begin:end])) == encode(together[begin:end]) for begin, end in parts)


def _column_major(predict: Predict) -> Callable[[Any], Any]:
    """Return the call with arrays laid out as those of a table are: matrix products round by layout."""
    import numpy

    return lambda rows: predict(numpy.asfortranarray(rows), {})


def nameless(estimator: Any) -> Any:
    """Return the estimator without what it knows of column names, so that it does not look for them; the given one is left alone."""
    made = copy.copy(estimator)
    vars(made).pop("feature_names_in_", None)
    steps = getattr(made, "steps", None)
    if isinstance(steps, list):
        made.steps = [(name, nameless(step) if hasattr(step, "get_params") else step) for name, step in steps]
    return made


def sample_rows(decoder: Decoder, folder: Path, count: int = ROWS) -> Any:
    """Return rows to try a model on: those of its input example, varied, and some at random."""
    import numpy

    random = numpy.random.default_rng(20220)
    width = len(decoder.names) if isinstance(decoder, Columns) else 0
    if isinstance(decoder, Tensor):
        shape = tuple(length if length != -1 else 4 for length in decoder.shape[1:])
        return random.normal(size=(count, *shape)).astype(decoder.dtype)
    assert isinstance(decoder, Columns)
    example = example_rows(decoder, folder)
    rows = random.normal(scale=3.0, size=(count, width))
    if example is not None and len(example):
        some = example[numpy.arange(count * 2 // 3) % len(example)]
        rows[: len(some)] = some * (1 + random.normal(scale=0.1, size=some.shape))
        rows[: min(len(example), count)] = example[:count]
    rows[:, decoder.whole] = numpy.rint(rows[:, decoder.whole])
    return rows


def example_rows(decoder: Decoder, folder: Path) -> Any:
    """Return the rows of the model's input example; None if it has none that this signature reads."""
    import json

    try:
        said = json.loads((folder / "serving_input_example.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return decoder.decode({key: value for key, value in said.items() if key != "params"}) if isinstance(said, dict) else None


def _as_data(decoder: Decoder, rows: Any) -> Any:
    if isinstance(decoder, Tensor):
        return rows
    import pandas

    assert isinstance(decoder, Columns)
    frame = pandas.DataFrame(rows, columns=list(decoder.names))
    return frame.astype({decoder.names[at]: kind for at, kind in decoder.kinds.items()})


def same(one: Any, other: Any) -> bool:
    """Return whether two arrays are equal bit for bit."""
    import numpy

    if type(one) is not type(other) or not isinstance(one, numpy.ndarray) or one.dtype != other.dtype or one.shape != other.shape:
        return False
    return bool(one.tolist() == other.tolist() if one.dtype == object else one.tobytes() == other.tobytes())


def joined_alike(call: Callable[[Any], Any], rows: Any, together: Any, *, loose: bool = False) -> bool:
    """Return whether rows are predicted alike one by one, few at a time, and all together."""
    import numpy

    # A few rows alone, all by threes and eights: each call of a large model delays the start.
    alone = numpy.concatenate([call(rows[at : at + 1]) for at in range(_ALONE)])
    parts = [numpy.concatenate([alone, together[_ALONE:]])]
    parts += [numpy.concatenate([call(rows[at : at + size]) for at in range(0, len(rows), size)]) for size in _SPLITS]
    if all(same(part, together) for part in parts):
        return True
    if not loose or together.dtype.kind != "f":
        return False
    return all(bool(numpy.allclose(part, together, rtol=1e-9, atol=0, equal_nan=True)) for part in parts)
