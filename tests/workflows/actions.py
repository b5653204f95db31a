"""The actions that our workflows use, emulated as their documentation and source say, on this machine.

- ``checkout``: ``git init``, fetch with the job's token, check out; ``fetch-depth: 0`` brings all branches and tags, else so many commits of
  one ref; a branch is checked out by name, anything else detached; the token stays only with ``persist-credentials``.
- ``setup-python``: this Python first on PATH; its pip knows one distribution, runfolio as it is installed here.
- ``cache``: the exact key, else the newest entry of the first prefix that fits; saved at the job's end unless it was an exact hit or the
  job failed.
- ``upload-pages-artifact``: a tar without ``.git``, ``.github`` and **every name that begins with a dot**, links followed.
- ``deploy-pages``: unpacks the one artifact named ``github-pages``; two of them are an error.
- ``upload-artifact``: files of a pattern, those in hidden places left out; a name is taken once a run.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable

from tests.workflows.jobs import ActionError, Job

Inputs = dict[str, str]


def checkout(job: Job, given: Inputs) -> dict[str, str]:
    run, folder = job.run, job.workspace
    assert run.host.url.startswith("http")
    ref = given.get("ref") or run.github["ref"] or run.host.default_branch
    basic = base64.b64encode(f"x-access-token:{job.token}".encode()).decode()
    header = f"http.{run.host.server.url}/.extraheader=AUTHORIZATION: basic {basic}"

    def git(*args: str) -> str:
        done = subprocess.run(
            ["git", "-c", header, *args], cwd=folder, env=job.base_env(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ActionError(f"git {' '.join(args)}: {done.stderr}")
        return done.stdout.strip()

    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True, env=job.base_env())
    git("remote", "add", "origin", run.host.url)
    depth = int(given.get("fetch-depth", "1"))
    short = ref.removeprefix("refs/heads/")
    is_branch = not ref.startswith("refs/") or ref.startswith("refs/heads/")
    is_branch = (
        is_branch
        and subprocess.run(
            ["git", "-C", str(run.host.bare), "rev-parse", "-q", "--verify", f"refs/heads/{short}"],
            capture_output=True,
            check=False,
        ).returncode
        == 0
    )
    if depth == 0:
        git(
            "fetch",
            "-q",
            "--prune",
            "--no-recurse-submodules",
            "origin",
            "+refs/heads/*:refs/remotes/origin/*",
            "+refs/tags/*:refs/tags/*",
        )
    if is_branch:
        if depth:
            git("fetch", "-q", "--no-tags", f"--depth={depth}", "origin", f"+refs/heads/{short}:refs/remotes/origin/{short}")
        git("checkout", "-q", "--force", "-B", short, f"refs/remotes/origin/{short}")
    else:
        source = ref if ref.startswith("refs/") else run.host.resolve(ref)
        target = f"refs/remotes/{source.removeprefix('refs/')}" if source.startswith("refs/") else ""
        options = [f"--depth={depth}"] if depth else []
        git("fetch", "-q", "--no-tags", *options, "origin", f"+{source}:{target}" if target else source)
        git("checkout", "-q", "--force", "--detach", target or source)
    if given.get("persist-credentials", "true") != "false":
        git("config", "--local", header.partition("=")[0], header.partition("=")[2])
    return {}


def setup_python(job: Job, given: Inputs) -> dict[str, str]:
    job.paths.insert(0, str(job.run.shims))
    return {"python-version": given.get("python-version", "")}


def cache(job: Job, given: Inputs) -> dict[str, str]:
    place, key = job.run.host.caches, given["key"]
    entries = sorted(place.glob("*.tar"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    by_key = {bytes.fromhex(file.stem).decode(): file for file in reversed(entries)}
    hit = key in by_key
    found = by_key.get(key)
    for prefix in given.get("restore-keys", "").split():
        found = found or next((by_key[name] for name in reversed(by_key) if name.startswith(prefix)), None)
    if found is not None:
        with tarfile.open(found) as archive:
            archive.extractall(job.workspace, filter="data")
    job.log.append(f"cache: {'hit' if hit else 'restored an earlier one' if found else 'nothing'} for {key}")

    def save() -> None:
        paths = [path for path in given["path"].split() if (job.workspace / path).exists()]
        if not hit and paths:
            with tarfile.open(place / f"{key.encode().hex()}.tar", "w") as archive:
                for path in paths:
                    archive.add(job.workspace / path, path)

    job.at_end.append(save)
    return {"cache-hit": "true" if hit else "false"}


def configure_pages(job: Job, given: Inputs) -> dict[str, str]:
    job.needs_right("pages", "read")
    return {"base_url": "https://team.example.org/wine", "base_path": "/wine"}


def upload_pages_artifact(job: Job, given: Inputs) -> dict[str, str]:
    source = job.workspace / given["path"]
    target = job.new_artifact("github-pages") / "artifact.tar"
    command = ["tar", "--dereference", "--hard-dereference", "--directory", str(source), "-cf", str(target)]
    done = subprocess.run(
        [*command, "--exclude=.git", "--exclude=.github", "--exclude=.[^/]*", "."], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ActionError(done.stderr)
    return {"artifact_id": "1"}


def deploy_pages(job: Job, given: Inputs) -> dict[str, str]:
    job.needs_right("pages", "write")
    job.needs_right("id-token", "write")
    if job.environment != "github-pages":
        raise ActionError("Missing environment. Ensure your workflow's deployment job has an environment.")
    new = job.run.host.pages.with_name("pages.new")
    shutil.rmtree(new, ignore_errors=True)
    with tarfile.open(job.run.artifacts / "github-pages" / "artifact.tar") as archive:
        archive.extractall(new, filter="data")
    shutil.rmtree(job.run.host.pages, ignore_errors=True)
    os.rename(new, job.run.host.pages)
    return {"page_url": "https://team.example.org/wine/"}


def upload_artifact(job: Job, given: Inputs) -> dict[str, str]:
    found = [file for pattern in given["path"].split() for file in sorted(job.workspace.glob(pattern)) if file.is_file()]
    if given.get("include-hidden-files", "false") != "true":
        found = [file for file in found if not any(part.startswith(".") for part in file.relative_to(job.workspace).parts)]
    if not found:
        job.log.append(f"warning: No files were found with the provided path: {given['path']}")
        return {}
    target = job.new_artifact(given["name"])
    for file in found:
        shutil.copy(file, target / file.name)
    return {"artifact-id": "1"}


KNOWN: dict[str, Callable[[Job, Inputs], dict[str, str]]] = {
    "actions/checkout": checkout,
    "actions/setup-python": setup_python,
    "actions/cache": cache,
    "actions/configure-pages": configure_pages,
    "actions/upload-pages-artifact": upload_pages_artifact,
    "actions/deploy-pages": deploy_pages,
    "actions/upload-artifact": upload_artifact,
}
