"""All that decides what a step makes, the key that follows, and in words what changed since it ran last.

Not part of the key: the step's name (who renames a step need not run it again) and its timeout.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.formats.canonical import dump, load
from runfolio.records.redaction import Redactor

SCHEMA = 1
MOST = 4
"""So many changes of one kind are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides what a step makes.

    Parameters
    ----------
    command : tuple of str
        Its words, with places for values.
    params, env : Mapping of str to str
    code, inputs : Mapping of str to str
        Digest by path.
    environment : Mapping of str to str
        ``python``, ``packages`` (name of the package list), or digest by path of files.
    outputs : tuple of str
    """

    command: tuple[str, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the facts as JSON values."""
        made: dict[str, Any] = {"schema": SCHEMA, "command": list(self.command), "outputs": sorted(self.outputs)}
        for name in ("params", "env", "code", "environment", "inputs"):
            made[name] = dict(getattr(self, name))
        return made

    @property
    def key(self) -> str:
        """The digest of the facts: 64 hex digits."""
        return hashlib.sha256(dump(self.document())).hexdigest()

    def written(self, redactor: Redactor) -> bytes:
        """Return the facts as they are kept with the run: without secrets."""
        made = self.document()
        for name in ("params", "env"):
            made[name] = {key: redactor.value(key, value) for key, value in made[name].items()}
        return dump(made)


def read_facts(data: bytes, where: str) -> dict[str, Any] | None:
    """Read facts that were kept; None where they are of another form."""
    from runfolio.errors import DamagedError

    try:
        said = load(data, where)
    except DamagedError:
        return None
    kinds: dict[str, type] = {"command": list, "outputs": list}
    kinds.update(dict.fromkeys(("params", "env", "code", "environment", "inputs"), dict))
    if said.get("schema") != SCHEMA or not all(isinstance(said.get(name), kind) for name, kind in kinds.items()):
        return None
    return said


def changes(old: Mapping[str, Any], new: Mapping[str, Any], packages: Callable[[str], str]) -> tuple[str, ...]:
    """Say in words what differs.

    Parameters
    ----------
    old, new : Mapping
        Of :func:`read_facts`, or :meth:`Facts.document`.
    packages : callable
        Gives the text of a package list by its name; empty where it is not to be had.

    Examples
    --------
    >>> old = Facts(("python", "train.py"), {"depth": "4"}, code={"train.py": "sha256:1"}).document()
    >>> new = Facts(("python", "train.py"), {"depth": "5"}, code={"train.py": "sha256:2"}).document()
    >>> changes(old, new, lambda name: "")
    ('param depth 4 → 5', 'code train.py changed')
    """
    made = ["command changed"] if old["command"] != new["command"] else []
    made += _differing(old["params"], new["params"], "param", values=True)
    made += _differing(old["code"], new["code"], "code")
    made += _differing(old["inputs"], new["inputs"], "input")
    made += _environment(old["environment"], new["environment"], packages)
    made += _differing(old["env"], new["env"], "variable", values=True)
    made += _differing(dict.fromkeys(old["outputs"], ""), dict.fromkeys(new["outputs"], ""), "output")
    return tuple(made)


def _differing(old: Mapping[str, str], new: Mapping[str, str], kind: str, *, values: bool = False) -> list[str]:
    made = []
    for name in sorted({*old, *new}):
        if name not in old:
            made.append(f"{kind} {name} is new")
        elif name not in new:
            made.append(f"{kind} {name} is gone")
        elif old[name] != new[name]:
            made.append(f"{kind} {name} {old[name]:.40} → {new[name]:.40}" if values else f"{kind} {name} changed")
    return made if len(made) <= MOST else [*made[:MOST], f"{len(made) - MOST} more of {kind}"]


def _environment(old: Mapping[str, str], new: Mapping[str, str], packages: Callable[[str], str]) -> list[str]:
    if old.get("packages") == new.get("packages"):
        return _differing(old, new, "environment", values="python" in old)
    rest = [{key: value for key, value in each.items() if key != "packages"} for each in (old, new)]
    made = _differing(rest[0], rest[1], "environment")
    texts = [_versions(packages(each["packages"])) if "packages" in each else {} for each in (old, new)]
    named = _differing(texts[0], texts[1], "package", values=True) if all(texts) else []
    return [*made, *(named or ["the installed packages changed"])]


def _versions(text: str) -> dict[str, str]:
    made = {}
    for line in text.splitlines():
        name, sign, version = line.partition("==")
        if not sign:
            name, _, version = line.partition(" @ ")
        made[name] = version
    return made
