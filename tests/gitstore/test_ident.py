"""Who git says the author is: told from its configuration where that is plain, and the same as git says it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from runfolio.gitstore import Ident, Repo
from runfolio.gitstore.commits import configured_ident

_PLAIN = {"user.name": "Ada Lovelace", "user.email": "ada@example.org"}
CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "configured": (_PLAIN, {}),
    "in letters of all kinds": ({**_PLAIN, "user.name": "Zoë O'Neill-Łukasz 李"}, {}),
    "author before user": ({**_PLAIN, "author.name": "Author", "author.email": "author@example.org"}, {}),
    "author's name alone": ({**_PLAIN, "author.name": "Author"}, {}),
    "empty author": ({**_PLAIN, "author.name": ""}, {}),
    "environment": (_PLAIN, {"GIT_AUTHOR_NAME": "Env", "GIT_AUTHOR_EMAIL": "env@example.org"}),
    "environment's name alone": (_PLAIN, {"GIT_AUTHOR_NAME": "Env"}),
    "environment alone": ({}, {"GIT_AUTHOR_NAME": "Env", "GIT_AUTHOR_EMAIL": "env@example.org"}),
    "empty in the environment": (_PLAIN, {"GIT_AUTHOR_NAME": ""}),
    "empty address in the environment": (_PLAIN, {"GIT_AUTHOR_EMAIL": ""}),
    "no address": ({"user.name": "Ada"}, {}),
    "address of the mail programs": ({"user.name": "Ada"}, {"EMAIL": "mail@example.org"}),
    "nothing": ({}, {}),
    "nothing, and nothing may be made up": ({"user.useConfigOnly": "true"}, {}),
    "signs at the ends": ({**_PLAIN, "user.name": ' "Ada Lovelace, Jr." '}, {}),
    "signs within": ({**_PLAIN, "user.name": "Ada <the first> Lovelace"}, {}),
    "an address in brackets": ({**_PLAIN, "user.email": "<ada@example.org>"}, {}),
    "a wrong date": (_PLAIN, {"GIT_AUTHOR_DATE": "yesterday of never"}),
    "a date": (_PLAIN, {"GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z"}),
    "given by the environment": ({}, {
        "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "Given", "GIT_CONFIG_KEY_1": "user.email", "GIT_CONFIG_VALUE_1": "g@example.org",
    }),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_author_is_the_one_that_git_says(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured, environ = CASES[case]
    repo = _repo(tmp_path, monkeypatch, environ)
    for key, value in configured.items():
        subprocess.run(["git", "config", key, value], cwd=tmp_path, check=True)
    assert configured_ident(repo) == _told_by_git(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "[user]\n\tname = One\n\tname = Two\n\temail = two@example.org\n",
        "[user]\n\tname\n\temail = two@example.org\n",
        "[user]\n\tname = Ada\n\temail = a@example.org\n[author]\n\tname\n",
        "[user\n\tname = Ada\n",
        '[user]\n\tname = Ada\n\temail = a@example.org\n[include]\n\tpath = ../more\n',
        '[user]\n\tname = Ada\n\temail = a@example.org\n[includeIf "onbranch:main"]\n\tpath = ../more\n',
        '[user]\n\tname = Ada\n\temail = a@example.org\n[includeIf "gitdir:elsewhere/"]\n\tpath = ../more\n',
    ],
    ids=["twice", "no value", "no value of the author", "broken", "include", "include by branch", "include of another"],
)  # fmt: skip
def test_the_author_is_the_one_of_gits_files(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = _repo(tmp_path, monkeypatch, {})
    (tmp_path / "more").write_text("[user]\n\tname = Included\n")
    with (tmp_path / ".git" / "config").open("a") as file:
        file.write(text)
    assert configured_ident(repo) == _told_by_git(tmp_path)


def _repo(folder: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> Repo:
    for name in [name for name in os.environ if name.startswith("GIT_") or name == "EMAIL"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=folder, check=True)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return Repo.discover(folder)


def _told_by_git(folder: Path) -> Ident:
    said = subprocess.run(["git", "var", "GIT_AUTHOR_IDENT"], cwd=folder, capture_output=True, check=False).stdout
    return Ident.parse(said.decode()) or Ident("runfolio", "runfolio@localhost")


def test_a_file_of_git_s_that_comes_goes_or_changes_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / ".config" / "git").mkdir(parents=True)
    for name in ("GIT_CONFIG_GLOBAL", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(home))
    subprocess.run(["git", "init", "-q", tmp_path / "repo"], check=True)
    said = Repo.discover(tmp_path / "repo").configured
    for _ in range(2):
        for file in (home / ".gitconfig", home / ".config" / "git" / "config"):
            assert said.values().get("test.key") is None
            for text in ("one", "three"):
                file.write_text(f"[test]\n\tkey = {text}\n")
                assert said.values().get("test.key") == text
            file.unlink()
    other = tmp_path / "other"
    other.write_text("[test]\n\tkey = elsewhere\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(other))
    assert said.values().get("test.key") == "elsewhere"
