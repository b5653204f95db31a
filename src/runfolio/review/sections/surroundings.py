"""What else differs between the baselines and the new runs: packages, data, code, files."""

from __future__ import annotations

from runfolio.review.change import ArtifactChange, Change, CodeChange
from runfolio.review.options import ReportOptions
from runfolio.review.parts import WARN, Alert, Block, Items, Line, Name, Paragraph, Says, Section, table
from runfolio.review.sections.promotions import short_digest
from runfolio.site.words import bytes_words, count_words


def environment(change: Change, options: ReportOptions) -> Section | None:
    """Show the packages whose versions differ."""
    if not change.packages:
        return None
    rows = [((Name(item.name),), _version(item.old), _version(item.new)) for item in change.packages]
    shown = table(("Package", "Before", "Now"), rows, "package").cut(options.rows)
    return Section("environment", "Packages", (shown,), f"Packages: {_differing(len(rows), 'version')}")


def data(change: Change, options: ReportOptions) -> Section | None:
    """Show the recorded datasets that the change touches, and the datasets of baselines and new runs whose digests differ."""
    blocks: list[Block] = []
    if change.datasets:
        told: list[tuple[Line, ...]] = [
            ((Name(item.name),), _content(item.old), _content(item.new), (Says(item.text),)) for item in change.datasets
        ]
        blocks.append(table(("Recorded dataset", "Before", "Now", "What differs"), told, "dataset").cut(options.rows))
    if not change.data:
        return Section("data", "Data", tuple(blocks), _recorded(change)) if blocks else None
    named = _names(change)
    rows = [
        ((Name(named.get(item.experiment, item.experiment)),), (Name(item.name),), _digest(item.old), _digest(item.new))
        for item in change.data
    ]
    shown = table(("Experiment", "Dataset", "Before", "Now"), rows, "dataset").cut(options.rows)
    folded = f"Data: {_differing(len(rows), 'dataset')}" if not blocks else _recorded(change)
    return Section("data", "Data", (*blocks, shown), folded)


def _recorded(change: Change) -> str:
    drifted = sum(item.drifted for item in change.datasets)
    words = f"Data: {count_words(len(change.datasets), 'recorded dataset')} changed"
    return f"{words}, {drifted} drifted" if drifted else words


def _content(found: str | None) -> Line:
    return ("none",) if found is None else (Name(found.partition(":")[2][:12]),)


def code(change: Change, options: ReportOptions) -> Section | None:
    """Show the files that differ between the sources of baseline and best."""
    if not change.code:
        return None
    blocks: list[Block] = []
    named = _names(change)
    for item in change.code:
        blocks += _code(item, named.get(item.experiment, item.experiment), options)
    count = len({path for item in change.code for path, *_ in item.files})  # the same file may differ for several experiments
    missing = any(item.missing for item in change.code)
    words = _differing(count, "file") if count else "nothing to compare" if missing else "the same"
    folded = f"Code: {words}"
    return Section("code", "Code", tuple(blocks), folded)


def artifacts(change: Change, options: ReportOptions) -> Section | None:
    """Show the files of baseline and best whose content differs, by size and digest."""
    if not change.artifacts:
        return None
    named = _names(change)
    rows = [_artifact(item, named.get(item.experiment, item.experiment)) for item in change.artifacts]
    shown = table(("Experiment", "File", "Before", "Now"), rows, "file").cut(options.rows)
    return Section("artifacts", "Artifacts", (shown,), f"Artifacts: {_differing(len(rows), 'file')}")


def _names(change: Change) -> dict[str, str]:
    """Return the experiments' names by the names of their folders, which comparisons hold."""
    return {item.slug: item.name for item in change.experiments}


def _differing(count: int, noun: str) -> str:
    return f"{count_words(count, noun)} {'differs' if count == 1 else 'differ'}"


def _version(found: str | None) -> Line:
    return ("not installed",) if found is None else (Name(found),)


def _digest(found: str | None) -> Line:
    return ("not read",) if found is None else (Name(short_digest(found)),)


def _code(item: CodeChange, experiment: str, options: ReportOptions) -> list[Block]:
    commits: Line = (Name(experiment),)
    if item.old and item.new:
        commits += (": ", Name(item.old[:10]), " to ", Name(item.new[:10]))
    if item.missing:
        return [Alert(WARN, commits, Items(((Says(item.missing),),), "note"))]
    if not item.files:
        return [Paragraph((*commits, ", the same code"))]
    rows: list[tuple[Line, ...]] = [((Name(path, 120),), *_lines(added, removed)) for path, added, removed in item.files]
    return [Paragraph(commits), table(("File", "Lines added", "Lines removed"), rows, "file", (1, 2)).cut(options.rows)]


def _lines(added: int, removed: int) -> tuple[Line, Line]:
    if added < 0 or removed < 0:
        return ("binary",), ("binary",)
    return (f"+{added:,}",), (f"−{removed:,}",)


def _artifact(item: ArtifactChange, experiment: str) -> tuple[Line, ...]:
    return (
        (Name(experiment),), (Name(item.path, 120),),
        _file(item.old_size, item.old_digest), _file(item.new_size, item.new_digest),
    )  # fmt: skip


def _file(size: int | None, digest: str | None) -> Line:
    if digest is None:
        return ("not there",)
    return (*((f"{bytes_words(size)}, ",) if size is not None else ()), Name(short_digest(digest)))
