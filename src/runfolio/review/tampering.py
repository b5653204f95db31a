"""What a reviewer must see first: existing records edited or gone, damage, disguise, and changes of what judges the change.

A sealed record changes by runfolio's hand only in name, tags, note and lifecycle, or by a resumption, which leaves its mark. So
other results under the same marks were written by somebody, and are tampering until explained.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from runfolio.diff.states import diff_fields
from runfolio.folio.checks.history import amended_fields, edited_fields
from runfolio.folio.checks.listing import is_known
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.models import version_fields
from runfolio.formats.runs import run_fields
from runfolio.gitstore.difference import FileDifference, names_in
from runfolio.records import Lifecycle, Run
from runfolio.records.findings import Finding, Severity
from runfolio.records.visible import INVISIBLE
from runfolio.review.beside import alarms_beside
from runfolio.review.change import Edited
from runfolio.review.judged import experiment_alarms, model_alarms, whole_model_gone
from runfolio.review.reading import Read

_LOOSE_OF_VERSION = frozenset(("description", "tags", "lifecycle", "waivers"))
_MOST_NAMED = 3
_OF_CI = re.compile(
    r"(^|/)\.(github|gitlab|forgejo|gitea|circleci|buildkite|woodpecker)/|(^|/)(\.gitlab-ci\.ya?ml|Jenkinsfile|azure-pipelines\.ya?ml|"
    r"\.travis\.yml|\.drone\.yml|\.woodpecker\.ya?ml|\.pre-commit-config\.yaml)$"
)
_OWNERS = re.compile(r"(^|/)(CODEOWNERS|OWNERS)$")
_OF_GIT = re.compile(r"(^|/)\.(gitattributes|gitmodules|lfsconfig)$")


def edits(read: Read) -> tuple[list[Edited], list[Run], list[Finding]]:
    """Tell which records that were there say something else now, and which are gone.

    Returns
    -------
    edited : list of Edited
    deleted : list of Run
    alarms : list of Finding
    """
    edited: list[Edited] = []
    deleted: list[Run] = []
    alarms: list[Finding] = []
    broken = {finding.file for finding in read.faults}
    for run_id, before in sorted(read.before.runs.items()):
        path, after = read.run_paths.get(run_id, run_id), read.after.runs.get(run_id)
        if after is None:
            if path not in broken:
                deleted.append(before)
                alarms.append(_gone(before, path))
            continue
        found = _edited(before, after, path)
        if found is not None:
            edited.append(found)
            if found.results:
                alarms.append(_rewritten(found))
    return edited, deleted, alarms


def _edited(before: Run, after: Run, path: str) -> Edited | None:
    fields = diff_fields(run_fields(before), run_fields(after))
    if not fields:
        return None
    resumed = len(after.resumed) > len(before.resumed)
    results = amended_fields(before, after) if resumed else edited_fields(before, after)
    lifecycle = ""
    if before.lifecycle is not after.lifecycle:
        lifecycle = "deleted" if after.lifecycle is Lifecycle.DELETED else "restored"
    return Edited(after, path, fields, tuple(results), lifecycle)


def _gone(run: Run, path: str) -> Finding:
    message = f"the record of run {run.name or run.run_id[:12]} is gone"
    return Finding(
        "review.run-deleted", Severity.ERROR, path, "", message, "Deleting a run hides it: runfolio runs delete; the record stays"
    )


def _rewritten(edited: Edited) -> Finding:
    named = ", ".join(edited.results[:_MOST_NAMED])
    more = f" and {len(edited.results) - _MOST_NAMED} more" if len(edited.results) > _MOST_NAMED else ""
    message = f"results of run {edited.run.name or edited.run.run_id[:12]}, which was sealed, were changed: {named}{more}"
    remedy = "A sealed record does not change. Ask for the reason, or have it put back"
    return Finding("review.result-edited", Severity.ERROR, edited.path, edited.results[0], message, remedy)


def alarms_of_files(place: Place, read: Read, head: str) -> list[Finding]:
    """Tell what the names and kinds of the changed files say: histories rewritten, names in disguise, rules and workflows changed."""
    made = list(_histories(place, read))
    made += _versions(place, read, head)
    made += experiment_alarms(place, read)
    made += model_alarms(place, read, head)
    made += alarms_beside(place, read)
    made += _strangers(place, read)
    made += _misplaced(place, read)
    made += _disguised_names(place, read, head)
    made += _disguised_texts(place, read)
    made += _rules(place, read.touched)
    return made


def _histories(place: Place, read: Read) -> Iterator[Finding]:
    """Yield metric histories that changed though the record beside them did not, or is not there."""
    for item in read.inner:
        run_id = paths.series_of_path(place.strip(item.path))
        if run_id is None or item.old is None:
            continue
        if item.new is None:
            if run_id in read.after.runs or run_id not in read.before.runs:  # else the record went with it, and that is told
                yield Finding(
                    "review.history-edited",
                    Severity.ERROR,
                    item.path,
                    "",
                    "the metric histories of a run are gone",
                    "Put it back",
                )
        elif run_id not in read.after.runs or read.before.runs.get(run_id) == read.after.runs.get(run_id):
            message = "the metric histories of a sealed run were changed"
            yield Finding(
                "review.history-edited", Severity.ERROR, item.path, "", message, "Ask for the reason, or have it put back"
            )


def _versions(place: Place, read: Read, head: str) -> Iterator[Finding]:
    """Yield facts of a model's version that changed: its digest, run, metrics."""
    whole = {slug for slug in read.before.models if whole_model_gone(place, read, head, slug)}
    for key, before in sorted(read.before.versions.items()):
        path = place.full(paths.version_path(*key))
        after = read.after.versions.get(key)
        if after is None:
            if key[0] not in whole and not any(finding.file == path for finding in read.faults):
                yield Finding(
                    "review.version-deleted", Severity.ERROR, path, "", f"the file of version {key[1]} is gone",
                    "Deleting a version keeps its file: runfolio models delete",
                )  # fmt: skip
            continue
        old, new = version_fields(before), version_fields(after)
        facts = sorted(
            name for name in old.keys() | new.keys() if name not in _LOOSE_OF_VERSION and old.get(name) != new.get(name)
        )
        if facts:
            message = f"facts of version {key[1]} were changed: {', '.join(facts)}"
            yield Finding(
                "review.version-edited", Severity.ERROR, path, facts[0], message, "Other bytes are another version: register it"
            )


