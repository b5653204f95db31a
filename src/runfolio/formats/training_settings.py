"""The section ``training`` of ``runfolio.yaml``: what a training in CI runs, and when."""

from __future__ import annotations

import re

from runfolio._pattern import pattern
from runfolio._typing import Any
from runfolio.errors import UsageError
from runfolio.formats.fields import FieldReader, flag, text
from runfolio.records.models import check_stage_name
from runfolio.records.names import check_artifact_path
from runfolio.records.settings import TrainingSettings

_CRON = pattern(r"[\w*/,\-]+(?: +[\w*/,\-]+){4}\Z", re.ASCII)
_FILE = pattern(r"[\w./-]+\Z", re.ASCII)


def read_training(section: FieldReader) -> TrainingSettings:
    """Read the section; a fault is noted for every field that is wrong or unknown."""
    default = TrainingSettings()
    section.only(("command", "requirements", "model", "artifact", "stage", "schedule", "on_push"))
    return TrainingSettings(
        section.read("command", text, default.command),
        section.read("requirements", _file, default.requirements),
        section.read("model", text, default.model),
        section.read("artifact", _artifact, default.artifact),
        section.read("stage", check_stage_name, default.stage),
        section.read("schedule", _schedule, default.schedule),
        section.read("on_push", flag, default.on_push),
    )


def is_schedule(value: str) -> bool:
    """Tell whether a text has cron's five fields."""
    return bool(_CRON.match(value.strip()))


def _schedule(value: Any) -> str:
    said = text(value).strip()
    if said and not is_schedule(said):
        raise ValueError(f"cron's five fields are expected, such as '0 3 * * 1', found {value!r}")
    return said


def _file(value: Any) -> str:
    said = text(value)
    if said and (not _FILE.match(said) or said.startswith(("/", "-")) or ".." in said.split("/")):
        raise ValueError(f"a file below the folio's folder is expected, in letters, digits and - _ . /, found {value!r}")
    return said


def _artifact(value: Any) -> str:
    try:
        return check_artifact_path(text(value))
    except UsageError as error:
        raise ValueError(error.message.rstrip(".")) from None
