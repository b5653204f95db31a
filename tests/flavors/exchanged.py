"""The table of frameworks whose models are exchanged with MLflow: one row each, to be read by both sides.

MLflow's processes import this module, too (they train with it, and tell what they predict), so nothing here may import runfolio. A row's
training must give the same model each time. To add a framework: add a row.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """A framework: its flavor, and a small model of it.

    Parameters
    ----------
    name : str
        Of the row, and of its folder.
    flavor : str
        ``runfolio.<flavor>`` and ``mlflow.<flavor>``.
    train : callable
        Returns the model and the data for ``pyfunc``'s predict.
    said : callable
        Of what ``load_model`` of the flavor returned, and the data: its predictions by the framework's own means.
    needs : tuple of str
        Modules; without them the row is skipped, and says so.
    options : dict
        For ``save_model`` of both sides.
    theirs : dict
        More of them for MLflow's, by its major version.
    signed : bool
        Whether the first two rows of the data go along as input example (of which a signature is inferred).
    """

    name: str
    flavor: str
    train: Callable[[], tuple[Any, Any]]
    said: Callable[[Any, Any], Any]
    needs: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    theirs: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    signed: bool = True

    def missing(self) -> list[str]:
        """Return the modules that are not installed."""
        return [each for each in self.needs if importlib.util.find_spec(each) is None]

    def saving(self, data: Any) -> dict[str, Any]:
        """Return the options of ``save_model``."""
        return {**self.options, **({"input_example": data[:2]} if self.signed else {})}


def plain(made: Any) -> Any:
    """Return predictions as JSON has them."""
    if hasattr(made, "columns"):
        return {str(name): plain(made[name]) for name in made.columns}
    if isinstance(made, Mapping):
        return {str(name): plain(value) for name, value in made.items()}
    if hasattr(made, "tolist"):
        return plain(made.tolist())
    if isinstance(made, (list, tuple)):
        return [plain(each) for each in made]
    if isinstance(made, (bool, int, str)) or made is None:
        return made
    return round(float(made), 5) if not hasattr(made, "isoformat") else made.isoformat()


def wine() -> tuple[Any, Any]:
    """Return scikit-learn's small table of wines."""
    from sklearn.datasets import load_wine

    found: tuple[Any, Any] = load_wine(return_X_y=True, as_frame=True)
    return found


def predicts(held: Any, data: Any) -> Any:
    """Return what most models say."""
    return held.predict(data)


def sklearn_forest() -> tuple[Any, Any]:
    from sklearn.ensemble import RandomForestClassifier

    frame, target = wine()
    return RandomForestClassifier(5, random_state=0).fit(frame, target), frame


def sklearn_line() -> tuple[Any, Any]:
    from sklearn.linear_model import Ridge

    frame, target = wine()
    return Ridge().fit(frame, target), frame


def xgboost_booster() -> tuple[Any, Any]:
    import xgboost

    frame, target = wine()
    return xgboost.train({"max_depth": 2, "nthread": 1}, xgboost.DMatrix(frame, target), 3), frame


def xgboost_said(held: Any, data: Any) -> Any:
    import xgboost

    return held.predict(xgboost.DMatrix(data))


def xgboost_estimator() -> tuple[Any, Any]:
    import xgboost

    frame, target = wine()
    return xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(frame, target), frame


def lightgbm_booster() -> tuple[Any, Any]:
    import lightgbm

    frame, target = wine()
    options = {"num_threads": 1, "verbose": -1, "deterministic": True, "num_leaves": 4}
    return lightgbm.train(options, lightgbm.Dataset(frame, target), 3), frame


def lightgbm_estimator() -> tuple[Any, Any]:
    import lightgbm

    frame, target = wine()
    return lightgbm.LGBMRegressor(n_estimators=3, num_leaves=4, n_jobs=1, verbose=-1).fit(frame, target), frame


def catboost_classifier() -> tuple[Any, Any]:
    import catboost

    frame, target = wine()
    made = catboost.CatBoostClassifier(iterations=3, depth=2, thread_count=1, verbose=False, allow_writing_files=False)
    return made.fit(frame, target), frame


def statsmodels_ols() -> tuple[Any, Any]:
    import statsmodels.api

    frame, target = wine()
    return statsmodels.api.OLS(target, frame).fit(), frame


def statsmodels_series() -> tuple[Any, Any]:
    import numpy
    import pandas
    from statsmodels.tsa.ar_model import AutoReg

    days = pandas.date_range("2024-01-01", periods=40, freq="D")
    series = pandas.Series(numpy.sin(numpy.arange(40.0)), index=days)
    return AutoReg(series, lags=2).fit(), pandas.DataFrame({"start": [days[30]], "end": [days[35]]})


def between(held: Any, data: Any) -> Any:
    return held.predict(start=data["start"][0], end=data["end"][0])


def onnx_graph() -> tuple[Any, Any]:
    import numpy
    from skl2onnx import to_onnx

    model, frame = sklearn_line()
    wide = frame.to_numpy().astype(numpy.float32)
    return to_onnx(model, wide[:1]), frame.astype(numpy.float32)


def onnx_said(held: Any, data: Any) -> Any:
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(held).run(None, {held.graph.input[0].name: data.to_numpy()})


