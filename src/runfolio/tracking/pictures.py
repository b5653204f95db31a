"""``mlflow.Image``: an image that scripts hold until they log it."""

from __future__ import annotations

from typing import Any

from runfolio.errors import NotFoundError, UsageError
from runfolio.tracking.media import picture_of


class Image:
    """An image of an array, a Pillow image, or a file, for ``log_image``.

    Parameters
    ----------
    image : ndarray, list, PIL.Image.Image or str
        An array (or nested lists) of shape (height, width) or (height, width, 1, 3 or 4), by the rules of ``log_image``; a str is the path
        of a file.

    Raises
    ------
    UsageError
        If it is no image.
    NotFoundError
        If there is no such file.
    """

    def __init__(self, image: Any) -> None:
        if isinstance(image, str):
            image = _of_file(image)
        elif isinstance(image, list):
            import numpy

            image = numpy.array(image)
        self.image = picture_of(image)
        self.size: tuple[int, int] = self.image.size

    def to_list(self) -> list[Any]:
        """Return the values of the pixels, row by row: numbers, or a tuple of the channels each."""
        pixels = self.to_array()
        return pixels.ravel().tolist() if pixels.ndim == 2 else list(map(tuple, pixels.reshape(-1, pixels.shape[2]).tolist()))

    def to_array(self) -> Any:
        """Return the pixels as an array."""
        import numpy

        return numpy.array(self.image)

    def to_pil(self) -> Any:
        """Return the Pillow image."""
        return self.image

    def save(self, path: str) -> None:
        """Write it to a file."""
        self.image.save(path)

    def resize(self, size: tuple[int, int]) -> Image:
        """Make it of another size (width, height), in place; return it."""
        self.image = self.image.resize(size)
        self.size = self.image.size
        return self


def _of_file(path: str) -> Any:
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    try:
        with Pillow.open(path) as opened:
            return opened.copy()
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {path!r}.") from None
    except (UnidentifiedImageError, OSError) as error:
        raise UsageError(f"{path!r} is no image that Pillow can read: {error}") from None
