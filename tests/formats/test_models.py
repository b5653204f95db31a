"""formats/models.py: what is live, and the facts of one version."""

from __future__ import annotations

import difflib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio._dataclass import replace
from runfolio.errors import DamagedError, NewerSchemaError
from runfolio.formats import yaml_edit
from runfolio.formats.models import (
    decode_model,
    decode_version,
    edit_model,
    edit_version,
    encode_model,
    encode_version,
    model_fields,
    version_fields,
)
from runfolio.formats.yaml import load_yaml
from runfolio.formats.yaml_edit import changes_between, edit_yaml, same
from runfolio.records.models import ModelVersion, RegisteredModel, Waiver
from tests.strategies import NASTY

WHERE = "models/wine/model.yaml"
WRITTEN = b"""\
# who to ask: the wine team
schema: 1
name: Wine
stages:
  Staging: 4
  Production: 2  # since the winter
aliases: {champion: 2}
asked_by: someone
"""

TEXT = st.sampled_from(NASTY)
NUMBERS = st.integers(1, 999)
MODELS = st.builds(
    RegisteredModel,
    name=st.just("Wine"),
    slug=st.just("wine"),
    created=st.sampled_from([0, 1795428000000]),
    description=TEXT,
    tags=st.dictionaries(st.sampled_from(["team", "a b", "no"]), TEXT, max_size=3),
    stages=st.dictionaries(st.sampled_from(["Staging", "Production"]), NUMBERS.map(lambda number: (number,)), max_size=1),
    aliases=st.dictionaries(st.sampled_from(["champion", "null", "7"]), NUMBERS, max_size=3),
)
VERSIONS = st.builds(
    ModelVersion,
    version=st.just(3),
    created=st.sampled_from([0, 1795428000000]),
    source=st.sampled_from(["", "runs:/abc/model"]),
    run_id=st.sampled_from([None, "abc"]),
    size=st.integers(0, 10**12),
    flavors=st.sampled_from([(), ("sklearn", "python_function")]),
    signature=st.sampled_from([{}, {"inputs": '[{"type": "double", "name": "x"}]'}]),
    input_example=st.booleans(),
    metrics=st.dictionaries(st.sampled_from(["accuracy", "é", "y"]), st.floats(allow_nan=False), max_size=3),
    description=TEXT,
    tags=st.dictionaries(st.sampled_from(["team", "on"]), TEXT, max_size=2),
    waivers=st.sampled_from([(), (Waiver("no-code", "Production", "a pickle of ours: read", "Ada <a@x>", 1795428000000),)]),
)


@given(MODELS, MODELS)
def test_a_model_reads_back_and_an_edit_makes_its_file_say_the_other(before: RegisteredModel, after: RegisteredModel) -> None:
    data = encode_model(before)
    assert decode_model(data, WHERE) == before
    assert decode_model(edit_model(data, after), WHERE) == after


@given(VERSIONS, VERSIONS)
def test_a_version_reads_back_and_an_edit_makes_its_file_say_the_other(before: ModelVersion, after: ModelVersion) -> None:
    data, where = encode_version(before, "wine"), "models/wine/versions/3.yaml"
    assert decode_version(data, where) == before
    assert decode_version(edit_version(data, after, "wine"), where) == after


@given(
    MODELS,
    MODELS,
    st.dictionaries(st.sampled_from(["asked_by", "more"]), st.sampled_from([{}, {"a": 1}, [1, "x"], "y"]), max_size=2),
)
def test_an_edit_of_what_nobody_else_wrote_is_the_edit_of_its_text(
    before: RegisteredModel, other: RegisteredModel, extra: dict[str, object]
) -> None:
    before = replace(before, extra=extra)
    grown = replace(
        before, aliases={**before.aliases, **other.aliases}, tags={**before.tags, **other.tags}, extra={**extra, "new": 1}
    )
    for after in (replace(other, extra=extra), grown, before):
        data, fields = encode_model(before), model_fields(before)
        assert edit_model(data, after) == edit_yaml(data, changes_between(fields, model_fields(after)), WHERE)


def test_an_alias_that_moves_in_a_file_of_ours_needs_no_reading_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = RegisteredModel("Wine", "wine", 1795428000000, tags={"team": "core"}, aliases={"champion": 3, "newest": 7})
    after, data = replace(before, aliases={"champion": 3, "newest": 8}), encode_model(before)
    monkeypatch.setattr(yaml_edit, "edit_yaml", None)
    assert edit_model(data, after, before) == data.replace(b"newest: 7", b"newest: 8")
    with pytest.raises(TypeError):  # whose comment would be lost
        edit_model(data + b"# mine\n", after, before)


@given(VERSIONS)
def test_a_version_s_file_says_the_very_fields_that_it_was_written_of(version: ModelVersion) -> None:
    data = encode_version(version, "wine")
    assert same(load_yaml(data, "models/wine/versions/3.yaml"), version_fields(version))


def test_a_metric_that_is_not_a_number_survives() -> None:
    read = decode_version(encode_version(ModelVersion(3, metrics={"loss": math.nan}), "wine"), "models/wine/versions/3.yaml")
    assert math.isnan(read.metrics["loss"])


def test_a_promotion_is_one_line_and_comments_stay() -> None:
    model = decode_model(WRITTEN, WHERE)
    after = edit_model(WRITTEN, model.with_stage(3, "Production", archive="None"))
    changed = [line for line in difflib.ndiff(WRITTEN.decode().splitlines(), after.decode().splitlines()) if line[0] in "+-"]
    assert changed == ["-   Production: 2  # since the winter", "+   Production: 3  # since the winter"]
    assert decode_model(after, WHERE).extra == {"asked_by": "someone"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("schema: 1\nstages:\n  Production: [3, 3]\n", "line 3: stages.Production: a version stands here twice"),
        ("schema: 1\nstages: {Production: 1, Staging: 1}\n", "version 1 is in another stage too"),
        ("schema: 1\nstages: {Production: first}\n", "stages.Production: a whole number from 1 is expected, found 'first'"),
        ("schema: 1\nstages: {none: 1}\n", "stages.none: the name of a stage is expected"),
        ("schema: 1\naliases:\n  latest: 2\n", "line 3: aliases.latest: Invalid alias: 'latest' is reserved"),
        ("schema: 1\naliases: {v3: 2}\n", "reads as a version's number"),
        ("schema: 1\nname: a/b\n", "Invalid model name: 'a/b'"),
        ("schema: 1\nstages:\n\tProduction: 3\n", "line 3, column 1: not YAML"),
        ("schema: 1\nstages: {Production: 1}\nstages: {Production: 2}\n", "the key 'stages' stands twice"),
        ("schema: 1\ndescription: &a [x]\ntags: *a\n", WHERE),
        ("schema: 1\ndescription: !!python/object:os.system x\n", WHERE),
        ("name: Wine\n", "schema is missing"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(DamagedError) as refused:
        decode_model(text.encode(), WHERE)
    assert said in refused.value.message


def test_a_file_of_a_newer_runfolio_is_refused() -> None:
    with pytest.raises(NewerSchemaError):
        decode_model(b"schema: 9\n", WHERE)


def test_a_digest_that_is_none_is_refused() -> None:
    with pytest.raises(DamagedError, match=r"line 2: digest"):
        decode_version(b"schema: 1\ndigest: sha256:abc\n", "models/wine/versions/3.yaml")
