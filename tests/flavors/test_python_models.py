"""Models of plain Python: type hints, scripts, files, configuration, streams, and what they need."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import DamagedError, MissingPackageError, NotFoundError, StateError, UsageError
from runfolio.flavors.catalogue import runs_code
from runfolio.flavors.type_hints import checked, schema_of
from runfolio.models import (
    AnyType,
    Array,
    ColSpec,
    DataType,
    Map,
    Model,
    ModelConfig,
    Object,
    ParamSchema,
    ParamSpec,
    Property,
    Schema,
    infer_signature,
)  # fmt: skip

pandas = pytest.importorskip("pandas")
numpy = pytest.importorskip("numpy")
pytest.importorskip("cloudpickle")


class Shouting(runfolio.pyfunc.PythonModel):
    def predict(self, model_input: list[str], params: typing.Any = None) -> list[str]:
        return [each.upper() * (params or {}).get("times", 1) for each in model_input]

    def predict_stream(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        yield from model_input.upper()


@pytest.fixture
def in_folio(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folio_dir)
    return folio_dir


def test_signature_is_read_off_the_type_hints(tmp_path: Path) -> None:
    made = runfolio.pyfunc.save_model(tmp_path / "m", python_model=Shouting(), input_example=(["a"], {"times": 2}))
    assert made.signature is not None
    text = Schema([ColSpec(DataType.string)])
    assert (made.signature.inputs, made.signature.outputs) == (text, text)
    assert made.signature.params == ParamSchema([ParamSpec("times", "long", 2)])
    assert Model.load(tmp_path / "m").more["is_signature_from_type_hint"] is True


def test_data_is_held_against_the_type_hints_and_converted(tmp_path: Path) -> None:
    runfolio.pyfunc.save_model(tmp_path / "m", python_model=Shouting())
    loaded = runfolio.pyfunc.load_model(tmp_path / "m")
    assert loaded.predict(["a", "b"]) == ["A", "B"]
    assert loaded.predict(pandas.DataFrame({"any": ["a", "b"]})) == ["A", "B"]
    with pytest.raises(UsageError, match=r"list\[str\].*\[1\] expected str, and it is int"):
        loaded.predict(["a", 3])
    with pytest.raises(UsageError, match="it is str"):
        Shouting().predict("a")  # type: ignore[arg-type] # a direct call, too
    assert loaded.input_example is None


def test_function_with_type_hints_is_a_model(tmp_path: Path) -> None:
    def total(model_input: list[dict[str, float]]) -> list[float]:
        return [sum(each.values()) for each in model_input]

    runfolio.pyfunc.save_model(tmp_path / "m", python_model=total, input_example=[{"a": 1.0}])
    loaded = runfolio.pyfunc.load_model(tmp_path / "m")
    assert loaded.metadata.signature.inputs == Schema([ColSpec(Map(DataType.double))])  # type: ignore[union-attr]
    assert loaded.predict([{"a": 1.0, "b": 2.0}]) == [3.0]
    assert loaded.predict(pandas.DataFrame({"a": [1.0], "b": [2.0]})) == [3.0]
    with pytest.raises(UsageError, match="expected float"):
        loaded.predict([{"a": "x"}])
    assert loaded.input_example == [{"a": 1.0}]


def test_class_of_pydantic_is_a_type_hint(tmp_path: Path) -> None:
    pydantic = pytest.importorskip("pydantic")

    class Wine(pydantic.BaseModel):  # type: ignore[misc,name-defined]
        alcohol: float
        notes: list[str] = []
        hue: typing.Optional[float] = None  # noqa: UP045 # as people write it

    def hint(model_input: Any) -> list[float]:
        return [each.alcohol for each in model_input]

    hint.__annotations__["model_input"] = list[Wine]
    made = runfolio.pyfunc.save_model(tmp_path / "m", python_model=hint)
    wanted = Object(
        [
            Property("alcohol", DataType.double),
            Property("notes", Array(DataType.string)),
            Property("hue", DataType.double, required=False),
        ]
    )
    assert made.signature is not None and made.signature.inputs == Schema([ColSpec(wanted)])
    loaded = runfolio.pyfunc.load_model(tmp_path / "m")
    assert loaded.predict([{"alcohol": 13.5}]) == [13.5]
    assert loaded.predict(pandas.DataFrame([{"alcohol": 13.5, "notes": ["oak"]}])) == [13.5]
    for wrong in ({"alcohol": "13.5"}, {"hue": 1.0}):
        with pytest.raises(UsageError, match="alcohol"):
            loaded.predict([wrong])


@pytest.mark.parametrize(
    ("hint", "wanted"),
    [
        (list[int], DataType.long),
        (list[bytes], DataType.binary),
        (list[datetime.datetime], DataType.datetime),
        (list[list[bool]], Array(DataType.boolean)),
        (list[dict[str, list[str]]], Map(Array(DataType.string))),
        (list[typing.Any], AnyType()),
        (list[typing.Union[int, str]], AnyType()),  # noqa: UP007 # as people write it
        (float, DataType.double),
    ],
)
def test_hint_has_its_schema(hint: Any, wanted: Any) -> None:
    assert schema_of(hint) == Schema([ColSpec(wanted)])


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        (list, "does not say what it holds"),
        (list[list], "does not say what it holds"),
        (list[dict[int, str]], "keys"),
        (list[set], "set"),
        (list[str | None], "optional"),
    ],
)
def test_hint_that_says_too_little_is_told(hint: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        schema_of(hint)


def test_true_is_no_whole_number_and_none_fits_an_optional() -> None:
    with pytest.raises(UsageError, match="expected int"):
        checked([True], list[int])
    assert checked([{"a": None}], list[dict[str, int | None]]) == [{"a": None}]


def test_class_with_a_list_that_says_not_of_what_is_refused_where_it_is_written() -> None:
    with pytest.raises(UsageError, match="does not say what it holds"):

        class Vague(runfolio.pyfunc.PythonModel):
            def predict(self, model_input: list, params=None):  # type: ignore[no-untyped-def,type-arg]
                return model_input


def test_frame_as_type_hint_says_nothing(tmp_path: Path) -> None:
    def first(model_input: pandas.DataFrame) -> Any:
        return model_input.iloc[:, 0]

    made = runfolio.pyfunc.save_model(tmp_path / "m", python_model=first, input_example=pandas.DataFrame({"n": [1.5]}))
    assert made.signature is not None and made.signature.inputs == Schema([ColSpec("double", "n")])


def test_type_from_example_gives_the_data_in_its_form(tmp_path: Path) -> None:
    def kind(model_input: runfolio.pyfunc.TypeFromExample) -> Any:  # type: ignore[valid-type]
        return [type(model_input).__name__]

    runfolio.pyfunc.save_model(tmp_path / "m", python_model=kind, input_example=["a", "b"])
    loaded = runfolio.pyfunc.load_model(tmp_path / "m")
    assert loaded.predict(pandas.DataFrame({0: ["c"]})) == ["list"]


def test_stream_comes_piece_by_piece(tmp_path: Path) -> None:
    runfolio.pyfunc.save_model(tmp_path / "m", python_model=Shouting())
    assert Model.load(tmp_path / "m").flavors["python_function"]["streamable"] is True
    assert list(runfolio.pyfunc.load_model(tmp_path / "m").predict_stream("abc")) == ["A", "B", "C"]
    runfolio.pyfunc.save_model(tmp_path / "no", python_model=lambda model_input: model_input)
    with pytest.raises(UsageError, match="predict_stream"):
        runfolio.pyfunc.load_model(tmp_path / "no").predict_stream("abc")


def test_model_that_fails_on_its_example_is_saved_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fails(model_input: Any) -> Any:
        raise RuntimeError("no luck")

    assert runfolio.pyfunc.save_model(tmp_path / "m", python_model=fails, input_example=[1.0]).signature is None
    assert "no luck" in caplog.text


SCRIPT = """
import runfolio
from word_of_tests import WORD

