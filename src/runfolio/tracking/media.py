"""Images and dictionaries to bytes: what ``log_image`` and ``log_dict`` store; figures are in :mod:`.figures`.

The rules for pixels, keys and file names are MLflow's. Nothing is written to disk here, and no run is touched: the caller
gets file names and bytes.

>>> render_dict({"depth": 3}, "model.yaml")
b'depth: 3\\n'
"""

from __future__ import annotations

import io
import json
import random
import re
import string
import time
import uuid
import warnings
from collections.abc import Mapping
from enum import Enum
from typing import Any

from runfolio.errors import UsageError, missing_package
from runfolio.tracking.figures import render_figure

__all__ = ["LOGGED_IMAGES_TAG", "picture_of", "render_dict", "render_figure", "render_image", "small_copy", "stepped_image_files"]

LOGGED_IMAGES_TAG = "mlflow.loggedImages"
THUMBNAIL_PIXELS = 256

_IMAGE_KEY = re.compile(r"[a-zA-Z0-9_\-./ ]+\Z")
_PIXEL_KINDS = {"b": "bool", "i": "signed integer", "u": "unsigned integer", "f": "floating"}


def render_image(image: Any, file_name: str) -> bytes:
    """Encode an image in the format that its file's ending names.

    Parameters
    ----------
    image : ndarray, PIL.Image.Image or runfolio.Image
        An array has shape (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), and holds bool, integers 0 to 255 or floats 0 to 1.
    file_name : str
        Every ending that Pillow can write.

    Returns
    -------
    bytes

    Raises
    ------
    UsageError
        If it is no image, the array breaks a rule, or Pillow cannot write it with that ending.
    """
    picture = picture_of(image)
    from PIL import Image

    ending = "." + file_name.rsplit(".", 1)[1].lower() if "." in file_name.rsplit("/", 1)[-1] else ""
    kind = Image.registered_extensions().get(ending)
    if kind is None or kind not in Image.SAVE:
        raise UsageError(f"{file_name!r}: Pillow writes no images with the ending {ending!r}. Use .png, .jpg, .webp or .gif.")
    return _encoded(picture, kind, file_name)


def stepped_image_files(image: Any, key: str, step: int | None = None, timestamp: int | None = None) -> list[tuple[str, bytes]]:
    """Encode one image of a series, as it is and as a small preview.

    Parameters
    ----------
    image : ndarray, PIL.Image.Image or runfolio.Image
        See :func:`render_image`.
    key : str
        Name of the series: letters, digits, ``_ - . /`` and spaces.
    step : int, optional
        0 by default.
    timestamp : int, optional
        Milliseconds since the epoch, UTC; now by default.

    Returns
    -------
    list of (str, bytes)
        Artifact path and content; the names are those that MLflow's viewer looks for:
        ``images/<key with # for />%step%<n>%timestamp%<ms>%<uuid>.png`` and ``…%compressed.webp``.

    Raises
    ------
    UsageError
        If the key holds other characters, or the image is refused by :func:`render_image`.
    """
    if not isinstance(key, str) or not _IMAGE_KEY.match(key):
        raise UsageError(
            f"Invalid image key {key!r}: it may hold only letters, digits, underscores (_), dashes (-), periods (.), "
            "spaces ( ) and slashes (/)."
        )
    picture = picture_of(image)
    at = time.time_ns() // 1_000_000 if timestamp is None else int(timestamp)
    # MLflow's viewer tells the id from a number by its first letter, which is never a hex digit.
    unique = random.choice(string.ascii_lowercase[6:]) + str(uuid.uuid4())[1:]
    stem = f"images/{key.replace('/', '#')}%step%{int(step or 0)}%timestamp%{at}%{unique}"
    whole = (f"{stem}.png", _encoded(picture, "PNG", key))
    small = (f"{stem}%compressed.webp", _encoded(_thumbnail(picture), "WEBP", key))
    return [whole, small]


