"""What every host does alike: it speaks with the token it was given, for the CI job that runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from runfolio.hosts.job import Job
from runfolio.hosts.rest import RestApi


class OfJob(ABC):
    """The part of a host that is about its token and its job; see :class:`runfolio.hosts.host.Host`."""

    api: RestApi
    job: Job

    @property
    def has_token(self) -> bool:
        """Whether there is a token."""
        return bool(self.api.token)

    def build_order(self) -> int:
        """Return a number that is higher for later builds; 0 outside of a CI."""
        return self.job.order

    def pull_request(self) -> int | None:
        """Return the number of the pull request that the job runs for."""
        if self.job.pull is not None or self.job.head_commit is None or not self.has_token:
            return self.job.pull
        return self.pull_of_commit(self.job.head_commit, self.job.head_repository, self.job.head_branch)

    @abstractmethod
    def pull_of_commit(self, commit: str, repository: str | None = None, branch: str | None = None) -> int | None:
        """Return the open pull request whose head a commit is; None where there is none, or more than one."""
