"""pipeline.yaml: what it may say, and every mistake with its line, all at once."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import DamagedError, NotFoundError, UsageError
from runfolio.pipelines.commands import fill, names, split
from runfolio.pipelines.model import in_order
from runfolio.pipelines.reading import decode_pipeline, read_pipeline, with_params


def decode(text: str) -> object:
    return decode_pipeline(text.encode(), "pipeline.yaml")


STEP = "steps:\n  - name: a\n    command: python a.py\n"
BAD = {
    "no steps": ("name: x\n", "steps are missing"),
    "an unknown setting": ("parms: {}\n" + STEP, "line 1: parms: no such setting; did you mean 'params'?"),
    "a step without a name": ("steps:\n  - command: x\n", "steps[0]: name is missing"),
    "a step without a command": ("steps:\n  - name: x\n", "command is missing"),
    "a name with a blank": ("steps:\n  - {name: 'a b', command: x}\n", "line 2: steps[0].name: a name is letters"),
    "two steps of a name": ("steps:\n  - {name: a, command: x}\n  - {name: a, command: y}\n", "line 3: steps[1].name: the step 'a' is there twice"),
    "a param that is not there": (STEP.replace("a.py", "a.py {dept}") + "params: {depth: 1}\n", "{dept} is no param of the pipeline; did you mean 'depth'?"),
    "a list as a value": ("params: {a: [1]}\n" + STEP, "params.a: a text or number is expected"),
    "a path that climbs out": (STEP + "    outputs: [../x]\n", "line 4: steps[0].outputs: a path below the pipeline's folder is expected"),
    "an absolute path": (STEP + "    inputs: [/etc/passwd]\n", "steps[0].inputs[0]: a path below the pipeline's folder"),
    "git's folder": (STEP + "    outputs: [.git/hooks]\n", "git's own folder is no input and no output"),
    "an unknown step": (STEP + "    inputs: [bb:x]\n  - {name: bbb, command: x, outputs: [x]}\n", "there is no step 'bb'; did you mean 'bbb'?"),
    "what a step does not make": (STEP + "    inputs: [b:y]\n  - {name: b, command: x, outputs: [x]}\n", "the step b does not make y; its outputs: x"),
    "two makers": (STEP + "    outputs: [x]\n  - {name: b, command: x, outputs: [x]}\n", "x is made by a already"),
    "makers in each other": (STEP + "    outputs: [x/y]\n  - {name: b, command: x, outputs: [x]}\n", "x and x/y lie in each other"),
    "a folder that steps make parts of": (STEP + "    inputs: [d]\n  - {name: b, command: x, outputs: [d/x]}\n", "d holds what steps make; name that: d/x"),
    "a uri without a place": (STEP + "    inputs: ['models:/wine/3']\n", "say where to put it"),
    "a wrong uri": (STEP + "    inputs: [{from: 'models:/wine', to: m}]\n", "Not a valid model URI"),
    "a shell's pipe": ("steps:\n  - {name: a, command: 'sort x | uniq'}\n", "without a shell, so '|' would be passed on as it is"),
    "a shell's redirection": ("steps:\n  - {name: a, command: 'sort x >y'}\n", "'>y'"),
    "a shell's variable": ("steps:\n  - {name: a, command: 'ls $HOME'}\n", "'$HOME' would not be replaced"),
    "a value in a shell's script": ("params: {x: 1}\nsteps:\n  - {name: a, command: [bash, -c, 'echo {x}']}\n", "pass it as an argument"),
    "open quotes": ("steps:\n  - {name: a, command: 'ls \"x'}\n", "the quotes do not match"),
    "several lines": ("steps:\n  - name: a\n    command: |\n      ls\n      ls\n", "found several lines"),
    "no span of time": (STEP + "    timeout: soon\n", "'soon' is not a span of time"),
    "a variable of ours": (STEP + "    env: {RUNFOLIO_RUN_ID: x}\n", "does not begin with RUNFOLIO_"),
    "a newer schema": ("schema: 2\n" + STEP, "this runfolio reads schema 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_named_with_its_line(name: str) -> None:
    text, said = BAD[name]
    with pytest.raises(DamagedError) as raised:
        decode(text)
    assert said in raised.value.message
    assert "pipeline.yaml: " in raised.value.message


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    with pytest.raises(DamagedError) as raised:
        decode("parms: {}\nsteps:\n  - name: a\n    comand: x\n    outputs: [/x]\n    timeout: -1\n")
    lines = raised.value.message.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["line 1", "line 3", "line 4", "line 5", "line 6"]


def test_a_circle_is_named_step_by_step() -> None:
    with pytest.raises(DamagedError, match="in a circle: a needs c needs b needs a"):
        decode(
            "steps:\n"
            + "".join(f"  - {{name: {n}, command: x, inputs: [{i}], outputs: [{o}]}}\n" for n, i, o in ("azx", "bxy", "cyz"))
        )


def test_steps_come_after_what_they_need_whatever_their_order_in_the_file() -> None:
    made = decode_pipeline(
        b"steps:\n  - {name: c, command: x, inputs: [b:y]}\n  - {name: b, command: x, inputs: [x], outputs: [y]}\n"
        b"  - {name: a, command: x, outputs: [x]}\n",
        "pipeline.yaml",
    )
    assert [step.name for step in made.steps] == ["a", "b", "c"]
    assert [step.needs for step in made.steps] == [(), ("a",), ("b",)]


def test_a_part_of_a_folder_that_a_step_makes_is_an_input() -> None:
    made = decode_pipeline(
        b"steps:\n  - {name: b, command: x, inputs: [data/a.csv]}\n  - {name: a, command: x, outputs: [data]}\n", "pipeline.yaml"
    )
    assert made.step("b").needs == ("a",)


def test_params_of_the_command_line_take_the_place_of_the_files() -> None:
    made = decode_pipeline(b"params: {depth: 4, x: a}\nsteps: [{name: a, command: 'x {depth}'}]\n", "pipeline.yaml")
    assert with_params(made, {"depth": 5}).values(made.steps[0]) == {"depth": "5"}
    with pytest.raises(UsageError, match="-P dept: the pipeline pipeline has no such param; did you mean 'depth'"):
        with_params(made, {"dept": 5})


def test_no_file_is_said(folio_dir: Path) -> None:
    with pytest.raises(NotFoundError, match=r"There is no pipeline .*pipeline\.yaml"):
        read_pipeline(folio_dir)


def test_a_pipeline_outside_of_a_repository_is_refused(tmp_path: Path, pinned_git: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(STEP)
    with pytest.raises(Exception, match="no git repository|not a git repository|in no"):
        read_pipeline(tmp_path)


@given(st.text(alphabet=st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=40))
def test_a_value_is_one_word_whatever_it_says(value: str) -> None:
    assert fill(split("python a.py --name={name} {name}"), {"name": value}) == ("python", "a.py", f"--name={value}", value)


def test_doubled_braces_are_braces() -> None:
    words = split("""python a.py '{{"a": {{}}}}' {x}""")
    assert names(words) == ("x",)
    assert fill(words, {"x": "{y}"}) == ("python", "a.py", '{"a": {}}', "{y}")


@given(st.dictionaries(st.sampled_from("abcdefg"), st.sets(st.sampled_from("abcdefg"), max_size=3), max_size=7))
def test_an_order_puts_all_after_what_they_need_or_names_a_true_circle(needs: dict[str, set[str]]) -> None:
    known = {name: sorted(each & needs.keys()) for name, each in needs.items()}
    order, circle = in_order(known)
    for at, name in enumerate(order):
        assert set(known[name]) <= set(order[:at])
    assert bool(circle) == (len(order) < len(known))
    assert all(second in known[first] for first, second in itertools.pairwise(circle))
