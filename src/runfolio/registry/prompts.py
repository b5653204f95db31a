"""Prompts in the registry: what MLflow's clients registered as one, and how its text is had.

A prompt is a registered model by a tag; the text of a version is its file.

>>> how_to_load("sommelier", "@live", {"mlflow.prompt.is_prompt": "true"})
"runfolio.artifacts.load_text('models:/sommelier@live/prompt.txt')"
>>> how_to_load("wine", "/3", {})
"runfolio.pyfunc.load_model('models:/wine/3')"
"""

from __future__ import annotations

from collections.abc import Mapping

TAG = "mlflow.prompt.is_prompt"
"""On a registered model and its versions."""
TEXT_TAG = "mlflow.prompt.text"
TYPE_TAG = "_mlflow_prompt_type"
TEXT_FILE, CHAT_FILE = "prompt.txt", "prompt.json"


def is_prompt(tags: Mapping[str, str]) -> bool:
    """Tell whether tags are those of a prompt."""
    return tags.get(TAG, "false").lower() == "true"


def file_of(tags: Mapping[str, str]) -> str:
    """Return the name of the file that holds the text of a version with these tags."""
    return CHAT_FILE if tags.get(TYPE_TAG) == "chat" else TEXT_FILE


def how_to_load(name: str, address: str, tags: Mapping[str, str]) -> str:
    """Return the call that loads a version.

    Parameters
    ----------
    name, address : str
        Of the registered model; what a URI says after the name: ``/3``, ``/Production``, ``@champion``.
    tags : Mapping of str to str
        Of the version.
    """
    uri = f"models:/{name}{address}"
    if is_prompt(tags):
        return f"runfolio.artifacts.load_text({f'{uri}/{file_of(tags)}'!r})"
    return f"runfolio.pyfunc.load_model({uri!r})"