def _strangers(place: Place, read: Read) -> Iterator[Finding]:
    """Yield new files among the records that are none."""
    for item in read.inner:
        inner = place.strip(item.path)
        if item.new is not None and inner != paths.POLICY and not is_known(inner):
            message = "no record has such a path, so nothing reads the file"
            yield Finding("review.stranger", Severity.WARNING, item.path, "", message, "See what it is for")


def _misplaced(place: Place, read: Read) -> Iterator[Finding]:
    """Yield records that the change puts where another run's record belongs: new ones, and old ones that it moves."""
    put = {item.path for item in read.inner if item.old is None}
    for run_id, run in read.after.runs.items():
        path = read.run_paths[run_id]
        right = place.full(paths.run_path(run.experiment, run.run_id, run.start))
        if path in put and path != right:
            yield Finding("review.misplaced", Severity.ERROR, path, "run_id", f"this record belongs at {right}", "Have it moved")


def _disguised_names(place: Place, read: Read, head: str) -> Iterator[Finding]:
    """Yield new paths that look like others: by case, by composed letters, by letters of other alphabets, by what no one sees."""
    folders: dict[str, dict[str, list[str]]] = {}
    looked: set[str] = set()
    for item in read.touched:
        if item.new is None or not _near(place, item.path):
            continue
        if INVISIBLE.search(item.path) or not item.path.isascii():
            message = "its name holds letters that no record's name has"
            yield Finding("review.disguise", Severity.ERROR, item.path, "", message, "Do not merge it")
        path = item.path
        while path and path not in looked:
            looked.add(path)
            above, _, name = path.rpartition("/")
            if above not in folders:
                folders[above] = _by_look(names_in(place.repo, head, above))
            twins = [other for other in folders[above].get(_folded(name), ()) if other != name]
            if twins:
                other = f"{above}/{twins[0]}".lstrip("/")
                message = f"it differs from {other} only in ways that some systems and readers do not see"
                yield Finding("review.twin", Severity.ERROR, path, "", message, "Keep one of the two")
            path = above


def _by_look(names: Iterable[str]) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for name in names:
        made.setdefault(_folded(name), []).append(name)
    return made


def _near(place: Place, path: str) -> bool:
    """Tell whether a path would be one of the folio's, if case and look-alikes did not count."""
    inner = _folded(path)[len(place.prefix) :] if _folded(path).startswith(_folded(place.prefix)) else ""
    return inner.split("/", 1)[0] in (*paths.OURS, paths.SETTINGS, paths.POLICY)