config = runfolio.models.ModelConfig(development_config={"times": 1})


class Said(runfolio.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [WORD * config.get("times") + context.model_config["end"]] * len(model_input)


runfolio.models.set_model(Said())
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/word_of_tests.py").write_text("import yaml\nWORD = 'hi'\n")
    (tmp_path / "mine/said.py").write_text(SCRIPT)
    (tmp_path / "config.yaml").write_text("times: 2\nend: '!'\n")
    monkeypatch.syspath_prepend(str(tmp_path / "mine"))
    return tmp_path / "mine/said.py"


def test_script_is_a_model_with_its_configuration_and_its_modules(script: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    runfolio.pyfunc.save_model(folder, python_model=script, model_config=tmp_path / "config.yaml", infer_code_paths=True)
    assert (folder / "code/word_of_tests.py").is_file() and not (folder / "python_model.pkl").exists()
    said = Model.load(folder).flavors["python_function"]
    assert (said["model_code_path"], said["config"]) == ("said.py", {"times": 2, "end": "!"})
    assert runs_code(folder, Model.load(folder)) == ["code/word_of_tests.py", "said.py"]
    needs = (folder / "requirements.txt").read_text()
    assert "PyYAML==" in needs and "word" not in needs
    assert runfolio.pyfunc.load_model(folder).predict([0]) == ["hihi!"]
    assert runfolio.pyfunc.load_model(folder, model_config={"times": 3}).predict([0]) == ["hihihi!"]
    code = "import runfolio, sys; print(runfolio.pyfunc.load_model(sys.argv[1], trust=True).predict([0]))"
    done = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "['hihi!']\n"


def test_code_is_named_by_mlflow_s_older_word_too(script: Path, tmp_path: Path, in_folio: Path) -> None:
    code = [script.parent / "word_of_tests.py"]
    info = runfolio.pyfunc.log_model("said", None, None, code, python_model=str(script), model_config={"times": 1, "end": "."})
    folder = Path(runfolio.artifacts.download_artifacts(info.model_uri))
    assert (folder / "code/word_of_tests.py").is_file()
    with pytest.raises(UsageError, match="code_path is an older name of code_paths: give one of the two"):
        runfolio.pyfunc.save_model(tmp_path / "m", code_path=code, code_paths=code, python_model=script)


def test_script_is_logged_and_loaded(script: Path, in_folio: Path) -> None:
    info = runfolio.pyfunc.log_model(
        "said", python_model=str(script), model_config={"times": 1, "end": "."}, code_paths=[script.parent]
    )
    assert runfolio.pyfunc.load_model(info.model_uri).predict([0, 1]) == ["hi.", "hi."]


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("x = 1\n", UsageError, "set_model"),
        ("import nosuchmodule\n", MissingPackageError, "nosuchmodule"),
        ("x = = 1\n", DamagedError, "line 1"),
        ("import runfolio\nrunfolio.models.set_model('x')\n", UsageError, "set_model"),
        ("import runfolio\nrunfolio.models.ModelConfig()\n", NotFoundError, "model_config"),
    ],
)
def test_script_that_is_no_model_is_told(tmp_path: Path, text: str, error: type[Exception], told: str) -> None:
    (tmp_path / "s.py").write_text(text)
    with pytest.raises(error, match=told):
        runfolio.pyfunc.save_model(tmp_path / "m", python_model=tmp_path / "s.py")
    with pytest.raises(NotFoundError, match=r"no\.py"):
        runfolio.pyfunc.save_model(tmp_path / "m", python_model="no.py")


