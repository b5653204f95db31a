"""A real shell gives every value back as it was, wherever its place in the command is."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from runfolio.errors import UsageError
from runfolio.projects.quoting import fill, places, quoted

TEXT = some.text(some.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
PRINT = "printf '%s\\0' "


def words(command: str) -> list[str]:
    """Return the arguments that a real shell makes of ``PRINT command``."""
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, timeout=60, check=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    )
    assert done.stderr == b""
    return done.stdout.decode().split("\0")[:-1]


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXT)
@example("$(touch /tmp/owned)", "`id`")
@example("a\nb", "'\"\\")
@example("!!", "-n")
@example("", "${HOME}")
@example("a'b", 'a"b')
def test_a_shell_gives_every_value_back_in_every_place(first: str, second: str) -> None:
    free = PRINT + "{a} --b={b} x{a}y"
    double = PRINT + '"{a}" "x {b} y" "$(printf \'%s.\' {a})"'
    single = PRINT + "'{a}' 'x {b} y'"
    mixed = PRINT + '"it\'s {a}" \'say "{b}"\' a\\"{a}'
    values = {"a": first, "b": second}
    assert words(fill(free, values)) == [first, f"--b={second}", f"x{first}y"]
    assert words(fill(double, values)) == [first, f"x {second} y", f"{first}."]
    assert words(fill(single, values)) == [first, f"x {second} y"]
    assert words(fill(mixed, values)) == [f"it's {first}", f'say "{second}"', f'a"{first}']


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("echo `echo {a}`", "backquotes"),
        ('echo "`echo {a}`"', "backquotes"),
        ("true # {a}", "a comment"),
        ("cat <<END\n{a}\nEND", "here-document"),
        ("echo {a.__class__}", "a parameter's name alone"),
        ("echo {a[0]}", "a parameter's name alone"),
        ("echo {a!r}", "a parameter's name alone"),
        ("echo {a:>10}", "a parameter's name alone"),
        ("echo {}", "a parameter's name alone"),
        ("echo {a", "braces cannot be read"),
        ("echo }", "braces cannot be read"),
    ],
)
def test_a_place_where_no_value_is_safe_is_refused(command: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong):
        places(command)


def test_a_hash_within_a_word_begins_no_comment() -> None:
    assert words(fill(PRINT + "a#{a} '#'{a}", {"a": "b\nid"})) == ["a#b\nid", "#b\nid"]


def test_braces_of_the_shell_are_written_twice() -> None:
    assert words(fill("x=5; " + PRINT + "${{x}} {a}", {"a": "1"})) == ["5", "1"]


def test_a_nul_is_refused() -> None:
    with pytest.raises(UsageError, match="NUL"):
        quoted("a\0b", "x")
