r"""Changes to YAML files that people wrote: only the lines that must change do.

An edit works on the text, guided by the places that the strict reader noted: a scalar is replaced where it stands, an entry
of a block mapping is replaced, removed or put after its siblings by whole lines. Comments, order, blank lines, quoting,
indentation and line ends of everything else stay byte for byte, so that a promotion is a one-line diff. (A round trip through
a document tree was tried first: deleting a key took the comment of the next one with it, and long lines were folded anew.)

After each edit the text is read again, and refused unless it says exactly what was asked for.

>>> print(edit_yaml(b"# ours\na: 1  # one\n", {("a",): 2, ("tags", "team"): "core"}, "f.yaml").decode(), end="")
# ours
a: 2  # one
tags:
  team: core
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import ne
from typing import Any, Final

from runfolio.errors import DamagedError, UsageError
from runfolio.formats.yaml import MAX_BYTES, YamlDocument, read_yaml
from runfolio.formats.yaml_text import dump_yaml, entry_lines, spell_scalar

KeyPath = tuple[str, ...]


class _Delete:
    """The one value :data:`DELETE`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "DELETE"


DELETE: Final = _Delete()
"""In the changes of :func:`edit_yaml`: take the entry away."""


def edit_yaml(
    data: bytes | None, changes: Mapping[KeyPath, Any], where: str = "the file", *, header: str = "", limit: int = MAX_BYTES
) -> bytes:
    """Change entries of a YAML file and keep everything else as it is.

    Parameters
    ----------
    data : bytes or None
        The file; None makes a new one.
    changes : Mapping of key path to value
        ``("objective", "metric")`` is the entry ``metric`` of the mapping ``objective``, which is made where it is missing.
        :data:`DELETE` takes an entry away; one that is not there is no fault. Done in the order given.
    where : str, optional
        The file, for messages.
    header : str, optional
        Comment lines for a new file: what it is.
    limit : int, optional
        The most bytes that the file may have.

    Returns
    -------
    bytes

    Raises
    ------
    DamagedError
        If the file cannot be read, or is written in a way that cannot be changed line by line.
    UsageError
        If the file would grow beyond `limit`, or text cannot be written in UTF-8.
    """
    if data is None:
        value: dict[str, Any] = {}
        for path, change in changes.items():
            value = changed(value, path, change)
        return dump_yaml(value, header)
    text = data.decode("utf-8", "replace")
    document = read_yaml(data, where, limit=limit)
    for path, change in changes.items():
        wanted = changed(document.value, path, change)
        if same(wanted, document.value):
            continue
        text = _edit(text, document, path, change, wanted)
        if len(text.encode()) > limit:
            raise UsageError(f"{where}: {'.'.join(path)}: too long, the file may have {limit} bytes at most. Shorten it.")
        try:
            document = read_yaml(text.encode(), where, limit=limit)
        except DamagedError as error:
            raise _refusal(where, path, change) from error
        if not same(document.value, wanted):
            raise _refusal(where, path, change)
    return text.encode()


def changes_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[KeyPath, Any]:
    """Return the smallest changes that make `new` of `old`, in `new`'s order, for :func:`edit_yaml`."""
    made: dict[KeyPath, Any] = {(key,): DELETE for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if key in old and isinstance(before, Mapping) and isinstance(value, Mapping) and before and value:
            made.update({(key, *path): change for path, change in changes_between(before, value).items()})
        elif key not in old or not same(before, value):
            made[(key,)] = value
    return made


def goes_on(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Tell whether `new` has all keys of `old` in their order, and others behind them only, in mappings within it, too.

    An edit of a file that :func:`~runfolio.formats.yaml_text.dump_yaml` wrote is then what that would write.
    """
    if len(new) < len(old) or any(map(ne, old, new)):
        return False
    return all(
        not isinstance(value, dict) or (isinstance(new[key], dict) and goes_on(value, new[key])) for key, value in old.items()
    )


def changed(value: Mapping[str, Any], path: KeyPath, change: Any) -> dict[str, Any]:
    """Return `value` with one entry set, or taken away by :data:`DELETE`."""
    key, *rest = path
    made = dict(value)
    if not rest:
        if change is DELETE:
            made.pop(key, None)
        else:
            made[key] = change
        return made
    inner = made.get(key)
    if isinstance(inner, Mapping) or change is not DELETE:
        made[key] = changed(inner if isinstance(inner, Mapping) else {}, tuple(rest), change)
    return made


def same(one: Any, other: Any) -> bool:
    """Compare two YAML values: types count (``1`` is not ``1.0`` is not ``true``), NaN equals NaN."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return repr(one) == repr(other)
    return type(one) is type(other) and bool(one == other)


def _refusal(where: str, path: KeyPath, change: Any) -> DamagedError:
    shown = repr(change) if len(repr(change)) < 60 else f"{repr(change)[:57]}…"
    deed = "taken away" if change is DELETE else f"set to {shown}"
    return DamagedError(
        f"{where}: {'.'.join(path)}: could not be {deed} without touching other lines. Edit the file by hand, "
        "with each entry on a line of its own."
    )


def _edit(text: str, document: YamlDocument, path: KeyPath, change: Any, wanted: dict[str, Any]) -> str:
    """Carry out one change on the text, or widen it to the entry around it where it cannot be done there."""
    place, root = document.places.get(path), document.places.get(())
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    in_line = change is not DELETE and not isinstance(change, (Mapping, list, tuple)) and "\n" not in str(change)
    if place is not None and place.inline and in_line:
        return text[: place.value_start] + spell_scalar(change) + text[place.end :]
    parent = path[:-1]
    siblings = _at(wanted, parent)
    around = document.places.get(parent)
    before = _at(document.value, parent)
    own_lines = place is None or (place.block and not text[_line_start(text, place.start) : place.start].strip(" ?"))
    in_block = around is not None and isinstance(before, dict) and before and own_lines and _is_block(document, parent, before)
    if in_block and (siblings or not parent):
        key = (*parent, next(iter(before)))
        first = document.places[key]
        lines = [] if change is DELETE else entry_lines(path[-1], change, _indent(text, first.start))
        block = "".join(line + end_of_line for line in lines)
        if place is not None:
            return text[: _line_start(text, place.start)] + block + text[_next_line(text, place.end) :]
        assert around is not None
        return _insert(text, _next_line(text, around.end), block, end_of_line)
    if parent:
        return _edit(text, document, parent, siblings, wanted)
    block = "".join(line + end_of_line for key, value in wanted.items() for line in entry_lines(key, value, 0))
    if root is None:
        return _insert(text, len(text), block, end_of_line)
    return _insert(text[: root.start], root.start, block, end_of_line) + text[_next_line(text, root.end) :]


def _insert(text: str, index: int, block: str, end_of_line: str) -> str:
    separate = end_of_line if index > 0 and text[index - 1] != "\n" else ""
    return text[:index] + separate + block + text[index:]


def _is_block(document: YamlDocument, parent: KeyPath, before: dict[str, Any]) -> bool:
    key = (*parent, next(iter(before)))
    return document.places[key].block


def _at(value: Mapping[str, Any], path: KeyPath) -> Any:
    found: Any = value
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _indent(text: str, index: int) -> int:
    line = text[_line_start(text, index) :]
    return len(line) - len(line.lstrip(" "))  # not the key's column, which in "? key" is two further


def _next_line(text: str, index: int) -> int:
    # An index just behind a line's end (a block that keeps its trailing lines) is the next line already.
    if index > 0 and text[index - 1] == "\n":
        return index
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1
