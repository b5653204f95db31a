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

BEGIN, END = "# >>> runfolio policy owners: made from policy.yaml", "# <<< runfolio policy owners"
PLACES: Mapping[str, tuple[str, ...]] = {
    "github": (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitlab": ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
    "forgejo": ("CODEOWNERS", "docs/CODEOWNERS", ".gitea/CODEOWNERS", ".forgejo/CODEOWNERS"),
    "gitea": ("CODEOWNERS", "docs/CODEOWNERS", ".gitea/CODEOWNERS"),
}
"""By host: where it looks for the file, in its order: it reads the first that is there, and no other."""
_WORKFLOWS = {"github": (".github/",), "gitlab": (".gitlab-ci.yml", ".gitlab/"), "forgejo": (".forgejo/",), "gitea": (".gitea/",)}
_TAGS = ("owners", "owner")
_REGULAR = ("forgejo", "gitea")
"""Whose files hold regular expressions."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A path and its owners.

    Parameters
    ----------
    path : str
        From the repository's root; ``*`` within a name, a folder with ``/`` at its end.
    owners : tuple of str
    minimum : int
        How many of them are to approve: no more than there are. GitLab takes a rule that cannot be met for one that is.
    """

    path: str
    owners: tuple[str, ...]
    minimum: int = 1


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who owns what.

    Parameters
    ----------
    lines : tuple of Owned
        The last that fits counts.
    minimum : int
        The most approvals that a gate asks for; 0 where none does.
    unnamed : tuple of str
        Promotions that no named person must approve, in words.
    unknown : tuple of str
        Owners whom the host's file cannot name; they are left out.
    """

    lines: tuple[Owned, ...]
    minimum: int
    unnamed: tuple[str, ...]
    unknown: tuple[str, ...] = ()


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
    rules = [_Rule(rule.models, _named(rule.gates), _minimum(rule.gates)) for rule in policy.rules]
    every = _union(*(rule.names for rule in rules))
    minimum = max((rule.minimum for rule in rules), default=0)
    guards = tuple(dict.fromkeys(map(handle, owners))) or every
    if not guards:
        raise UsageError(
            "policy.yaml names nobody who approves. Add to a promotion: approvals: {minimum: 1, from: [ada]}; or say who owns the policy: "
            "--owner ada"
        )
    within = folio.place.full
    lines = [Owned(within(paths.model_path(pattern)), *_approvers(rules, pattern)) for pattern in _patterns(rules)]
    for model in folio.models.all():
        (named, least), file = _approvers(rules, model.name), within(paths.model_path(model.slug))
        names = _union(named, _tagged(model.tags))
        if names and names != _last(lines, file):
            lines.append(Owned(file, names, least))
    for experiment in folio.experiments.all():
        names = _tagged(experiment.tags)
        if names:
            lines.append(Owned(within(paths.experiment_path(experiment.slug)), names))
            lines.append(Owned(within(f"{paths.RUNS}/{experiment.slug}/"), names))
    guarded = [within(paths.POLICY), within(paths.SETTINGS), *_WORKFLOWS[host], *_code_owner_files(host)]
    lines += [Owned(path, guards, minimum) for path in dict.fromkeys(guarded)]
    unnamed = tuple(f"{', '.join(rule.models)} to {', '.join(rule.stages)}" for rule in policy.rules if not _named(rule.gates))
    unknown = tuple(dict.fromkeys(name for line in lines for name in line.owners if not _known(name, host)))
    return Ownership(tuple(_said(lines, host)), minimum, unnamed, unknown)


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
    spelled = _regular if host in _REGULAR else _pattern
    said = [BEGIN]
    # In GitLab a number of approvals is a section's, every section counts, and a line without one belongs to the section before it.
    for least in sorted({line.minimum for line in made.lines}) if host == "gitlab" else [0]:
        said += [f"[folio policy {least}][{least}]" if least > 1 else "[folio policy]"] if least else []
        said += [f"{spelled(line.path)} {' '.join(line.owners)}" for line in made.lines if least in (0, line.minimum)]
    return "\n".join([*said, END]) + "\n"


def merged(before: str, lines: str) -> str:
    """Put the block into a file's text: in place of an earlier one, else at its end; the rest stays."""
    start, end = before.find(BEGIN), before.find(END)
    if 0 <= start < end:
        return before[:start] + lines + before[end + len(END) :].removeprefix("\n")
    gap = "" if not before else "\n" if before.endswith("\n") else "\n\n"
    return before + gap + lines


def file_of(top: Path, host: str) -> str:
    """Return the path of the file that the host reads in a work tree, or where a new one goes."""
    return next((path for path in PLACES[host] if (top / path).is_file()), f".{host}/CODEOWNERS")


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


@dataclass(frozen=True, slots=True)
class _Rule:
    models: tuple[str, ...]
    names: tuple[str, ...]
    minimum: int


def _named(gates: Iterable[Gate]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(handle(name) for gate in gates if gate.kind == "approvals" for name in gate.argument.names))


def _minimum(gates: Iterable[Gate]) -> int:
    return max((gate.argument.minimum for gate in gates if gate.kind == "approvals"), default=0)


def _union(*names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))


