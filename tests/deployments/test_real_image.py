"""A model's image, really built and started: Debian's buildah in a chroot, on a base made by debootstrap. No container engine is needed, but root is.

Both stages of the Dockerfile run as they would anywhere; what starts is the image's own entry point, with its user and environment.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
MIRROR = "http://deb.debian.org/debian"
SUITES = {(3, 11): "bookworm", (3, 13): "trixie"}
"""The Debian whose Python is the one that runs here: the model's own, for which its packages are locked."""


def missing() -> str:
    """Return what this machine lacks."""
    if os.geteuid() != 0:
        return "a chroot needs root"
    if sys.version_info[:2] not in SUITES:
        return f"no Debian here has Python {sys.version_info[0]}.{sys.version_info[1]}"
    lacks = [name for name in ("buildah", "debootstrap") if shutil.which(name) is None]
    return f"not installed: {', '.join(lacks)} (Debian: apt-get install {' '.join(lacks)})" if lacks else ""


if missing():
    pytestmark = [pytest.mark.slow, pytest.mark.skip(reason=f"NOT TESTED: no image was built: {missing()}")]


@dataclass(frozen=True)
class Builder:
    """Buildah with its own storage, gone with the test."""

    folder: Path
    env: dict[str, str]

    def run(self, *args: str, code: int = 0) -> str:
        done = subprocess.run(["buildah", *args], capture_output=True, text=True, env=self.env, check=False, timeout=600)
        assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}"
        return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    # vfs copies whole layers: on a disk, not in a memory file system that TMPDIR may be.
    for left in Path("/var/tmp").glob("runfolio-images-*"):  # of a run that was killed: a base is 200 MB
        if not Path("/proc", left.name.rpartition("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = Path("/var/tmp") / f"runfolio-images-{os.getpid()}"
    (folder / "tmp").mkdir(parents=True)
    (folder / "storage.conf").write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n')
    env = {
        **os.environ,
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "BUILDAH_ISOLATION": "chroot",
        "TMPDIR": str(folder / "tmp"),
    }
    made = Builder(folder, env)
    try:
        _base(made)
        yield made
    finally:
        subprocess.run(["buildah", "rm", "--all"], env=env, capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _base(builder: Builder) -> None:
    """Make the base image: Debian's smallest system with Python."""
    ready = os.environ.get("RUNFOLIO_TEST_BASE")
    archive = builder.folder / "base.tar"
    if ready:
        shutil.copyfile(ready, archive)
    else:
        command = [
            "debootstrap",
            "--variant=minbase",
            "--include=python3,python3-venv",
            SUITES[sys.version_info[:2]],
            builder.folder / "root",
            MIRROR,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode and "Couldn't download" in done.stdout + done.stderr:
            pytest.skip(f"NOT TESTED: no image was built: {MIRROR} could not be reached")
        assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
        left_out = [f"--exclude=./{name}/*" for name in ("proc", "sys", "dev", "var/cache/apt", "var/lib/apt/lists")]
        subprocess.run(["tar", "-C", builder.folder / "root", *left_out, "-cf", archive, "."], check=True)
        shutil.rmtree(builder.folder / "root")
    (builder.folder / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
    builder.run("bud", "--timestamp", "0", "-t", "base:test", "-f", str(builder.folder / "Dockerfile"), str(builder.folder))
    archive.unlink()


def double(model_input: list[float]) -> list[float]:
    return [2 * value for value in model_input]


@pytest.fixture(scope="module")
def context(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build context of a registered function model, with all its wheels."""
    python = subprocess.run(["python3", "--version"], capture_output=True, text=True, check=True).stdout
    folder = tmp_path_factory.mktemp("folio")
    subprocess.run(["git", "init", "-q", folder], check=True)
    for key, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
        subprocess.run(["git", "config", key, value], cwd=folder, check=True)
    script = (
        "import sys; import runfolio\n"
        "from tests.deployments.test_real_image import double\n"
        "double.__module__ = '__main__'\n"
        "with runfolio.start_run():\n"
        "    runfolio.pyfunc.log_model('m', python_model=double, registered_model_name='double', pip_requirements=['cloudpickle'])\n"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = [sys.executable, "-m", "runfolio"]
    subprocess.run([*run, "init"], cwd=folder, env=env, check=True, capture_output=True)
    subprocess.run([sys.executable, "-c", script], cwd=folder, env=env, check=True)
    given = os.environ.get("RUNFOLIO_TEST_WHEEL")
    wheel = ["--runfolio-wheel", given] if given else []
    made = [
        *run,
        "models",
        "generate-dockerfile",
        "-m",
        "models:/double/1",
        "-d",
        "context",
        "--wheels",
        "--base-image",
        "localhost/base:test",
        *wheel,
    ]
    done = subprocess.run(made, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{python}\n{done.stderr}"
    return folder / "context"


def build(builder: Builder, context: Path, name: str, code: int = 0) -> str:
    return builder.run(
        "bud",
        "--format",
        "docker",
        "--timestamp",
        "1700000000",
        "-t",
        name,
        "-f",
        str(context / "Dockerfile"),
        str(context),
        code=code,
    )


@pytest.fixture(scope="module")
def image(builder: Builder, context: Path) -> dict[str, Any]:
    build(builder, context, "double:1")
    return json.loads(builder.run("inspect", "--type", "image", "double:1"))["Docker"]["config"]


@pytest.fixture(scope="module")
def container(builder: Builder, image: dict[str, Any]) -> str:
    return builder.run("from", "--pull-never", "localhost/double:1").strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asked(url: str, data: bytes | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, answer.read()


def starts_as_nobody_answers_and_ends_on_sigterm(builder: Builder, image: dict[str, Any], container: str, tmp_path: Path) -> None:
    assert image["User"] == "10001:10001"
    assert image["Healthcheck"]["Test"] == ["CMD", "/opt/venv/bin/python", "/opt/runfolio/inside.py", "health"]
    assert builder.run("run", container, "--", "id", "-u").strip() == "10001"
    port = free_port()
    # The network of a chroot is the machine's: another port than the image's own, by SageMaker's variable for it.
    command = ["buildah", "run", "--env", f"SAGEMAKER_BIND_TO_PORT={port}", container, "--", *image["Entrypoint"], "serve"]
    log = tmp_path / "server.log"
    with log.open("w") as file:
        server = subprocess.Popen(command, env=builder.env, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while True:
            assert server.poll() is None, log.read_text()
            try:
                assert asked(f"http://127.0.0.1:{port}/ping")[0] == 200
                break
            except OSError:
                assert time.monotonic() < deadline, log.read_text()
        status, body = asked(f"http://127.0.0.1:{port}/invocations", b'{"inputs": [1.5, 4.0]}')
        assert (status, json.loads(body)) == (200, {"predictions": [3.0, 8.0]})
        health = ["run", "--env", f"SAGEMAKER_BIND_TO_PORT={port}", container, "--", *image["Healthcheck"]["Test"][1:]]
        builder.run(*health)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(60)
    with pytest.raises(OSError):
        asked(f"http://127.0.0.1:{port}/ping")


def does_not_start_with_another_model(builder: Builder, image: dict[str, Any], container: str) -> None:
    file = Path(builder.run("mount", container).strip()) / "opt/ml/model/python_model.pkl"
    data = bytearray(file.read_bytes())
    data[-20] ^= 1
    file.write_bytes(data)
    said = builder.run("run", container, "--", *image["Entrypoint"], "serve", code=14)
    assert "python_model.pkl has other bytes" in said


def is_not_built_with_one_bit_flipped(builder: Builder, image: dict[str, Any], context: Path, tmp_path: Path) -> None:
    copy = tmp_path / "context"
    shutil.copytree(context, copy)
    # Packages were installed above: the check of the model alone is what this is about.
    text = (copy / "Dockerfile").read_text()
    start, end = text.index("RUN python3 -m venv"), text.index("COPY inside.py")
    (copy / "Dockerfile").write_text(text[:start] + "RUN mkdir -p /opt/venv\n" + text[end:])
    data = bytearray((copy / "model" / "python_model.pkl").read_bytes())
    data[-20] ^= 1
    (copy / "model" / "python_model.pkl").write_bytes(data)
    done = subprocess.run(
        ["buildah", "bud", "--format", "docker", "-t", "broken:1", "-f", str(copy / "Dockerfile"), str(copy)],
        env=builder.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "python_model.pkl has other bytes" in done.stdout + done.stderr


def test_an_image_is_built_serves_and_is_refused_where_its_model_differs(
    builder: Builder, image: dict[str, Any], container: str, context: Path, tmp_path: Path
) -> None:
    # One test: tests are spread over processes, and each would build the image again.
    starts_as_nobody_answers_and_ends_on_sigterm(builder, image, container, tmp_path)
    does_not_start_with_another_model(builder, image, container)
    is_not_built_with_one_bit_flipped(builder, image, context, tmp_path)
