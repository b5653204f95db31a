"""``conda``: the commands that it is given, by a program that takes them as conda does and makes the environment with venv.

The real conda was not run: it is not here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from runfolio.environments import EnvironmentFailedError, Wanted, make_environment
from runfolio.errors import MissingPackageError
from tests.environments.conftest import in_it

FAKE = """\
#!{python}
import json, subprocess, sys
args = sys.argv[1:]
with open({log!r}, "a") as file:
    file.write(json.dumps(args) + "\\n")
verb = ["create"] if {name!r} == "micromamba" else ["env", "create"]
if args[: len(verb)] != verb or "--prefix" not in args or "--file" not in args:
    sys.exit("conda: error: unrecognized arguments")
import yaml
said = yaml.safe_load(open(args[args.index("--file") + 1]))
prefix = args[args.index("--prefix") + 1]
subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
from pathlib import Path
from runfolio.environments.installing import bundled_pip, put_pip
put_pip(Path(prefix), bundled_pip(sys.executable))
for item in said["dependencies"]:
    if isinstance(item, dict):
        sys.exit(subprocess.run([prefix + "/bin/python", "-m", "pip", "install", "-q", *item["pip"]]).returncode)
    elif item.startswith("nosuch"):
        sys.exit("PackagesNotFoundError: The following packages are not available from current channels:\\n  - " + item)
"""


@pytest.fixture(params=["conda", "micromamba"])
def conda(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A conda on ``PATH``; returns the file where it writes how it was called."""
    log = tmp_path / "calls"
    program = tmp_path / "programs" / request.param
    program.parent.mkdir()
    program.write_text(FAKE.format(python=sys.executable, log=str(log), name=request.param))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return log


def test_conda_makes_an_environment_of_a_file(offline: Path, conda: Path) -> None:
    text = "dependencies:\n  - python=3.11\n  - pip\n  - pip:\n      - tiny==1.0\n"
    made = make_environment(Wanted(conda=text), "conda")
    assert in_it(made.python, "import tiny, runfolio, yaml, click; print(tiny.version)") == "1.0"
    assert made.variables({"PATH": "/bin"})["CONDA_PREFIX"] == str(made.folder)
    assert not make_environment(Wanted(conda=text), "conda").made
    [call] = [json.loads(line) for line in conda.read_text().splitlines()]
    assert call[call.index("--prefix") + 1] == str(made.folder)


def test_conda_makes_an_environment_of_lines(offline: Path, conda: Path) -> None:
    made = make_environment(Wanted(("tiny==1.0",), python="3.11"), "conda")
    assert in_it(made.python, "import tiny; print(tiny.version)") == "1.0"


def test_what_conda_says_is_shown(offline: Path, conda: Path) -> None:
    with pytest.raises(EnvironmentFailedError, match="nosuch=1"):
        make_environment(Wanted(conda="dependencies:\n  - nosuch=1\n"), "conda")


def test_no_conda_is_a_clear_error(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingPackageError, match="none of conda, mamba and micromamba is on PATH"):
        make_environment(Wanted(("tiny==1.0",)), "conda")
