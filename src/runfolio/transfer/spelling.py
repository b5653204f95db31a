"""Names of another store that a folio cannot hold, spelled so that it can; a tag says what each was, so that an export can say it again.

A character that a key cannot hold is spelled by its code point, ``acc@5`` as ``acc:x40:5``; in artifact paths, names of experiments and of
models it is spelled as in an address, ``a/b`` as ``a%2Fb``. The spelling is for people to read: what the name was is told by tags, so that
no name that a folio can hold is ever touched. On a run, :data:`NAMES_TAG` (and ``….2``, ``….3`` where it is long) is a JSON object::

    {"metrics": {"acc:x40:5": "acc@5"}, "artifacts": {"a%5Cb.txt": "a\\\\b.txt"}}

On an experiment and a registered model :data:`NAME_TAG` is the name itself.

>>> spelled = RunNames()
>>> spelled.spell("metrics", "acc@5", ["acc@5", "loss"]), spelled.spell("metrics", "loss", ["acc@5", "loss"])
('acc:x40:5', 'loss')
>>> names_of(spelled.tags())
{'metrics': {'acc:x40:5': 'acc@5'}}
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from urllib.parse import quote

from runfolio.errors import UsageError
from runfolio.records.models import check_model_name
from runfolio.records.names import (
    MAX_EXPERIMENT_NAME_LENGTH,
    MAX_KEY_LENGTH,
    MAX_TAG_LENGTH,
    check_artifact_path,
    check_experiment_name,
    check_key,
)

NAME_TAG = "runfolio.imported_name"
"""On an experiment or a registered model whose name had to be spelled otherwise: what it was."""
NAMES_TAG = "runfolio.imported_names"
"""On a run with names that had to be spelled otherwise: what they were, as JSON."""
KINDS = {"params": "parameter", "metrics": "metric", "tags": "tag", "artifacts": "artifact"}

_KEY_CHARACTER = re.compile(r"[/\w.\- :]")
_SEGMENT = 255  # bytes of a file's name
_CUT = 180  # a name that is too long keeps so many characters, before a digest of the whole


class RunNames:
    """The names of one run that are spelled otherwise here.

    Parameters
    ----------
    known : Mapping of str to Mapping of str to str, optional
        By kind, the name here and the name there, as :func:`names_of` returns them.
    """

    def __init__(self, known: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self._names: dict[str, dict[str, str]] = {kind: dict(names) for kind, names in (known or {}).items()}

    def __bool__(self) -> bool:
        """Say whether any name was."""
        return bool(self._names)

    def spell(self, kind: str, name: str, among: Collection[str]) -> str:
        """Return a name as the folio can hold it.

        Parameters
        ----------
        kind : {"params", "metrics", "tags", "artifacts"}
        name : str
            What the other store says.
        among : collection of str
            All names of that kind that the run has there, so that no two become one.

        Returns
        -------
        str
            `name` itself, where nothing refuses it.
        """
        if _holds(kind, name):
            return name
        taken = self._names.setdefault(kind, {})
        made = _spelled_path(name) if kind == "artifacts" else _spelled_key(name)
        while made in among or taken.get(made, name) != name:
            made += "_"
        taken[made] = name
        return made

    def keep(self, artifacts: Mapping[str, str]) -> None:
        """Go on telling what files were called before an earlier import, where this one has not spelled them itself."""
        if artifacts:
            self._names["artifacts"] = {**artifacts, **self._names.get("artifacts", {})}

    def tags(self) -> dict[str, str]:
        """Return the tags that say what the names were; none where none was spelled otherwise."""
        parts: list[dict[str, dict[str, str]]] = [{}]
        for kind, names in self._names.items():
            for made, name in names.items():
                parts[-1].setdefault(kind, {})[made] = name
                if len(json.dumps(parts[-1])) > MAX_TAG_LENGTH and len(parts[-1]) + len(parts[-1][kind]) > 2:
                    del parts[-1][kind][made]
                    parts.append({kind: {made: name}})
        # ASCII: a name may hold what no tag can.
        return {
            NAMES_TAG + (f".{number}" if number > 1 else ""): json.dumps({kind: held for kind, held in part.items() if held})
            for number, part in enumerate(parts, 1)
            if part
        }


def names_of(tags: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what names of a run were in the store that it came from: the way back, for an export.

    Parameters
    ----------
    tags : Mapping of str to str
        Of the run.

    Returns
    -------
    dict of str to dict of str to str
        By kind (``params``, ``metrics``, ``tags``, ``artifacts``): the name here, and the name there; names that are the same are left out.
    """
    found: dict[str, dict[str, str]] = {}
    for key, text in tags.items():
        if key != NAMES_TAG and not key.startswith(f"{NAMES_TAG}."):
            continue
        try:
            said = json.loads(text)
            for kind in KINDS:
                names = {str(made): str(name) for made, name in said.get(kind, {}).items()}
                if names:
                    found.setdefault(kind, {}).update(names)
        except (ValueError, AttributeError):
            continue  # someone wrote the tag by hand: it says nothing
    return found


