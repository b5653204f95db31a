"""A git host on loopback: a bare repository over HTTP, the API of GitHub (stand-in), caches, and the pages that were deployed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import runfolio
from tests.conftest import GIT_CONFIG, git
from tests.hosts.gitea import GiteaStandIn
from tests.hosts.github import Account, GitHubStandIn
from tests.workflows.git_server import GitServer

PIP = """\
#!{python}
# Stands for pip and the package index: there is one distribution, runfolio as it is installed here.
import re, sys
from importlib.metadata import metadata
wanted = [word for word in sys.argv[2:] if not word.startswith("-")]
if sys.argv[1] != "install" or len(wanted) != 1:
    sys.exit(f"pip: not known here: {{sys.argv[1:]}}")
from pathlib import Path
from runfolio._version import __version__
of_folder = re.fullmatch(r"(/.+)\\[([a-z0-9,]*)\\]", wanted[0])
if of_folder and 'name = "runfolio"' in (Path(of_folder[1]) / "pyproject.toml").read_text():
    wanted = [f"runfolio[{{of_folder[2]}}]=={{__version__}}"]
match = re.fullmatch(r"runfolio\\[([a-z0-9,]*)\\]==(.+)", wanted[0])
if match is None or match[2] != __version__:
    sys.exit(f"ERROR: No matching distribution found for {{wanted[0]}}")
known = metadata("runfolio").get_all("Provides-Extra")
unknown = set(match[1].split(",")) - set(known) if known else ()  # a work tree has no list of them
if unknown:
    sys.exit(f"WARNING: runfolio does not provide the extra {{unknown}}")
"""


class Host:
    """The host, and what people do on it."""

    default_branch = "main"

    def __init__(self, folder: Path, server: GitServer, api: GitHubStandIn) -> None:
        self.folder, self.server, self.api = folder, server, api
        self.bare = folder / "git" / "team" / "wine.git"
        self.caches, self.pages, self.shims = folder / "caches", folder / "pages", folder / "shims"
        self.variables: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.variables_of_jobs: dict[str, str] = {}
        self.forge: GiteaStandIn | None = None
        self.caches.mkdir(parents=True)
        self.shims.mkdir()
        self._shim("pip", PIP.format(python=sys.executable))
        for name in ("python", "python3"):
            (self.shims / name).symlink_to(sys.executable)
        source = str(Path(runfolio.__file__).parents[1])  # what is tested, also where another is installed
        program = f"import sys\nsys.path.insert(0, {source!r})\nfrom runfolio.cli.main import main\nsys.exit(main())\n"
        self._shim("runfolio", f"#!{sys.executable}\n{program}")
        git(folder, "init", "-q", "--bare", "--initial-branch=main", str(self.bare))
        git(self.bare, "config", "uploadpack.allowFilter", "true")
        git(self.bare, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(self.bare, "config", "http.receivepack", "true")

    def _shim(self, name: str, text: str) -> None:
        (self.shims / name).write_text(text)
        (self.shims / name).chmod(0o755)

    @property
    def url(self) -> str:
        return f"{self.server.url}/team/wine"

    def grant(self, token: str, rights: Mapping[str, str]) -> None:
        """Let a job's token do what its permissions say."""
        if "contents" in rights:
            self.server.tokens[token] = rights["contents"]
        if self.forge is not None and "pull-requests" in rights:  # a stand-in without rights of single tokens
            self.forge.accounts[token] = self.forge.me
        scopes = frozenset(scope for scope, right in rights.items() if right == "write")
        self.api.accounts[token] = Account(self.api.me, "Bot", permissions=scopes)

    def resolve(self, rev: str) -> str:
        return git(self.bare, "rev-parse", "--verify", f"{rev}^{{commit}}").strip()

    def person(self, name: str, start: str | None = None) -> Path:
        """A clone of somebody's, which pushes straight to the bare repository."""
        place = self.folder / name
        if start is None:
            git(self.folder, "clone", "-q", str(self.bare), name)
        else:
            git(self.folder, "clone", "-q", "-b", start, str(self.bare), name)
        return place

    def propose(self, clone: Path, branch: str, repository: str = "team/wine", number: int = 7) -> dict:
        """Push what a clone has checked out as a pull request; return the event's payload."""
        if repository == "team/wine":
            git(clone, "push", "-q", "-f", "origin", f"HEAD:refs/heads/{branch}")
        git(clone, "push", "-q", "-f", "origin", f"HEAD:refs/pull/{number}/head")
        sha = git(clone, "rev-parse", "HEAD").strip()
        (pull,) = self.api.pulls
        pull.number, pull.sha, pull.branch, pull.repository = number, sha, branch, repository
        base = {"ref": self.default_branch, "sha": self.resolve(self.default_branch), "repo": {"full_name": "team/wine"}}
        head = {"ref": branch, "sha": sha, "repo": {"full_name": repository}}
        return {
            "action": "synchronize",
            "number": number,
            "pull_request": {"number": number, "head": head, "base": base, "user": {"login": "ada"}},
        }


@contextmanager
def host_at(folder: Path) -> Iterator[Host]:
    """Start a host in a folder."""
    (folder / "git").mkdir(parents=True)
    with GitServer(folder / "git") as server, GitHubStandIn() as api:
        yield Host(folder, server, api)  # type: ignore[arg-type]


def identity(folder: Path) -> dict[str, str]:
    """The environment in which Ada works."""
    config = folder / "gitconfig"
    config.write_text(GIT_CONFIG)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "RUNFOLIO_"))}
    return {**kept, "GIT_CONFIG_GLOBAL": str(config), "GIT_CONFIG_NOSYSTEM": "1"}


def log_runs(folder: Path, accuracies: list[float], env: Mapping[str, str], **params: str) -> None:
    """Train in a process of its own, as a person does."""
    program = (
        "import json, sys, runfolio\nrunfolio.set_experiment('Wine')\nfor accuracy in json.loads(sys.argv[1]):\n"
        "    with runfolio.start_run():\n        runfolio.log_params(json.loads(sys.argv[2]))\n        runfolio.log_metric('accuracy', accuracy)\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, json.dumps(accuracies), json.dumps(params)], cwd=folder, env=dict(env), check=True
    )
