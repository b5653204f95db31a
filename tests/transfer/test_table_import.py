"""Tables of other tools, taken into a folio by a mapping: each row once, what cannot be taken named with its line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import os
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pandas
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runfolio.errors import UsageError
from runfolio.folio.lock import locked
from runfolio.transfer.table import decode_mapping, open_table, propose
from tests.transfer.apart import findings, points_of, runs_of, take

SCHEMA = jsonschema.Draft202012Validator(
    json.loads(files("runfolio.transfer.table").joinpath("mapping.schema.json").read_text("utf-8"))
)
GERMAN = """\
# Semicolons and commas, as a spreadsheet in Germany writes them.
encoding: latin-1
delimiter: ";"
decimal: ","
thousands: "."
missing: ["", "k.A."]
columns: {id: Nr, name: Versuch, start: Beginn, duration: Dauer, status: Ergebnis, parent: zu, note: Bemerkung}
constants: {experiment: Alte Versuche, user: ada}
params: [Lernrate, "Netz*"]
metrics: ["Güte (%)", Zeilen]
tags: [Rechner]
ignore: [leer]
rename: {"Güte (%)": accuracy, Zeilen: rows}
statuses: {gut: FINISHED, schlecht: FAILED}
time: {zone: "+01:00", format: "%d.%m.%Y %H:%M"}
"""
ROWS = """\
Nr;Versuch;Beginn;Dauer;Ergebnis;zu;Bemerkung;Lernrate;Netztyp;Güte (%);Zeilen;Rechner;leer;neu
1;Größe 1;31.01.2024 12:00;1,5;gut;;"zwei
Zeilen";0,1;mlp;97,5;1.000;h1;;
2;;31.01.2024 12:30;00:01:30;schlecht;1;;0,2;k.A.;k.A.;2.500;h1;;
3;;31.02.2024 12:30;1;gut;;;0,2;;1;1;;;
4;;31.01.2024 12:30;1;unklar;;;0,2;;1;1;;;
5;;31.01.2024 12:30;1;gut;9;;0,2;;viel;1;;;
1;;31.01.2024 12:30;1;gut;;;0,2;;1;1;;;
;;31.01.2024 12:30;1;gut;;;0,2;;1;1;;;
6;zu kurz
"""


@pytest.fixture
def german(tmp_path: Path) -> tuple[str, str, str]:
    """Return a table as arguments."""
    (tmp_path / "t.csv").write_bytes(ROWS.encode("latin-1"))
    (tmp_path / "m.yaml").write_text(GERMAN)
    return str(tmp_path / "t.csv"), "--mapping", str(tmp_path / "m.yaml")


def test_rows_are_runs_by_a_mapping_and_a_second_time_adds_nothing(german: tuple[str, ...], folio_dir: Path) -> None:
    dry = take(folio_dir, "table", *german, "--dry-run", code=1)
    did = take(folio_dir, "table", *german, code=1)
    assert dry["counts"]["runs"] == did["counts"]["runs"] == did["verified"] == 3
    found = runs_of(folio_dir)
    assert set(found) == {"1", "2", "5"}
    first, second = found["1"], found["2"]
    assert first.info.run_name == "Größe 1" and first.data.tags["mlflow.user"] == "ada"
    assert first.data.params == {"Lernrate": "0,1", "Netztyp": "mlp"} and second.data.params == {"Lernrate": "0,2"}
    assert first.data.metrics == {"accuracy": 97.5, "rows": 1000.0} and second.data.metrics == {"rows": 2500.0}
    assert (first.info.start_time, first.info.end_time - first.info.start_time) == (1_706_698_800_000, 1500)
    assert second.info.end_time - second.info.start_time == 90_000 and second.info.status == "FAILED"
    assert second.data.tags["mlflow.parentRunId"] == first.info.run_id and first.data.tags["Rechner"] == "h1"
    assert first.data.tags["mlflow.note.content"] == "zwei\nZeilen"
    said = findings(did)
    for expected in (
        "line 5: it was not taken: column Beginn: ", "line 6: it was not taken: column Ergebnis: the status 'unklar' is not known",
        "line 7: its parent 9 is in no row", "line 7: column Güte (%) was not taken: 'viel' is no number",
        "line 8: it was not taken: line 2 has the same id", "line 9: it was not taken: it has no id (column Nr)",
        "line 10: it was not taken: it has 2 cells, the header 14", "column neu: it was not taken: the mapping does not say what it is",
    ):  # fmt: skip
        assert expected in said, said
    assert len(did["findings"]) == 8
    again = take(folio_dir, "table", *german, code=1)
    assert again["counts"] == {} and again["there"]["runs"] == 3 and "otherwise" not in findings(again)


def test_rows_are_points_of_long_tables_also_compressed_and_mixed(folio_dir: Path, tmp_path: Path) -> None:
    rows = [
        {"run": f"r{run}", "metric": key, "value": run + step / 10, "step": step, "timestamp": 1_700_000_000 + step, "config": {"lr": run}}
        for step in range(700) for run in range(3) for key in ("loss", "acc@5")
    ]  # fmt: skip
    pandas.DataFrame(rows).to_json(tmp_path / "long.jsonl.gz", orient="records", lines=True)
    did = take(folio_dir, "table", str(tmp_path / "long.jsonl.gz"), code=1)
    assert did["counts"] == {"artifacts": 0, "experiments": 1, "points": 4200, "runs": 3}
    assert [item["where"] for item in did["findings"]] == ["metric acc@5"]
    run = runs_of(folio_dir)["r2"]
    assert points_of(folio_dir, run, "loss") == [(step, 2 + step / 10) for step in range(700)]
    assert run.data.params == {"lr": "2"} and (run.info.start_time, run.info.end_time) == (1_700_000_000_000, 1_700_000_699_000)
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes((tmp_path / "long.jsonl.gz").read_bytes()[:-2000])
    did = take(folio_dir, "table", str(broken), code=1)
    assert "the file cannot be read on" in findings(did) and did["counts"]["runs"] == 3 and 0 < did["counts"]["points"] < 4200


def test_the_table_of_optuna_is_understood_by_its_columns(folio_dir: Path, tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(lambda trial: (trial.suggest_float("x", 0, 1) - 0.5) ** 2, n_trials=4)
    frame = study.trials_dataframe().rename(columns={"number": "trial_id"})
    frame.to_csv(tmp_path / "study.csv", index=False)
    did = take(folio_dir, "table", str(tmp_path / "study.csv"))
    assert did["counts"]["runs"] == 4
    found = runs_of(folio_dir)
    for trial in study.trials:
        run = found[str(trial.number)]
        assert run.data.params == {"x": str(trial.params["x"])} and run.data.metrics == {"value": trial.value}
        assert run.info.status == "FINISHED" and run.info.end_time >= run.info.start_time > 0


def test_a_log_of_one_run_is_proposed_and_taken(folio_dir: Path, tmp_path: Path) -> None:
    place = tmp_path / "metrics.csv"
    place.write_text("epoch,step,train_loss,val_loss,lr-Adam\n0,9,0.5,,0.1\n0,10,,0.6,\n1,19,0.4,,0.1\n")
    assert "lr-Adam" in take(folio_dir, "table", str(place), code=2)["error"]
    made = subprocess.run(
        [sys.executable, "-m", "runfolio", "import", "table", str(place), "--propose"],
        cwd=folio_dir, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    SCHEMA.validate(yaml.safe_load(made))
    (tmp_path / "mapping.yaml").write_text(made)
    take(folio_dir, "table", str(place), "--mapping", str(tmp_path / "mapping.yaml"))
    [run] = runs_of(folio_dir).values()
    assert points_of(folio_dir, run, "train_loss") == [(9, 0.5), (19, 0.4)] and points_of(folio_dir, run, "val_loss") == [
        (10, 0.6)
    ]


def test_an_import_that_is_killed_takes_each_row_once(folio_dir: Path, tmp_path: Path) -> None:
    place = tmp_path / "runs.csv"
    place.write_text("run_id,params.at,metrics.m\n" + "".join(f"r{at},{at},{at}\n" for at in range(300)))
    journals = folio_dir / ".git" / "runfolio" / "journal"
    command = [sys.executable, "-m", "runfolio", "import", "table", str(place)]
    process = subprocess.Popen(command, cwd=folio_dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and (len(list(journals.glob("*"))) if journals.exists() else 0) < 5:
        time.sleep(0.002)
    assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait(60)
    assert take(folio_dir, "table", str(place))["findings"] == []
    found = runs_of(folio_dir)
    assert set(found) == {f"r{at}" for at in range(300)} and all(
        run.data.metrics == {"m": float(run.data.params["at"])} for run in found.values()
    )


GOOD = [
    GERMAN, "metrics: [a]\n", "rows: points\ncolumns: {id: r, metric: k, value: v, step: s, time: t}\n",
    "columns: {id: r}\nkeep_ids: true\ntime: {unit: ms, zone: UTC}\n", "params: ['*']\nidentity: [a, b]\nformat: jsonl\ndelimiter: null\n",
]  # fmt: skip
BAD = [
    ("metrcs: [a]\n", "line 1: metrcs: no such setting; did you mean 'metrics'?"),
    ("params: [a]\ncolumns:\n  star: b\n", "line 3: columns.star: no such setting; did you mean 'start'?"),
    ("metrics: a\n", "line 1: metrics: a list is expected"),
    ("params: [a]\nrows: lines\n", "line 2: rows: one of runs, points is expected"),
    ("params: [a]\nencoding: klingon\n", "line 2: encoding: an encoding such as utf-8"),
    ("params: [a]\nstatuses: {x: GOOD}\n", "line 2: statuses: x: one of FINISHED"),
    ("params: [a]\ntime: {zone: Berlin}\n", "line 2: time.zone: an offset from UTC"),
    ("params: [a]\ndelimiter: ab\n", "line 2: delimiter: one character is expected"),
    ("params: [a\n", "line 2, column 1"),
    ("params: [a]\nparams: [b]\n", "params"),
]
CONTRADICTORY = [
    ("columns: {metric: k}\nrows: points\n", "metric and value belong together"),
    ("columns: {metric: k, value: v}\n", "write rows: points"),
    ("rows: points\nparams: [a]\n", "points need metrics"),
    ("columns: {id: a, name: a}\n", "the column 'a' is named twice"),
    ("columns: {name: a}\nconstants: {name: b}\n", "the column 'a' says it already"),
    ("params: [a]\nkeep_ids: true\n", "there are no ids to keep"),
    ("format: csv\n", "it says of no column what it is"),
]


@pytest.mark.parametrize("text", GOOD)
def test_a_good_mapping_is_one_by_the_schema_too(text: str) -> None:
    decode_mapping(text.encode(), "m.yaml")
    SCHEMA.validate(yaml.safe_load(text))


@pytest.mark.parametrize(("text", "said"), BAD + CONTRADICTORY)
def test_a_wrong_mapping_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        decode_mapping(text.encode(), "m.yaml")
    assert "m.yaml" in caught.value.message and said in caught.value.message
    if (text, said) in BAD[:8]:
        assert not SCHEMA.is_valid(yaml.safe_load(text)) or "klingon" in text


@pytest.mark.parametrize(
    ("data", "mapping", "said"),
    [
        (b"a,b,a\n1,2,3\n", "params: [a]", "two columns are called 'a'"),
        (b"\n1,2\n", "params: [a]", "its first line is empty"),
        (b"a,b\n1,2\n", "columns: {id: c}\nparams: [a]", "names columns that it has not: c. It has a, b"),
        ("größe,b\n1,2\n".encode("latin-1"), "params: [b]", "Name the encoding"),
    ],
)
def test_a_table_that_cannot_be_is_said_in_words(tmp_path: Path, data: bytes, mapping: str, said: str) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(UsageError, match=said.replace(".", r"\.")):
        open_table(tmp_path / "t.csv", decode_mapping(mapping.encode(), "m.yaml"))


def test_rows_that_are_broken_are_named_and_the_others_taken(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes('a,b\n1,x\n2,\xff\n3,"y"z\n4,q\n'.encode("latin-1"))
    source = open_table(tmp_path / "t.csv", decode_mapping(b"metrics: [a]\nparams: [b]\n", "m.yaml"))
    [experiment] = source.experiments()
    assert [run.metrics["a"] for run in source.runs([experiment.experiment_id], None)] == [1.0, 4.0]
    assert [where for where, _ in source.unread(set(), whole=True)] == ["t.csv: line 3", "t.csv: line 4"]
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n[2]\n{"a": tru\n{"a": "\\ud800"}\n\n{"a": 5}\n')
    source = open_table(tmp_path / "t.jsonl", decode_mapping(b"metrics: [a]\n", "m.yaml"))
    [experiment] = source.experiments()
    assert [run.metrics["a"] for run in source.runs([experiment.experiment_id], None)] == [1.0, 5.0]
    assert [where for where, _ in source.unread(set(), whole=True)] == [f"t.jsonl: line {at}" for at in (2, 3, 4)]


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20).filter(str.strip)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(TEXT, st.floats(), st.integers(-(2**40), 2**40)), min_size=1, max_size=8, unique_by=lambda row: row[0].strip()),
    st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8", "utf-16"]),
)  # fmt: skip
def test_what_is_written_as_csv_or_json_is_read_back(tmp_path: Path, rows: list[Any], delimiter: str, encoding: str) -> None:
    mapping = {
        "encoding": encoding,
        "delimiter": delimiter,
        "columns": {"id": "i", "step": "s"},
        "metrics": ["m"],
        "params": ["p"],
    }
    made = io.StringIO()
    writer = csv.writer(made, delimiter=delimiter)
    writer.writerows(
        [("i", "m", "s", "p"), *((f"r{at}", repr(value), step, text) for at, (text, value, step) in enumerate(rows))]
    )
    lines = "".join(
        json.dumps({"i": f"r{at}", "m": value, "s": step, "p": text}, ensure_ascii=False) + "\n"
        for at, (text, value, step) in enumerate(rows)
    )
    for name, data in (("t.csv", made.getvalue()), ("t.jsonl", lines)):
        (tmp_path / name).write_bytes(gzip.compress(data.encode(encoding)) if len(rows) % 2 else data.encode(encoding))
        source = open_table(tmp_path / name, decode_mapping(yaml.safe_dump(mapping).encode(), "m.yaml"))
        [experiment] = source.experiments()
        found = []
        for run in source.runs([experiment.experiment_id], None):
            [point] = source.history(run.run_id, "m")
            found.append((run.params["p"], point.value, point.step))
        assert [repr(row) for row in found] == [repr(row) for row in rows] and list(source.unread(set(), whole=True)) == []


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("run_id,metrics.acc,params.lr", "a,1,2", {"metrics": ["metrics.acc"], "params": ["params.lr"], "rows": "runs"}),
        ("lr;val_acc", "0,1;0,9", {"metrics": ["val_acc"], "params": ["lr"], "decimal": ","}),
        ("Run,Step,Metric,Value", "a,1,loss,2", {"rows": "points", "columns": {"id": "Run", "metric": "Metric", "value": "Value", "step": "Step"}}),
    ],
)  # fmt: skip
def test_a_mapping_is_proposed_by_names_and_values(tmp_path: Path, header: str, row: str, expected: dict[str, Any]) -> None:
    (tmp_path / "t.csv").write_text(f"{header}\n{row}\n")
    made = propose(tmp_path / "t.csv")
    assert {key: made.document.get(key) for key in expected} == expected
    assert math.isfinite(len(made.text(tmp_path / "t.csv"))) and SCHEMA.is_valid(made.document)


def test_the_mapping_of_the_how_to_is_one() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "import-others.md").read_text("utf-8")
    text = page.split("```yaml\n")[1].split("```")[0]
    assert decode_mapping(text.encode(), "mapping.yaml").role("Netztyp") == "params" and SCHEMA.is_valid(yaml.safe_load(text))


def test_two_imports_at_once_do_not_take_each_others_files_away(folio_dir: Path, tmp_path: Path) -> None:
    table = tmp_path / "results.csv"
    table.write_text("run_id,metrics.acc\n" + "".join(f"r{number},0.{number}\n" for number in range(1, 4)))
    place = folio_dir / ".git" / "runfolio" / "importing"
    with locked(place, 0):
        command = [sys.executable, "-W", "ignore", "-m", "runfolio", "import", "table", str(table)]
        refused = subprocess.run(command, cwd=folio_dir, capture_output=True, text=True, check=False)
        assert refused.returncode == 18 and "Another import into this folio goes on" in refused.stderr, refused.stderr
    done = subprocess.run(command, cwd=folio_dir, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert len(runs_of(folio_dir)) == 3


def test_a_mapping_that_is_not_there_is_said_with_how_to_make_one(folio_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("lr,acc\n1,2\n")
    said = take(folio_dir, "table", str(tmp_path / "t.csv"), "--mapping", str(tmp_path / "no.yaml"), code=11)["error"]
    assert f"{tmp_path}/no.yaml: there is no such file" in said and "--propose" in said
