"""spaCy's pipelines, in the layout of ``mlflow.spacy``: the folder that ``to_disk`` writes.

Its files are data: the pipeline is built by functions that installed packages register under the names in ``config.cfg``. Whether one of
those of other packages than spaCy's own reads a pickle is not known here, so their files are told.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio.errors import DamagedError, UsageError, missing_package
from runfolio.flavors.catalogue import Predict
from runfolio.flavors.folders import Beside, Options, code_of, opened, python_function, save_folder, with_options
from runfolio.flavors.model import Model
from runfolio.flavors.requirements import distributions_of, pinned

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR = "spacy"
LOADER = "mlflow.spacy"
_FOLDER = "model.spacy"
_log = logging.getLogger("runfolio")
_FACTORIES = frozenset(
    "attribute_ruler beam_ner beam_parser doc_cleaner entity_linker entity_ruler future_entity_ruler lemmatizer merge_entities "
    "merge_noun_chunks merge_subtokens morphologizer ner parser sentencizer senter span_cleaner span_finder span_ruler spancat "
    "spancat_singlelabel tagger textcat textcat_multilabel tok2vec token_splitter trainable_lemmatizer".split()
)
"""The components of spaCy itself, which read JSON, MessagePack and arrays."""


@with_options
def save_model(
    spacy_model: Any, path: str | os.PathLike[str], mlflow_model: Model | None = None, **options: Unpack[Options]
) -> Model:
    """Write a pipeline into a folder; MLflow loads it too.

    ``predict`` is for pipelines with a text categorizer, as in MLflow: others load with :func:`runfolio.spacy.load_model` only.

    Parameters
    ----------
    spacy_model : spacy.language.Language
    path : path
        Missing, or an empty folder.
    mlflow_model : Model, optional
        To add the flavor to.
    **options
        See :class:`~runfolio.flavors.folders.Options`.

    Raises
    ------
    UsageError
        If it is no pipeline.
    """
    spacy = _spacy()
    if not isinstance(spacy_model, spacy.language.Language):
        raise UsageError(f"spacy_model takes a pipeline of spaCy, not {type(spacy_model).__name__}.")
    from spacy.pipeline import TextCategorizer

    sorts = any(isinstance(component, TextCategorizer) for _, component in spacy_model.pipeline)

    def write(folder: Path, model: Model) -> list[str]:
        spacy_model.to_disk(folder / _FOLDER)
        if sorts:
            python_function(model, folder, LOADER, data=_FOLDER)
        else:
            _log.warning("The pipeline has no text categorizer: it is loaded by runfolio.spacy, and not by runfolio.pyfunc.")
        model.add_flavor(FLAVOR, spacy_version=str(spacy.__version__), data=_FOLDER, code=code_of(folder))
        parts = [type(component).__module__ for _, component in spacy_model.pipeline]
        return pinned(["spacy", *distributions_of(parts)])

    return save_folder(path, mlflow_model, Beside(**options), write, predictor(spacy_model, {}) if sorts else None)


def load_folder(folder: Path) -> Any:
    """Load the pipeline from a folder.

    Raises
    ------
    UsageError
        If the model is of another flavor.
    DamagedError
        If its files cannot be read.
    """
    spacy = _spacy()
    _, place = opened(folder, FLAVOR, _FOLDER)
    try:
        return spacy.load(place)
    except (OSError, ValueError, KeyError) as error:
        raise DamagedError(f"{place}: spaCy cannot read it: {str(error).strip().splitlines()[0]}") from error


def predictor(held: Any, config: Mapping[str, Any]) -> Predict:
    """Return how the pipeline predicts: of a frame of one column of texts, the categories of each."""

    def categories(data: Any, _: dict[str, Any]) -> Any:
        import pandas

        if len(getattr(data, "columns", ())) != 1:
            raise UsageError("A pipeline of spaCy takes a DataFrame of one column, which holds the texts.")
        return pandas.DataFrame({"predictions": data.iloc[:, 0].apply(lambda text: held(text).cats)})

    return categories


def runs_code(folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
    """Return the files of components that packages beside spaCy read."""
    name = str(config.get("data") or _FOLDER)
    parser = ConfigParser(interpolation=None, delimiters=("=",))
    try:
        parser.read_string((folder / name / "config.cfg").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ConfigParserError):
        return (name,)
    sections = [parser[each] for each in parser.sections() if each.partition(".")[0] in ("nlp", "components")]
    return () if all(map(_is_own, sections)) else (name,)


def _is_own(section: Mapping[str, str]) -> bool:
    """Return whether spaCy itself makes what a section asks for; what wraps PyTorch reads a pickle."""
    named = [value.strip('"') for key, value in section.items() if key.startswith("@")]
    own = all(each.startswith("spacy.") and "Torch" not in each for each in named)
    return own and section.get("factory", '"tok2vec"').strip('"') in _FACTORIES and "source" not in section


def _spacy() -> Any:
    try:
        import spacy
    except ImportError as error:
        raise missing_package("spacy", "spacy", "save and load pipelines of spaCy") from error
    return spacy
