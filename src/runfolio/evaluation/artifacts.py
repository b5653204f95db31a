"""Artifacts of an evaluation: where each is, and its content. MLflow's ``mlflow.models.evaluation.artifacts``.

Reading one never runs code: a pickle is not read back here.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from runfolio.errors import UsageError


class EvaluationArtifact:
    """One artifact.

    Parameters
    ----------
    uri : str
        Where it is: an artifact of the run.
    content : Any
        Read from its file where it is not given.
    """

    ending: ClassVar[str] = ""

    def __init__(self, uri: str, content: Any = None) -> None:
        self._uri, self._content = uri, content

    @property
    def uri(self) -> str:
        """Where it is."""
        return self._uri

    @property
    def content(self) -> Any:
        """What it holds; fetched from the run when it is first asked for."""
        if self._content is None:
            from runfolio.tracking.fetching import download_artifacts

            with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
                self._content = self.read(Path(download_artifacts(self._uri, dst_path=folder)))
        return self._content

    def read(self, path: Path) -> Any:
        """Return the content of its file."""
        raise NotImplementedError

    def write(self, path: Path) -> None:
        """Write its content to a file."""
        raise NotImplementedError

    def load(self, path: Path) -> None:
        """Take the content from a file."""
        self._content = self.read(path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(uri='{self.uri}')"


class ImageEvaluationArtifact(EvaluationArtifact):
    """A picture; its content is a PIL image."""

    ending = ".png"

    def read(self, path: Path) -> Any:
        """Return the picture."""
        from runfolio.tracking.fetching import load_image

        image = load_image(str(path))
        image.load()
        return image

    def write(self, path: Path) -> None:
        """Write the picture."""
        self.content.save(path)


class CsvEvaluationArtifact(EvaluationArtifact):
    """A table of separated values; its content is a DataFrame."""

    ending = ".csv"

    def read(self, path: Path) -> Any:
        """Return the table."""
        import pandas

        return pandas.read_csv(path)

    def write(self, path: Path) -> None:
        """Write the table."""
        self.content.to_csv(path, index=False)


class ParquetEvaluationArtifact(EvaluationArtifact):
    """A Parquet table; its content is a DataFrame."""

    ending = ".parquet"

    def read(self, path: Path) -> Any:
        """Return the table."""
        import pandas

        return pandas.read_parquet(path)

    def write(self, path: Path) -> None:
        """Write the table."""
        self.content.to_parquet(path)


class NumpyEvaluationArtifact(EvaluationArtifact):
    """An array."""

    ending = ".npy"

    def read(self, path: Path) -> Any:
        """Return the array; one of objects is refused."""
        import numpy

        return numpy.load(path, allow_pickle=False)

    def write(self, path: Path) -> None:
        """Write the array."""
        import numpy

        numpy.save(path, self.content, allow_pickle=False)


class JsonEvaluationArtifact(EvaluationArtifact):
    """JSON."""

    ending = ".json"

    def read(self, path: Path) -> Any:
        """Return the value."""
        return json.loads(path.read_text("utf-8"))

    def write(self, path: Path) -> None:
        """Write the value."""
        content = self.content
        path.write_text(content if isinstance(content, str) else json.dumps(plain(content)), "utf-8")


class TextEvaluationArtifact(EvaluationArtifact):
    """Text."""

    ending = ".txt"

    def read(self, path: Path) -> Any:
        """Return the text."""
        return path.read_text("utf-8")

    def write(self, path: Path) -> None:
        """Write the text."""
        path.write_text(self.content, "utf-8")


KINDS: tuple[type[EvaluationArtifact], ...] = (
    ImageEvaluationArtifact,
    CsvEvaluationArtifact,
    ParquetEvaluationArtifact,
    NumpyEvaluationArtifact,
    JsonEvaluationArtifact,
    TextEvaluationArtifact,
)
BY_NAME = {kind.__name__: kind for kind in KINDS}
_BY_ENDING: dict[str, type[EvaluationArtifact]] = {
    ".jpg": ImageEvaluationArtifact,
    ".jpeg": ImageEvaluationArtifact,
    **{kind.ending: kind for kind in KINDS},
}
_BY_METHOD: dict[str, type[EvaluationArtifact]] = {
    "to_csv": CsvEvaluationArtifact,
    "savefig": ImageEvaluationArtifact,
    "__array_interface__": NumpyEvaluationArtifact,
}


def of_value(name: str, value: Any, where: str) -> tuple[type[EvaluationArtifact], str, Path | None]:
    """Tell what kind of artifact a value makes: kind, ending, and the file where the value names one.

    Parameters
    ----------
    name : str
        Of the artifact.
    value : Any
        A path, JSON as text, a table, an array, a figure, or what JSON can say.
    where : str
        Who made it, for the error.

    Raises
    ------
    UsageError
        If it is a path to nothing, of an unknown ending, or no value that can be stored without a pickle.
    """
    if isinstance(value, str) and not Path(value).exists():
        try:
            json.loads(value)
        except ValueError:
            raise UsageError(f"{where}: {name!r} is text that is neither the path of a file nor JSON: {value[:80]!r}.") from None
        return JsonEvaluationArtifact, ".json", None
    if isinstance(value, (str, Path)):
        path = Path(value)
        if not path.is_file() or path.suffix not in _BY_ENDING:
            raise UsageError(f"{where}: {name!r}: {path} is no file that ends with one of {', '.join(sorted(_BY_ENDING))}.")
        return _BY_ENDING[path.suffix], path.suffix, path
    for told, kind in _BY_METHOD.items():
        if hasattr(value, told):
            return kind, kind.ending, None
    try:
        json.dumps(plain(value))
    except (TypeError, ValueError):
        raise UsageError(
            f"{where}: {name!r} is a {type(value).__name__}, which is not stored: it would be a pickle, which runs code when it is read. "
            "Return a path, a DataFrame, an array, a figure, or what JSON can say."
        ) from None
    return JsonEvaluationArtifact, ".json", None


def plain(value: Any) -> Any:
    """Return a value with numpy's numbers and arrays as Python's, for JSON."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    return value
