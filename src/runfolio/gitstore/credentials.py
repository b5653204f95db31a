"""The token of a CI job for the server that the job itself names, handed to git through the environment only.

A checkout that keeps no credentials (``persist-credentials: false``) is safer, but then nothing can be fetched from a private repository
or pushed. In a job of GitHub Actions, or of Gitea's and Forgejo's, that was given ``GITHUB_TOKEN``, git gets it for exactly the server in
``GITHUB_SERVER_URL``: never on a command line, in a file, or for another host, whatever a repository's remotes are.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping


def job_credentials(url: str | None, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables by which git authenticates to a remote; nothing outside of such a job, or for another server.

    Parameters
    ----------
    url : str or None
        The remote's address.
    environ : Mapping of str to str, optional
        The process's own by default.

    Examples
    --------
    >>> job = {"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": "t", "GITHUB_SERVER_URL": "https://github.com"}
    >>> sorted(job_credentials("https://github.com/team/folio", job))
    ['GIT_CONFIG_COUNT', 'GIT_CONFIG_KEY_0', 'GIT_CONFIG_KEY_1', 'GIT_CONFIG_VALUE_0', 'GIT_CONFIG_VALUE_1']
    >>> job_credentials("https://github.com.evil.example/team/folio", job)
    {}
    """
    env = os.environ if environ is None else environ
    token, server = env.get("GITHUB_TOKEN", ""), env.get("GITHUB_SERVER_URL", "").rstrip("/")
    if env.get("GITHUB_ACTIONS") != "true" or not token or not server.startswith(("https://", "http://")):
        return {}
    if not url or not url.startswith(f"{server}/"):
        return {}
    key = f"http.{server}/.extraHeader"
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    count = env.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdigit() else 0
    # An empty value first forgets a header that a checkout kept: two of them are refused.
    return {
        "GIT_CONFIG_COUNT": str(first + 2),
        f"GIT_CONFIG_KEY_{first}": key,
        f"GIT_CONFIG_VALUE_{first}": "",
        f"GIT_CONFIG_KEY_{first + 1}": key,
        f"GIT_CONFIG_VALUE_{first + 1}": f"AUTHORIZATION: basic {basic}",
    }
