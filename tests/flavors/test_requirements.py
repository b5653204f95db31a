"""What a model needs, as it stands beside it."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

import runfolio
from runfolio.cli.main import main
from runfolio.errors import NotFoundError, StateError, UsageError
from runfolio.flavors import requirements
from runfolio.flavors.requirements import distributions_of, installed, pinned, write_environment


def written(folder: Path) -> tuple[list[str], list[str]]:
    conda = yaml.safe_load((folder / "conda.yaml").read_text())
    return (folder / "requirements.txt").read_text().splitlines(), conda["dependencies"][-1]["pip"]


def test_files_of_requirements_and_constraints_are_followed(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("click\n# a comment\n-c " + str(tmp_path / "bounds.txt") + "\n")
    (tmp_path / "bounds.txt").write_text("click<9\n")
    write_environment(tmp_path, ["numpy==1"], [f"-r {tmp_path / 'more.txt'}", "rich"], ["tqdm"])
    wanted = ["click", "rich", "tqdm", "-c constraints.txt"]
    assert written(tmp_path) == (wanted, wanted)
    assert (tmp_path / "constraints.txt").read_text() == "click<9"


def test_own_requirements_stand_where_nothing_is_given(tmp_path: Path) -> None:
    write_environment(tmp_path, ["numpy==1"], None, ["numpy==1", "rich"])
    assert written(tmp_path)[0] == ["numpy==1", "rich"]
    assert not (tmp_path / "constraints.txt").exists()
    env = yaml.safe_load((tmp_path / "python_env.yaml").read_text())
    assert set(env) == {"python", "build_dependencies", "dependencies"}


def test_conda_s_environment_is_the_whole(tmp_path: Path) -> None:
    write_environment(tmp_path, ["numpy==1"], conda_env={"dependencies": ["python=3.11", {"pip": ["rich"]}]})
    assert written(tmp_path) == (["rich"], ["rich"])
    with pytest.raises(UsageError, match="takes the place"):
        write_environment(tmp_path, [], ["rich"], conda_env={"dependencies": []})


def test_version_of_runfolio_is_not_taken_for_one_of_mlflow(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    asked = f"mlflow=={runfolio.__version__}"  # what f"mlflow=={mlflow.__version__}" makes after the import is changed
    write_environment(tmp_path, [], [asked, "rich", "mlflow==2.22.0"])
    assert written(tmp_path) == (["rich", "mlflow==2.22.0"], ["rich", "mlflow==2.22.0"])
    given: dict[str, Any] = {"channels": ["conda-forge"], "dependencies": ["python=3.11", {"pip": [asked, "rich"]}]}
    write_environment(tmp_path, [], conda_env=given)
    assert written(tmp_path) == (["rich"], ["rich"]) and given["dependencies"][-1] == {"pip": [asked, "rich"]}
    assert caplog.text.count(f"{asked} is left out: the version is runfolio's") == 2


def test_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"\['rich'\]"):
        write_environment(tmp_path, [], "rich")


def test_distributions_are_found_by_the_modules_that_they_bring() -> None:
    assert distributions_of(["yaml.nodes", "os.path", "__main__", "nosuchmodule", "git"]) == ["GitPython", "PyYAML"]
    [line] = pinned(["pyyaml"])
    assert line == f"pyyaml=={installed('pyyaml')[1]}"  # type: ignore[index]
    assert line == f"pyyaml=={yaml.__version__}"


def test_module_of_whatever_distribution_is_found_as_the_standard_library_finds_it() -> None:
    brought = {name: brings[0] for name, brings in metadata.packages_distributions().items() if name.isidentifier()}
    found = {
        name: next(each.metadata["Name"] for each in metadata.distributions() if requirements._brings(each, name))
        for name in brought
    }
    assert found == brought


@pytest.mark.parametrize(
    ("record", "module", "brings"),
    [
        ("many/__init__.py,sha256=x,1\n", "many", True),
        ("many/inner/one.py,,\n", "many", True),
        ("alone.py,sha256=x,1\n", "alone", True),
        ("other.py,,\nquick.cpython-311-x86_64-linux-gnu.so,,\n", "quick", True),
        ("many/__init__.py,,\nmany.libs/libquick.so,,\n", "quick", False),
        ("quick.libs/libquick.so,,\n", "quick", False),
        ("many/data.csv,,\n", "many", False),
        ("manyfold/__init__.py,,\n", "many", False),
    ],
)
def test_module_is_looked_for_among_the_files_of_a_distribution(tmp_path: Path, record: str, module: str, brings: bool) -> None:
    (tmp_path / "given-1.dist-info").mkdir()
    (tmp_path / "given-1.dist-info" / "RECORD").write_text(record)
    [found] = metadata.distributions(path=[str(tmp_path)])
    assert requirements._brings(found, module) is brings


def test_distributions_are_not_read_through_for_a_module_of_the_user_s_own() -> None:
    """Each had its metadata parsed, which took 0.2 to 1 s in the first training of a process with a model class of one's own."""
    script = (
        "import sys\nfrom runfolio.flavors.requirements import distributions_of\nopened = []\n"
        "sys.addaudithook(lambda event, given: event == 'open' and opened.append(str(given[0])))\n"
        "print(distributions_of(['nosuchmodule.nets']), sum(each.endswith('METADATA') for each in opened))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[] 0\n"


def test_requirements_are_changed_in_a_folder_and_in_the_active_run(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folio_dir)
    change = runfolio.models.update_model_requirements
    with runfolio.start_run():
        info = runfolio.pyfunc.log_model("m", python_model=len, pip_requirements=["numpy==1.26.4", "Scikit_Learn>=1", "rich"])
        change(info.model_uri, "add", ["scikit-learn==1.5.0", "tqdm"])
        folder = Path(runfolio.artifacts.download_artifacts(info.model_uri))
    wanted = ["numpy==1.26.4", "rich", "scikit-learn==1.5.0", "tqdm"]
    assert written(folder) == (wanted, wanted)
    change(folder, "remove", ["NumPy", "tqdm>=4", "absent"])
    assert written(folder) == (["rich", "scikit-learn==1.5.0"],) * 2
    assert main(["models", "update-pip-requirements", "-m", str(folder), "add", "rich==13.9.4"]) == 0
    assert written(folder) == (["scikit-learn==1.5.0", "rich==13.9.4"],) * 2
    with pytest.raises(StateError, match="the run has ended"):
        change(info.model_uri, "add", ["tqdm"])
    runfolio.register_model(info.model_uri, "m")
    with pytest.raises(UsageError, match="what its digest says"):
        change("models:/m/1", "add", ["tqdm"])
    for operation, given in (("put", ["tqdm"]), ("add", "tqdm"), ("add", [">=3"])):
        with pytest.raises(UsageError, match="is expected, found"):
            change(folder, operation, given)
