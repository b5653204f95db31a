"""formats/datasets.py: a dataset's file for people, and the canonical facts of a content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import DamagedError, UsageError
from runfolio.formats.datasets import decode_dataset, decode_facts, edit_dataset, encode_dataset, encode_facts
from runfolio.records.datasets import (
    ColumnFacts,
    Dataset,
    DatasetKind,
    Facts,
    FileType,
    Histogram,
    Holder,
    check_dataset_name,
    check_dataset_path,
)
from tests.strategies import NASTY

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
WHERE, FACTS = "datasets/wine.yaml", f"datasets/wine/{'1' * 16}.json"
TEXT = st.sampled_from([*NASTY, ""])
NUMBER = st.one_of(st.none(), st.floats(allow_nan=False), st.integers(-9, 9))
COLUMN = st.builds(
    ColumnFacts,
    name=TEXT,
    type=st.sampled_from(["number", "text", "int96"]),
    count=st.integers(0, 9),
    missing=st.integers(0, 9),
    min=st.one_of(NUMBER, st.just("2026-01-01")),
    max=NUMBER,
    mean=NUMBER,
    std=NUMBER,
    texts=st.integers(0, 3),
    length_mean=NUMBER,
    distinct=st.one_of(st.none(), st.integers(0, 9)),
    quantiles=st.sampled_from([(), (0.0, 0.5, float("inf"))]),
    histogram=st.sampled_from([None, Histogram(-2.0, 0.5, (1, 0, 4))]),
    values=st.dictionaries(TEXT, st.integers(0, 9), max_size=2),
    extra=st.sampled_from([{}, {"later": 1}]),
)


@given(
    st.builds(
        Dataset,
        slug=st.just("wine"),
        name=st.sampled_from(["wine", "Wine 2", "rượu"]),
        digest=st.just(ONE),
        path=st.sampled_from(["", "data/wine.csv", "a b/é"]),
        kind=st.sampled_from(DatasetKind),
        held_by=st.sampled_from(Holder),
        source=st.sampled_from(["", "s3://bucket/wine"]),
        created=st.sampled_from([0, 1795428000000]),
        description=TEXT,
        tags=st.dictionaries(st.sampled_from(["team", "é"]), TEXT, max_size=2),
        extra=st.sampled_from([{}, {"later": [1, {"a": "b"}]}]),
    )
)
def test_a_dataset_reads_back(made: Dataset) -> None:
    try:
        data = encode_dataset(made)
    except UsageError:  # text that UTF-8 cannot spell
        return
    assert decode_dataset(data, WHERE) == made


@given(
    st.builds(
        Facts,
        digest=st.just(ONE),
        kind=st.just(DatasetKind.FILE),
        size=st.integers(0, 2**40),
        media_type=TEXT,
        format=st.sampled_from(["", "csv"]),
        rows=st.sampled_from([None, 0, 178]),
        columns=st.lists(COLUMN, max_size=2).map(tuple),
        columns_left_out=st.integers(0, 2),
        arrays=st.dictionaries(TEXT, TEXT, max_size=1),
        types=st.dictionaries(TEXT, st.just(FileType(3, 700)), max_size=1),
        manifest_size=st.integers(0, 9),
        sample=st.sampled_from([(), ({"a": 1, "b": None},)]),
        notes=st.lists(TEXT, max_size=2).map(tuple),
        held_by=st.sampled_from(Holder),
        extra=st.sampled_from([{}, {"later": [1]}]),
    )
)
def test_facts_read_back(made: Facts) -> None:
    data = encode_facts(made)
    assert decode_facts(data, FACTS) == made
    assert encode_facts(decode_facts(data, FACTS)) == data


def test_a_change_of_data_is_a_change_of_one_line_and_comments_stay() -> None:
    old = b"# ours\nschema: 1\nname: Wine  # cultivars\npath: data/wine.csv\n# checked by Ada\n" + f"digest: {ONE}\n".encode()
    made = decode_dataset(old, WHERE)
    assert edit_dataset(old, Dataset(**{**_fields(made), "digest": TWO})) == old.replace(ONE.encode(), TWO.encode())


def _fields(dataset: Dataset) -> dict[str, object]:
    return {name: getattr(dataset, name) for name in Dataset.__dataclass_fields__}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"digest: {ONE}\n", "schema is missing"),
        ("schema: 1\n", "digest is missing"),
        ("schema: 1\ndigest: sha256:12\n", "digest: 'sha256:' and 64 hex digits are expected"),
        (f"schema: 1\ndigest: md5:{'a' * 32}\n", "digest: the object store names contents by SHA-256"),
        (f"schema: 1\ndigest: {ONE}\npath: ../x.csv\n", "line 3: path: Invalid artifact path"),
        (f"schema: 1\ndigest: {ONE}\npath: .GIT/config\n", "line 3: path: Invalid dataset path"),
        (f"schema: 1\ndigest: {ONE}\nkind: table\n", "line 3: kind: one of file, folder is expected"),
        (f"schema: 1\ndigest: {ONE}\nname: a@b\n", "line 3: name: Invalid dataset name"),
    ],
)
def test_a_wrong_field_is_named(text: str, said: str) -> None:
    with pytest.raises(DamagedError) as caught:
        decode_dataset(text.encode(), WHERE)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"size": 3', '"size": -3', "size: a whole number from 0"),
        ('"size": 3', '"size": 3,\n  "rows": "many"', "rows: a whole number from 0"),
        (ONE, TWO, "digest: the file is named after another content"),
        ('"a"', "3", "columns: name: text is expected"),
        ('"width": 1.0', '"width": 0.0', "columns: histogram: a width above 0"),
        ('"kind": "folder"', '"kind": "table"', "kind: one of file, folder is expected"),
        ('"size": 9', '"size": []', "manifest: a whole number from 0"),
    ],
)
def test_a_wrong_fact_is_named(old: str, new: str, said: str) -> None:
    column = ColumnFacts("a", "number", histogram=Histogram(0.0, 1.0, (3,)))
    data = encode_facts(Facts(ONE, DatasetKind.FOLDER, 3, 2, columns=(column,), manifest_size=9)).decode()
    assert old in data
    with pytest.raises(DamagedError) as caught:
        decode_facts(data.replace(old, new, 1).encode(), FACTS, trusted=True)
    assert said in caught.value.message


@pytest.mark.parametrize("path", ["/etc/x", "a/../b", ".git/hooks/x", "data/.Git", "GIT~1/x", "a//b", "a\\b", ".git. /x"])
def test_no_dataset_lies_outside_or_in_gits_folder(path: str) -> None:
    with pytest.raises(UsageError):
        check_dataset_path(path)


@pytest.mark.parametrize("name", ["", " ", "a@b", "a\nb", "\ud800"])
def test_a_name_can_be_written_after_a_command(name: str) -> None:
    with pytest.raises(UsageError, match="dataset name"):
        check_dataset_name(name)
