"""Projects are fetched from real repositories, as data: nothing of theirs runs, and nothing leads out."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runfolio.errors import NotFoundError, RemoteError, UsageError
from runfolio.projects.fetching import fetched, parse_source
from tests.conftest import git

SECRET = "hunter2hunter2"


def files(uri: str, version: str | None = None) -> dict[str, str]:
    with fetched(parse_source(uri), version) as there:
        return {path.name: path.read_text() for path in there.folder.iterdir() if path.is_file()}


def test_a_folder_is_used_as_it_is(project: Path) -> None:
    with fetched(parse_source(str(project)), None) as there:
        assert (there.folder, there.temporary) == (project, False)


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://{}/.git"])
def test_a_revision_of_a_repository_is_fetched_without_touching_it(project_repo: Path, form: str) -> None:
    uri = form.format(project_repo)
    (project_repo / "train.py").write_text("work in progress")
    for version in ("side", git(project_repo, "rev-parse", "side").strip(), git(project_repo, "rev-parse", "side")[:9]):
        assert "print('side')" in files(uri, version)["train.py"]
    assert "print('side')" not in files(uri, "v1")["train.py"]
    assert git(project_repo, "status", "--short") == " M train.py\n"
    assert git(project_repo, "rev-parse", "--abbrev-ref", "HEAD") == "main\n"


def test_the_branch_and_the_commit_are_known_and_the_folder_goes(project_repo: Path) -> None:
    with fetched(parse_source(f"file://{project_repo}"), "side") as there:
        assert (there.branch, there.version, there.temporary) == ("side", "side", True)
        assert git(there.folder, "rev-parse", "HEAD") == git(project_repo, "rev-parse", "side")
        assert git(there.folder, "status", "--short") == ""
    assert not there.folder.exists()


def test_a_bare_repository_is_fetched_at_its_head(project_repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(project_repo), "bare.git")
    assert "MLproject" in files(f"file://{tmp_path}/bare.git")


def test_a_revision_that_is_not_there_is_told(project_repo: Path) -> None:
    for version in ("gone", "0" * 40, "abcdef1"):
        with pytest.raises(NotFoundError, match=f"no revision '{version}'"):
            files(str(project_repo), version)


def test_a_version_of_a_folder_that_is_no_repository_is_refused(project: Path) -> None:
    with pytest.raises(UsageError, match="only supported for git repositories"):
        files(str(project), "v1")


def test_a_subfolder_is_the_project(project_repo: Path) -> None:
    (project_repo / "v1.2").mkdir()
    (project_repo / "v1.2" / "inner.py").write_text("")
    git(project_repo, "add", ".")
    git(project_repo, "commit", "-qm", "inner")
    assert list(files(f"{project_repo}#v1.2", "main")) == ["inner.py"]
    assert list(files(f"{project_repo}#v1.2")) == ["inner.py"]
    with pytest.raises(NotFoundError, match="there is no folder"):
        files(f"{project_repo}#gone")


@pytest.mark.parametrize("part", ["../..", "a/../../b", "/etc", ".git", ".git/hooks"])
def test_a_subfolder_outside_the_project_is_refused(project_repo: Path, part: str) -> None:
    with pytest.raises(UsageError, match="subfolder"):
        parse_source(f"{project_repo}#{part}")


def test_a_subfolder_that_is_a_link_out_is_refused(project: Path) -> None:
    (project / "out").symlink_to("/etc")
    with pytest.raises(UsageError, match="leads out of the project"):
        files(f"{project}#out")


@pytest.mark.parametrize(
    "uri",
    [
        "ext::sh -c touch% /tmp/owned",
        "fd::17",
        "--upload-pack=touch /tmp/owned",
        "-oProxyCommand=touch /tmp/owned",
        "ssh://-oProxyCommand=touch/x",
        "ftp://example.org/x.git",
        "javascript://x",
        "https://",
        "https:///path",
        "https://example.org/a\nb",
        "",
        "'--upload-pack=x'",
    ],
)
def test_an_address_that_is_an_attack_is_refused_before_git_is_started(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError):
        parse_source(uri)


@pytest.mark.parametrize("uri", ["gone", "./gone", "C:gone/there", "/gone/x:y"])
def test_what_is_neither_a_folder_nor_an_address_is_told(uri: str) -> None:
    if uri.startswith("C:"):
        assert parse_source(uri).transport == "ssh"
        return
    with pytest.raises(NotFoundError, match="no address of a git repository"):
        parse_source(uri)


@pytest.mark.parametrize(
    "uri", ["git@github.com:team/x.git", "https://host/x.git", "ssh://git@host:22/x", "git://host/x", "http://[::1]/x"]
)
def test_addresses_of_repositories_are_known(uri: str) -> None:
    assert parse_source(uri).transport


@pytest.mark.parametrize("version", ["-x", "--upload-pack=touch", "a b", "a:b", "a..b", "HEAD~1", "", "a@{1}", "refs/*", "a\nb"])
def test_a_revision_that_is_an_option_or_an_expression_is_refused(project_repo: Path, version: str) -> None:
    with pytest.raises(UsageError, match="is no revision"):
        files(str(project_repo), version)


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "inner/../../outside", ".git/config"])
def test_a_link_that_leads_out_is_refused_before_anything_is_written(project_repo: Path, target: str) -> None:
    os.symlink(target, project_repo / "link")
    git(project_repo, "add", "link")
    git(project_repo, "commit", "-qm", "a link")
    with pytest.raises(UsageError, match="links that lead out of the repository are refused: link -> "):
        files(str(project_repo), "main")


def test_a_link_within_the_tree_stays(project_repo: Path) -> None:
    os.symlink("train.py", project_repo / "link.py")
    git(project_repo, "add", "link.py")
    git(project_repo, "commit", "-qm", "a link")
    assert files(str(project_repo), "main")["link.py"] == files(str(project_repo), "main")["train.py"]


def test_neither_filters_nor_hooks_nor_templates_run(project_repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project_repo / ".gitattributes").write_text("*.py filter=evil\nMLproject filter=lfs\n")
    git(project_repo, "add", ".gitattributes")
    git(project_repo, "commit", "-qm", "filters")
    owned = tmp_path / "owned"
    templates = tmp_path / "templates" / "hooks"
    templates.mkdir(parents=True)
    for name in ("post-checkout", "reference-transaction"):
        (templates / name).write_text(f"#!/bin/sh\ntouch {owned}\n")
        (templates / name).chmod(0o755)
    for key, value in (
        ("init.templateDir", str(templates.parent)),
        ("core.hooksPath", str(templates)),
        ("filter.evil.smudge", f"touch {owned}; cat"),
        ("filter.evil.process", f"touch {owned}"),
        ("filter.lfs.smudge", f"touch {owned}; cat"),
        ("filter.lfs.required", "true"),
    ):
        git(tmp_path, "config", "--global", key, value)
    assert "runfolio" in files(str(project_repo), "main")["train.py"]
    assert not owned.exists()


def test_submodules_are_not_fetched_and_told(project_repo: Path, repo_dir: Path) -> None:
    git(project_repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repo_dir), "inner")
    git(project_repo, "commit", "-qm", "a submodule")
    with fetched(parse_source(str(project_repo)), "main") as there:
        assert list((there.folder / "inner").iterdir()) == []
        assert there.notices == ("submodules are not fetched: inner",)


def test_a_password_in_an_address_is_shown_nowhere(pinned_git: Path) -> None:
    source = parse_source(f"https://ada:{SECRET}@127.0.0.1:1/x.git")
    assert SECRET not in source.shown
    with pytest.raises(RemoteError, match=r"https://.*127.0.0.1:1/x.git could not be fetched") as caught, fetched(source, "main"):
        pass
    assert SECRET not in caught.value.message


def test_a_redirection_to_another_transport_is_not_followed(project_repo: Path, pinned_git: Path) -> None:
    git(project_repo, "config", "--global", f"url.ext::sh -c touch% {project_repo}/owned .insteadOf", "https://host.invalid/")
    with pytest.raises(RemoteError), fetched(parse_source("https://host.invalid/x"), "main"):
        pass
    assert not (project_repo / "owned").exists()


@pytest.fixture
def file_server(project_repo: Path, tmp_path: Path) -> Iterator[str]:
    """The repository on a plain file server on loopback, as a URL."""
    top = tmp_path / "served"
    git(tmp_path, "clone", "-q", "--bare", str(project_repo), str(top / "x.git"))
    git(top / "x.git", "update-server-info")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(top)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/x.git"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_repository_is_fetched_over_http(file_server: str) -> None:
    assert "print('side')" in files(file_server, "side")["train.py"]
    assert "print('side')" not in files(file_server)["train.py"]
    with pytest.raises(NotFoundError, match="no revision 'gone'"):
        files(file_server, "gone")


def test_a_repository_is_fetched_over_ssh_as_it_is_configured(
    project_repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nfor last; do :; done\nexec sh -c "$last"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH", str(ssh))
    assert "print('side')" in files(f"git@host.invalid:{project_repo}", "side")["train.py"]
    assert "git@host.invalid git-upload-pack" in (tmp_path / "calls").read_text()
