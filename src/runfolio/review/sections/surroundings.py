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
    """Show the datasets whose digests differ."""
    if not change.data:
        return None
    rows = [((Name(item.experiment),), (Name(item.name),), _digest(item.old), _digest(item.new)) for item in change.data]
    shown = table(("Experiment", "Dataset", "Before", "Now"), rows, "dataset").cut(options.rows)
    return Section("data", "Data", (shown,), f"Data: {_differing(len(rows), 'dataset')}")


def code(change: Change, options: ReportOptions) -> Section | None:
    """Show the files that differ between the sources of baseline and best."""
    if not change.code:
        return None
    blocks: list[Block] = []
    for item in change.code:
        blocks += _code(item, options)
    count = sum(len(item.files) for item in change.code)
    missing = any(item.missing for item in change.code)
    words = _differing(count, "file") if count else "nothing to compare" if missing else "the same"
    folded = f"Code: {words}"
    return Section("code", "Code", tuple(blocks), folded)


def artifacts(change: Change, options: ReportOptions) -> Section | None:
    """Show the files of baseline and best whose content differs, by size and digest."""
    if not change.artifacts:
        return None
    rows = [_artifact(item) for item in change.artifacts]
    shown = table(("Experiment", "File", "Before", "Now"), rows, "file").cut(options.rows)
    return Section("artifacts", "Artifacts", (shown,), f"Artifacts: {_differing(len(rows), 'file')}")


def _differing(count: int, noun: str) -> str:
    return f"{count_words(count, noun)} {'differs' if count == 1 else 'differ'}"


def _version(found: str | None) -> Line:
    return ("not installed",) if found is None else (Name(found),)


def _digest(found: str | None) -> Line:
    return ("not read",) if found is None else (Name(short_digest(found)),)


def _code(item: CodeChange, options: ReportOptions) -> list[Block]:
    commits: Line = (Name(item.experiment),)
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


def _artifact(item: ArtifactChange) -> tuple[Line, ...]:
    return (
        (Name(item.experiment),), (Name(item.path, 120),),
        _file(item.old_size, item.old_digest), _file(item.new_size, item.new_digest),
    )  # fmt: skip


def _file(size: int | None, digest: str | None) -> Line:
    if digest is None:
        return ("not there",)
    return (*((f"{bytes_words(size)}, ",) if size is not None else ()), Name(short_digest(digest)))
