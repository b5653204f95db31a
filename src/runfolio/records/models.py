"""Registered models: names under which versions of a model are known, and which version is live where.

A model's file holds its stages and aliases and nothing that a version's file says, so that what is live is one line, and a
promotion is a change of that line. A version's facts never change; its description and tags may.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runfolio._dataclass import dataclass, field, replace
from runfolio._pattern import pattern
from runfolio._typing import Any
from runfolio.errors import UsageError
from runfolio.records.names import MAX_KEY_LENGTH
from runfolio.records.runs import Digest, Lifecycle
from runfolio.records.times import utc_text

NO_STAGE = "None"
PRODUCTION = "Production"
ARCHIVED = "Archived"
STAGES: tuple[str, ...] = ("Staging", PRODUCTION, ARCHIVED)
"""MLflow's stages; a version that is in none of them is in ``None``."""
MAX_MODEL_TAG_LENGTH = 100_000

_ALIAS = pattern(r"[\w\-]{1,255}\Z")
_NUMBER_ALIAS = pattern(r"v\d+\Z", re.IGNORECASE)
_STAGE = pattern(r"[A-Za-z][\w\- ]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """One registered model.

    Parameters
    ----------
    name : str
    slug : str
        Name of its folder.
    created : int
        Milliseconds since the epoch, UTC; 0 where it is not known.
    description : str
    tags : Mapping of str to str
    stages : Mapping of str to tuple of int
        Versions in each stage, ascending; a stage without a version is not there.
    aliases : Mapping of str to int
    extra : Mapping
        Fields that this version does not know; written back unchanged.
    """

    name: str
    slug: str
    created: int = 0
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def stage_of(self, version: int) -> str:
        """Return the stage that a version is in; ``"None"`` where it is in none."""
        return next((stage for stage, versions in self.stages.items() if version in versions), NO_STAGE)

    def aliases_of(self, version: int) -> list[str]:
        """Return the aliases of a version, in order."""
        return sorted(alias for alias, number in self.aliases.items() if number == version)

    def with_stage(self, version: int, stage: str, *, archive: str | None = None) -> RegisteredModel:
        """Return the model with a version in a stage and in no other.

        Parameters
        ----------
        version : int
        stage : str
            ``"None"`` takes it out of its stage.
        archive : str, optional
            Stage into which the versions go that are in `stage` now: ``"Archived"``, or ``"None"`` to be in none. By default
            they stay beside it.
        """
        kept = {name: tuple(item for item in versions if item != version) for name, versions in self.stages.items()}
        if stage != NO_STAGE:
            moved = kept.get(stage, ()) if archive else ()
            kept[stage] = tuple(sorted({*kept.get(stage, ()), version}.difference(moved)))
            if archive and archive != NO_STAGE and moved:
                kept[archive] = tuple(sorted({*kept.get(archive, ()), *moved}))
        return replace(self, stages={name: versions for name, versions in kept.items() if versions})

    def without_version(self, version: int) -> RegisteredModel:
        """Return the model with a version in no stage and under no alias."""
        gone = self.with_stage(version, NO_STAGE)
        return replace(gone, aliases={alias: number for alias, number in self.aliases.items() if number != version})


@dataclass(frozen=True, slots=True)
class Waiver:
    """A gate that was waived for one version; always shown, and void once it has expired.

    Parameters
    ----------
    gate : str
        Its id in ``policy.yaml``.
    stage : str
        Of the promotion that it is for.
    reason : str
    by : str
        Who waived it.
    expires : int
        Milliseconds since the epoch, UTC.
    """

    gate: str
    stage: str
    reason: str
    by: str
    expires: int

    @property
    def last_day(self) -> str:
        """The last day on which it holds, as who waived wrote it: ``2026-12-31``, in UTC."""
        return utc_text(self.expires - 1)[:10]


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a registered model.

    Parameters
    ----------
    version : int
        From 1; never used twice.
    created : int
        Milliseconds since the epoch, UTC.
    source : str
        The URI that was registered: ``runs:/<run id>/<path>``, or ``models:/<name>/<version>`` for a copy.
    run_id : str or None
        The run that made it.
    path : str
        Folder of the model among the run's artifacts.
    digest : Digest or None
        Of the manifest of its files: two versions with one digest are the same bytes.
    size, file_count : int
        Bytes and number of its files.
    flavors : tuple of str
        What can load it, from its ``MLmodel`` file; empty where it has none.
    runs_code : tuple of str
        Files of it that run code when they are loaded, such as a pickle.
    signature : Mapping of str to str
        ``inputs``, ``outputs`` and ``params`` as JSON text, from its ``MLmodel`` file.
    input_example : bool
        Whether it brings an example of its input.
    metrics : Mapping of str to float
        The run's metrics when it was registered.
    user : str
        Who registered it, as git names them; empty where it is not captured.
    description : str
    tags : Mapping of str to str
    run_link : str
        Where the run can be looked at, if the caller said so.
    waivers : tuple of Waiver
    lifecycle : Lifecycle
        A deleted version keeps its number and is not shown.
    extra : Mapping
        Fields that this version does not know; written back unchanged.
    """

    version: int
    created: int = 0
    source: str = ""
    run_id: str | None = None
    path: str = ""
    digest: Digest | None = None
    size: int = 0
    file_count: int = 0
    flavors: tuple[str, ...] = ()
    runs_code: tuple[str, ...] = ()
    signature: Mapping[str, str] = field(default_factory=dict)
    input_example: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)
    user: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    run_link: str = ""
    waivers: tuple[Waiver, ...] = ()
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    extra: Mapping[str, Any] = field(default_factory=dict)