def test_configuration_by_itself_is_the_one_of_development() -> None:
    config = ModelConfig(development_config={"k": 1})
    assert (config.get("k"), config.to_dict()) == (1, {"k": 1})
    with pytest.raises(KeyError, match="other"):
        config.get("other")


class Reading(runfolio.pyfunc.PythonModel):
    def load_context(self, context: Any) -> None:
        self.word = Path(context.artifacts["word"]).read_text()

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return [self.word] * len(model_input)


def test_files_of_a_run_and_of_a_version_go_into_a_model(in_folio: Path, tmp_path: Path) -> None:
    with runfolio.start_run() as run:
        runfolio.log_text("from a run", "words/word.txt")
        info = runfolio.pyfunc.log_model(
            "m", python_model=Reading(), artifacts={"word": f"runs:/{run.info.run_id}/words/word.txt"}
        )
        runfolio.log_text("x: y", "m2/MLmodel")
    assert runfolio.pyfunc.load_model(info.model_uri).predict([0]) == ["from a run"]
    runfolio.register_model(info.model_uri, "m")
    runfolio.pyfunc.save_model(tmp_path / "m", python_model=Reading(), artifacts={"word": "models:/m/1/artifacts/word.txt"})
    assert runfolio.pyfunc.load_model(tmp_path / "m").predict([0]) == ["from a run"]


def test_what_a_method_imports_is_a_requirement(tmp_path: Path) -> None:
    class Late(runfolio.pyfunc.PythonModel):
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            import yaml

            return [yaml.safe_load(each) for each in model_input]

    runfolio.pyfunc.save_model(tmp_path / "m", python_model=Late())
    needs = {line.partition("==")[0] for line in (tmp_path / "m/requirements.txt").read_text().splitlines()}
    assert needs == {"PyYAML", "cloudpickle", "runfolio"}
    found = runfolio.models.infer_pip_requirements(tmp_path / "m", "python_function")
    assert {each.partition("==")[0] for each in found} >= {"cloudpickle", "runfolio"}


def test_dependencies_of_a_model_are_a_file(in_folio: Path) -> None:
    info = runfolio.pyfunc.log_model("m", python_model=Shouting())
    for uri in (info.model_uri,):
        assert "cloudpickle==" in Path(runfolio.pyfunc.get_model_dependencies(uri)).read_text()
        assert "conda-forge" in Path(runfolio.pyfunc.get_model_dependencies(uri, "conda")).read_text()
    with pytest.raises(UsageError, match="poetry"):
        runfolio.pyfunc.get_model_dependencies(info.model_uri, "poetry")


