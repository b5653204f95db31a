"""``pipeline.yaml``: read strictly, every mistake named with its line, all at once.

What it does *not* do: look whether files are there; that is the plan's (`runfolio.pipelines.planning`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from runfolio.errors import NotFoundError, UsageError, storage_error
from runfolio.formats.fields import FieldReader, list_of, some_text, suggestion, text
from runfolio.formats.yaml import read_yaml
from runfolio.gitstore.repo import Repo
from runfolio.pipelines.commands import names
from runfolio.pipelines.entries import with_entries
from runfolio.pipelines.model import INSTALLED, Pipeline, Step, in_order
from runfolio.pipelines.values import (
    a_command,
    a_name,
    a_path,
    a_timeout,
    listed,
    read_code,
    read_env,
    read_environment,
    read_input,
    read_own_params,
    read_params,
    value_text,
)

FILE = "pipeline.yaml"
MAX_BYTES = 1 << 20
MAX_STEPS = 1000
_NO_WORDS: tuple[str, ...] = ()
_TOP = ("schema", "name", "description", "experiment", "params", "code", "env", "environment", "steps")
_STEP = ("name", "command", "entry", "params", "inputs", "outputs", "code", "env", "environment", "timeout")


def read_pipeline(path: str | os.PathLike[str] = FILE, params: Mapping[str, Any] | None = None) -> tuple[Repo, Pipeline]:
    """Read a pipeline's file.

    Parameters
    ----------
    path : path, optional
        The file, or its folder.
    params : Mapping, optional
        Values in place of the file's.

    Returns
    -------
    Repo
        The repository that it is in.
    Pipeline

    Raises
    ------
    NotFoundError
        If there is no such file.
    DamagedError
        If anything in it is wrong; the message names all of it.
    UsageError
        If a param is given that the pipeline has not.
    """
    file = Path(path).expanduser()
    if file.is_dir():
        file = file / FILE
    try:
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"There is no pipeline {file}. Write one (docs: how-to/pipelines), or name its file.") from None
    except OSError as error:
        raise storage_error(f"read {file}", error) from error
    here = file.resolve()
    repo = Repo.discover(here.parent)
    if repo.work_tree is None or not here.is_relative_to(repo.work_tree):
        raise UsageError(f"{file} is in no work tree of a git repository. Put it beside the code that it runs.")
    inside = here.relative_to(repo.work_tree).as_posix()
    pipeline = decode_pipeline(data, str(path) if not Path(path).is_dir() else os.fspath(file), inside)
    return repo, with_entries(with_params(pipeline, params or {}), here.parent)


def with_params(pipeline: Pipeline, given: Mapping[str, Any]) -> Pipeline:
    """Return the pipeline with other values of its params.

    Raises
    ------
    UsageError
        If it has no such param; all are named.
    """
    faults = [
        f"-P {name}: the pipeline {pipeline.name} has no such param{suggestion(name, pipeline.params, '.')}"
        if pipeline.params
        else f"-P {name}: the pipeline {pipeline.name} has no params."
        for name in given
        if name not in pipeline.params
    ]
    values: dict[str, str] = {}
    for name, value in given.items():
        try:
            values[name] = value_text(value)
        except ValueError as error:
            faults.append(f"-P {name}: {error}.")
    if faults:
        raise UsageError("\n".join(faults))
    return replace(pipeline, params={**pipeline.params, **values})


def decode_pipeline(data: bytes, where: str, inside: str = FILE) -> Pipeline:
    """Read the bytes of a pipeline's file.

    Parameters
    ----------
    data : bytes
    where : str
        The file, for messages.
    inside : str, optional
        Its path from the root of its repository.

    Raises
    ------
    DamagedError
        If anything in it is wrong; the message names every mistake with its line.
    """
    document = read_yaml(data, where, limit=MAX_BYTES)
    top = FieldReader(document, where)
    top.only(_TOP)
    if top.value.get("schema", 1) != 1:
        top.fault(("schema",), "this runfolio reads schema 1; upgrade it, or leave the line out")
    if not top.value.get("steps"):
        top.fault(("steps",) if "steps" in top.value else (), "steps are missing: list at least one, with name and command")
    params = read_params(top, "params")
    name = (
        top.read("name", a_name, "") or re.sub(r"[^A-Za-z0-9_-]", "-", inside.rpartition("/")[0].rpartition("/")[2]) or "pipeline"
    )
    code = read_code(top, None)
    env, environment = read_env(top), read_environment(top, (INSTALLED,))
    sections = top.items("steps")
    if len(sections) > MAX_STEPS:
        top.fault(("steps",), f"{len(sections)} steps; {MAX_STEPS} are the most")
    steps = [
        _step(section, params, Step("", (), code=code, env=env, environment=environment)) for section in sections[:MAX_STEPS]
    ]
    steps = _joined(steps, sections)
    made = Pipeline(
        name, inside, tuple(steps), params, top.read("experiment", some_text, ""), top.read("description", text, "")
    )  # fmt: skip
    top.report()
    ordered, circle = in_order({step.name: step.needs for step in steps})
    if circle:
        section = next(section for section in sections if section.value.get("name") == circle[0])
        section.fault((), f"the steps need each other in a circle: {' needs '.join(circle)}; take one of these inputs away")
        top.faults.extend(fault for fault in section.faults if fault not in top.faults)
        top.report()
    return replace(made, steps=tuple(made.step(each) for each in ordered))


def _step(section: FieldReader, params: Mapping[str, str], shared: Step) -> Step:
    section.only(_STEP)
    if section.value.get("name") is None:
        section.fault((), "name is missing: give the step a name")
    name = section.read("name", a_name, "")
    entry = section.read("entry", some_text, "")
    if entry and section.value.get("command") is not None:
        section.fault(("entry",), "a step has a command or an entry point of the MLproject file, not both")
    if section.value.get("command") is None and not entry:
        section.fault((), "command is missing: write what the step runs, such as: python train.py --depth {depth}")
    command = section.read("command", a_command, _NO_WORDS)
    own, asked_for = read_own_params(section, params)
    asked = names(command)
    known = {**params, **own}
    for each in asked:
        if each not in known:
            section.fault(
                ("command",),
                f"{{{each}}} is no param of the pipeline{suggestion(each, known) if known else '; write it under params'}. "
                "For braces as they are write {{ and }}",
            )
    used = tuple(dict.fromkeys(each for each in (*asked_for, *own, *asked) if each in known))
    timeout = section.read("timeout", a_timeout, None)
    outputs = section.read("outputs", list_of(a_path), _NO_WORDS)
    return Step(
        name, command, used, own,
        inputs=tuple(filter(None, (read_input(section, at, value) for at, value in listed(section, "inputs")))),
        outputs=outputs,
        code=read_code(section, shared.code),
        env={**shared.env, **read_env(section)},
        environment=read_environment(section, shared.environment),
        timeout_s=timeout, entry=entry,
    )  # fmt: skip


def _joined(steps: list[Step], sections: list[FieldReader]) -> list[Step]:
    """Find out which step makes which input, and note what does not fit together."""
    makers: dict[str, str] = {}
    known = [step.name for step in steps if step.name]
    for step, section in zip(steps, sections, strict=False):
        if step.name and known.count(step.name) > 1 and known.index(step.name) != steps.index(step):
            section.fault(("name",), f"the step {step.name!r} is there twice; give each its own name")
        for output in step.outputs:
            other = next((made for made in makers if _within(made, output) or _within(output, made)), None)
            if other is not None:
                what = "is made" if other == output else f"and {other} lie in each other, and are made"
                section.fault(("outputs",), f"{output} {what} by {makers[other]} already; a file has one maker")
            makers.setdefault(output, step.name)
    made = []
    for step, section in zip(steps, sections, strict=False):
        inputs = []
        for item in step.inputs:
            if item.step and item.step not in known:
                section.fault(("inputs",), f"there is no step {item.step!r}{suggestion(item.step, known)}")
                continue
            below = [path for path in makers if path != item.place and _within(path, item.place)]
            if below:
                section.fault(("inputs",), f"{item.place} holds what steps make; name that: {', '.join(below)}")
                continue
            maker = next((makers[path] for path in makers if _within(item.place, path)), "")
            if item.step and maker != item.step:
                outputs = next((other.outputs for other in steps if other.name == item.step), ())
                has = f"its outputs: {', '.join(outputs)}" if outputs else "it has no outputs"
                section.fault(("inputs",), f"the step {item.step} does not make {item.place}; {has}")
                continue
            if maker and (item.uri or item.dataset):
                section.fault(("inputs",), f"{item.place} is made by the step {maker}; put the input at another place")
                continue
            inputs.append(replace(item, step=maker))
        made.append(replace(step, inputs=tuple(dict.fromkeys(inputs))))
    return made


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
