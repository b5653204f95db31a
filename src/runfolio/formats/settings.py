r"""``runfolio.yaml``: the settings that a team reviews.

Every field has a default, so that the file may be two lines long. Unknown keys are refused (a misspelt ``redact`` must not
pass in silence), all faults are told at once with their lines. Filters in ``retention`` and the charts in ``site`` are kept as
they are; those who use them read them.

>>> decode_settings(b"schema: 1\ndurability: process\n", "runfolio.yaml").durability
'process'
"""

from __future__ import annotations

import re
from collections.abc import Callable

from runfolio._pattern import pattern
from runfolio._typing import Any
from runfolio.errors import UsageError
from runfolio.formats.durations import parse_duration
from runfolio.formats.fields import FieldReader, flag, list_of, mapping, one_of, some_text, text, whole
from runfolio.formats.review_settings import read_review
from runfolio.formats.runs import check_schema
from runfolio.formats.training_settings import read_training
from runfolio.formats.yaml import YamlDocument, read_yaml
from runfolio.records.experiments import Objective
from runfolio.records.models import STAGES, check_stage_name
from runfolio.records.settings import (
    CaptureSettings,
    CommitSettings,
    RecordSettings,
    RedactSettings,
    RegistrySettings,
    ReproduceSettings,
    RetentionRule,
    Settings,
    SiteArtifacts,
    SiteSettings,
    SystemMetricSettings,
)

__all__ = ["Settings", "decode_settings", "initial_settings", "parse_duration", "read_objective"]

SCHEMA = 1