def _approvers(rules: Sequence[_Rule], model: str) -> tuple[tuple[str, ...], int]:
    """Return all who may have to approve a model, and how many of them."""
    found = [rule for rule in rules if any(fnmatchcase(model, pattern) for pattern in rule.models)]
    return _union(*(rule.names for rule in found)), max((rule.minimum for rule in found), default=0)


def _patterns(rules: Sequence[_Rule]) -> list[str]:
    """Return patterns of models that somebody is named for, the widest first."""
    seen = dict.fromkeys(pattern for rule in rules for pattern in rule.models if rule.names)
    # Hosts know no other patterns, and a folder's name is in small letters: such models have lines of their own.
    plain = [pattern for pattern in seen if re.fullmatch(r"[a-z0-9*._-]+", pattern)]
    return sorted(plain, key=lambda text: (len(text.replace("*", "")), text))


def _said(lines: Sequence[Owned], host: str) -> Iterator[Owned]:
    """Yield the lines that count, as a host's file can say them: of one path the last, and nobody whom it cannot name."""
    last = {line.path: number for number, line in enumerate(lines)}
    for number, line in enumerate(lines):
        names = tuple(name for name in line.owners if _known(name, host))
        if names and last[line.path] == number:
            # Who is in a team is not known here.
            most = len(names) if not any("/" in name for name in names) else line.minimum
            yield Owned(line.path, names, max(1, min(line.minimum, most)))


def _known(name: str, host: str) -> bool:
    """Tell whether a host's file can name somebody: Gitea and Forgejo know logins and teams, and no mail addresses."""
    return host not in _REGULAR or name.startswith("@")


def _tagged(tags: Mapping[str, str]) -> tuple[str, ...]:
    said = next((tags[key] for key in _TAGS if tags.get(key)), "")
    return tuple(dict.fromkeys(handle(name) for name in re.split(r"[,\s]+", said) if name))


def _last(lines: Iterable[Owned], path: str) -> tuple[str, ...]:
    found: tuple[str, ...] = ()
    for line in lines:
        if fnmatchcase(path, line.path):
            found = line.owners
    return found


def _code_owner_files(host: str) -> Iterator[str]:
    # Those in a folder of workflows are covered by it.
    yield from (path for path in PLACES[host] if not path.startswith(_WORKFLOWS[host]))


def _pattern(path: str) -> str:
    return "/" + path.replace("\\", "\\\\").replace(" ", "\\ ").replace("#", "\\#")


def _regular(path: str) -> str:
    r"""Spell a path as a regular expression of Go's, as Gitea and Forgejo read it.

    They take backslashes away before they compile it (``TokenizeCodeOwnersLine``): one for the expression is written as two.

    Examples
    --------
    >>> print(_regular("my ml/models/wine-*/model.yaml"))
    my\ ml/models/wine-[^/]*/model\\.yaml
    """
    text = re.sub(r"([.+()|^$\[\]{}\\])", r"\\\1", path).replace("*", "[^/]*")
    text = text.replace("\\", "\\\\").replace(" ", "\\ ").replace("#", "\\#")
    return text + ".*" if path.endswith("/") else text
