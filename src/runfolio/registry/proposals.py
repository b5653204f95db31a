"""The text of a pull request that promotes a model, and its way to the git host."""

from __future__ import annotations

import os

from runfolio._dataclass import dataclass
from runfolio.errors import RemoteError
from runfolio.folio.folio import Folio
from runfolio.gitstore.remotes import push
from runfolio.hosts import find_host
from runfolio.hosts.gh_program import find_gh, open_with_gh
from runfolio.policy import Verdict
from runfolio.records.models import NO_STAGE, ModelVersion, RegisteredModel
from runfolio.records.visible import visible
from runfolio.registry.promotion import Promotion


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a reviewer reads: title and body, in Markdown."""

    title: str
    body: str


def proposal_text(
    model: RegisteredModel, promotion: Promotion, version: ModelVersion, live: ModelVersion | None, message: str, gates: str
) -> Proposal:
    """Write the text of a pull request.

    Parameters
    ----------
    model : RegisteredModel
        As it is now.
    promotion : Promotion
    version : ModelVersion
        The one to promote.
    live : ModelVersion or None
        The one that is in the stage now.
    message : str
        Why, in the words of who proposes it.
    gates : str
        What the policy says, in Markdown; empty where there is none.
    """
    name = visible(model.name)
    if promotion.stage == NO_STAGE:
        title, does = f"Take {name} {version.version} out of {model.stage_of(version.version)}", "takes it out"
    else:
        title, does = f"Promote {name} {version.version} to {promotion.stage}", "is the promotion"
    replaced = f" It replaces version {live.version}." if live and promotion.others != "keep" else ""
    parts = [
        message.strip(),
        f"**{_plain(title)}.**{replaced} One line changes in `models/{model.slug}/model.yaml`; merging it {does}.",
    ]
    parts += [_metrics(version, live), gates.strip(), _facts(version)]
    return Proposal(title, "\n\n".join(part for part in parts if part) + "\n")


def verdict_markdown(verdict: Verdict) -> str:
    """Write what the policy says as a table."""
    if not verdict.gates:
        return ""
    marks = {"passed": "✓", "failed": "✗", "waived": "!", "pending": "…"}
    rows = [f"| {marks[gate.state]} {gate.state} | {_plain(gate.id)} | {_plain(gate.text)} |" for gate in verdict.gates]
    return "\n".join(["| | gate | why |", "|---|---|---|", *rows])


def _metrics(version: ModelVersion, live: ModelVersion | None) -> str:
    keys = sorted({*version.metrics, *(live.metrics if live else ())})
    if not keys:
        return ""
    head = f"| metric | version {version.version} |" + (f" version {live.version} (live) | difference |" if live else "")
    lines = [head, "|---|---:|" + ("---:|---:|" if live else "")]
    for key in keys:
        new, old = version.metrics.get(key), live.metrics.get(key) if live else None
        line = f"| {_plain(key)} | {_number(new)} |"
        if live:
            line += f" {_number(old)} | {f'{new - old:+.4g}' if new is not None and old is not None else ''} |"
        lines.append(line)
    return "\n".join(lines)


def _facts(version: ModelVersion) -> str:
    facts = {
        "run": version.run_id,
        "source": version.source,
        "digest": version.digest,
        "flavors": ", ".join(version.flavors),
        "runs code when loaded": ", ".join(version.runs_code),
    }
    lines = [f"- {key}: {_code(str(value))}" for key, value in facts.items() if value]
    return "<details><summary>What it is made of</summary>\n\n" + "\n".join(lines) + "\n\n</details>" if lines else ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


_MARKS = str.maketrans({**{mark: f"&#{ord(mark)};" for mark in "@#|<>`"}, **{mark: f"\\{mark}" for mark in "*_[]"}})


def _plain(text: str) -> str:
    """Return text that neither mentions anybody nor starts Markdown of its own.

    Examples
    --------
    >>> _plain("@ada: accuracy >= 1")
    '&#64;ada: accuracy &#62;= 1'
    """
    return visible(text).translate(_MARKS)


def _code(text: str) -> str:
    """Return text for a span of code, where a backtick alone means something."""
    return "`" + visible(text).replace("`", "'") + "`"


def propose(folio: Folio, branch: str, base: str, proposal: Proposal) -> str | None:
    """Push the branch and open the pull request: by the git host's API where there is a token, else by ``gh`` where it is there.

    Parameters
    ----------
    folio : Folio
    branch, base : str
        Short names.
    proposal : Proposal

    Returns
    -------
    str or None
        The address of the pull request; None where there is no remote or no way to open one, and nothing was pushed.

    Raises
    ------
    RemoteError
        If the remote, the host or ``gh`` refuses, or the remote has another branch of that name; the branch stays here.
    """
    repo, remote = folio.repo, folio.settings.remote
    if not repo.succeeds("remote", "get-url", remote):
        return None
    host = find_host(os.environ, repo.run("remote", "get-url", remote).decode("utf-8", "replace").strip())
    by_api = host is not None and host.has_token
    program = None if by_api else find_gh()
    if not by_api and program is None:
        return None
    advice = f"The branch {branch} is here, and no pull request was opened: push it, and open one to {base}."
    if not push(repo, remote, f"refs/heads/{branch}:refs/heads/{branch}", advice):
        raise RemoteError(
            f"{remote} has a branch {branch} already, with other commits, perhaps from an earlier try. No pull request was opened. Delete "
            f"that one, and push again: git push {remote} --delete {branch}. Or choose another name: --branch NAME"
        )
    try:
        if host is not None and by_api:
            return host.open_pull_request(branch, base, proposal.title, proposal.body)
        folder = repo.work_tree or repo.git_dir
        return open_with_gh(program or "gh", folder, branch, base, proposal.title, proposal.body)
    except RemoteError as error:
        raise RemoteError(f"The branch {branch} is on {remote}. {error.message}") from None