def test_input_example_is_a_request_that_the_model_answers(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"n": [1.0, 2.0]})
    runfolio.pyfunc.save_model(tmp_path / "m", python_model=lambda model_input: model_input["n"].tolist(), input_example=frame)
    body = runfolio.models.convert_input_example_to_serving_input(frame)
    assert body == '{"dataframe_split": {"columns": ["n"], "data": [[1.0], [2.0]]}}'
    assert runfolio.models.validate_serving_input(tmp_path / "m", body) == [1.0, 2.0]
    assert runfolio.models.validate_serving_input(tmp_path / "m", {"dataframe_records": [{"n": 3.0}]}) == [3.0]
    for wrong in ("{", "{}", '{"dataframe_split": {"columns": ["x"], "data": [[1.0]]}}'):
        with pytest.raises(UsageError):
            runfolio.models.validate_serving_input(tmp_path / "m", wrong)
    array = runfolio.models.convert_input_example_to_serving_input((numpy.zeros((1, 2)), {"k": 1}))
    assert array == '{"inputs": [[0.0, 0.0]], "params": {"k": 1}}'
    loaded = runfolio.pyfunc.load_model(tmp_path / "m")
    assert loaded.input_example.equals(frame)


def test_signature_is_set_later_where_nothing_stands_yet(in_folio: Path, tmp_path: Path) -> None:
    signature = infer_signature(pandas.DataFrame({"n": [1.0]}), [1.0])
    runfolio.pyfunc.save_model(tmp_path / "m", python_model=lambda model_input: model_input)
    runfolio.models.set_signature(str(tmp_path / "m"), signature)
    assert Model.load(tmp_path / "m").signature == signature
    with runfolio.start_run():
        info = runfolio.pyfunc.log_model("m", python_model=lambda model_input: model_input)
        runfolio.models.set_signature(info.model_uri, signature)
    assert runfolio.models.get_model_info(info.model_uri).signature == signature
    with pytest.raises(StateError, match="ended"):
        runfolio.models.set_signature(info.model_uri, signature)
    with pytest.raises(UsageError, match="version"):
        runfolio.models.set_signature("models:/m/1", signature)
    with pytest.raises(UsageError, match="n'"):
        runfolio.models.validate_schema(pandas.DataFrame({"x": [1.0]}), signature.inputs)  # type: ignore[arg-type]


def test_folder_of_another_making_is_called_by_predict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "m"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib/loader_of_tests.py").write_text(
        "class Held:\n    def predict(self, data):\n        return data + 1\ndef _load_pyfunc(path):\n    return Held()\n"
    )
    model = runfolio.pyfunc.add_to_model(Model(), "loader_of_tests", code="lib", conda_env="conda.yaml")
    assert model.flavors["python_function"]["env"] == {"conda": "conda.yaml"}
    model.save(folder / "MLmodel")
    assert runs_code(folder, model) == ["lib/loader_of_tests.py"]
    assert runfolio.pyfunc.load_model(folder, trust=True).predict(1) == 2


def test_signature_of_a_newer_mlflow_that_is_not_understood_says_so(tmp_path: Path) -> None:
    made = runfolio.pyfunc.save_model(tmp_path / "m", python_model=Shouting())
    file = tmp_path / "m/MLmodel"
    file.write_text(file.read_text().replace('"string"', '"quaternion"').replace(str(made.mlflow_version), "9.1.0"))
    with pytest.raises(DamagedError, match=r"quaternion.*MLflow 9\.1\.0 wrote it"):
        runfolio.pyfunc.load_model(tmp_path / "m", trust=True)
    assert os.path.exists(tmp_path / "m")


def test_large_model_is_written_once_and_its_pickle_is_read_no_more(in_folio: Path, tmp_path: Path) -> None:
    sklearn = pytest.importorskip("sklearn.neighbors")
    values = numpy.random.default_rng(0).random((100_000, 4))
    model = sklearn.KNeighborsRegressor(algorithm="brute").fit(values, numpy.zeros(len(values)))
    with runfolio.start_run():
        info = runfolio.sklearn.log_model(model, "model")
    loaded = runfolio.sklearn.load_model(info.model_uri)  # verified against the digest that was made while writing
    assert (loaded.predict(values[:2]) == model.predict(values[:2])).all()
    runfolio.sklearn.save_model(model, tmp_path / "m")
    needs = {line.partition("==")[0] for line in (tmp_path / "m/requirements.txt").read_text().splitlines()}
    assert needs == {"numpy", "scikit-learn", "scipy"}


def test_a_folder_in_the_place_of_suppress_warnings_is_refused(tmp_path: Path) -> None:
    runfolio.pyfunc.save_model(tmp_path / "m", python_model=len)
    assert runfolio.pyfunc.load_model(tmp_path / "m", True, None, {"a": 1}).predict([1, 2]) == 2
    with pytest.raises(UsageError, match="dst_path="):
        runfolio.pyfunc.load_model(tmp_path / "m", str(tmp_path / "here"))  # type: ignore[arg-type] # that is the test
