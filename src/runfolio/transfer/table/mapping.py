"""What the columns of a table are: ``mapping.yaml``, whose JSON Schema is ``mapping.schema.json``.

>>> mapping = decode_mapping(b"metrics: [acc*]\\nparams: ['config.*']\\nstrip: [config.]\\n", "mapping.yaml")
>>> [mapping.role(name) for name in ("acc_top5", "config.lr", "host")]
['metrics', 'params', None]
>>> mapping.name("config.lr")
'lr'
"""

from __future__ import annotations

import codecs
import datetime
import fnmatch
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, UsageError
from runfolio.formats.fields import FieldReader, flag, list_of, one_of, some_text, text, texts
from runfolio.formats.yaml import read_yaml

FACTS = (
    "id",
    "name",
    "experiment",
    "status",
    "start",
    "end",
    "duration",
    "user",
    "parent",
    "note",
    "step",
    "time",
    "metric",
    "value",
)
CONSTANTS = ("name", "experiment", "status", "start", "user", "note")
STATUSES = ("FINISHED", "FAILED", "KILLED", "RUNNING", "SCHEDULED")
UNITS = {"s": 1000.0, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
_ROLES = ("ignore", "params", "metrics", "tags")
_KNOWN = (
    "format", "encoding", "delimiter", "decimal", "thousands", "missing", "rows", "columns", "constants", "identity", "keep_ids",
    *_ROLES, "strip", "rename", "statuses", "time",
)  # fmt: skip
_ZONE = re.compile(r"([+-])(\d\d):(\d\d)\Z")


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How times are written.

    Parameters
    ----------
    unit : str
        Of numbers: ``s``, ``ms``, ``us``, ``ns``; empty: by their size.
    zone : datetime.timezone
        Of times that do not say theirs.
    pattern : str
        As for ``strptime``; empty: ISO 8601.
    """

    unit: str = ""
    zone: datetime.timezone = datetime.timezone.utc
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class TableMapping:
    """What the columns of a table are; docs/how-to/import-others.md tells every field."""

    format: str = ""
    encoding: str = "utf-8-sig"
    delimiter: str = ""
    decimal: str = "."
    thousands: str = ""
    missing: tuple[str, ...] = ("",)
    points: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    identity: tuple[str, ...] = ()
    keep_ids: bool = False
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    strip: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    time: TimeFormat = TimeFormat()

    def role(self, column: str) -> str | None:
        """Return what a column is: ``params``, ``metrics``, ``tags``, ``ignore``, a fact of the run, or None where nothing is said of it.

        A name that is written out goes before a pattern; of two patterns, ``ignore`` goes first, then params, metrics, tags.
        """
        for role in _ROLES:
            if column in self.patterns.get(role, ()):
                return role
        for fact, name in self.columns.items():
            if name == column:
                return fact
        for role in _ROLES:
            if any(fnmatch.fnmatchcase(column, pattern) for pattern in self.patterns.get(role, ())):
                return role
        return "ignore" if column in self.identity else None

    def name(self, column: str) -> str:
        """Return the name of a param, metric or tag of a column: renamed, or without a prefix that is to be left out."""
        if column in self.rename:
            return self.rename[column]
        for prefix in self.strip:
            if column.startswith(prefix) and column != prefix:
                return column[len(prefix) :]
        return column


def decode_mapping(data: bytes, where: str) -> TableMapping:
    """Read a mapping.

    Parameters
    ----------
    data : bytes
    where : str
        The file, for messages.

    Raises
    ------
    UsageError
        With all faults of the file, each with its line.
    """
    try:
        top = FieldReader(read_yaml(data, where), where)
        made = _decode(top)
        top.report()
    except DamagedError as error:
        raise UsageError(error.message) from None
    return made


def _decode(top: FieldReader) -> TableMapping:
    top.only(_KNOWN)
    columns, constants, time = top.section("columns"), top.section("constants"), top.section("time")
    columns.only(FACTS)
    constants.only(CONSTANTS)
    time.only(("unit", "zone", "format"))
    default = TableMapping()
    made = TableMapping(
        format=top.read("format", one_of("csv", "jsonl"), default.format),
        encoding=top.read("encoding", _encoding, default.encoding),
        delimiter=top.read("delimiter", _letter, default.delimiter),
        decimal=top.read("decimal", one_of(".", ","), default.decimal),
        thousands=top.read("thousands", _letter, default.thousands),
        missing=top.read("missing", list_of(text), default.missing),
        points=top.read("rows", one_of("runs", "points"), "runs") == "points",
        columns={fact: name for fact in FACTS if (name := columns.read(fact, some_text, ""))},
        constants={fact: said for fact in CONSTANTS if (said := constants.read(fact, _scalar, ""))},
        identity=top.read("identity", list_of(some_text), ()),
        keep_ids=top.read("keep_ids", flag, default.keep_ids),
        patterns={role: top.read(role, list_of(some_text), ()) for role in _ROLES},
        strip=top.read("strip", list_of(some_text), ()),
        rename=top.read("rename", texts, {}),
        statuses=top.read("statuses", _statuses, {}),
        time=TimeFormat(
            time.read("unit", one_of(*UNITS), ""), time.read("zone", _zone, datetime.timezone.utc), time.read("format", text, "")
        ),
    )
    _agree(top, made)
    return made


def _agree(top: FieldReader, made: TableMapping) -> None:
    """Note what cannot be, taken together."""
    has = made.columns
    if not has and not any(made.patterns[role] for role in ("params", "metrics", "tags")):
        top.fault((), "it says of no column what it is: name some under columns, params, metrics or tags")
    if made.thousands and made.thousands == made.decimal:
        top.fault(("thousands",), "it is the decimal sign, too")
    if made.keep_ids and "id" not in has:
        top.fault(("keep_ids",), "there are no ids to keep: name their column, columns.id")
    if ("metric" in has) != ("value" in has):
        top.fault(("columns",), "metric and value belong together: the column with the metrics' names, and that with the values")
    if "metric" in has and not made.points:
        top.fault(("columns", "metric"), "a row with one metric is a point: write rows: points")
    if made.points and "metric" not in has and not made.patterns["metrics"]:
        top.fault(
            ("rows",), "points need metrics: name columns.metric and columns.value, or the columns of metrics under metrics"
        )
    if made.points and made.identity:
        top.fault(("identity",), "runs of points are told apart by columns.id")
    if "end" in has and "duration" in has:
        top.fault(("columns", "duration"), "end says it already. Keep one")
    for fact in sorted(set(has) & set(made.constants)):
        top.fault(("constants", fact), f"the column {has[fact]!r} says it already. Keep one")
    for column in sorted({name for name in has.values() if list(has.values()).count(name) > 1}):
        top.fault(("columns",), f"the column {column!r} is named twice")


def _encoding(value: Any) -> str:
    try:
        name = codecs.lookup(text(value)).name
    except LookupError:
        raise ValueError(f"an encoding such as utf-8, latin-1 or utf-16 is expected, found {value!r}") from None
    return "utf-8-sig" if name == "utf-8" else name


def _letter(value: Any) -> str:
    said = {"tab": "\t", "\\t": "\t"}.get(text(value), value)
    if len(said) != 1 or said in '\r\n"':
        raise ValueError(f"one character is expected (or 'tab'), found {value!r}")
    return str(said)


def _scalar(value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise ValueError("text is expected, found a list or mapping")
    return str(value)


def _statuses(value: Any) -> dict[str, str]:
    said = texts(value)
    for there, here in said.items():
        if here not in STATUSES:
            raise ValueError(f"{there}: one of {', '.join(STATUSES)} is expected, found {here!r}")
    return {there.casefold(): here for there, here in said.items()}


def _zone(value: Any) -> datetime.timezone:
    found = _ZONE.match(text(value))
    if value == "UTC":
        return datetime.timezone.utc
    if not found or int(found[2]) > 23 or int(found[3]) > 59:
        raise ValueError(f"an offset from UTC such as '+02:00' is expected, found {value!r}")
    minutes = int(found[2]) * 60 + int(found[3])
    return datetime.timezone(datetime.timedelta(minutes=minutes if found[1] == "+" else -minutes))
