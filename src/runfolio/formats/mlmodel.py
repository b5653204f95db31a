"""``MLmodel`` as text: the YAML that MLflow 2.22 writes, keys in the order of their names.

Read strictly (see :mod:`runfolio.formats.yaml`): a model's folder may come from anywhere. What the fields mean is in
:mod:`runfolio.flavors.model`. Other keys than MLflow's are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio.errors import DamagedError, UsageError
from runfolio.formats.yaml import load_yaml

FILE = "MLmodel"
MAX_BYTES = 8 * 1024 * 1024


def parse_mlmodel(data: bytes, where: str) -> dict[str, Any]:
    """Read an ``MLmodel`` file.

    Raises
    ------
    DamagedError
        If it is not YAML, or names no flavor.
    """
    said = load_yaml(data, where, limit=MAX_BYTES)
    flavors = said.get("flavors")
    if not isinstance(flavors, dict) or not all(isinstance(each, dict) for each in flavors.values()):
        raise DamagedError(f"{where}: flavors: expected the model's flavors by name. Save the model again.")
    return said


def render_yaml(said: Mapping[str, Any]) -> bytes:
    """Return the YAML of a dictionary as MLflow writes it: block style, keys sorted; by libyaml where PyYAML has it, as MLflow does."""
    import yaml

    try:
        text: str = yaml.dump(dict(said), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), default_flow_style=False)
    except yaml.representer.RepresenterError as error:
        raise UsageError(
            f"metadata and conda_env take plain values (numbers, text, lists, dictionaries); YAML has no form for {error.args[-1]!r}."
        ) from None
    return text.encode("utf-8")
