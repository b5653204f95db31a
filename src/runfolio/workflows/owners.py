"""Who must approve what, told to a git host: a CODEOWNERS file made from ``policy.yaml``, and what to protect.

What is in Production is one line of ``models/NAME/model.yaml``, so whoever must approve that file decides. The names are those of the
policy's approvals; a tag ``owners`` of an experiment or a model adds its own. A line gives all owners of a path, because on
every host the last line that fits counts, and no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.folio import Folio
from runfolio.formats import paths
from runfolio.policy import Gate, Policy
from runfolio.policy.rules import Rule

BEGIN, END = "# >>> runfolio policy owners: made from policy.yaml", "# <<< runfolio policy owners"
PLACES: Mapping[str, tuple[str, ...]] = {
    "github": (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitlab": (".gitlab/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    "forgejo": (".forgejo/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitea": (".gitea/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
}
"""By host: where it looks for the file; the first is where a new one goes."""
_WORKFLOWS = {"github": (".github/",), "gitlab": (".gitlab-ci.yml", ".gitlab/"), "forgejo": (".forgejo/",), "gitea": (".gitea/",)}
_TAGS = ("owners", "owner")


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owns what.

    Parameters
    ----------
    lines : tuple of (str, tuple of str)
        Path from the repository's root (``*`` within a name, a folder with ``/`` at its end) and owners; the last that fits counts.
    minimum : int
        The most approvals that a gate asks for; 0 where none does.
    unnamed : tuple of str
        Promotions that no named person must approve, in words.
    """

    lines: tuple[tuple[str, tuple[str, ...]], ...]
    minimum: int
    unnamed: tuple[str, ...]


def ownership(folio: Folio, policy: Policy, host: str, owners: Iterable[str] = ()) -> Ownership:
    """Work out who owns what.

    Parameters
    ----------
    folio : Folio
    policy : Policy
    host : str
        One of `PLACES`.
    owners : iterable of str, optional
        Who owns policy, settings and workflows; all approvers by default.

    Raises
    ------
    UsageError
        If nobody is named at all.
    """
    rules = [(rule, _named(rule.gates)) for rule in policy.rules]
    every = _union(*(names for _, names in rules))
    guards = tuple(dict.fromkeys(map(handle, owners))) or every
    if not guards:
        raise UsageError(
            "policy.yaml names nobody who approves. Add to a promotion: approvals: {minimum: 1, from: [ada]}; or say who owns the policy: "
            "--owner ada"
        )
    within = folio.place.full
    lines = [(within(paths.model_path(pattern)), names) for pattern, names in _patterns(rules)]
    for model in folio.models.all():
        names, file = _union(_approvers(rules, model.name), _tagged(model.tags)), within(paths.model_path(model.slug))
        if names and names != _last(lines, file):
            lines.append((file, names))
    for experiment in folio.experiments.all():
        names = _tagged(experiment.tags)
        if names:
            lines.append((within(paths.experiment_path(experiment.slug)), names))
            lines.append((within(f"{paths.RUNS}/{experiment.slug}/"), names))
    guarded = [within(paths.POLICY), within(paths.SETTINGS), *_WORKFLOWS[host], *_code_owner_files(host)]
    lines += [(path, guards) for path in dict.fromkeys(guarded)]
    minimum = max((gate.argument.minimum for rule in policy.rules for gate in rule.gates if gate.kind == "approvals"), default=0)
    unnamed = tuple(f"{', '.join(rule.models)} to {', '.join(rule.stages)}" for rule, names in rules if not names)
    return Ownership(tuple(lines), minimum, unnamed)


def handle(name: str) -> str:
    """Return a person as a host's file names them: ``@ada``, ``@org/team``, or a mail address.

    Examples
    --------
    >>> handle("ada"), handle("@lab/ml"), handle("bob@example.org")
    ('@ada', '@lab/ml', 'bob@example.org')
    """
    if not re.fullmatch(r"@?[\w.+/-]+(?:@[\w.-]+)?", name):
        raise UsageError(f"{name!r} is no name that a git host knows: a login, @org/team or a mail address is expected.")
    return name if "@" in name else f"@{name}"


