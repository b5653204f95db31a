"""Polynomials as models: what a flavor needs, in one module. Copy it, and put your framework's own save and load in.

``FLAVOR``, ``LOADER``, ``load_folder``, ``predictor`` and ``runs_code`` are what runfolio looks for (its protocol
``runfolio.flavors.catalogue.Flavor``); ``save_model``, ``log_model`` and ``load_model`` are what your users call.
"""

import json
from dataclasses import dataclass

from runfolio.errors import DamagedError, UsageError
from runfolio.flavors.folders import Beside, code_of, opened, python_function, save_folder, with_options
from runfolio.flavors.requirements import pinned
from runfolio.tracking.flavor_models import loads, logs

FLAVOR = "polynomial"
LOADER = "polynomial_flavor"
_FILE = "coefficients.json"


@dataclass(frozen=True)
class Polynomial:
    """The lowest coefficient first."""

    coefficients: list[float]

    def predict(self, values):
        if hasattr(values, "iloc"):  # with a signature of columns, predict is given a frame
            values = values.iloc[:, 0].tolist()
        return [sum(factor * value**power for power, factor in enumerate(self.coefficients)) for value in values]


@with_options
def save_model(polynomial, path, mlflow_model=None, **options):
    """Write a polynomial into a folder. The options (signature, input_example, …) are runfolio's."""
    if not isinstance(polynomial, Polynomial):
        kind = type(polynomial)
        raise UsageError(f"polynomial takes a {__name__}.Polynomial, not {kind.__module__}.{kind.__qualname__}.")

    def write(folder, model):
        (folder / _FILE).write_text(json.dumps(polynomial.coefficients))
        python_function(model, folder, LOADER, data=_FILE)
        model.add_flavor(FLAVOR, data=_FILE, degree=len(polynomial.coefficients) - 1, code=code_of(folder))
        return pinned(["runfolio", "runfolio-polynomial"])

    return save_folder(path, mlflow_model, Beside(**options), write, predictor(polynomial, {}))


def load_folder(folder):
    """Return the polynomial of a folder."""
    _, place = opened(folder, FLAVOR, _FILE)
    try:
        return Polynomial([float(each) for each in json.loads(place.read_text())])
    except (OSError, ValueError, TypeError) as error:
        raise DamagedError(f"{place}: no polynomial: {error}. Fetch the model again.") from error


def predictor(held, config):
    """Return how it is called by ``predict``: of the data and the parameters of a call."""
    return lambda data, params: held.predict(data)


def runs_code(folder, config):
    """Return the files that run code when they are loaded: none, JSON is data."""
    return []


def _load_pyfunc(path):
    """Let MLflow load it, too, where this package is installed."""
    return Polynomial(json.loads(open(path).read()))


log_model = logs(save_model)
load_model = loads(load_folder)
