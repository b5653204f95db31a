"""MLflow's prompts: registered models by a tag, whose versions hold a text.

MLflow keeps the text in a tag of the version and gives the version no files. Here a version is its files, by digest, so the text is a
file too, ``prompt.txt`` or (a chat) ``prompt.json``, beside what the answer must look like and the model's settings. The tag stays: it is
what MLflow reads, and in the version's record it is what a reviewer sees change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from runfolio.errors import UsageError
from runfolio.registry.prompts import CHAT_FILE, TAG, TEXT_TAG, file_of

_MORE = {"response_format.json": "_mlflow_prompt_response_format", "model_config.json": "_mlflow_prompt_model_config"}


@contextmanager
def prompt_folder(tags: Mapping[str, str]) -> Iterator[str]:
    """Make the folder of a version's files, for as long as it takes to register it.

    Raises
    ------
    UsageError
        If there is no text.
    """
    text = tags.get(TEXT_TAG)
    if text is None:
        raise UsageError(f"A version of a prompt needs its text, in the tag {TEXT_TAG!r}. Call mlflow.register_prompt.")
    with TemporaryDirectory() as made:
        folder = Path(made, "prompt")
        folder.mkdir()
        name = file_of(tags)
        (folder / name).write_text(_readable(text) if name == CHAT_FILE else text, "utf-8")
        for more, tag in _MORE.items():
            if tags.get(tag):
                (folder / more).write_text(_readable(tags[tag]), "utf-8")
        yield str(folder)


def split_filter(filter_string: str | None) -> tuple[str | None, bool]:
    """Take MLflow's question about prompts out of a filter; return the rest, and whether prompts are asked for.

    Its clients add ``tags.`mlflow.prompt.is_prompt` != 'true'``, which must hold of a model without that tag, though a comparison
    otherwise holds of nothing that lacks the tag. Without any such question models are meant, as with MLflow's databases.

    >>> split_filter("tags.`mlflow.prompt.is_prompt` != 'true' AND name = 'wine'")
    ("name = 'wine'", False)
    >>> split_filter("tags.`mlflow.prompt.is_prompt` = 'true'")
    (None, True)
    """
    parts = [part.strip() for part in (filter_string or "").split(" AND ")]
    about = [part for part in parts if TAG in part]
    kept = [part for part in parts if part and part not in about]
    asked = any("!=" not in part and part.endswith(("'true'", '"true"')) for part in about)
    return " AND ".join(kept) or None, asked


def _readable(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    except ValueError:
        return text
