"""records/names.py: ids and names, with MLflow's limits."""

from __future__ import annotations

import pathlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import UsageError
from runfolio.formats.paths import experiment_of_path, experiment_path, run_of_path, run_path
from runfolio.records.names import (
    MAX_KEY_LENGTH,
    check_artifact_path,
    check_experiment_id,
    check_experiment_name,
    check_key,
    check_run_id,
    new_run_id,
    run_id_time,
    slug_of,
)


def test_run_ids_are_uuid7_and_grow() -> None:
    made = [new_run_id() for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", run_id) for run_id in made)


@given(st.integers(0, 253_402_300_799_999))
def test_a_run_id_tells_its_time(at: int) -> None:
    assert run_id_time(new_run_id(at)) == at


@pytest.mark.parametrize(
    "run_id",
    [
        "ab12",
        "0" * 32,
        "0192f0c4d7a27c3e8f0a1b2c3d4e5f6",
        "0192F0C4D7A27C3E8F0A1B2C3D4E5F60",
        "fae7309cf5b27432a98c7248e15f2a41",  # of the year 10712
    ],
)
def test_a_foreign_run_id_tells_no_time(run_id: str) -> None:
    assert run_id_time(run_id) is None


@pytest.mark.parametrize("run_id", ["", "-a", "a/b", "a.b", "a b", "a\n", "é", "aé", "x" * 257, None, 7])
def test_bad_run_ids_are_refused(run_id: object) -> None:
    with pytest.raises(UsageError, match="run ID"):
        check_run_id(run_id)


@given(st.from_regex(r"[a-zA-Z0-9][\w\-]{0,255}\Z"))
def test_every_accepted_run_id_has_a_path_that_is_found_again(run_id: str) -> None:
    try:
        check_run_id(run_id)
    except UsageError:
        return
    assert run_of_path(run_path("wine", run_id, 0)) == ("wine", run_id)


@pytest.mark.parametrize("value", ["", "a b", "x" * 65, True, "é", "-1"])
def test_bad_experiment_ids_are_refused(value: object) -> None:
    with pytest.raises(UsageError, match="experiment ID"):
        check_experiment_id(value)


def test_a_number_is_an_experiment_id() -> None:
    assert check_experiment_id(0) == "0"


@pytest.mark.parametrize("key", ["a", "a/b", "val loss", "a:b", "été", "x" * MAX_KEY_LENGTH, "a.b-c_d"])
def test_keys_of_mlflow_are_accepted(key: str) -> None:
    assert check_key(key, "metric") == key


@pytest.mark.parametrize(
    "key", [None, 3, "", "/a", "a//b", "a/", "../a", "..", ".", "./a", "a/../b", "a\n", "a?", "😀", "x" * 251, "a\\b", "\u202ea"]
)
def test_bad_keys_are_refused_with_their_kind(key: object) -> None:
    with pytest.raises(UsageError, match="parameter name"):
        check_key(key, "parameter")


@pytest.mark.parametrize("name", [None, 1, "", "  ", "\n", "x" * 501, "\ud800"])
def test_bad_experiment_names_are_refused(name: object) -> None:
    with pytest.raises(UsageError, match="experiment name"):
        check_experiment_name(name)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("a/b.png", "a/b.png"), ("a/", "a"), ("é 😀", "é 😀"), (pathlib.PurePosixPath("x/y"), "x/y"), ("a b/c-d_e.f", "a b/c-d_e.f"),
        ("a/.b", "a/.b"), ("x" * 255, "x" * 255), ("/".join("a" * 40), "/".join("a" * 40)), ("a/" + "é" * 127, "a/" + "é" * 127), ("a. ", "a. "),
    ],
)  # fmt: skip
def test_relative_artifact_paths_are_kept(path: object, kept: str) -> None:
    assert check_artifact_path(path) == kept


@pytest.mark.parametrize(
    "path",
    [None, "", "/", "/a", "..", "a/../b", "./a", "a//b", "a\\b", "C:/x", "c:x", "a\x00", "a\nb", "\ud800", "x" * 256, "a/" + "x" * 256, "a/..",
     "a/./b", "a\n", "a b/c:/../d", "a/" + "é" * 128, 5, b"a"],
)  # fmt: skip
def test_artifact_paths_that_leave_the_run_are_refused(path: object) -> None:
    with pytest.raises(UsageError, match="artifact path"):
        check_artifact_path(path)


@given(st.text())
def test_every_name_has_a_slug_that_can_be_a_file(name: str) -> None:
    slug = slug_of(name)
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,49}", slug)
    assert experiment_of_path(experiment_path(slug)) == slug


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Wine classification", "wine-classification"),
        ("Thử nghiệm đầu", "thu-nghiem-dau"),
        ("日本", "x65e5-672c"),
        ("CON", "con-x"),
        ("lpt1", "lpt1-x"),
        ("0", "0-x"),
        ("Default", "default-x"),
        ("../../etc", "etc"),
        ("a" * 80, "a" * 48),
    ],
)
def test_slugs_are_readable_and_safe(name: str, slug: str) -> None:
    assert slug_of(name) == slug
