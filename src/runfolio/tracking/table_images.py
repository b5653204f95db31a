"""Images in the cells of a table: files of their own, which the cells name in MLflow's form.

A column is of images, or holds none. Each is stored twice below ``table_images/``, as PNG and as a small WebP, and its cell becomes
``{"type": "image", "filepath": …, "compressed_filepath": …}``, which MLflow's viewer shows as a picture.
"""

from __future__ import annotations

import uuid
from pathlib import PurePosixPath
from typing import Any

from runfolio.errors import UsageError
from runfolio.tracking.tables import frame_of, is_image


def without_images(data: Any, artifact_file: str) -> tuple[Any, dict[str, bytes]]:
    """Take the images out of a table.

    Parameters
    ----------
    data : dict or pandas.DataFrame
        As ``log_table`` takes it; it stays as it is.
    artifact_file : str
        Where the table will be stored.

    Returns
    -------
    tuple of (dict or pandas.DataFrame, dict of str to bytes)
        The table, in whose cells of images their files are named; the contents of the files.

    Raises
    ------
    UsageError
        If the data is no table, a column holds images and other things, or an image cannot be encoded.
    MissingPackageError
        If Pillow is not installed and there are images.
    """
    frame = frame_of(data)
    held = [at for at in range(frame.shape[1]) if frame.iloc[:, at].dtype == object and any(map(is_image, frame.iloc[:, at]))]
    if not held:
        return frame, {}
    folder = f"table_images/{PurePosixPath(artifact_file).with_suffix('')}"
    columns = {at: frame.iloc[:, at] for at in range(frame.shape[1])}
    files: dict[str, bytes] = {}
    for at in held:
        if not all(map(is_image, columns[at])):
            raise UsageError(
                f"Column {frame.columns[at]!r} contains a mix of images and non-images. Make all its elements images, or none."
            )
        cells = [_stored(image, folder, files) for image in columns[at]]
        columns[at] = type(columns[at])(cells, index=frame.index, dtype=object)
    made = type(frame)(columns)
    made.columns = frame.columns
    return made, files


def _stored(image: Any, folder: str, files: dict[str, bytes]) -> dict[str, str]:
    """Encode one image under two new names, and return what its cell says."""
    from runfolio.tracking.media import render_image, small_copy

    stem = f"{folder}/{uuid.uuid4()}"
    whole, small = f"{stem}.png", f"{stem}.webp"
    files[whole] = render_image(image, whole)
    files[small] = small_copy(files[whole], whole)
    return {"type": "image", "filepath": whole, "compressed_filepath": small}
