"""Git hosts: GitHub, GitLab, Gitea and Forgejo, as far as a folio needs them. Nothing here knows about machine learning.

One small ``Protocol`` (:class:`~runfolio.hosts.host.Host`), one implementation a host, on the standard library alone. Where we are
is read from the CI job's environment or a remote's address, never from the repository.

Invariants: a token comes from the environment, goes to its own host only and is never shown; nothing here approves, merges or
closes; no comment but our own is touched; whatever a host answers (an error page, half an answer, nothing), it is told in words
as a :class:`~runfolio.errors.RemoteError`.

>>> find_host({}, "/srv/git/wine.git") is None
True
>>> find_host({}, "git@github.com:team/wine.git")
GitHub('https://api.github.com', 'team/wine')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runfolio._lazy import lazy_names

if TYPE_CHECKING:
    from runfolio.hosts.annotations import annotate, code_quality, inert, no_command
    from runfolio.hosts.detection import find_host
    from runfolio.hosts.host import Host, PostedComment
    from runfolio.hosts.terms import Patience
    from runfolio.hosts.webhook import Event, find_webhook, notify

__all__ = [
    "Event",
    "Host",
    "Patience",
    "PostedComment",
    "annotate",
    "code_quality",
    "find_host",
    "find_webhook",
    "inert",
    "no_command",
    "notify",
]

__getattr__ = lazy_names(
    __name__,
    {
        "annotations": ("annotate", "code_quality", "inert", "no_command"),
        "detection": ("find_host",),
        "host": ("Host", "PostedComment"),
        "terms": ("Patience",),
        "webhook": ("Event", "find_webhook", "notify"),
    },
)
