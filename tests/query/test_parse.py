"""Every fault of a filter says what is wrong, where, and what to write instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import UsageError
from runfolio.query import Clause, Filter, OrderKey, parse_filter, parse_order_by
from runfolio.query.grammar import Kind
from runfolio.query.tokens import fault


def message(text: str, kind: Kind = "runs") -> str:
    with pytest.raises(UsageError) as caught:
        parse_filter(text, kind)
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("parms.depth = '3'", "use metrics, params, tags, attributes, datasets"),
        ("depth = '3'", "is not an attribute: use run_id"),
        ("params.depth = three", "write 'three' in quotes"),
        ("params.depth = `3`", "back-ticks are for keys: write '3'"),
        ("metrics.a > 1 OR metrics.b > 1", "OR is not supported"),
        ("(metrics.a > 1)", "parentheses are not supported"),
        ("metrics.a > 1)", "parentheses are not supported"),
        ("metrics.a == 1", "write ="),
        ("metrics.a <> 1", "write !="),
        ("metrics.a ! 1", "use =, !="),
        ("metrics.a > '1'", "without quotes"),
        ("params.a > '1'", "> does not work on params.a, which is text"),
        ("metrics.a LIKE 'x'", "LIKE does not work on metrics.a, which is a number"),
        ("params.a = 'x", "the quote ' is not closed"),
        ("dataset.size = 'x'", "use name, digest, context"),
        ("params.a NOT LIKE 'x'", "after NOT only IN"),
        ("params.a IS EMPTY", "NULL or NOT NULL"),
        ("params.a IN 'x'", "a list is expected"),
        ("NOT params.a = 'x'", "use != or NOT IN"),
        ("metrics.a > 1;", "without ';'"),
        ("AND metrics.a > 1", "a condition is expected before AND"),
        ("metrics.a > 1 AND OR", "a condition is expected before OR"),
        ("params.a\"b\" = 'x'", 'quote the whole name: params."ab"'),
    ],
)
def test_fault_says_what_to_do(text: str, says: str) -> None:
    assert says in message(text)


def test_caret_stands_below_the_place() -> None:
    assert message("params.x = '1' AND metrics.y > high").split("\n")[1:] == [
        "  params.x = '1' AND metrics.y > high",
        "                                 ^",
    ]


def test_caret_stands_below_the_place_after_wide_letters() -> None:
    *_, line, caret = message("params.日本 = 日本").split("\n")
    assert line == "  params.日本 = 日本"
    assert caret == "  " + " " * len("params.xxxx = ") + "^"


def test_a_long_filter_is_shown_around_the_place_only() -> None:
    text = " AND ".join(f"metrics.m{place} > 0" for place in range(50)) + " AND oops AND " + "metrics.a > 0 AND " * 20
    *_, line, caret = message(text).split("\n")
    assert len(line) < 110
    assert line.startswith("  …") and line.endswith("…")
    assert line[len(caret) - 1 :].startswith("oops")


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in str(fault("params.\x1b[31m = 3", 0, "no"))


def test_text_that_is_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="text is expected"):
        parse_filter(3)  # type: ignore[arg-type]


def test_none_and_blank_match_everything() -> None:
    assert parse_filter(None) == Filter()
    assert parse_filter(" \n").clauses == ()


def test_doubled_quotes_stand_for_one_and_backslashes_for_themselves() -> None:
    assert parse_filter(r"""params."a""b" = 'it''s \'""").clauses == (Clause("params", 'a"b', "=", "it's \\"),)


def test_whole_numbers_stay_whole_as_far_as_they_are_exact() -> None:
    assert parse_filter("start_time > 1732400000001").clauses[0].value == 1732400000001
    assert isinstance(parse_filter("start_time > 99999999999999999999").clauses[0].value, float)


def test_experiments_have_their_own_attributes() -> None:
    assert parse_filter("name LIKE 'w%' AND tags.a = 'b' AND creation_time > 5", "experiments").clauses == (
        Clause("attributes", "name", "LIKE", "w%"),
        Clause("tags", "a", "=", "b"),
        Clause("attributes", "creation_time", ">", 5),
    )
    assert "use tags, attributes" in message("metrics.a > 1", "experiments")
    assert "use name, experiment_id, creation_time, last_update_time" in message("status = 'x'", "experiments")


@pytest.mark.parametrize(
    ("key", "made"),
    [
        ("metrics.acc DESC", OrderKey("metrics", "acc", False)),
        ("`metrics`.`val loss` asc", OrderKey("metrics", "val loss")),
        ("params.a-b", OrderKey("params", "a-b")),
        ("created desc", OrderKey("attributes", "start_time", False)),
        ("attributes.`run name`", OrderKey("attributes", "run_name")),
        ("metrics.desc DESC", OrderKey("metrics", "desc", False)),
    ],
)
def test_order_keys(key: str, made: OrderKey) -> None:
    assert parse_order_by([key]) == (made,)
    assert parse_order_by(key) == (made,)


def test_an_order_with_two_keys_in_one_text_says_to_split_them() -> None:
    for text in ("metrics.a, metrics.b", "metrics.a DESC, metrics.b"):
        with pytest.raises(UsageError, match="write each key as an item of the list"):
            parse_order_by([text])
    with pytest.raises(UsageError, match="one of them is int"):
        parse_order_by([1])  # type: ignore[list-item]


@given(st.text(alphabet="metricsparamtg.'\"`()=<>!,; \n0123456789AND_inlkeso-é", max_size=60))
def test_any_text_is_a_filter_or_a_usage_error(text: str) -> None:
    try:
        made = parse_filter(text)
    except UsageError as error:
        assert error.message.startswith("Invalid filter: ")
    else:
        assert made.text == text


@given(st.text(min_size=1).filter(lambda key: "'" not in key), st.text())
def test_any_key_and_any_value_can_be_written_in_quotes(key: str, value: str) -> None:
    written = "params.`{}` = '{}'".format(key.replace("`", "``"), value.replace("'", "''"))
    assert parse_filter(written).clauses == (Clause("params", key, "=", value),)
