"""``policy.yaml``: the promotion gates of a team, read strictly.

Every unknown key, misspelt filter and wrong value is told with its line: a typo must never make a gate that silently passes.

>>> policy = decode_policy(b'''schema: 1
... promotions:
...   - to: Production
...     require:
...       - where: metrics.accuracy >= 0.95
...       - not_worse: {metric: accuracy, by: 1%}
...       - clean_source
... ''', "policy.yaml")
>>> [gate.id for gate in policy.gates("wine", "Production")]
['where-accuracy', 'not-worse-accuracy', 'clean-source']
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from runfolio.errors import UsageError
from runfolio.formats.durations import parse_duration
from runfolio.formats.fields import FieldReader, flag, one_of, some_text, text, whole
from runfolio.formats.runs import check_schema
from runfolio.formats.yaml import read_yaml
from runfolio.policy.example_decoding import decode_example
from runfolio.policy.fields import line_of, moment, names
from runfolio.policy.rules import (
    EXACT,
    FLAGS,
    SPREAD,
    TOLERANCE,
    Approvals,
    Evaluated,
    Freeze,
    Gate,
    Margin,
    Policy,
    Reproduced,
    Rule,
)
from runfolio.query import parse_filter

SCHEMA = 1
KINDS = ("where", "not_worse", "tags", "card", "approvals", "evaluated", "reproduced", *FLAGS)
_ALONE: dict[str, Any] = {"evaluated": Evaluated(), "reproduced": Reproduced()}
"""Gates that may stand without an argument, with what they ask for then."""
_BESIDE = ("id", "because", "waivable")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}\Z")


def decode_policy(data: bytes, where: str = "policy.yaml", stages: Iterable[str] | None = None) -> Policy:
    """Read a policy.

    Parameters
    ----------
    data : bytes
    where : str, optional
        The file, for messages.
    stages : iterable of str, optional
        Those that the folio knows: gates before another one would never apply, and are a fault. Any stage by default.

    Raises
    ------
    DamagedError
        If any line of it is not understood; the message names all of them.
    NewerSchemaError
        If a newer runfolio wrote it.
    """
    document = read_yaml(data, where)
    top = FieldReader(document, where)
    if "schema" in document.value:
        check_schema(document.value, SCHEMA, where)
    else:
        top.fault((), "schema is missing: write 'schema: 1' as the first line")
    top.only(("schema", "promotions", "freeze", "examples"))
    rules = tuple(_rule(item) for item in top.items("promotions"))
    freezes = tuple(_freeze(item) for item in top.items("freeze"))
    rules = _unique(top, rules)
    known = {gate.id for rule in rules for gate in rule.gates} | {"freeze"}
    examples = tuple(decode_example(item, known) for item in top.items("examples"))
    policy = Policy(rules, freezes, examples)
    if stages is not None:
        known_stages = tuple(stages)
        for line, stage in policy.strange_stages(known_stages):
            message = f"there is no stage {stage!r}, so this never applies; there are {', '.join(known_stages)}"
            top.faults.append((line, f"{where}: line {line}: {message}."))
    top.report()
    return policy


def _rule(item: FieldReader) -> Rule:
    item.only(("models", "to", "require"))
    if item.value.get("to") is None:
        item.fault((), "to is missing: name the stage (or stages) that the gates stand before")
    if not item.value.get("require"):
        item.fault((), "require is missing: a list of gates is expected")
    gates = []
    wanted = item.value.get("require")
    for index, entry in enumerate(wanted if isinstance(wanted, list) else []):
        made = _gate(item, index, entry)
        if made is not None:
            gates.append(made)
    if wanted is not None and not isinstance(wanted, list):
        item.fault(("require",), "a list of gates is expected")
    return Rule(item.read("models", names, ("*",)), item.read("to", names, ("*",)), tuple(gates), line_of(item, "to"))


def _gate(item: FieldReader, index: int, entry: Any) -> Gate | None:
    line = line_of(item, "require", index)
    if isinstance(entry, str):
        if entry in FLAGS:
            return Gate(_slug(entry), entry, line=line)
        if entry in _ALONE:
            return Gate(entry, entry, _ALONE[entry], line=line)
        item.fault(("require", index), f"no such gate: {entry!r}{_near(entry)}")
        return None
    if not isinstance(entry, dict):
        item.fault(("require", index), "a gate is expected, such as 'where: metrics.accuracy >= 0.95' or 'clean_source'")
        return None
    reader = FieldReader(item.document, item.where, (*item.path, "require", index), item.faults)
    kinds = [key for key in entry if key not in _BESIDE]
    if len(kinds) != 1 or kinds[0] not in KINDS:
        wrong = next((key for key in kinds if key not in KINDS), None)
        if wrong:
            reader.fault((wrong,), f"no such gate: {wrong!r}{_near(wrong)}")
        else:
            reader.fault((), f"one gate is expected: {', '.join(KINDS)}")
        return None
    kind = kinds[0]
    if entry[kind] is None:
        reader.fault((kind,), "nothing is asked for: a value is expected")
        return None
    argument = _argument(reader, kind)
    if kind in FLAGS and entry[kind] is not True:
        reader.fault((kind,), "true is expected; to ask for nothing, take the line away")
    default = _default_id(kind, argument)
    made = reader.read("id", _checked_id, default)
    return Gate(made, kind, argument, reader.read("because", text, ""), reader.read("waivable", flag, True), line)


def _near(name: str) -> str:
    from runfolio.formats.fields import suggestion

    return suggestion(name, KINDS)


def _checked_id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.match(value):
        raise ValueError(f"lower-case letters, digits and '-' are expected, found {value!r}")
    return value


def _default_id(kind: str, argument: Any) -> str:
    if kind == "where" and argument:
        return _slug(f"where {' '.join(clause.key for clause in parse_filter(argument).clauses)}")
    if isinstance(argument, Margin):
        return _slug(f"not worse {argument.metric}")
    if isinstance(argument, Evaluated):
        keys = [clause.key for clause in parse_filter(argument.where).clauses] if argument.where else []
        return _slug(" ".join(["evaluated", argument.dataset[:12], *keys]))
    return _slug(kind)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:80] or "gate"


def _argument(reader: FieldReader, kind: str) -> Any:
    if kind == "where":
        return reader.read(kind, _filter, "")
    if kind == "not_worse":
        return _margin(reader)
    if kind in ("tags", "card"):
        nothing: tuple[str, ...] = ()
        return reader.read(kind, names, nothing)
    if kind == "approvals":
        if isinstance(reader.value[kind], int):
            return Approvals(reader.read(kind, whole(1), 1))
        inner = reader.section(kind)
        inner.only(("minimum", "from"))
        return Approvals(inner.read("minimum", whole(1), 1), inner.read("from", names, Approvals().names))
    if kind == "reproduced":
        return _reproduced(reader)
    return _evaluated(reader) if kind == "evaluated" else None


def _reproduced(reader: FieldReader) -> Reproduced:
    value = reader.value["reproduced"]
    if value is True:
        return Reproduced()
    if isinstance(value, str):
        return Reproduced(reader.read("reproduced", one_of(EXACT, TOLERANCE, SPREAD), TOLERANCE))
    inner = reader.section("reproduced")
    inner.only(("within", "tolerance", "not_older_than"))
    default = Reproduced()
    return Reproduced(
        inner.read("within", one_of(EXACT, TOLERANCE, SPREAD), default.within),
        inner.read("tolerance", _relative, default.tolerance),
        inner.read("not_older_than", _span_ms, default.not_older_than_ms),
    )


def _relative(value: Any) -> float:
    try:
        number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else -1.0
    except ValueError:
        number = -1.0
    if not 0 <= number < 1:
        raise ValueError(f"a relative deviation from 0 to 1 is expected, such as 1e-9, found {value!r}")
    return number


def _span_ms(value: Any) -> int:
    try:
        return parse_duration(value) * 1000
    except UsageError as error:
        raise ValueError(error.message.rstrip(".")) from None


def _evaluated(reader: FieldReader) -> Evaluated:
    value = reader.value["evaluated"]
    if value is True:
        return Evaluated()
    if isinstance(value, str):
        return Evaluated(reader.read("evaluated", some_text, ""))
    inner = reader.section("evaluated")
    inner.only(("dataset", "where"))
    return Evaluated(inner.read("dataset", some_text, ""), inner.read("where", _filter, ""))


def _filter(value: Any) -> str:
    try:
        found = parse_filter(some_text(value))
    except UsageError as error:
        raise ValueError(" ".join(error.message.split()).rstrip(".")) from None
    if not found.clauses:
        raise ValueError("a filter is expected, such as metrics.accuracy >= 0.95")
    return str(value)


def _margin(reader: FieldReader) -> Margin:
    value = reader.value["not_worse"]
    if isinstance(value, str):
        return Margin(reader.read("not_worse", some_text, ""))
    inner = reader.section("not_worse")
    inner.only(("metric", "by", "direction"))
    metric = inner.read("metric", some_text, "")
    if inner.value.get("metric") is None:
        inner.fault((), "metric is missing: name the metric to compare")
    by, relative, noise = inner.read("by", _amount, (0.0, False, False))
    return Margin(metric, by, relative, noise, inner.read("direction", one_of("max", "min"), ""))


def _amount(value: Any) -> tuple[float, bool, bool]:
    if value == "noise":
        return 0.0, False, True
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?\s*%", value):
        return float(value.rstrip("% ")) / 100, True, False
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise ValueError(f"a number from 0, a share such as 1%, or noise is expected, found {value!r}")
    return float(value), False, False


def _freeze(item: FieldReader) -> Freeze:
    item.only(("from", "to", "reason", "stages"))
    for key in ("from", "to", "reason"):
        if item.value.get(key) is None:
            item.fault((), f"{key} is missing: a freeze has from, to and reason")
    start, end = (
        item.read("from", moment, 0),
        item.read("to", lambda value: moment(value, last=True), 0),
    )
    if end and end <= start:
        item.fault(("to",), "it ends before it begins")
    return Freeze(start, end, item.read("reason", some_text, ""), item.read("stages", names, ("*",)), line_of(item))


def _unique(top: FieldReader, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Refuse two gates of one id: a waiver of the one would be a waiver of the other."""
    seen: dict[str, int] = {}
    for rule in rules:
        for gate in rule.gates:
            if gate.id in seen or gate.id == "freeze":
                there = f"in line {seen[gate.id]}" if gate.id in seen else "of freezes"
                message = f"{top.where}: line {gate.line}: the gate {gate.id!r} has the id of the one {there}; give it another: id: NAME."
                top.faults.append((gate.line, message))
            seen[gate.id] = gate.line
    return rules