def name_of(name: str, tags: Mapping[str, str]) -> str:
    """Return what an experiment or a registered model was called in the store that it came from."""
    return tags.get(NAME_TAG, name)


def name_tag(name: str) -> str:
    """Return the value of :data:`NAME_TAG` for a name: itself, with what no text file holds spelled out."""
    return name.encode("utf-8", "backslashreplace").decode()


def spelled_experiment(name: str) -> str:
    """Return an experiment's name as the folio can hold it."""
    if _keeps(name, check_experiment_name):
        return name
    made = "".join(_address(letter) if "\ud800" <= letter <= "\udfff" else letter for letter in name)
    return _cut(made, MAX_EXPERIMENT_NAME_LENGTH) if made.strip() else _bytes(name)


def spelled_model(name: str) -> str:
    """Return a registered model's name as the folio can hold it: without ``/``, ``:``, ``\\`` and ``@``."""
    if _keeps(name, check_model_name):
        return name
    made = "".join(letter if letter.isprintable() and letter not in "/:\\@" else _address(letter) for letter in name)
    inner = made.strip()
    if inner in ("", ".", ".."):
        return _bytes(name)
    before = len(made) - len(made.lstrip())
    return _cut("%20" * before + inner + "%20" * (len(made) - before - len(inner)), MAX_KEY_LENGTH)


def _holds(kind: str, name: str) -> bool:
    if kind == "artifacts":
        return _keeps(name, check_artifact_path)
    return _keeps(name, lambda text: check_key(text, KINDS[kind]))


def _keeps(name: str, check: Callable[[object], str]) -> bool:
    """Say whether a rule leaves a name as it is."""
    try:
        return check(name) == name
    except UsageError:
        return False


def _address(letter: str) -> str:
    return quote(letter, safe="", errors="surrogatepass")


def _bytes(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode("utf-8", "surrogatepass"))[:_CUT] or "%"


def _point(letter: str) -> str:
    return f":x{ord(letter):x}:"


def _spelled_key(name: str) -> str:
    made = "".join(letter if _KEY_CHARACTER.match(letter) else _point(letter) for letter in name) or ":x:"
    # What a path that is normalised would leave out: segments of dots, doubled slashes, slashes at the ends.
    parts = [part.replace(".", _point(".")) if part in (".", "..") else part for part in made.split("/")]
    made = re.sub(r"/{2,}|\A/|/\Z", lambda found: _point("/") * len(found[0]), "/".join(parts))
    made = _point(".") * 2 + made[2:] if made.startswith("..") else made
    return _cut(made, MAX_KEY_LENGTH)


def _spelled_path(name: str) -> str:
    made = "".join(letter if letter.isprintable() and letter != "\\" else _address(letter) for letter in name) or "%"
    made = made.replace(":", "%3A", 1) if re.match(r"[A-Za-z]:", made) else made
    parts = [part.replace(".", "%2E") if part in (".", "..") else part for part in made.split("/")]
    parts = [_cut(part, _SEGMENT, _CUT // 4) if len(part.encode()) > _SEGMENT else part for part in parts]
    return re.sub(r"/{2,}|\A/|/\Z", lambda found: "%2F" * len(found[0]), "/".join(parts))


def _cut(made: str, most: int, kept: int = _CUT) -> str:
    """Shorten a name that is too long: its beginning, and a digest of the whole."""
    if len(made) <= most and kept == _CUT:
        return made
    digest = hashlib.sha256(made.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{made[:kept].rstrip('/. ')}-{digest}"
