"""Which host, which repository, which token; and that no token goes where nobody sent it."""

from __future__ import annotations

from typing import Any

import pytest

from runfolio.errors import UsageError
from runfolio.hosts import find_host
from runfolio.hosts.rest import RestApi

ALL_TOKENS = {
    name: f"value-of-{name}"
    for name in (
        "GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN", "CODEBERG_TOKEN", "CI_JOB_TOKEN"
    )
}  # fmt: skip


def token_of(host: Any) -> str:
    api = host.api
    assert isinstance(api, RestApi)
    return api.token.variable if host.has_token else ""


@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://github.com/team/wine.git", "GitHub('https://api.github.com', 'team/wine')"),
        ("https://github.com/team/wine/", "GitHub('https://api.github.com', 'team/wine')"),
        ("https://ada:token@GitHub.com:443/team/wine", "GitHub('https://api.github.com', 'team/wine')"),
        ("git@github.com:team/wine.git", "GitHub('https://api.github.com', 'team/wine')"),
        ("github.com:team/wine", "GitHub('https://api.github.com', 'team/wine')"),
        ("ssh://git@github.com:22/team/wine.git", "GitHub('https://api.github.com', 'team/wine')"),
        ("https://gitlab.com/group/sub/wine.git", "GitLab('https://gitlab.com/api/v4', 'group/sub/wine')"),
        ("git@gitlab.com:group/wine.git", "GitLab('https://gitlab.com/api/v4', 'group/wine')"),
        ("https://codeberg.org/team/wine", "Forgejo('https://codeberg.org/api/v1', 'team/wine')"),
        ("https://git.example.org/team/wine", "None"),
        ("https://github.com.evil.org/team/wine", "None"),
        ("https://evil.org/github.com/team/wine", "None"),
        ("https://github.com@evil.org/team/wine", "None"),
        ("git@github.com.evil.org:team/wine", "None"),
        ("https://github.com/wine", "None"),
        ("https://github.com/a/b/c", "None"),
        ("https://github.com/../wine", "None"),
        ("https://github.com/team%2f..%2f..%2fuser/x", "None"),
        ("file://github.com/team/wine", "None"),
        ("/srv/git/wine.git", "None"),
        ("../wine", "None"),
        ("C:\\git\\wine", "None"),
        ("", "None"),
    ],
)
def test_the_host_of_a_remote(remote: str, shown: str) -> None:
    assert repr(find_host({}, remote)) == shown


@pytest.mark.parametrize(
    ("environ", "remote", "token"),
    [
        ({}, "https://github.com/team/wine", "GITHUB_TOKEN"),
        ({"GITHUB_TOKEN": ""}, "https://github.com/team/wine", "GH_TOKEN"),
        ({}, "https://gitlab.com/team/wine", "GITLAB_TOKEN"),
        ({}, "https://codeberg.org/team/wine", "CODEBERG_TOKEN"),
        ({"RUNFOLIO_HOST": "gitlab=https://git.example.org"}, "git@git.example.org:team/wine", "GITLAB_TOKEN"),
        ({"RUNFOLIO_HOST": "github=https://git.example.org"}, "git@git.example.org:team/wine", "GH_ENTERPRISE_TOKEN"),
        ({"RUNFOLIO_HOST": "gitea=https://git.example.org"}, "git@git.example.org:team/wine", "GITEA_TOKEN"),
        ({"RUNFOLIO_HOST": "forgejo=https://git.example.org"}, "git@git.example.org:team/wine", "FORGEJO_TOKEN"),
    ],
)
def test_each_host_gets_the_token_that_is_meant_for_it(environ: dict[str, str], remote: str, token: str) -> None:
    host = find_host({**ALL_TOKENS, **environ}, remote)
    assert host is not None and token_of(host) == token


def test_a_token_for_a_named_host_is_not_for_the_public_one() -> None:
    """Who names another GitLab has its token in GITLAB_TOKEN: a remote on gitlab.com gets none."""
    named = {**ALL_TOKENS, "RUNFOLIO_HOST": "gitlab=https://git.example.org"}
    assert find_host(named, "https://gitlab.com/team/wine") is None
    assert find_host(named, "https://git.example.org.evil.org/team/wine") is None


