"""The steps of a pipeline as a picture: in words, in Mermaid (which git hosts draw), or as SVG."""

from __future__ import annotations

import os
import re

from runfolio.pipelines.model import Pipeline, Step
from runfolio.pipelines.reading import read_pipeline


def draw(path: str | os.PathLike[str], form: str) -> str:
    """Draw a pipeline.

    Parameters
    ----------
    path : path
        As for :func:`runfolio.pipelines.run`.
    form : {"text", "mermaid", "svg"}
    """
    pipeline = read_pipeline(path)[1]
    return {"text": _text, "mermaid": _mermaid, "svg": _svg}[form](pipeline)


def _text(pipeline: Pipeline) -> str:
    lines = [pipeline.name]
    for step in pipeline.steps:
        lines.append(f"  {step.name}")
        lines += [f"    reads  {item.place or f'data:{item.dataset}'}{_from(item.step or item.uri)}" for item in step.inputs]
        for place in step.outputs:
            to = ", ".join(other.name for other in pipeline.steps if _reads(other, step.name, place))
            lines.append(f"    makes  {place}" + (f"  → {to}" if to else ""))
    return "\n".join(lines) + "\n"


def _from(source: str) -> str:
    return f"  ← {source}" if source else ""


def _reads(step: Step, maker: str, output: str) -> bool:
    return any(item.step == maker and (item.place == output or item.place.startswith(f"{output}/")) for item in step.inputs)


def _mermaid(pipeline: Pipeline) -> str:
    number = {step.name: at for at, step in enumerate(pipeline.steps)}
    lines = ["flowchart LR"]
    lines += [f'  s{at}["{_quoted(name)}"]' for name, at in number.items()]
    for step in pipeline.steps:
        for name in step.needs:
            files = ", ".join(item.place for item in step.inputs if item.step == name)
            lines.append(f'  s{number[name]} -->|"{_quoted(files)}"| s{number[step.name]}')
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Spell what Mermaid would read as its own by its number."""
    return re.sub(r"[^\w ./,-]", lambda match: f"#{ord(match[0])};", text)


def _svg(pipeline: Pipeline) -> str:
    from runfolio.site.svg.pipelines import Box, steps_picture

    boxes = [Box(step.name, step.needs, ", ".join(step.outputs)) for step in pipeline.steps]
    return f"{steps_picture(boxes, f'The steps of {pipeline.name}', alone=True)}\n"
