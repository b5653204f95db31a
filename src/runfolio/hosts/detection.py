"""Where we are: the git host of a CI job, or of a remote, and the token for it.

Invariants
----------
- Tokens come from the environment only, and each goes to one place: to the API that the CI job itself names, to the public
  host that its variable belongs to, or to the host that ``RUNFOLIO_HOST`` names. A remote's address alone never sends a token to a
  host that nobody named.
- What a repository holds (settings, workflows, a pull request's text) decides nothing here.
"""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Mapping

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.hosts.exchange import split_url
from runfolio.hosts.gitea import Gitea
from runfolio.hosts.github import GitHub
from runfolio.hosts.gitlab import GitLab
from runfolio.hosts.host import Host
from runfolio.hosts.job import Job, actions_job, gitlab_job
from runfolio.hosts.terms import Patience, Token
from runfolio.records.visible import visible

VARIABLE = "RUNFOLIO_HOST"
_SCP = re.compile(r"(?:[^@/:\s]+@)?(?P<host>[^@/:\s]+):(?!//)(?P<path>.+)\Z")
_API = {"github": "/api/v3", "gitlab": "/api/v4", "gitea": "/api/v1", "forgejo": "/api/v1"}
_TOKENS = {
    "github": ("GITHUB_TOKEN", "GH_TOKEN"),
    "gitlab": ("GITLAB_TOKEN",),
    "gitea": ("GITEA_TOKEN", "FORGEJO_TOKEN"),
    "forgejo": ("FORGEJO_TOKEN", "GITEA_TOKEN"),
}


@dataclass(frozen=True, slots=True)
class _Known:
    kind: str
    web: str
    api: str
    tokens: tuple[str, ...]


_PUBLIC = (
    _Known("github", "https://github.com", "https://api.github.com", _TOKENS["github"]),
    _Known("gitlab", "https://gitlab.com", "https://gitlab.com/api/v4", _TOKENS["gitlab"]),
    _Known("forgejo", "https://codeberg.org", "https://codeberg.org/api/v1", ("CODEBERG_TOKEN",)),
)


def find_host(
    environ: Mapping[str, str] | None = None, remote_url: str | None = None, patience: Patience | None = None
) -> Host | None:
    """Return the git host that we work for.

    Parameters
    ----------
    environ : Mapping of str to str, optional
        The process's own by default.
    remote_url : str, optional
        Of the remote. In a CI job its host is meant, unless this is the address of another repository.
    patience : Patience, optional

    Returns
    -------
    Host or None
        Without a token where the environment has none. None where neither a CI job nor a known host's remote is at hand.

    Raises
    ------
    UsageError
        If a variable of the CI job is damaged, or a token cannot be one.
    """
    env = os.environ if environ is None else environ
    actions = env.get("GITHUB_ACTIONS") == "true" or bool(env.get("GITHUB_EVENT_PATH"))
    gitlab = env.get("GITLAB_CI") == "true"
    repository = env.get("GITHUB_REPOSITORY") if actions else env.get("CI_PROJECT_PATH") if gitlab else None
    server, path = _remote(remote_url or "")
    # Hosts have other names inside and outside of a job's network: the repository's name tells whose remote it is.
    if not server or (repository and f"/{path}".casefold().endswith(f"/{repository}".casefold())):
        return _in_actions(env, patience) if actions else _in_gitlab(env, patience) if gitlab else None
    return _of_remote(env, remote_url or "", patience)


def _in_actions(env: Mapping[str, str], patience: Patience | None) -> Host | None:
    repository, url = env.get("GITHUB_REPOSITORY", ""), env.get("GITHUB_API_URL", "")
    if not repository or not url:
        return None
    if repository.count("/") != 1:
        raise UsageError(f"GITHUB_REPOSITORY: owner/name is expected, found {visible(repository)!r}.")
    kind = "forgejo" if env.get("FORGEJO_ACTIONS") else "gitea" if env.get("GITEA_ACTIONS") else "github"
    # These two set GitHub's names as well; their own come first.
    tokens = _TOKENS[kind] if kind == "github" else (*_TOKENS[kind], "GITHUB_TOKEN")
    return _host(kind, url, repository, _token(env, tokens), actions_job(env), patience)


def _in_gitlab(env: Mapping[str, str], patience: Patience | None) -> Host | None:
    # In the pipeline of a merge request from a fork, the request is the parent's.
    project, url = env.get("CI_MERGE_REQUEST_PROJECT_ID") or env.get("CI_PROJECT_ID", ""), env.get("CI_API_V4_URL", "")
    return GitLab(url, project, _token(env, _TOKENS["gitlab"]), gitlab_job(env), patience) if project and url else None


def _of_remote(env: Mapping[str, str], remote_url: str, patience: Patience | None) -> Host | None:
    host, path = _remote(remote_url)
    named = env.get(VARIABLE, "").strip()
    for known in (_named(named),) if named else _PUBLIC:
        web = urllib.parse.urlsplit(known.web)
        inside = path.removeprefix(web.path.strip("/")).strip("/") if "://" in remote_url else path
        if host and host == web.hostname and _is_path(inside, known.kind):
            return _host(known.kind, known.api, inside, _token(env, known.tokens), Job(), patience)
    return None


def _named(text: str) -> _Known:
    """Read ``RUNFOLIO_HOST``: kind and address of a self-hosted host, such as ``gitlab=https://git.example.org``."""
    kind, _, web = text.partition("=")
    parts = split_url(web)
    if (
        parts is None
        or kind not in _API
        or parts.scheme not in ("https", "http")
        or not parts.hostname
        or parts.query
        or parts.username
    ):
        raise UsageError(
            f"{VARIABLE}: KIND=ADDRESS is expected, such as gitlab=https://git.example.org; kinds: {', '.join(_API)}."
        )
    web = web.rstrip("/")
    api = "https://api.github.com" if web == "https://github.com" else web + _API[kind]
    tokens = ("GH_ENTERPRISE_TOKEN", *_TOKENS[kind]) if kind == "github" else _TOKENS[kind]
    return _Known(kind, web, api, tokens)


def _host(kind: str, url: str, path: str, token: Token, job: Job, patience: Patience | None) -> Host:
    if kind == "github":
        return GitHub(url, path, token, job, patience)
    if kind == "gitlab":
        return GitLab(url, path, token, job, patience)
    return Gitea(url, path, token, job, patience, "Forgejo" if kind == "forgejo" else "Gitea")


def _is_path(path: str, kind: str) -> bool:
    """Say whether a path can be a repository's: owner/name, or on GitLab a name in groups in groups."""
    parts = path.split("/")
    return all(parts) and not {".", ".."} & set(parts) and (len(parts) == 2 or (kind == "gitlab" and len(parts) > 2))


def _token(env: Mapping[str, str], names: tuple[str, ...]) -> Token:
    """Return the first token that there is; an empty one of the first name where there is none."""
    for name in names:
        if env.get(name, "").strip():
            return Token(name, env[name].strip())
    return Token(names[0], "")


def _remote(url: str) -> tuple[str, str]:
    """Return host and path of a remote's address: ``https``, ``ssh`` and ``user@host:path``; empty for a folder."""
    if "://" in url:
        parts = split_url(url)
        if parts is None or parts.scheme not in ("https", "http", "ssh", "git"):
            return "", ""
        host, path = parts.hostname or "", parts.path
    else:
        match = _SCP.match(url)
        if not match:
            return "", ""
        host, path = match["host"].lower(), match["path"]
    return host, urllib.parse.unquote(path).strip("/").removesuffix(".git").strip("/")
