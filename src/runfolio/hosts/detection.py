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

from runfolio.errors import UsageError
from runfolio.hosts.github import GitHub
from runfolio.hosts.host import Host
from runfolio.hosts.job import actions_job
from runfolio.hosts.terms import Patience, Token

_SCP = re.compile(r"(?:[^@/:\s]+@)?(?P<host>[^@/:\s]+):(?!//)(?P<path>.+)\Z")
_GITHUB_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")


def find_host(
    environ: Mapping[str, str] | None = None, remote_url: str | None = None, patience: Patience | None = None
) -> Host | None:
    """Return the git host that we work for.

    Parameters
    ----------
    environ : Mapping of str to str, optional
        The process's own by default.
    remote_url : str, optional
        Of the remote; asked outside of a CI job.
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
    if env.get("GITHUB_ACTIONS") == "true" or env.get("GITHUB_EVENT_PATH"):
        return _in_actions(env, patience)
    if remote_url is None:
        return None
    host, path = _remote(remote_url)
    if host == "github.com" and path.count("/") == 1:
        return GitHub("https://api.github.com", path, _token(env, _GITHUB_TOKENS), patience=patience)
    return None


def _in_actions(env: Mapping[str, str], patience: Patience | None) -> Host | None:
    repository, url = env.get("GITHUB_REPOSITORY", ""), env.get("GITHUB_API_URL", "")
    if not repository or not url:
        return None
    if repository.count("/") != 1:
        raise UsageError(f"GITHUB_REPOSITORY: owner/name is expected, found {repository!r}.")
    return GitHub(url, repository, _token(env, _GITHUB_TOKENS), actions_job(env), patience)


def _token(env: Mapping[str, str], names: tuple[str, ...]) -> Token:
    """Return the first token that there is; an empty one of the first name where there is none."""
    for name in names:
        if env.get(name, "").strip():
            return Token(name, env[name].strip())
    return Token(names[0], "")


def _remote(url: str) -> tuple[str, str]:
    """Return host and path of a remote's address: ``https``, ``ssh`` and ``user@host:path``; empty for a folder."""
    if "://" in url:
        parts = urllib.parse.urlsplit(url)
        host, path = parts.hostname or "", parts.path
        if parts.scheme not in ("https", "http", "ssh", "git"):
            return "", ""
    else:
        match = _SCP.match(url)
        if not match:
            return "", ""
        host, path = match["host"].lower(), match["path"]
    return host, urllib.parse.unquote(path).strip("/").removesuffix(".git")