def _folded(name: str) -> str:
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFKC", INVISIBLE.sub("", name)).casefold().translate(_ALIKE)


_ALIKE = str.maketrans(
    # Cyrillic and Greek letters that fonts draw as Latin ones; a selection of Unicode's confusables.txt.
    "аеорсухіјѕԁһӏԛԝνοαρτκιυ",
    "aeopcyxijsdhlqwvoaptkiu",
)


def _disguised_texts(place: Place, read: Read) -> Iterator[Finding]:
    """Yield texts of new or edited records in which something cannot be seen, or a word mixes alphabets."""
    for run_id, run in read.after.runs.items():
        if run == read.before.runs.get(run_id):
            continue
        for field, text in _texts(run):
            word = disguise(text)
            if word:
                yield Finding(
                    "review.disguise",
                    Severity.WARNING,
                    read.run_paths[run_id],
                    field,
                    word,
                    "Names are shown as they are written",
                )
                break
    for slug, experiment in read.after.experiments.items():
        word = disguise(experiment.name) or disguise(experiment.objective.metric if experiment.objective else "")
        if word:
            yield Finding(
                "review.disguise",
                Severity.WARNING,
                place.full(paths.experiment_path(slug)),
                "name",
                word,
                "Names are shown as they are written",
            )
    for slug, model in read.after.models.items():
        word = next(filter(None, map(disguise, (model.name, *model.aliases, *model.stages))), "")
        if word:
            yield Finding(
                "review.disguise",
                Severity.WARNING,
                place.full(paths.model_path(slug)),
                "name",
                word,
                "Names are shown as they are written",
            )


def _texts(run: Run) -> Iterator[tuple[str, str]]:
    yield "name", run.name
    sections: Iterable[tuple[str, Mapping[str, object]]] = (("params", run.params), ("metrics", run.metrics), ("tags", run.tags))
    for section, entries in sections:
        for key, value in entries.items():
            yield f"{section}.{key}", key
            if section == "params":
                yield f"{section}.{key}", str(value)


def disguise(text: str) -> str:
    """Say what of a text deceives the eye; empty where nothing does.

    Examples
    --------
    >>> disguise("accuracy"), disguise("точность")
    ('', '')
    >>> disguise("accurасy")
    'a word mixes alphabets: Latin and Cyrillic'
    """
    if text.isascii() and text.isprintable():
        return ""
    hidden = sorted({f"U+{ord(letter):04X}" for letter in text if INVISIBLE.match(letter) and letter not in "\n\t\r"})
    if hidden:
        return f"it holds what cannot be seen: {', '.join(hidden[:4])}"
    for word in re.findall(r"\w+", text):
        scripts = sorted({name for letter in word if (name := _script(letter))})
        if "LATIN" in scripts and len(scripts) > 1:
            return f"a word mixes alphabets: {' and '.join(['Latin', *(name.title() for name in scripts if name != 'LATIN')])}"
    return ""


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "").split(" ", 1)[0] if letter.isalpha() else ""
    return name if name in ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE") else ""


def _rules(place: Place, touched: Iterable[FileDifference]) -> Iterator[Finding]:
    """Yield changes of what judges, builds and publishes: they count from the merge on, and not for this change."""
    templates = place.settings.site.templates
    for item in touched:
        rule, what, severity = "", "", Severity.WARNING
        inner = place.strip(item.path) if item.path.startswith(place.prefix) else ""
        if inner == paths.SETTINGS:
            rule, what = "review.settings", "the folio's settings"
            severity = Severity.ERROR if item.new is None else severity
        elif inner == paths.POLICY:
            rule, what = "review.policy", "the policy of promotions"
            severity = Severity.ERROR if item.new is None else severity
        elif _OF_CI.search(item.path):
            rule, what = "review.workflow", "a workflow"
        elif _OWNERS.search(item.path):
            rule, what = "review.owners", "who must approve"
        elif _OF_GIT.search(item.path):
            rule, what = "review.git", "how git treats files"
        elif templates and inner.startswith(templates.strip("/") + "/"):
            rule, what = "review.template", "the site's templates"
        if rule:
            done = "removed" if item.new is None else "new" if item.old is None else "changed"
            many = rule in ("review.settings", "review.template")
            message = f"{what} {('are' if many else 'is') if done == 'new' else ('were' if many else 'was')} {done}"
            yield Finding(
                rule, severity, item.path, "", message, "It holds from the merge on; this change was judged by what the base has"
            )
