"""Model cards: Markdown made from a version's record, completed by people; with Hugging Face's front matter.

A card lies in ``models/<name>/cards/<n>.md``. What the record knows is filled in (metrics, data, how to load it); what only people
know is a section with a prompt in a comment. A section is complete when it says something beside comments. The front matter follows
the model card specification of the Hugging Face Hub (``model-index`` with its results), so that the card may be published there as it
is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runfolio.errors import DamagedError
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.formats.canonical import spell_number
from runfolio.formats.cards import check_card
from runfolio.formats.yaml_text import dump_yaml
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.records.runs import Run
from runfolio.records.visible import visible
from runfolio.registry.prompts import how_to_load, is_prompt

PROMPTS = {
    "Intended use": "What is it for, and who uses it? What is it not for?",
    "Data": "What was it trained and tested on? Where does it come from, under which licence?",
    "Evaluation": "How good is it, on what, and on which slices (groups, regions, times) is it worse?",
    "Limits": "When does it fail? What must nobody rely on it for?",
    "Ethical considerations": "Whom may it harm, and what was done about that?",
}
"""The sections of a card, and what each asks for."""
_HEADING = re.compile(r"^##\s+(?P<title>.+?)\s*#*\s*$", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FENCE = re.compile(r"^---\s*$", re.MULTILINE)


def section_id(title: str) -> str:
    """Return the name by which a policy asks for a section: ``Intended use`` is ``intended_use``."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")


def sections(text: str) -> dict[str, bool]:
    """Return the sections of a card by id, and whether each says something."""
    found = list(_HEADING.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    made = {}
    for match, end in zip(found, ends, strict=True):
        said = _COMMENT.sub("", text[match.end() : end]).strip()
        made[section_id(match["title"])] = bool(said)
    return made


def read_card(folio: Folio, slug: str, version: int, tip: str | None = None) -> str | None:
    """Return the text of a version's card, or None.

    Raises
    ------
    DamagedError
        If it is not UTF-8.
    """
    path = paths.card_path(slug, version)
    data = folio.place.read(tip or folio.place.tip(), path)
    if data is None:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DamagedError(
            f"{path} is not text in UTF-8 ({error.reason} at byte {error.start}). Save it again as UTF-8."
        ) from None


def render_card(model: RegisteredModel, version: ModelVersion, run: Run | None) -> str:
    """Write the card of a version from its record.

    Parameters
    ----------
    model : RegisteredModel
    version : ModelVersion
    run : Run or None
        The run that made it.
    """
    name = visible(model.name)
    lines = ["---", dump_yaml(_front_matter(model, version, run)).decode().rstrip(), "---", "", f"# {name} {version.version}", ""]
    if version.description or model.description:
        lines += [visible(version.description or model.description), ""]
    for title, prompt in PROMPTS.items():
        lines += [f"## {title}", "", f"<!-- {prompt} -->"]
        known = {"Data": _data(run), "Evaluation": _metrics(version)}.get(title, [])
        lines += ["", *known] if known else []
        lines.append("")
    lines += [
        "## How to load it",
        "",
        "```python",
        "import runfolio",
        how_to_load(name, f"/{version.version}", version.tags)
        if is_prompt(version.tags)
        else f'model = runfolio.pyfunc.load_model("models:/{name}/{version.version}")',
        "```",
        "",
    ]
    return "\n".join(lines)


def _front_matter(model: RegisteredModel, version: ModelVersion, run: Run | None) -> dict[str, object]:
    made: dict[str, object] = {"library_name": next((item for item in version.flavors if item != "python_function"), "runfolio")}
    tags = [visible(f"{key}:{value}") for key, value in sorted(version.tags.items())]
    if tags:
        made["tags"] = tags
    metrics = [
        {"type": key, "name": key, "value": spell_number(value), "verified": False}
        for key, value in sorted(version.metrics.items())
    ]
    if metrics:
        dataset = next((item.name for item in run.inputs), "") if run else ""
        result = {
            "task": {"type": "other", "name": model.name},
            "dataset": {"type": dataset or "unknown", "name": dataset or "unknown"},
            "metrics": metrics,
        }
        made["model-index"] = [{"name": model.name, "results": [result]}]
    return made


def _data(run: Run | None) -> list[str]:
    if run is None:
        return []
    return [
        f"- {visible(item.name)}{f' ({visible(item.context)})' if item.context else ''}: digest `{visible(item.digest)}`"
        for item in run.inputs
    ]


def _metrics(version: ModelVersion) -> list[str]:
    if not version.metrics:
        return []
    rows = [f"| {visible(key)} | {value:.6g} |" for key, value in sorted(version.metrics.items())]
    return ["| metric | value |", "|---|---:|", *rows]


def write_card(folio: Folio, model: RegisteredModel, version: ModelVersion, text: str) -> bool:
    """Commit the card of a version; tell whether anything changed."""
    # Here, for a site that shows cards would else load what locks and commits.
    from runfolio.folio.committing import commit_with_retry
    from runfolio.gitstore import FileChange

    path, data = paths.card_path(model.slug, version.version), text.encode("utf-8", "replace")

    def change(tip: str | None) -> list[FileChange]:
        folio.place.require_committed(path, folio.place.read(tip, path), data)
        return [FileChange(folio.place.full(path), data)]

    message = f"models: card of {visible(model.name)} {version.version}\n"
    return commit_with_retry(folio.place, change, message)


def fault_of(text: str, where: str) -> str:
    """Say what keeps readers from a card: front matter that is no YAML, marks of a merge; empty where nothing does."""
    try:
        check_card(text.encode("utf-8", "surrogateescape"), where)
    except DamagedError as error:
        return error.message
    return ""


def incomplete(found: Mapping[str, bool]) -> list[str]:
    """Return the titles of the sections that a card lacks, or leaves empty."""
    return [title for title in PROMPTS if not found.get(section_id(title))]