def spacy_sorter() -> tuple[Any, Any]:
    import pandas
    import spacy
    from spacy.training import Example

    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    model = {
        "@architectures": "spacy.TextCatBOW.v3",
        "exclusive_classes": True,
        "ngram_size": 1,
        "no_output_layer": False,
        "length": 64,
    }
    nlp.add_pipe("textcat", config={"model": model})
    told = [("good great", {"POS": 1.0, "NEG": 0.0}), ("bad awful", {"POS": 0.0, "NEG": 1.0})]
    shown = [Example.from_dict(nlp.make_doc(text), {"cats": sorts}) for text, sorts in told]
    nlp.initialize(lambda: shown)
    for _ in range(5):
        nlp.update(shown)
    # MLflow 2.22 does not know the type that pandas 3 gives texts.
    return nlp, pandas.DataFrame({"text": pandas.Series(["good", "bad bad", "other"], dtype=object)})


def spacy_said(held: Any, data: Any) -> Any:
    return [held(text).cats for text in data["text"]]


def prophet_forecaster() -> tuple[Any, Any]:
    import logging

    import pandas
    import prophet

    logging.getLogger("cmdstanpy").setLevel(logging.ERROR)
    days = pandas.date_range("2024-01-01", periods=60)
    history = pandas.DataFrame({"ds": days, "y": [float(at % 7 + at / 10) for at in range(60)]})
    held = prophet.Prophet(uncertainty_samples=0, n_changepoints=2).fit(history)
    return held, pandas.DataFrame({"ds": pandas.date_range("2024-03-01", periods=3)})


def grid() -> Any:
    import numpy

    return numpy.arange(12, dtype="float32").reshape(3, 4) / 12


def torch_layers() -> tuple[Any, Any]:
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2)), grid()


def torch_class() -> tuple[Any, Any]:
    import torch

    from tests.flavors.nets import Net

    torch.manual_seed(0)
    return Net(), grid()


def torch_script() -> tuple[Any, Any]:
    import torch

    return torch.jit.script(torch_layers()[0]), grid()


def lightning_module() -> tuple[Any, Any]:
    import torch

    from tests.flavors.lightning_nets import LitNet

    torch.manual_seed(0)
    return LitNet(), grid()


def torch_said(held: Any, data: Any) -> Any:
    import torch

    with torch.no_grad():
        return held(torch.from_numpy(data)).numpy()


def keras_network() -> tuple[Any, Any]:
    import keras

    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(2)])
    made.compile(loss="mse", optimizer="sgd")
    return made, grid()


def keras_said(held: Any, data: Any) -> Any:
    return held.predict(data, verbose=0)


def tensorflow_module() -> tuple[Any, Any]:
    import tensorflow

    class Doubled(tensorflow.Module):  # type: ignore[misc]
        @tensorflow.function(input_signature=[tensorflow.TensorSpec([None, 4], tensorflow.float32)])  # type: ignore[untyped-decorator]
        def __call__(self, data: Any) -> Any:
            return data * 2

    return Doubled(), grid()


def tensorflow_said(held: Any, data: Any) -> Any:
    import tensorflow

    return held(tensorflow.constant(data)).numpy()


ROWS = [
    Row("sklearn", "sklearn", sklearn_forest, predicts, ("sklearn",), theirs={3: {"serialization_format": "cloudpickle"}}),
    Row("sklearn-default", "sklearn", sklearn_line, predicts, ("sklearn", "skops")),
    Row("xgboost", "xgboost", xgboost_booster, xgboost_said, ("xgboost",)),
    Row("xgboost-estimator", "xgboost", xgboost_estimator, predicts, ("xgboost",)),
    Row("lightgbm", "lightgbm", lightgbm_booster, predicts, ("lightgbm",)),
    Row("lightgbm-estimator", "lightgbm", lightgbm_estimator, predicts, ("lightgbm", "skops")),
    Row("catboost", "catboost", catboost_classifier, predicts, ("catboost",)),
    Row("statsmodels", "statsmodels", statsmodels_ols, predicts, ("statsmodels",)),
    Row("statsmodels-series", "statsmodels", statsmodels_series, between, ("statsmodels",), signed=False),
    Row("onnx", "onnx", onnx_graph, onnx_said, ("onnx", "onnxruntime", "skl2onnx")),
    Row("spacy", "spacy", spacy_sorter, spacy_said, ("spacy",)),
    Row("prophet", "prophet", prophet_forecaster, predicts, ("prophet",)),
    Row("pytorch-layers", "pytorch", torch_layers, torch_said, ("torch",)),
    Row("pytorch-class", "pytorch", torch_class, torch_said, ("torch",)),
    Row("pytorch-script", "pytorch", torch_script, torch_said, ("torch",), theirs={3: {"serialization_format": "pickle"}}),
    Row("pytorch-lightning", "pytorch", lightning_module, torch_said, ("torch", "lightning")),
    # MLflow infers no signature for this flavor.
    Row("keras", "keras", keras_network, keras_said, ("keras", "tensorflow"), signed=False),
    Row("tensorflow-keras", "tensorflow", keras_network, keras_said, ("tensorflow",)),
    Row("tensorflow-module", "tensorflow", tensorflow_module, tensorflow_said, ("tensorflow",)),
]

PYTHON: dict[str, Any] = {"hinted-class": ["a", "b"], "hinted-function": [1, 2], "script": ["c"]}
"""Our models of plain Python, and data for them."""