def block(made: Ownership, host: str) -> str:
    """Return the lines for a host's file, between their marks."""
    spelled = _regular if host in ("forgejo", "gitea") else _pattern
    section = [f"[folio policy][{made.minimum}]"] if host == "gitlab" and made.minimum > 1 else []
    return "\n".join([BEGIN, *section, *(f"{spelled(path)} {' '.join(names)}" for path, names in made.lines), END]) + "\n"


def merged(before: str, lines: str) -> str:
    """Put the block into a file's text: in place of an earlier one, else at its end; the rest stays."""
    start, end = before.find(BEGIN), before.find(END)
    if 0 <= start < end:
        return before[:start] + lines + before[end + len(END) :].removeprefix("\n")
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    return before + gap + lines


def file_of(top: Path, host: str) -> str:
    """Return the path of the file that the host reads in a work tree, or where a new one goes."""
    return next((path for path in PLACES[host] if (top / path).is_file()), PLACES[host][0])


def guidance(made: Ownership, host: str, branch: str, ledger: str | None) -> str:
    """Tell how to protect the branch on a host, so that the file has force."""
    count = max(1, made.minimum)
    needed = f"{count} approval{'s' * (count != 1)}"
    steps = {
        "github": (
            f"Settings, Rules, New ruleset, for the branch {branch}: require a pull request with {needed}, dismiss stale approvals, "
            "require review from code owners, require approval of the most recent push; require the status check report; block "
            "force pushes."
        ),
        "gitlab": (
            f"Settings, Repository, Protected branches, {branch}: nobody may push, code owner approval on. Settings, Merge requests: "
            f"{needed}, remove approvals on a new push, pipelines must succeed. (Code owners and required approvals are of GitLab "
            "Premium.)"
        ),
    }
    forge = (
        f"Settings, Branches, {branch}: disable push, {needed} required, dismiss stale approvals, enable the status check report. The "
        "file only asks owners for a review here; whitelist them for approvals in the same place."
    )
    told = [steps.get(host, forge)]
    if ledger:
        told.append(
            f"The branch {ledger} takes records from everybody who logs: allow them to push, forbid force pushes and deletion. Edits of "
            "records there are found by: runfolio check"
        )
    return "\n".join(told)


_Rules = Sequence[tuple[Rule, tuple[str, ...]]]


def _named(gates: Iterable[Gate]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(handle(name) for gate in gates if gate.kind == "approvals" for name in gate.argument.names))


def _union(*names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))


def _approvers(rules: _Rules, model: str) -> tuple[str, ...]:
    return _union(*(names for rule, names in rules if any(fnmatchcase(model, pattern) for pattern in rule.models)))


def _patterns(rules: _Rules) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield patterns of models, the widest first, each with the owners of all rules that cover it."""
    seen = dict.fromkeys(pattern for rule, names in rules for pattern in rule.models if names)
    # Hosts know no other patterns, and a folder's name is in small letters: such models have lines of their own.
    plain = [pattern for pattern in seen if re.fullmatch(r"[a-z0-9*._-]+", pattern)]
    for pattern in sorted(plain, key=lambda text: (len(text.replace("*", "")), text)):
        yield pattern, _approvers(rules, pattern)


def _tagged(tags: Mapping[str, str]) -> tuple[str, ...]:
    said = next((tags[key] for key in _TAGS if tags.get(key)), "")
    return tuple(dict.fromkeys(handle(name) for name in re.split(r"[,\s]+", said) if name))


def _last(lines: Iterable[tuple[str, tuple[str, ...]]], path: str) -> tuple[str, ...]:
    found: tuple[str, ...] = ()
    for pattern, names in lines:
        if fnmatchcase(path, pattern):
            found = names
    return found


def _code_owner_files(host: str) -> Iterator[str]:
    # Those in a folder of workflows are covered by it.
    yield from (path for path in PLACES[host] if not path.startswith("."))


def _pattern(path: str) -> str:
    return "/" + path.replace("\\", "\\\\").replace(" ", "\\ ").replace("#", "\\#")


def _regular(path: str) -> str:
    """Spell a path as a regular expression of Go's, as Gitea and Forgejo read it; a blank would end it."""
    text = re.sub(r"([.+()|^$\[\]{}\\])", r"\\\1", path).replace("*", "[^/]*").replace(" ", "\\s")
    return text + ".*" if path.endswith("/") else text
