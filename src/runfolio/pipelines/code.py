"""Which files of the repository are a step's code.

Without a word from the file that is every tracked file below the pipeline's folder, and every new one with the ending of a program, but for
records of the folio, what steps read and make, hidden files, and texts for people. Too many count rather than too few: a step that is run
once more costs time, one that is wrongly skipped costs a result.

The list is git's (``ls-files``: one process, where a code tree takes five when something changed); the digests are those of the bytes in
the work tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from runfolio.formats.paths import RUNS, SETTINGS
from runfolio.gitstore.codestate import is_matched
from runfolio.gitstore.repo import Repo
from runfolio.pipelines.model import Pipeline, Step
from runfolio.tracking.source import record_rules

_PROGRAMS = re.compile(
    r".*\.(?:py|pyx|pyi|ipynb|r|rmd|qmd|jl|sh|bash|sql|c|cc|cpp|cu|h|hpp|rs|go|java|kt|scala|js|ts|lua|pl|rb|m|f90|stan)\Z|(?:.*/)?(?:Makefile|justfile)\Z",
    re.IGNORECASE,
)
_FOR_PEOPLE = re.compile(
    r"(?:.*/)?(?:[^/]*\.(?:md|rst|adoc)|README[^/]*|LICEN[CS]E[^/]*|CHANGELOG[^/]*|CODEOWNERS)\Z", re.IGNORECASE
)
_HIDDEN = re.compile(r"(?:.*/)?\.[^/]")


class CodeFiles:
    """The code files of a pipeline's steps.

    Parameters
    ----------
    repo : Repo
    pipeline : Pipeline
    prefix : str
        The folio's folder in its repository, if it is the same one.
    """

    def __init__(self, repo: Repo, pipeline: Pipeline, prefix: str) -> None:
        assert repo.work_tree is not None
        self._repo, self._pipeline, self._prefix = repo, pipeline, prefix
        self._base = repo.work_tree / pipeline.folder

    @cached_property
    def _listed(self) -> dict[str, bool]:
        """Files below the pipeline's folder, by path from it: whether git tracks them."""
        folder = self._pipeline.folder
        scope = [f":(top,literal){folder}" if folder else ":(top)"]
        runs = re.sub(r"([\\*?\[\]])", r"\\\1", f"{self._prefix}{RUNS}")
        scope.append(f":(top,exclude,glob){runs}/*/[0-9][0-9][0-9][0-9]-[0-9][0-9]/**")
        options = ("-z", "-t", "--cached", "--others", "--exclude-standard", "--full-name")
        said = self._repo.run("ls-files", *options, "--", *scope).decode("utf-8", "surrogateescape")
        rules, start = record_rules(self._prefix), len(folder) + 1 if folder else 0
        made: dict[str, bool] = {}
        for line in said.split("\0"):
            tag, _, path = line.partition(" ")
            if path and not is_matched(path, rules):
                made[path[start:]] = made.get(path[start:], False) or tag != "?"
        return made

    @cached_property
    def _known(self) -> list[str]:
        """The code files of a step that names none."""
        data = {
            place for step in self._pipeline.steps for place in (*step.outputs, *(item.place for item in step.inputs)) if place
        }
        own = self._pipeline.file.rpartition("/")[2]
        return [
            path
            for path, tracked in sorted(self._listed.items())
            if (tracked or _PROGRAMS.match(path))
            and path not in (own, SETTINGS)
            and not _FOR_PEOPLE.match(path)
            and not _HIDDEN.match(path)
            and not _inside(path, data)
            and (self._base / path).is_file()
        ]

    def of(self, step: Step) -> tuple[list[str], list[str]]:
        """Return the code files of a step, and the patterns of it that no file has."""
        if step.code is None:
            found, missing = list(self._known), list[str]()
        else:
            found, missing = self._matching(step.code)
        started = [path for word in step.command if (path := word.removeprefix("./")) and self._is_script(path, step)]
        return sorted({*found, *started}), missing

    def _is_script(self, path: str, step: Step) -> bool:
        """Tell whether a word of the command is a file of the repository that is no data."""
        data = {*step.outputs, *(item.place for item in step.inputs)}
        return path in self._listed and not _inside(path, data) and (self._base / path).is_file()

    def _matching(self, patterns: Sequence[str]) -> tuple[list[str], list[str]]:
        found: list[str] = []
        missing: list[str] = []
        for pattern in patterns:
            form = re.compile(_form(pattern))
            fits = [path for path in self._listed if form.match(path) and (self._base / path).is_file()]
            if not fits and (self._base / pattern).is_file():
                fits = [pattern]  # a file that git ignores, named by its path
            found += fits
            if not fits:
                missing.append(pattern)
        return found, missing


def _inside(path: str, places: Iterable[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


def _form(pattern: str) -> str:
    """Return the regular expression of a pattern: ``*`` and ``?`` within a name, ``**`` across folders; a folder means all that is in it.

    Examples
    --------
    >>> bool(re.match(_form("lib"), "lib/a/b.py")), bool(re.match(_form("*.py"), "lib/a.py"))
    (True, False)
    """
    if pattern == ".":
        return r".*\Z"
    made = ""
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern):
        made += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
    return made + r"(?:/.*)?\Z"


def path_of(repo: Repo, pipeline: Pipeline) -> Path:
    """Return the pipeline's folder on this machine."""
    assert repo.work_tree is not None
    return repo.work_tree / pipeline.folder