def small_copy(data: bytes, name: str) -> bytes:
    """Return a small preview of an encoded image, as WebP.

    Raises
    ------
    MissingPackageError
        If Pillow is not installed.
    UsageError
        If Pillow cannot read it; `name` is in the message.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise missing_package("pillow", "site", "make a small copy of an image") from error
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return _encoded(_thumbnail(picture), "WEBP", name)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise UsageError(f"{name}: Pillow cannot read the image: {error}") from None


def picture_of(image: Any) -> Any:
    """Return a Pillow image for an array, a Pillow image, or what has one (``to_pil``), as ``mlflow.Image`` does."""
    try:
        from PIL import Image
    except ImportError as error:
        raise missing_package("pillow", "", "store an image") from error
    if hasattr(image, "to_pil"):
        image = image.to_pil()
    if isinstance(image, Image.Image):
        return image
    if not (hasattr(image, "dtype") and hasattr(image, "ndim") and hasattr(image, "astype")):
        raise UsageError(f"Unsupported image object type: {type(image).__name__}. log_image takes a numpy array or a PIL image.")
    return Image.fromarray(_pixels(image))


def _pixels(array: Any) -> Any:
    """Check an array by MLflow's rules and scale it to bytes."""
    import numpy

    if array.dtype.kind not in _PIXEL_KINDS:
        raise UsageError(f"Invalid array data type: '{array.dtype}'. An image is one of {list(_PIXEL_KINDS.values())}.")
    if array.ndim not in (2, 3):
        raise UsageError(f"An image has 2 or 3 dimensions, this array has the shape {array.shape}.")
    if array.ndim == 3 and array.shape[2] not in (1, 3, 4):
        raise UsageError(f"Invalid channel length: {array.shape[2]} in the shape {array.shape}. It must be 1, 3 or 4.")
    if array.size == 0:
        raise UsageError(f"The image is empty: its shape is {array.shape}.")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    low, high = array.min(), array.max()
    if array.dtype.kind in "iu":
        if low < 0 or high > 255:
            raise UsageError(f"Integer pixel values out of acceptable range [0, 255]: from {low} to {high}. Scale them first.")
        return array.astype(numpy.uint8)
    if not (numpy.isfinite(low) and numpy.isfinite(high)):
        raise UsageError("The image holds NaN or infinite pixel values. Replace them first, for example with numpy.nan_to_num.")
    if low < 0 or high > 1:
        warnings.warn(
            f"Float pixel values out of acceptable range [0.0, 1.0]: from {low} to {high}. They are rescaled to it.",
            UserWarning,
            stacklevel=4,
        )
        span = high - low
        array = (array - low) / span if span else numpy.zeros_like(array)
    return (array * 255).astype(numpy.uint8)


def _thumbnail(picture: Any) -> Any:
    """Scale an image so that its longer side has `THUMBNAIL_PIXELS`, in a mode that WebP has."""
    width, height = picture.size
    scale = THUMBNAIL_PIXELS / max(width, height, 1)
    if picture.mode not in ("RGB", "RGBA"):
        picture = picture.convert("RGBA" if picture.mode in ("LA", "PA") or "transparency" in picture.info else "RGB")
    return picture.resize((max(1, int(width * scale)), max(1, int(height * scale))))


def _encoded(picture: Any, kind: str, name: str) -> bytes:
    buffer = io.BytesIO()
    try:
        picture.save(buffer, format=kind)
    except (OSError, KeyError, ValueError, SystemError) as error:
        said = f"an image of mode {picture.mode} as {kind} ({error})"
        raise UsageError(f"{name}: Pillow cannot write {said}. Convert it first.") from error
    return buffer.getvalue()


def render_dict(obj: Any, file_name: str) -> bytes:
    """Encode a dictionary as YAML where the file's name ends in ``.yml`` or ``.yaml``, as JSON otherwise.

    Numbers and arrays of numpy become numbers and lists, sets become sorted lists; whatever else neither format has becomes
    its text. YAML is the plain kind, without Python's tags, so that every safe reader takes it.

    Parameters
    ----------
    obj : dict or list
    file_name : str

    Returns
    -------
    bytes

    Raises
    ------
    UsageError
        If the object contains itself, or has keys that JSON cannot have.
    """
    try:
        return _yaml(obj) if file_name.lower().endswith((".yml", ".yaml")) else json.dumps(obj, indent=2, default=_plain).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{file_name}: this object cannot be written as JSON or YAML: {error}.") from error


def _yaml(obj: Any) -> bytes:
    import yaml

    class Plain(yaml.SafeDumper):
        """Writes no tags and no anchors."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    for kind in (set, frozenset):
        Plain.add_representer(kind, lambda dumper, value: dumper.represent_data(_plain(value)))
    Plain.add_multi_representer(object, lambda dumper, value: dumper.represent_data(_plain(value)))
    return str(yaml.dump(obj, Dumper=Plain, indent=2, default_flow_style=False, allow_unicode=True)).encode()


def _plain(value: Any) -> Any:
    """Return what JSON and YAML have for a value that they don't know."""
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    for kind in (str, int, float, list):
        if isinstance(value, kind):
            plain: Any = kind(value)  # type: ignore[arg-type]  # a value of a subclass, made one of the class itself
            return plain
    return list(value) if isinstance(value, tuple) else str(value)
