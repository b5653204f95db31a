"""The files for Airflow and Prefect: they do what they say with the decorators' and operators' own meaning, and in the real things.

The real ones are too heavy for the test environment. Give their interpreters, and the last two tests run them::

    python -m venv /tmp/airflow && /tmp/airflow/bin/pip install apache-airflow apache-airflow-providers-standard
    python -m venv /tmp/prefect && /tmp/prefect/bin/pip install prefect
    RUNFOLIO_AIRFLOW=/tmp/airflow/bin/python RUNFOLIO_PREFECT=/tmp/prefect/bin/python pytest tests/pipelines/test_orchestrators.py
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipelines.conftest import PIPELINE, Command, write

# Read before a test hides the variables of this machine.
REAL_AIRFLOW, REAL_PREFECT = os.environ.get("RUNFOLIO_AIRFLOW"), os.environ.get("RUNFOLIO_PREFECT")
PROGRAM = f"#!{sys.executable}\nimport sys\nfrom runfolio.cli.main import main\nsys.exit(main())\n"

AIRFLOW = {
    "airflow/__init__.py": """
class DAG:
    here = None
    def __init__(self, **said):
        self.said, self.tasks = said, {}
    def __enter__(self):
        DAG.here = self
        return self
    def __exit__(self, *error):
        DAG.here = None
""",
    "airflow/operators/__init__.py": "",
    "airflow/operators/python.py": """
from airflow import DAG

class PythonOperator:
    def __init__(self, *, task_id, python_callable, op_args):
        assert task_id not in DAG.here.tasks
        self.task_id, self.call, self.args, self.upstream = task_id, python_callable, op_args, set()
        DAG.here.tasks[task_id] = self
    def __rshift__(self, other):
        other.upstream.add(self.task_id)
        return other
    def __rrshift__(self, others):
        self.upstream.update(each.task_id for each in others)
        return self
""",
}
RUN_DAG = """
import json, sys
import dag as module
dag, done = module.dag, []
while len(done) < len(dag.tasks):
    task = next(each for name, each in dag.tasks.items() if name not in done and each.upstream <= set(done))
    task.call(*task.args, params={**dag.said["params"], **json.loads(sys.argv[1])}, ds="2026-01-01")
    done.append(task.task_id)
print(json.dumps([done, dag.said["schedule"], dag.said["dag_id"], dag.said["max_active_tasks"]]))
"""
PREFECT = {
    "prefect.py": """
def task(**said):
    return lambda function: function

def flow(**said):
    return lambda function: function
