"""How a model is called: in Python, from a shell, over HTTP, from MLflow; with its own input example where the site may show it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runfolio.errors import RunfolioError
from runfolio.records.runs import Digest
from runfolio.registry.prompts import file_of, is_prompt

if TYPE_CHECKING:
    from runfolio.site.catalogue import VersionData
    from runfolio.site.gather import Site

EXAMPLE = "serving_input_example.json"
"""The file of a model's folder that holds its input example as the scoring protocol takes it."""
MAX_EXAMPLE, MAX_CELLS = 4000, 100
_MADE_UP: dict[str, Any] = {
    "double": 0.5,
    "float": 0.5,
    "long": 1,
    "integer": 1,
    "boolean": True,
    "string": "text",
    "datetime": "2026-01-31T12:00:00",
    "binary": "",
}

Uses = list[tuple[str, list[str]]]


def uses_of(name: str, folder: str, address: str, which: str, body: str = "", tags: Mapping[str, str] | None = None) -> Uses:
    """Return titles and lines of the ways to use a model.

    Parameters
    ----------
    name, folder : str
        Of the registered model.
    address, which : str
        A version, stage or alias, as a URI says it after the name, and as the command does.
    body : str
        What a request would send; none is shown without it.
    tags : Mapping of str to str, optional
        Of the version, which tell whether it is a prompt.
    """
    uri = f"models:/{name}{address}"
    quoted, word = json.dumps(uri, ensure_ascii=False), shlex.quote(uri)
    show = f"runfolio models show {shlex.quote(name)} {shlex.quote(which)}"
    shell = ("CLI", [f"runfolio artifacts get {word} -o {shlex.quote(folder)}", show])
    if tags and is_prompt(tags):
        loaded = f"prompt = mlflow.genai.load_prompt({json.dumps(f'prompts:/{name}{address}', ensure_ascii=False)})"
        text = json.dumps(f"{uri}/{file_of(tags)}", ensure_ascii=False)
        python = ("Python", ["import runfolio", "", f"text = runfolio.artifacts.load_text({text})"])
        return [python, shell, ("MLflow client", ["import mlflow", "", f"{loaded}  # MLflow 2: mlflow.load_prompt"])]
    made: Uses = [
        ("Python", ["import runfolio", "", f"model = runfolio.pyfunc.load_model({quoted})", "predictions = model.predict(data)"]),
        ("Serve", [f"runfolio models serve -m {word} -p 5000"]),
    ]
    if body:
        lines = [
            "curl http://127.0.0.1:5000/invocations \\",
            "  -H 'Content-Type: application/json' \\",
            f"  -d {shlex.quote(body)}",
        ]
        made.append(("REST", lines))
    image = _image(folder, which)
    docker = [f"runfolio models build-docker -m {word} -n {image}", f"docker run -p 5000:8080 {image}"]
    made.insert(1, shell)
    made.append(("Docker", docker))
    made.append(("MLflow client", ["import runfolio as mlflow", "", f"path = mlflow.artifacts.download_artifacts({quoted})"]))
    return made


def _image(folder: str, which: str) -> str:
    """Return a name for a container image, as Docker's reference grammar has it (lower-case letters, digits and separators)."""
    parts = (re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in (folder, which))
    name, tag = parts
    return f"{name or 'model'}:{tag or 'latest'}"


def request_body(site: Site, shown: VersionData) -> str:
    """Return what a request to a version may send: its input example, or made-up values that fit its signature.

    Parameters
    ----------
    site : Site
        One for everybody shows no example: it is rows of somebody's data.
    shown : VersionData

    Returns
    -------
    str
        JSON; empty where neither is known, or it would be long.
    """
    example = "" if site.options.public else _example(site, shown.files or {})
    return example or _of_signature(shown.version.signature.get("inputs", ""))


def _example(site: Site, files: Mapping[str, tuple[int, str]]) -> str:
    size, digest = files.get(EXAMPLE, (MAX_EXAMPLE + 1, ""))
    if size > MAX_EXAMPLE:
        return ""
    try:
        said = json.loads(site.folio.store.read(Digest(digest)))
    except (RunfolioError, ValueError):
        return ""
    return json.dumps(said, ensure_ascii=False)


def _of_signature(text: str) -> str:
    try:
        columns = json.loads(text or "[]")
    except ValueError:
        return ""
    if not isinstance(columns, list) or not columns or not all(isinstance(each, dict) for each in columns):
        return ""
    if len(columns) == 1 and isinstance(columns[0].get("tensor-spec"), dict):
        return _tensor(columns[0]["tensor-spec"])
    values = [_MADE_UP.get(str(each.get("type"))) for each in columns]
    if len(columns) > MAX_CELLS or any(value is None for value in values):
        return ""
    names = [str(each["name"]) for each in columns if each.get("name")]
    if len(names) < len(columns):
        return json.dumps({"inputs": [values]})
    return json.dumps({"dataframe_split": {"columns": names, "data": [values]}}, ensure_ascii=False)


def _tensor(spec: Mapping[str, Any]) -> str:
    shape = spec.get("shape")
    if not isinstance(shape, list) or not shape or not all(isinstance(each, int) for each in shape):
        return ""
    sizes = [max(1, each) for each in shape]
    cells = 1
    for size in sizes:
        cells *= size
    if cells > MAX_CELLS:
        return ""
    value: Any = 0.5 if str(spec.get("dtype", "")).startswith("float") else 1
    for size in reversed(sizes):
        value = [value] * size
    return json.dumps({"inputs": value})
