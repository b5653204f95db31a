"""What came of making runs again, as pages show it: a run's newest verdict, and how much of what is live can be proved today.

A version counts as reproducible where its run was reproduced by its own recorded code, that code is still kept, and the list of the
version's files is at hand. Everything else is said in words, and counts as not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runfolio.records.reproductions import Deviation, Outcome, Reproduction
from runfolio.site.gather import Site
from runfolio.site.links import model_page, version_page

if TYPE_CHECKING:
    from runfolio.site.catalogue import ModelData, VersionData

STAGE = "Production"
_ROWS = 12
_TONES = {
    Outcome.EXACT: "good",
    Outcome.WITHIN_TOLERANCE: "good",
    Outcome.WITHIN_SPREAD: "warn",
    Outcome.DIFFERS: "bad",
    Outcome.COULD_NOT_RUN: "bad",
}


def newest(site: Site, run_id: str | None) -> Reproduction | None:
    """Return the newest verdict on a run by its recorded code; else the newest of any."""
    found = site.reproductions.get(run_id or "", ())
    return next((item for item in found if item.same_code), found[0] if found else None)


def badge(site: Site, run_id: str | None) -> dict[str, str] | None:
    """Return the pill that says whether a run was reproduced; nothing where nobody tried."""
    item = newest(site, run_id)
    if item is None or not item.same_code:
        return None
    text = {
        Outcome.EXACT: "reproduced, bit for bit",
        Outcome.WITHIN_TOLERANCE: "reproduced",
        Outcome.WITHIN_SPREAD: "within the spread",
        Outcome.DIFFERS: "not reproduced",
        Outcome.COULD_NOT_RUN: "could not be run again",
    }[item.verdict]
    return {"text": text, "tone": _TONES[item.verdict]}


def shown_reproduction(site: Site, run_id: str | None) -> dict[str, Any] | None:
    """Return what the page of a run, or of a version that it made, shows of the newest verdict; None where there is none.

    A site for everybody names neither people, nor commands, nor reasons that may hold paths.
    """
    item = newest(site, run_id)
    if item is None:
        return None
    public = site.options.public
    return {
        "words": item.words if not public or item.verdict is not Outcome.COULD_NOT_RUN else "could not be run",
        "tone": _TONES[item.verdict],
        "at": item.at,
        "user": "" if public else item.user,
        "attempts": len(site.reproductions.get(item.run_id, ())),
        "code": item.code.get("from", "recorded"),
        "data": item.code.get("data", ""),
        "facts": _facts(item),
        "metrics": [_metric(key, found) for key, found in _worst(item)[:_ROWS]],
        "more_metrics": max(0, len(item.metrics) - _ROWS),
        "changes": _changes(item)[:_ROWS],
        "more_changes": max(0, len(_changes(item)) - _ROWS),
        "reason": "" if public else item.reason[:2000],
        "notes": () if public else item.notes,
        "log": item.log.digest if item.log else "",
        "command": "" if public else " ".join(item.command),
    }


def _worst(item: Reproduction) -> list[tuple[str, Deviation]]:
    return sorted(item.metrics.items(), key=lambda pair: (pair[1].outcome is not Outcome.DIFFERS, -pair[1].relative, pair[0]))


def _facts(item: Reproduction) -> list[tuple[str, str]]:
    python = item.environment.get("python")
    files = item.artifacts
    all_files = files.same + files.other + files.missing
    made = [
        ("Metrics", f"{item.exact} of {item.compared} the same bit for bit" if item.compared else ""),
        ("Tolerance", f"rel {item.tolerance:g}" if item.compared else ""),
        ("Files", f"{files.same} of {all_files} have the same bytes" if all_files else ""),
        ("Environment", f"{item.manager}{f', Python {python}' if python else ''}" if item.manager else ""),
        ("Not compared", ", ".join(pattern for pattern in item.ignored if pattern != "system/*")),
        ("Took", f"{item.duration_ms / 1000:.1f} s" if item.duration_ms else ""),
    ]
    return [(name, text) for name, text in made if text]


def _metric(key: str, item: Deviation) -> dict[str, Any]:
    return {
        "key": key,
        "was": item.was,
        "now": item.now,
        "by": item.by,
        "step": item.step,
        "outcome": item.outcome.value.replace("_", " "),
    }


def _changes(item: Reproduction) -> list[tuple[str, str, str, str]]:
    """Return what differed: kind, name, then, now."""
    made = [("code", path, "", lines) for path, lines in item.changed_code.items()]
    for kind, pairs in (("data", item.inputs), ("param", item.params), ("package", item.packages), ("", item.facts)):
        made += [(kind, name, then, now) for name, (then, now) in pairs.items()]
    return made


def score(site: Site) -> dict[str, Any] | None:
    """Return what share of the models in Production is reproducible today, and the state of each; None where nothing is there."""
    states = [
        _state(site, item, version) for item in site.models for stage, version in item.live if stage == STAGE
    ]  # fmt: skip
    if not states:
        return None
    good = sum(state["tone"] == "good" for state in states)
    return {"good": good, "all": len(states), "states": sorted(states, key=lambda state: state["tone"] == "good")}


def _state(site: Site, item: ModelData, version: VersionData) -> dict[str, Any]:
    run_id = version.version.run_id
    found = newest(site, run_id)
    uri = f"models:/{item.model.name}/{STAGE}"
    made = {
        "name": item.model.name,
        "href": model_page(item.slug),
        "number": version.number,
        "version_href": version_page(item.slug, version.number),
        "at": found.at if found else None,
        "command": "",
        "manager": found.manager if found else "",
    }
    if found is None or not found.same_code:
        return {**made, "tone": "", "text": "nobody has made it again yet", "command": f"runfolio reproduce {uri}"}
    text = found.words if not site.options.public or found.verdict is not Outcome.COULD_NOT_RUN else "could not be run"
    if not found.verdict.reproduced:
        return {**made, "tone": _TONES[found.verdict], "text": text}
    lost = _lost(site, version)
    if lost:
        return {**made, "tone": "warn", "text": f"{text}, but today {lost}"}
    return {**made, "tone": "good", "text": text}


def _lost(site: Site, version: VersionData) -> str:
    """Say what is no longer there of a version that was reproduced; empty where all is."""
    repo = site.folio.repo
    row = site.by_id.get(version.version.run_id or "")
    if row is None:
        return "its run is not in this site"
    code = site.run(row.run_id).code
    tree = str(code.get("tree") or "")
    if not tree or repo.read_kind(tree) != "tree":
        return "its code is not in the repository from which this site was built"
    if version.files is None:
        return "the list of its files is not at hand"
    return ""