""",
}


@pytest.fixture
def host(words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder elsewhere, where the orchestrator runs; runfolio is on its path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "runfolio").write_text(PROGRAM)
    (programs / "runfolio").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RUNFOLIO_PROJECT", str(words))
    folder = tmp_path / "orchestrator"
    folder.mkdir()
    return folder


def put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def run_python(folder: Path, *args: str, python: str = sys.executable, **env: str) -> str:
    # Without this environment's own variables a virtual environment apart finds what is its own.
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([python, *args], cwd=folder, env={**kept, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_dag_runs_each_step_as_a_task_after_those_that_it_needs(words: Path, run_cli: Command, host: Path) -> None:
    done = run_cli("pipeline", "template", "airflow", "-o", str(host / "dag.py"), "--schedule", "0 3 * * *")
    assert done.code == 0, done.err
    put(host, {**AIRFLOW, "run.py": RUN_DAG})
    said = json.loads(run_python(host, "run.py", '{"times": "5"}').splitlines()[-1])
    assert said == [["words", "count", "report"], "0 3 * * *", "words", 1]
    assert (words / "report/all.txt").read_text() == "a\nb\n10\n"
    assert (words / "ran.log").read_text().split() == ["words", "count", "report"]


def test_a_flow_runs_each_step_as_a_task(words: Path, run_cli: Command, host: Path) -> None:
    assert run_cli("pipeline", "template", "prefect", "-o", str(host / "flow.py")).code == 0
    put(host, PREFECT)
    run_python(host, "flow.py")
    assert (words / "ran.log").read_text().split() == ["words", "count", "report"]
    run_python(host, "-c", "import flow; flow.pipeline({'times': '5'})")
    assert (words / "report/all.txt").read_text() == "a\nb\n10\n"
    assert (words / "ran.log").read_text().split() == ["words", "count", "report", "count", "report"]


def test_a_step_that_fails_fails_its_task(words: Path, run_cli: Command, host: Path) -> None:
    run_cli("pipeline", "template", "prefect", "-o", str(host / "flow.py"))
    put(host, PREFECT)
    (words / "count.sh").write_text("exit 3\n")
    done = subprocess.run([sys.executable, "flow.py"], cwd=host, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "CalledProcessError" in done.stderr
    assert "report" not in (words / "ran.log").read_text()


@pytest.mark.parametrize("orchestrator", ["airflow", "prefect"])
def test_names_and_values_of_the_pipeline_are_texts_of_the_file(folio_dir: Path, run_cli: Command, orchestrator: str) -> None:
    hostile = '"""); import os; os.system("touch hacked") #'
    pipeline = PIPELINE.replace("times: 2", f"times: {json.dumps(hostile)}").replace(
        "name: words\n", f"description: {json.dumps(hostile)}\n", 1
    )
    write(folio_dir, pipeline)
    done = run_cli("pipeline", "template", orchestrator)
    tree = ast.parse(done.out)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"os", "subprocess"}
    assert not any(isinstance(node, ast.Attribute) and node.attr == "system" for node in ast.walk(tree))
    assert any(isinstance(node, ast.Constant) and node.value == hostile for node in ast.walk(tree))


def test_the_folder_of_the_file_is_made(words: Path, run_cli: Command) -> None:
    assert run_cli("pipeline", "template", "airflow", "-o", "dags/of/words.py").code == 0
    assert "DAG" in (words / "dags/of/words.py").read_text("utf-8")


def test_a_wrong_schedule_is_refused(words: Path, run_cli: Command) -> None:
    done = run_cli("pipeline", "template", "airflow", "--schedule", "daily")
    assert done.code == 2
    assert "cron's five fields" in done.err


@pytest.mark.slow
def test_the_real_airflow_loads_the_dag_and_its_task_runs_the_step(words: Path, run_cli: Command, host: Path) -> None:
    python = REAL_AIRFLOW or pytest.skip("NOT TESTED: RUNFOLIO_AIRFLOW names no interpreter with Airflow")
    (host / "dags").mkdir()
    run_cli("pipeline", "template", "airflow", "-o", str(host / "dags" / "words.py"))
    program = (
        "import json, sys\nfrom airflow.models import DagBag\nbag = DagBag(sys.argv[1])\n"
        "assert not bag.import_errors, bag.import_errors\ndag = bag.dags['words']\n"
        "task = dag.get_task('words')\ntask.python_callable(*task.op_args, params={})\n"
        "print(json.dumps({task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks}))\n"
    )
    out = run_python(
        host, "-c", program, str(host / "dags"), python=python, AIRFLOW_HOME=str(host), AIRFLOW__CORE__LOAD_EXAMPLES="False"
    )  # fmt: skip
    assert json.loads(out.splitlines()[-1]) == {"words": [], "count": ["words"], "report": ["count", "words"]}
    assert (words / "ran.log").read_text().split() == ["words"]


@pytest.mark.slow
def test_the_real_prefect_runs_the_flow(words: Path, run_cli: Command, host: Path) -> None:
    python = REAL_PREFECT or pytest.skip("NOT TESTED: RUNFOLIO_PREFECT names no interpreter with Prefect")
    run_cli("pipeline", "template", "prefect", "-o", str(host / "flow.py"))
    run_python(
        host, "flow.py", python=python, PREFECT_HOME=str(host / "home"), PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="300"
    )  # fmt: skip
    assert (words / "ran.log").read_text().split() == ["words", "count", "report"]