_AUTHOR = pattern(r"[^<>\x00-\x1f\x7f]*[^<>\s\x00-\x1f\x7f] <[^<>\s\x00-\x1f\x7f]+>\Z")
_NOT_A_REF = pattern(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|[/.]\Z|\.lock\Z|/\.|\.lock/|^@\Z")
_BRANCH_REMEDY = "a branch name is expected, without spaces, '..' and any of ~ ^ : ? * [ \\"

_KEYS = (
    "schema", "artifacts", "records", "commit", "durability", "capture", "redact", "retention", "objectives",
    "system_metrics", "sync", "site", "registry", "review", "reproduce", "training",
)  # fmt: skip


def decode_settings(data: bytes, where: str, *, read: Callable[..., YamlDocument] = read_yaml) -> Settings:
    """Read ``runfolio.yaml``.

    Parameters
    ----------
    data : bytes
    where : str
        The file, for messages.
    read : callable, optional
        Parses the file, as :func:`~runfolio.formats.yaml.read_yaml` does.

    Raises
    ------
    DamagedError
        If it is not readable, or any field is wrong or unknown; the message names all of them with their lines.
    NewerSchemaError
        If a newer runfolio wrote it.
    """
    document = read(data, where)
    top = FieldReader(document, where)
    if "schema" in document.value or not document.value:
        check_schema(document.value, SCHEMA, where)
    else:
        top.fault((), "schema is missing: write 'schema: 1' as the first line")
    top.only(_KEYS)
    records, sync, metrics = top.section("records"), top.section("sync"), top.section("system_metrics")
    records.only(("branch",))
    sync.only(("remote",))
    metrics.only(("enabled", "interval_s"))
    settings = Settings(
        artifacts=top.read("artifacts", some_text, None),
        records=RecordSettings(records.read("branch", _branch, None)),
        commit=_commit(top.section("commit")),
        durability=top.read("durability", one_of("process", "power", "power-each"), "power"),
        capture=_capture(top.section("capture")),
        redact=_redact(top.section("redact")),
        retention=tuple(_rule(item) for item in top.items("retention")),
        objectives=_objectives(top.section("objectives")),
        system_metrics=SystemMetricSettings(metrics.read("enabled", flag, False), metrics.read("interval_s", whole(1), 10)),
        remote=sync.read("remote", _remote, "origin"),
        site=_site(top.section("site")),
        registry=_registry(top.section("registry")),
        review=read_review(top.section("review")),
        reproduce=_reproduce(top.section("reproduce")),
        training=read_training(top.section("training")),
    )
    top.report()
    return settings


def read_objective(section: FieldReader) -> Objective | None:
    """Read an objective; None, with a fault noted, where its metric is missing."""
    section.only(("metric", "direction", "replicate"))
    direction = section.read("direction", one_of("max", "min"), "max")
    replicate = section.read("replicate", some_text, "seed")
    metric = section.read("metric", some_text, "")
    if not metric and section.value.get("metric") is None:
        section.fault((), "metric is missing: name the metric by which runs are compared")
    return Objective(metric, direction, replicate) if metric else None


def _commit(section: FieldReader) -> CommitSettings:
    section.only(("when", "batch", "author", "hooks", "sign"))
    return CommitSettings(
        section.read("when", one_of("auto", "run", "batch", "demand"), "auto"),
        section.read("batch", whole(1), 100),
        section.read("author", _author, None),
        section.read("hooks", flag, False),
        section.read("sign", flag, False),
    )


def _capture(section: FieldReader) -> CaptureSettings:
    flags = ("code", "arguments", "packages", "platform", "user", "host", "notebook")
    section.only((*flags, "untracked_max_bytes"))
    default = CaptureSettings()
    read = {name: section.read(name, flag, getattr(default, name)) for name in flags}
    return CaptureSettings(untracked_max_bytes=section.read("untracked_max_bytes", whole(), default.untracked_max_bytes), **read)


def _redact(section: FieldReader) -> RedactSettings:
    section.only(("patterns", "keys"))
    return RedactSettings(section.read("patterns", list_of(_pattern), ()), section.read("keys", list_of(some_text), ()))


def _rule(item: FieldReader) -> RetentionRule:
    item.only(("filter", "older_than", "action"))
    if item.value.get("older_than") is None:
        item.fault((), "older_than is missing: write how old runs may grow, such as 90d")
    return RetentionRule(
        item.read("filter", text, ""), item.read("older_than", _duration, 0), item.read("action", one_of("delete"), "delete")
    )


def retention_line(data: bytes, where: str, number: int) -> int:
    """Return the line on which the filter of a retention rule stands, for who finds that it cannot be read."""
    return read_yaml(data, where).line(("retention", number, "filter"))


def _site(section: FieldReader) -> SiteSettings:
    section.only(("title", "description", "base_url", "artifacts", "run_pages", "charts", "templates", "hide"))
    artifacts, default = section.section("artifacts"), SiteArtifacts()
    artifacts.only(("publish", "max_bytes", "total_bytes"))
    return SiteSettings(
        title=section.read("title", text, ""),
        description=section.read("description", text, ""),
        base_url=section.read("base_url", _address, ""),
        artifacts=SiteArtifacts(
            artifacts.read("publish", list_of(some_text), default.publish),
            artifacts.read("max_bytes", whole(), default.max_bytes),
            artifacts.read("total_bytes", whole(), default.total_bytes),
        ),
        run_pages=section.read("run_pages", whole(), SiteSettings().run_pages),
        charts=section.read("charts", list_of(mapping), ()),
        templates=section.read("templates", _inner_folder, None),
        hide=section.read("hide", list_of(some_text), ()),
    )


def _registry(section: FieldReader) -> RegistrySettings:
    section.only(("stages", "exclusive"))
    stages = section.read("stages", list_of(check_stage_name), STAGES)
    if len({name.lower() for name in stages}) < len(stages):
        section.fault(("stages",), "a stage is named twice")
    if not stages:
        section.fault(("stages",), "a list with one stage at least is expected")
    exclusive: tuple[str, ...] = ()
    if stages:
        exclusive = section.read("exclusive", list_of(one_of(*stages)), exclusive)
    return RegistrySettings(stages, exclusive)


def _reproduce(section: FieldReader) -> ReproduceSettings:
    section.only(("tolerance", "ignore"))
    default = ReproduceSettings()
    return ReproduceSettings(
        section.read("tolerance", _share, default.tolerance), section.read("ignore", list_of(some_text), default.ignore)
    )


def _share(value: Any) -> float:
    try:
        number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else -1.0
    except ValueError:
        number = -1.0
    if not 0 <= number < 1:
        raise ValueError(f"a relative deviation from 0 to 1 is expected, such as 1e-9, found {value!r}")
    return number


def _address(value: Any) -> str:
    address = text(value).strip()
    if address and not re.match(r"https?://[^\s/?#]+(/[^\s?#]*)?\Z", address):
        raise ValueError(f"an address such as https://team.example.org/folio/ is expected, found {value!r}")
    return address and address.rstrip("/") + "/"


def _inner_folder(value: Any) -> str:
    parts = some_text(value).strip("/").split("/")
    if value.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"a folder inside the folio is expected, found {value!r}")
    return "/".join(parts)


