"""records/models.py: what is live, and which names are taken."""

from __future__ import annotations

import pytest

from runfolio.errors import UsageError
from runfolio.records.models import RegisteredModel, canonical_stage, check_alias, check_model_name, check_version

LIVE = RegisteredModel("Wine", "wine", stages={"Production": (2,), "Staging": (3,)}, aliases={"champion": 2, "shadow": 3})


def test_a_version_is_in_one_stage_and_others_stay_beside_it() -> None:
    assert LIVE.with_stage(3, "Production").stages == {"Production": (2, 3)}


def test_promoting_may_archive_or_retire_what_was_there() -> None:
    assert LIVE.with_stage(3, "Production", archive="Archived").stages == {"Production": (3,), "Archived": (2,)}
    assert LIVE.with_stage(3, "Production", archive="None").stages == {"Production": (3,)}


def test_promoting_again_changes_nothing() -> None:
    assert LIVE.with_stage(2, "Production", archive="Archived") == LIVE


def test_a_version_that_goes_takes_its_stage_and_aliases_along() -> None:
    gone = LIVE.without_version(2)
    assert (gone.stages, gone.aliases) == ({"Staging": (3,)}, {"shadow": 3})
    assert (gone.stage_of(2), LIVE.stage_of(2), LIVE.aliases_of(2)) == ("None", "Production", ["champion"])


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a:b", "..", "a\\b", "a\x00b", " a", "a@b", None, 3, "x" * 251])
def test_a_name_that_would_make_a_uri_ambiguous_is_refused(name: object) -> None:
    with pytest.raises(UsageError):
        check_model_name(name)


@pytest.mark.parametrize("alias", ["latest", "LATEST", "v3", "V12", "", "a b", "a/b", None])
def test_an_alias_that_names_a_version_by_itself_is_refused(alias: object) -> None:
    with pytest.raises(UsageError):
        check_alias(alias)


@pytest.mark.parametrize("version", ["0", "-1", "1.0", "", "x", True, None, "٣"])
def test_a_version_is_a_whole_number_from_one(version: object) -> None:
    with pytest.raises(UsageError):
        check_version(version)


def test_a_stage_is_found_whatever_its_case() -> None:
    assert (canonical_stage("production"), canonical_stage("NONE")) == ("Production", "None")
    with pytest.raises(UsageError, match="The stages here are: None, Staging, Production, Archived"):
        canonical_stage("Live")