@pytest.mark.parametrize(
    ("named", "remote", "shown"),
    [
        ("github=https://git.example.org", "https://git.example.org/t/w", "GitHub('https://git.example.org/api/v3', 't/w')"),
        (
            "gitlab=https://git.example.org/",
            "https://git.example.org/g/s/w.git",
            "GitLab('https://git.example.org/api/v4', 'g/s/w')",
        ),
        ("gitea=https://example.org/git", "https://example.org/git/t/w.git", "Gitea('https://example.org/git/api/v1', 't/w')"),
        ("gitea=https://example.org/git", "git@example.org:t/w.git", "Gitea('https://example.org/git/api/v1', 't/w')"),
        ("forgejo=http://localhost:3000", "http://localhost:3000/t/w", "Forgejo('http://localhost:3000/api/v1', 't/w')"),
        ("github=https://github.com", "git@github.com:t/w", "GitHub('https://api.github.com', 't/w')"),
    ],
)
def test_a_self_hosted_host_is_named_by_a_variable(named: str, remote: str, shown: str) -> None:
    assert repr(find_host({"RUNFOLIO_HOST": named}, remote)) == shown


@pytest.mark.parametrize("named", ["gitlab", "https://git.example.org", "svn=https://x.org", "gitlab=git.example.org", "gitlab=ftp://x.org",
                                   "gitlab=https://user:pw@x.org", "gitea=https://x.org/?q"])  # fmt: skip
def test_a_variable_that_names_no_host_is_told(named: str) -> None:
    with pytest.raises(UsageError, match="RUNFOLIO_HOST: KIND=ADDRESS is expected, such as gitlab=https://git.example.org"):
        find_host({"RUNFOLIO_HOST": named}, "https://git.example.org/team/wine")


@pytest.mark.parametrize(
    ("environ", "shown", "token"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "t/w", "GITHUB_API_URL": "https://api.github.com"},
         "GitHub('https://api.github.com', 't/w')", "GITHUB_TOKEN"),
        ({"GITHUB_ACTIONS": "true", "GITEA_ACTIONS": "true", "GITHUB_REPOSITORY": "t/w", "GITHUB_API_URL": "https://g.org/api/v1"},
         "Gitea('https://g.org/api/v1', 't/w')", "GITEA_TOKEN"),
        ({"GITHUB_ACTIONS": "true", "GITEA_ACTIONS": "true", "FORGEJO_ACTIONS": "true", "GITHUB_REPOSITORY": "t/w",
          "GITHUB_API_URL": "https://f.org/api/v1"}, "Forgejo('https://f.org/api/v1', 't/w')", "FORGEJO_TOKEN"),
        ({"GITLAB_CI": "true", "CI_PROJECT_ID": "12", "CI_API_V4_URL": "https://l.org/api/v4"},
         "GitLab('https://l.org/api/v4', '12')", "GITLAB_TOKEN"),
    ],
)  # fmt: skip
def test_a_ci_job_names_its_host(environ: dict[str, str], shown: str, token: str) -> None:
    host = find_host({**ALL_TOKENS, **environ})
    assert repr(host) == shown and token_of(host) == token
    assert host is not None and host.pull_request() is None
    assert repr(find_host({**ALL_TOKENS, "CI_PROJECT_PATH": "t/w", **environ}, "ssh://git@inside:2222/t/W.git")) == shown
    assert repr(find_host({**ALL_TOKENS, **environ}, "https://github.com/o/r")) == "GitHub('https://api.github.com', 'o/r')"
    assert repr(find_host({**ALL_TOKENS, **environ}, "/srv/git/mirror.git")) == shown
    assert find_host({**ALL_TOKENS, "CI_PROJECT_PATH": "t/w", **environ}, "https://evil.example/not-t/w") is None


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"CI": "true"},
        {"GITHUB_ACTIONS": "true"},
        {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "t/w"},
        {"GITLAB_CI": "true", "CI_PROJECT_ID": "12"},
        {"GITLAB_CI": "true", "CI_API_V4_URL": "https://l.org/api/v4"},
    ],
)
def test_no_host_is_guessed(environ: dict[str, str]) -> None:
    assert find_host({**ALL_TOKENS, **environ}) is None


@pytest.mark.parametrize(
    ("name", "value"), [("GITHUB_REPOSITORY", "a/b/../c"), ("GITHUB_REPOSITORY", "wine"), ("GITHUB_API_URL", "ftp://x")]
)
def test_a_damaged_job_is_told(name: str, value: str) -> None:
    job = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "t/w", "GITHUB_API_URL": "https://api.github.com"}
    with pytest.raises(UsageError):
        find_host({**job, name: value})
