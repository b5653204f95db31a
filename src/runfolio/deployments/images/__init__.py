"""Container images of models: the build context made, the image built by an engine that is there.

A context is a folder: a ``Dockerfile`` in two stages, the model's files, a lock of every package with its hash, the manifest by whose
digest the model is verified (when the context is written, when the image is built, and whenever it starts), a list of what is inside
(CycloneDX), and the wheel of runfolio. Two contexts of one version are the same bytes.
"""

from typing import TYPE_CHECKING

from runfolio._lazy import lazy_names

if TYPE_CHECKING:
    from runfolio.deployments.images.context import ImageContext, ImageOptions, make_context
    from runfolio.deployments.images.engines import build_image, find_engine

__all__ = ["ImageContext", "ImageOptions", "build_image", "find_engine", "make_context"]

__getattr__ = lazy_names(
    __name__, {"context": ["ImageContext", "ImageOptions", "make_context"], "engines": ["build_image", "find_engine"]}
)