def check_model_name(name: object) -> str:
    """Return `name` if it can name a registered model.

    Raises
    ------
    UsageError
        If it is blank, too long, or holds ``/``, ``:`` or what reads as a path: ``models:/<name>/<version>`` must have one meaning.
    """
    if not isinstance(name, str) or not name.strip():
        raise UsageError("Registered model name cannot be empty.")
    if any(mark in name for mark in "/:\\") or name.strip() in (".", "..") or not name.isprintable() or name != name.strip():
        raise UsageError(
            f"Invalid model name: {name!r}. A name has no '/', no ':' and no '\\', is not '..', and starts and ends with a visible "
            "character."
        )
    if len(name) > MAX_KEY_LENGTH:
        raise UsageError(f"Invalid model name: {len(name)} characters are more than {MAX_KEY_LENGTH}.")
    if "@" in name:
        raise UsageError(f"Invalid model name: {name!r}. In models:/NAME@ALIAS the '@' starts the alias.")
    return name


def check_alias(alias: object) -> str:
    """Return `alias` if it can name a version.

    Raises
    ------
    UsageError
        If it is not letters, digits, ``_`` and ``-``; or is ``latest`` or ``v3``, which name versions by themselves.
    """
    if not isinstance(alias, str) or not _ALIAS.match(alias):
        raise UsageError(f"Invalid alias: {alias!r}. An alias is letters, digits, '_' and '-', 255 at most.")
    if alias.lower() == "latest":
        raise UsageError("Invalid alias: 'latest' is reserved: models:/NAME/latest is always the newest version.")
    if _NUMBER_ALIAS.match(alias):
        raise UsageError(f"Invalid alias: {alias!r} reads as a version's number. Choose another, such as 'champion'.")
    return alias


def check_version(version: object) -> int:
    """Return the number of a version, given as a number or its digits.

    Raises
    ------
    UsageError
        If it is none.
    """
    text = str(version)
    if isinstance(version, bool) or not re.fullmatch(r"[1-9]\d{0,8}", text, re.ASCII):
        raise UsageError(f"Invalid model version: {version!r}. It is a whole number from 1.")
    return int(text)


def canonical_stage(stage: object, known: tuple[str, ...] = STAGES) -> str:
    """Return a stage's name as it is written, whatever the case it was given in.

    Raises
    ------
    UsageError
        If there is no such stage.
    """
    names = {name.lower(): name for name in (NO_STAGE, *known)}
    found = names.get(str(stage).lower())
    if found is None:
        raise UsageError(
            f"Invalid Model Version stage: {stage!r}. The stages here are: {', '.join(names.values())}. "
            "A team adds its own in runfolio.yaml: registry.stages."
        )
    return found


def check_stage_name(name: object) -> str:
    """Return `name` if a team may call a stage so.

    Raises
    ------
    ValueError
        If it does not start with a letter, or reads as ``None`` or ``latest``.
    """
    if not isinstance(name, str) or not _STAGE.match(name) or name.lower() in ("none", "latest"):
        raise ValueError(f"the name of a stage is expected (a letter first, then letters, digits, ' ', '-', '_'), found {name!r}")
    return name
