"""The ``examples`` of ``policy.yaml``: made-up promotions, read as strictly as the gates that they test.

An example that is misread tests nothing: ``approvals: alice`` would be five approvers of one letter each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from runfolio.formats.fields import FieldReader, flag, list_of, mapping, one_of, some_text, texts
from runfolio.policy.fields import line_of, moment
from runfolio.policy.rules import Example

STATES = ("passed", "failed", "waived", "pending")


def decode_example(item: FieldReader, gates: set[str]) -> Example:
    """Read one example; its faults are noted in the reader.

    Parameters
    ----------
    item : FieldReader
    gates : set of str
        Ids of all gates, which `expect` and `waivers` may name.
    """
    item.only(("name", "model", "to", "version", "live", "now", "expect"))
    for key in ("name", "to", "version", "expect"):
        if item.value.get(key) is None:
            item.fault((), f"{key} is missing")
    for key in ("version", "live"):
        _check_version(item.section(key), gates)
    expect: str | Mapping[str, str] = "passed"
    expect = item.read("expect", lambda value: _expected(value, gates), expect)
    return Example(
        item.read("name", some_text, ""),
        item.read("model", some_text, "model"),
        item.read("to", some_text, ""),
        item.read("version", mapping, {}),
        item.read("live", mapping, None),
        item.read("now", moment, None),
        expect,
        line_of(item),
    )


def _check_version(section: FieldReader, gates: set[str]) -> None:
    readers: dict[str, Callable[[Any], Any]] = {
        "metrics": _numbers,
        "replicates": _replicates,
        "params": texts,
        "tags": texts,
        "runs_code": list_of(some_text),
        "card": list_of(some_text),
        "approvals": list_of(some_text),
        "evaluations": list_of(_evaluation),
        "waivers": list_of(lambda value: _gate(value, gates)),
    }
    for name in ("signature", "input_example", "clean_source", "recoverable_code", "verified_artifacts", "reproduced"):
        readers[name] = flag
    section.only(readers)
    for name, reader in readers.items():
        section.read(name, reader, None)


def _expected(value: Any, gates: set[str]) -> str | Mapping[str, str]:
    if isinstance(value, str):
        return one_of("passed", "refused")(value)
    if not mapping(value):
        raise ValueError("passed, refused, or the state of a gate is expected, found an empty mapping")
    for name, state in value.items():
        _gate(name, gates)
        one_of(*STATES)(state)
    return dict(value)


def _gate(value: Any, gates: set[str]) -> str:
    if value not in gates:
        raise ValueError(f"there is no gate {value!r}; there are {', '.join(sorted(gates))}")
    return str(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"a number is expected, found {value!r}")
    return float(value)


def _evaluation(value: Any) -> dict[str, Any]:
    said = mapping(value)
    strange = sorted(said.keys() - {"dataset", "metrics"})
    if strange or "dataset" not in said:
        raise ValueError(
            f"an evaluation has dataset (a name or digest) and metrics, found {', '.join(map(str, said)) or 'nothing'}"
        )
    return {"dataset": some_text(said["dataset"]), "metrics": _numbers(said.get("metrics", {}))}


def _numbers(value: Any) -> dict[str, float]:
    return {name: _number(entry) for name, entry in mapping(value).items()}


def _replicates(value: Any) -> dict[str, tuple[float, ...]]:
    return {name: list_of(_number)(entry) for name, entry in mapping(value).items()}
