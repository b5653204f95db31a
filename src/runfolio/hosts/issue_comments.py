"""The comments of a pull request where they are those of its issue: GitHub, and Gitea and Forgejo, which took its API over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runfolio.hosts.comments import Comment
from runfolio.hosts.reading import need, text
from runfolio.hosts.rest import RestApi
from runfolio.hosts.terms import Purpose, RefusedError

GONE = (404, 410)


class IssueThread:
    """A :class:`~runfolio.hosts.comments.Thread`.

    Parameters
    ----------
    api : RestApi
    repo : str
        Path of the repository in the API.
    pull : int
    purpose : Purpose
    me : callable
        Says whom the token speaks for.
    page : Mapping
        What asks for a large page: ``{"per_page": 100}``.
    """

    def __init__(self, api: RestApi, repo: str, pull: int, purpose: Purpose, me: Callable[[], str], page: dict[str, int]) -> None:
        self._api = api
        self._issues = f"{repo}/issues"
        self._list = f"{repo}/issues/{pull}/comments"
        self._purpose = purpose
        self._page = page
        self.me = me

    def comments(self) -> list[Comment]:
        """Return all comments."""
        return [_comment(item) for item in self._api.items(self._list, self._purpose, self._page)]

    def read(self, comment_id: int) -> Comment | None:
        """Return one comment; None where it is gone."""
        try:
            return _comment(self._api.get(self._one(comment_id), self._purpose))
        except RefusedError as error:
            if error.status in GONE:
                return None
            raise

    def create(self, body: str) -> Comment:
        """Write a new one."""
        return _comment(self._api.call("POST", self._list, self._purpose, body={"body": body}).data)

    def update(self, comment_id: int, body: str) -> None:
        """Replace a comment's text."""
        self._api.call("PATCH", self._one(comment_id), self._purpose, body={"body": body})

    def delete(self, comment_id: int) -> None:
        """Delete a comment; one that is gone already is well."""
        try:
            self._api.call("DELETE", self._one(comment_id), self._purpose)
        except RefusedError as error:
            if error.status not in GONE:
                raise

    def _one(self, comment_id: int) -> str:
        return f"{self._issues}/comments/{comment_id}"


def _comment(said: Any) -> Comment:
    return Comment(need(said, int, "id"), login(said).casefold(), text(said, "body"), text(said, "html_url"))


def login(said: Any) -> str:
    """Return who made something; empty where the account is gone."""
    return text(said, "user", "login")
