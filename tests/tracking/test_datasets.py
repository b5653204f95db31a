"""Datasets have MLflow's shape, a digest that depends on content alone, and no secret in their source."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio import records
from runfolio.errors import MissingPackageError, NotFoundError, StorageError, UsageError
from runfolio.records.redaction import Redactor
from runfolio.tracking import datasets, entities
from runfolio.tracking.datasets import (
    digests,
    from_file,
    from_numpy,
    from_pandas,
    from_polars,
    get_source,
    stored_input,
    to_input,
)

pandas = pytest.importorskip("pandas")
numpy = pytest.importorskip("numpy")


def table(**changed: Any) -> Any:
    """Make a table with a column of each common kind."""
    columns: dict[str, Any] = {
        "long": numpy.array([1, 2, 3], "int64"),
        "double": [0.5, numpy.nan, -0.0],
        "bool": [True, False, True],
        "text": ["a", "", "é"],
        "gap": ["a", None, "c"],
        "time": numpy.array(["2026-01-02T00:00", "2026-01-03T04:05", "NaT"], "datetime64[s]"),
    }
    columns.update(changed)
    return pandas.DataFrame(columns)


def digest(frame: Any) -> str:
    return from_pandas(frame).digest


GOLDEN = {
    "table": "c72b5d05b1a4050c85afb2ad153a0b3b",
    "arrays": "1782480a4fa846365970590b77eda791",
    "folder": "40dc6cc72b5ccbdafb3398f3ae11d18c",
}


def test_digests_are_those_of_earlier_versions(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.txt").write_bytes(b"1")
    (tmp_path / "a.txt").write_bytes(b"2")
    assert digest(table()) == GOLDEN["table"]
    assert (
        from_numpy({"x": numpy.arange(6, dtype="int64").reshape(2, 3)}, targets=numpy.array([0.5, 1])).digest == GOLDEN["arrays"]
    )
    assert from_file(tmp_path).digest == GOLDEN["folder"]


def test_digest_is_32_hex_digits() -> None:
    assert len(digest(table())) == 32 and int(digest(table()), 16)


@pytest.mark.parametrize("seed", ["0", "1"])
def test_digest_is_the_same_in_another_process(seed: str) -> None:
    program = "from tests.tracking.test_datasets import digest, table; print(digest(table(odd=[{'b', 'a'}, {'k': 1}, object()])))"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == digest(table(odd=[{"a", "b"}, {"k": 1}, object()]))


SAME = {
    "a copy": table().copy(),
    "nullable numbers": table(long=pandas.array([1, 2, 3], "Int64"), bool=pandas.array([True, False, True], "boolean")),
    "nullable floats": table(double=pandas.array([0.5, None, -0.0], "Float64")),
    "text as objects": table(text=pandas.Series(["a", "", "é"], dtype=object), gap=pandas.Series(["a", None, "c"], dtype=object)),
    "text as string": table(text=pandas.array(["a", "", "é"], "string"), gap=pandas.array(["a", None, "c"], "string")),
    "another unit of time": table(time=table()["time"].astype("datetime64[s]")),
    "nanoseconds": table(time=table()["time"].astype("datetime64[ns]")),
    "big-endian numbers": table(long=numpy.array([1, 2, 3], ">i8")),
    "column-major memory": pandas.DataFrame({name: table()[name] for name in table().columns}),
    "a strided view": pandas.concat([table()] * 2).sort_index(kind="stable").iloc[::2].reset_index(drop=True),
    "another kind of NaN": table(double=numpy.array([0.5, -numpy.nan, -0.0])),
    "a written-out default index": table().set_index(pandas.Index([0, 1, 2])),
    "sparse": table(long=pandas.arrays.SparseArray(numpy.array([1, 2, 3], "int64"))),
}


@pytest.mark.parametrize("name", SAME)
def test_equal_content_has_an_equal_digest(name: str) -> None:
    assert digest(SAME[name]) == digest(table())


DIFFERENT = {
    "another number": table(long=[1, 2, 4]),
    "another type": table(long=numpy.array([1, 2, 3], "int32")),
    "a gap in integers": table(long=pandas.array([1, None, 3], "Int64")),
    "a zero instead of the gap": table(long=pandas.array([1, 0, 3], "Int64")),
    "another float": table(double=[0.5, numpy.nan, 1e-300]),
    "another text": table(text=["a", "", "e"]),
    "a moved border": table(text=["", "a", "é"]),
    "empty instead of missing": table(gap=["a", "", "c"]),
    "numbers as text": table(long=["1", "2", "3"]),
    "category instead of text": table(text=pandas.Categorical(["a", "", "é"])),
    "a time zone": table(time=table()["time"].dt.tz_localize("UTC")),
    "another time": table(time=table()["time"] + pandas.Timedelta(1, "s")),
    "another name": table().rename(columns={"long": "longer"}),
    "another order of columns": table()[["double", "long", "bool", "text", "gap", "time"]],
    "another order of rows": table().iloc[::-1].reset_index(drop=True),
    "a row less": table().iloc[:2],
    "a column less": table().drop(columns="gap"),
    "an index that says something": table().set_index(pandas.Index(["x", "y", "z"])),
    "a name that is a number": table().rename(columns={"long": 1}),
    "a name that is a number as text": table().rename(columns={"long": "1"}),
}


def test_different_content_has_different_digests() -> None:
    found = {name: digest(frame) for name, frame in {**DIFFERENT, "the table": table()}.items()}
    assert len(set(found.values())) == len(found), found


def test_times_beyond_nanoseconds_count() -> None:
    early, later = (table(time=numpy.array([year, "2026", "2026"], "datetime64[s]")) for year in ("1500", "1501"))
    assert digest(early) != digest(later)


@pytest.mark.parametrize("kind", ["int64[pyarrow]", "string[pyarrow]", "timestamp[us][pyarrow]", "list<item: int64>[pyarrow]"])
def test_arrow_columns_are_read(kind: str) -> None:
    arrow = pytest.importorskip("pyarrow")
    values = {"int": [1, None], "str": ["a", None], "tim": [pandas.Timestamp("2026"), None], "lis": [[1], None]}[kind[:3]]
    dtype = pandas.ArrowDtype(arrow.list_(arrow.int64())) if kind.startswith("list") else kind
    frame = pandas.DataFrame({"c": pandas.Series(values, dtype=dtype)})
    assert digest(frame) == digest(frame.copy()) != digest(frame.iloc[:1])


def test_arrow_numbers_and_text_equal_numpys() -> None:
    pytest.importorskip("pyarrow")
    arrow = table().astype({"long": "int64[pyarrow]", "bool": "bool[pyarrow]", "text": "string[pyarrow]"})
    assert digest(arrow) == digest(table())


def test_a_polars_table_equals_the_pandas_table() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(
        {
            "long": [1, 2, 3],
            "double": [0.5, None, -0.0],
            "bool": [True, False, True],
            "text": ["a", "", "é"],
            "gap": ["a", None, "c"],
        }
    )
    dataset = from_polars(frame, name="p", targets="long")
    assert dataset.digest == digest(table().drop(columns="time"))
    assert dataset.schema.to_dict() == from_pandas(table().drop(columns="time")).schema.to_dict()
    assert dataset.profile == {"num_rows": 3, "num_elements": 15}


def test_polars_columns_of_every_kind_are_read() -> None:
    polars = pytest.importorskip("polars")
    from datetime import date, datetime, time, timedelta
    from decimal import Decimal

    frame = polars.DataFrame(
        {
            "day": [date(2026, 1, 2), None],
            "at": [datetime(2026, 1, 2, 3), None],
            "span": [timedelta(1), None],
            "clock": [time(1, 2), None],
            "money": [Decimal("1.1"), None],
            "many": [[1, 2], None],
            "gap": [1, None],
            "flag": [True, None],
        }
    ).with_columns(
        polars.Series("kind", ["a", None], dtype=polars.Categorical), zoned=polars.col("at").dt.replace_time_zone("UTC")
    )
    found = {name: from_polars(frame.select(polars.col(name).alias("c"))) for name in frame.columns}
    assert len({dataset.digest for dataset in found.values()}) == len(found)
    assert all(not dataset.schema.inputs[0].required for dataset in found.values())
    assert found["at"].schema.inputs[0].type == "datetime"


def test_polars_missing_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingPackageError, match="pip install polars"):
        from_polars(None)


def test_a_large_table_is_sampled_and_the_profile_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "MAX_CELLS", 100)
    frame = pandas.DataFrame({"a": numpy.arange(1000), "b": 0.5})
    dataset = from_pandas(frame)
    assert dataset.profile == {"num_rows": 1000, "num_elements": 2000, "digest_rows": 50}
    assert digest(frame) == dataset.digest
    for row in (0, 999):
        changed = frame.copy()
        changed.loc[row, "a"] = -1
        assert digest(changed) != dataset.digest
    assert digest(frame.iloc[:999]) != dataset.digest


def test_large_arrays_are_sampled_and_the_profile_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "MAX_CELLS", 100)
    dataset = from_numpy(numpy.zeros((1000, 2)))
    assert dataset.profile["digest_rows"] == 50
    changed = numpy.zeros((1000, 2))
    changed[-1, 1] = 1
    assert from_numpy(changed).digest != dataset.digest


def test_every_cell_counts_up_to_the_bound() -> None:
    frame = pandas.DataFrame(numpy.zeros((20_000, 3)))
    changed = frame.copy()
    changed.iloc[12_345, 1] = 1
    assert digest(frame) != digest(changed)


_values = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.floats() | st.binary(max_size=2)


@given(st.lists(_values, min_size=1, max_size=4), st.lists(_values, min_size=1, max_size=4))
def test_objects_differ_exactly_when_their_values_do(one: list[Any], other: list[Any]) -> None:
    def key(values: list[Any]) -> list[Any]:
        return [None if digests.is_missing(value) else (type(value).__name__, repr(value)) for value in values]

    spelled = [digests.ContentHash(b"t").objects(values).hexdigest() for values in (one, other)]
    assert (spelled[0] == spelled[1]) == (key(one) == key(other))


def test_schema_is_mlflows_columns() -> None:
    frame = table(
        small=numpy.array([1, 2, 3], "int8"),
        single=numpy.array([1, 2, 3], "float32"),
        raw=[b"a", b"b", None],
        span=pandas.to_timedelta(["1s", "2s", "3s"]),
        kind=pandas.Categorical(["a", "b", "a"]),
        mixed=pandas.Series([1, "a", None], dtype=object),
        nullable=pandas.array([1, None, 3], "Int64"),
        big=numpy.array([1, 2, 3], "uint64"),
    )
    said = json.loads(from_pandas(frame).to_dict()["schema"] or "")["mlflow_colspec"]
    assert [(spec["name"], spec["type"], spec["required"]) for spec in said] == [
        ("long", "long", True),
        ("double", "double", False),
        ("bool", "boolean", True),
        ("text", "string", True),
        ("gap", "string", False),
        ("time", "datetime", False),
        ("small", "integer", True),
        ("single", "float", True),
        ("raw", "binary", False),
        ("span", "any", True),
        ("kind", "string", True),
        ("mixed", "any", False),
        ("nullable", "long", False),
        ("big", "any", True),
    ]


def test_schema_is_mlflows_tensors() -> None:
    dataset = from_numpy({"x": numpy.zeros((3, 2, 2), "float32"), "y": numpy.zeros(3)}, targets=numpy.zeros(3, "int64"))
    said = json.loads(dataset.to_dict()["schema"] or "")["mlflow_tensorspec"]
    assert json.loads(said["features"]) == [
        {"name": "x", "type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2, 2]}},
        {"name": "y", "type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}},
    ]
    assert json.loads(said["targets"]) == [{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]
    assert from_numpy(numpy.zeros(3)).schema.to_dict()["mlflow_tensorspec"]["targets"] is None
    assert dataset.schema.features.input_names() == ["x", "y"]


def test_pandas_dataset_has_mlflows_attributes() -> None:
    frame = table()
    dataset = from_pandas(frame, source="a.csv", targets="long", name="wine", predictions="double")
    assert dataset.df is frame and (dataset.targets, dataset.predictions, dataset.name) == ("long", "double", "wine")
    assert dataset.profile == {"num_rows": 3, "num_elements": 18}
    said = dataset.to_dict()
    assert set(said) == {"name", "digest", "source", "source_type", "schema", "profile"}
    assert (said["source"], said["source_type"]) == ('{"uri": "a.csv"}', "local")
    assert json.loads(dataset.to_json()) == said
    assert "wine" in repr(dataset)


def test_numpy_dataset_has_mlflows_attributes() -> None:
    features, targets = numpy.zeros((3, 2)), {"y": numpy.zeros(3, "int32")}
    dataset = from_numpy(features, targets=targets)
    assert dataset.features is features and dataset.targets is targets
    assert dataset.profile == {
        "features_shape": [3, 2],
        "features_size": 6,
        "features_nbytes": 48,
        "targets_shape": {"y": [3]},
        "targets_size": {"y": 3},
        "targets_nbytes": {"y": 12},
    }


@pytest.mark.parametrize("other", [numpy.array(["a", "b"]), numpy.array([1, "a", None], object), numpy.zeros((), "int8")])
def test_arrays_of_every_kind_have_a_digest(other: Any) -> None:
    assert from_numpy(other).digest == from_numpy(other.copy()).digest != from_numpy(numpy.zeros(2)).digest
    json.dumps(from_numpy(other).profile)


def test_features_and_targets_are_not_exchangeable() -> None:
    one, two = numpy.zeros(3), numpy.ones(3)
    found = [from_numpy(one), from_numpy(one, targets=two), from_numpy(two, targets=one), from_numpy({"a": one, "b": two})]
    assert len({dataset.digest for dataset in found}) == 4


def test_the_users_digest_and_name_win() -> None:
    dataset = from_pandas(table(), digest="v7", name="wine")
    assert (dataset.digest, dataset.name, from_pandas(table()).name) == ("v7", "wine", "dataset")


def test_a_column_that_is_not_there_is_refused_and_the_others_named() -> None:
    with pytest.raises(UsageError, match="targets column 'label'.*'long'"):
        from_pandas(table(), targets="label")
    with pytest.raises(UsageError, match="predictions column"):
        from_pandas(table(), predictions="label")


@pytest.mark.parametrize("make", [from_pandas, from_numpy])
@pytest.mark.parametrize("value", [None, [1, 2], "a.csv"])
def test_what_is_no_data_is_refused(make: Any, value: object) -> None:
    with pytest.raises(UsageError, match="from_"):
        make(value)


def test_a_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "wine.csv"
    path.write_bytes(b"a,b\n")
    dataset = from_file(path)
    other = tmp_path / "copy.csv"
    other.write_bytes(b"a,b\n")
    assert dataset.digest == from_file(str(other)).digest == (dataset.profile["sha256"])[:32]
    assert (dataset.name, dataset.profile["num_bytes"], dataset.path) == ("wine", 4, path)
    assert dataset.schema is None and dataset.to_dict()["schema"] is None
    other.write_bytes(b"a,c\n")
    assert from_file(other).digest != dataset.digest


def test_a_folder_is_known_by_its_paths_and_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    (folder / "cats").mkdir(parents=True)
    (folder / "cats" / "1.txt").write_text("a")
    (folder / "2.txt").write_text("bc")
    (folder / "loop").symlink_to(folder)
    before = from_file(folder)
    assert before.profile == {"num_files": 2, "num_bytes": 3} and before.name == "images"
    (folder / "2.txt").rename(folder / "3.txt")
    assert from_file(folder).digest != before.digest


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"none\.csv does not exist"):
        from_file(tmp_path / "none.csv")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this platform has no named pipes")
def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        from_file(tmp_path / "pipe")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wine.csv"
    path.write_bytes(b"")
    path.chmod(0)
    with pytest.raises(StorageError, match=r"wine\.csv"):
        from_file(path)


SOURCES = [
    (None, "code", {"tags": {}}),
    ("data/wine.csv", "local", {"uri": "data/wine.csv"}),
    (Path("data/wine.csv"), "local", {"uri": "data/wine.csv"}),
    ("C:\\data\\wine.csv", "local", {"uri": "C:\\data\\wine.csv"}),
    ("file:///data/my%20wine.csv", "local", {"uri": "/data/my wine.csv"}),
    ("https://example.org/w.csv", "http", {"url": "https://example.org/w.csv"}),
    ("https://example.org/w.csv?rows=10", "http", {"url": "https://example.org/w.csv?rows=10"}),
    ("https://ada:s3cret@example.org/w.csv#top", "http", {"url": "https://example.org/w.csv"}),
    ("https://example.org/w.csv?token=abc&rows=1", "http", {"url": "https://example.org/w.csv"}),
    ("https://b.example.org/w?X-Amz-Date=1&X-Amz-Signature=ff", "http", {"url": "https://b.example.org/w"}),
    ("https://a.example.org/w?sv=2024&sig=abc%3D", "http", {"url": "https://a.example.org/w"}),
    ("https://example.org/w?c2VjcmV0", "http", {"url": "https://example.org/w"}),
    ("s3://key:secret@bucket/w.parquet?versionId=3", "s3", {"uri": "s3://bucket/w.parquet?versionId=3"}),
    ("gs://bucket/w", "gs", {"uri": "gs://bucket/w"}),
    ("postgresql://ada:pw@db/wine", "postgresql", {"uri": "postgresql://db/wine"}),
]


@pytest.mark.parametrize(("source", "kind", "said"), SOURCES, ids=lambda value: str(value)[:40])
def test_source_has_mlflows_form_and_no_secret(source: Any, kind: str, said: dict[str, Any]) -> None:
    record = to_input(from_pandas(table(), source=source))
    assert record.source_type == kind and json.loads(record.source) == said


def test_the_home_folder_is_not_recorded_but_still_works_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "data" / "wine.csv"
    path.parent.mkdir()
    path.write_bytes(b"x")
    record = to_input(from_file(path))
    assert json.loads(record.source) == {"uri": "~/data/wine.csv"}
    assert get_source(from_file(path)).load() == str(path)
    assert get_source(record).load() == str(path)


def test_a_redactor_of_the_settings_is_used() -> None:
    redactor = Redactor(extra_patterns=["wine"])
    assert json.loads(to_input(from_pandas(table(), "data/wine.csv"), redactor=redactor).source) == {"uri": "data/***.csv"}


@pytest.mark.parametrize("source", [3, "", ["a"], b"a"])
def test_what_is_no_source_is_refused(source: object) -> None:
    with pytest.raises(UsageError, match="a path, a URL or a URI"):
        from_pandas(table(), source=source)


@pytest.mark.parametrize("source", ["https://example.org/w.csv", "s3://bucket/w", None])
def test_nothing_is_fetched(source: str | None) -> None:
    with pytest.raises(UsageError, match="does not fetch"):
        from_pandas(table(), source=source).source.load()


@pytest.mark.parametrize("source", ["a.csv", "https://example.org/w", "s3://b/w", None, datasets.CodeDatasetSource({"k": "v"})])
def test_source_goes_to_a_record_and_back(source: Any) -> None:
    dataset = from_pandas(table(), source=source)
    record = to_input(dataset)
    entity = entities.Dataset(record.name, record.digest, record.source_type, record.source)
    assert (
        get_source(dataset)
        == get_source(record)
        == get_source(entity)
        == get_source(entities.DatasetInput(entity))
        == dataset.source
    )


@pytest.mark.parametrize(
    "bad",
    [
        3,
        None,
        records.DatasetInput("n", "d", "http", "{}"),
        records.DatasetInput("n", "d", "local", "no"),
        entities.Param("a", "b"),
    ],
)
def test_source_of_something_else_is_refused(bad: object) -> None:
    with pytest.raises(UsageError):
        get_source(bad)


def test_input_has_context_and_tags() -> None:
    record = to_input(from_pandas(table(), name="wine"), "training", {"fold": 3})
    assert record.tags == {"mlflow.data.context": "training", "fold": "3"} and record.context == "training"
    assert to_input(from_pandas(table())).tags == {}


BROKEN = {
    "a long name": ({"name": "n" * 501}, "501 characters, 500 are the most"),
    "an empty name": ({"name": ""}, "name must be text"),
    "a long digest": ({"digest": "d" * 37}, "37 characters, 36 are the most"),
    "an empty digest": ({"digest": ""}, "digest must be text"),
    "a digest that is no text": ({"digest": 7}, "digest must be text"),
    "a long source": ({"source": "s/" * 40_000}, "source .* 65536 are the most"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_limits_of_name_digest_and_source_are_mlflows(name: str) -> None:
    given_, message = BROKEN[name]
    with pytest.raises(UsageError, match=message):
        to_input(from_pandas(table(), **given_))


def test_names_and_digests_at_the_limit_are_taken() -> None:
    record = to_input(from_pandas(table(), name="n" * 500, digest="d" * 36))
    assert (len(record.name), len(record.digest)) == (500, 36)


@pytest.mark.parametrize("tags", [{"k" * 256: "v"}, {"": "v"}, {"k": "v" * 501}, {3: "v"}])
def test_limits_of_input_tags_are_mlflows(tags: Any) -> None:
    with pytest.raises(UsageError, match="input tag"):
        to_input(from_pandas(table()), tags=tags)


def test_a_schema_and_profile_that_are_too_long_are_left_out_and_told() -> None:
    wide = entities.Dataset("wide", "d", "code", "{}", "s" * 1_048_577, "p" * 16_777_217)
    told: list[str] = []
    record = to_input(wide, notify=told.append)
    assert (record.schema, record.profile) == ("", "")
    assert told == [
        "dataset 'wide': the schema was left out: it has 1048577 characters, 1048576 are the most",
        "dataset 'wide': the profile was left out: it has 16777217 characters, 16777216 are the most",
    ]
    with pytest.warns(UserWarning, match="left out"):
        to_input(wide)


def test_the_clients_inputs_are_stored() -> None:
    entity = entities.Dataset("n", "d", "code", "{}", "s", "p")
    record = stored_input(entities.DatasetInput(entity, [entities.InputTag("mlflow.data.context", "eval")]))
    assert record == records.DatasetInput("n", "d", "code", "{}", "s", "p", {"mlflow.data.context": "eval"})
    with pytest.raises(UsageError, match="DatasetInput"):
        stored_input(entity)


def test_a_source_that_someone_else_wrote_is_cleaned_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    theirs = {
        "uri": "s3://key:secret@bucket/w?X-Amz-Signature=ff",
        "tags": {"mlflow.source.name": "/home/ada/train.py"},
        "n": [1, "https://ada:pw@example.org"],
    }
    record = to_input(entities.Dataset("n", "d", "other", json.dumps(theirs)))
    assert json.loads(record.source) == {
        "uri": "s3://bucket/w",
        "tags": {"mlflow.source.name": "~/train.py"},
        "n": [1, "https://example.org"],
    }
    assert (
        to_input(entities.Dataset("n", "d", "other", "no json: https://ada:pw@example.org")).source
        == "no json: https://example.org"
    )
    assert to_input(entities.Dataset("n", "d", "local", '{"uri":"a"}')).source == '{"uri":"a"}'


@pytest.mark.parametrize("value", [None, "wine", {"name": "n"}, pandas.DataFrame({"a": [1]})])
def test_what_is_no_dataset_is_refused_with_advice(value: object) -> None:
    with pytest.raises(UsageError, match=r"runfolio\.data\.from_pandas"):
        to_input(value)


def test_importing_datasets_loads_no_heavy_package() -> None:
    program = (
        "import sys, runfolio.tracking.datasets, runfolio.tracking.system, runfolio.tracking.tables, runfolio.tracking.media\n"
        "print([n for n in ('pandas', 'numpy', 'polars', 'pyarrow', 'PIL', 'psutil', 'pynvml', 'yaml') if n in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment, cwd=folder
        )
    assert done.stdout.strip() == "[]"