def _objectives(section: FieldReader) -> dict[str, Objective]:
    found = {name: read_objective(section.section(name)) for name, value in section.value.items() if value is not None}
    return {name: objective for name, objective in found.items() if objective is not None}


def _duration(value: Any) -> int:
    try:
        return parse_duration(value)
    except UsageError as error:
        raise ValueError(error.message.rstrip(".")) from None


def _branch(value: Any) -> str:
    name = some_text(value)
    if _NOT_A_REF.search(name):
        raise ValueError(f"{_BRANCH_REMEDY}, found {name!r}")
    return name


def _remote(value: Any) -> str:
    name = some_text(value)
    if _NOT_A_REF.search(name):
        raise ValueError(f"the name of a git remote is expected, such as origin, found {name!r}")
    return name


def _author(value: Any) -> str:
    if not _AUTHOR.match(text(value)):
        raise ValueError(f"'Name <mail>' is expected, found {value!r}")
    return str(value)


def _pattern(value: Any) -> str:
    try:
        re.compile(some_text(value))
    except re.error as error:
        raise ValueError(f"{value!r} is not a regular expression: {error}") from None
    return str(value)


_INITIAL = """\
# Settings of this folio, for people to review. All of them, with their defaults: docs/settings.md
schema: 1

# Where artifacts are kept: a folder, or a bucket (s3://…, gs://…, az://…); null is inside the git folder.
artifacts: {artifacts}

# The branch that run records are committed to; null is the branch you stand on.
records:
  branch: {branch}

# How durable an acknowledged run is: process (survives kill -9), power (and a power cut), power-each (every item).
durability: power

# Also common:
# objectives:
#   "*": {{metric: accuracy, direction: max}}
# retention:
#   - filter: attributes.status = 'FAILED'
#     older_than: 90d
"""


def initial_settings(artifacts: str | None = None, branch: str | None = None) -> bytes:
    """Write the ``runfolio.yaml`` of a new folio: the common settings, with comments.

    Parameters
    ----------
    artifacts : str, optional
        Place of the object store.
    branch : str, optional
        The ledger branch.

    Returns
    -------
    bytes

    Raises
    ------
    UsageError
        If `branch` can name no branch, or `artifacts` is blank.
    """
    from runfolio.formats.yaml_text import spell_scalar

    if branch is not None and (not branch.strip() or _NOT_A_REF.search(branch)):
        raise UsageError(f"{_BRANCH_REMEDY[0].upper()}{_BRANCH_REMEDY[1:]}, found {branch!r}.")
    if artifacts is not None and not artifacts.strip():
        raise UsageError("The place of the artifacts is blank. Give a folder or an URL.")
    return _INITIAL.format(artifacts=spell_scalar(artifacts), branch=spell_scalar(branch)).encode()
