"""Metric histories: three forms of the same points.

==================  ====================================================  =========================================
form                where                                                 made by
==================  ====================================================  =========================================
summary             in the run's record: last, min, max, count            :meth:`Reduction.summaries`
preview             beside the record, about 16 KB at most, canonical     :meth:`Reduction.preview`, `encode_series`
                    JSON; the whole history where it fits
history             one object by digest: every point, gzipped            :class:`SeriesWriter`
==================  ====================================================  =========================================

The committed file is written once, at the end: a history that is committed again as it grows is what makes a
repository grow without bound (50 commits of 123 KB: 3 MB). Points keep the order in which they were logged, and
values their last bit. Nothing here opens a file: writers and readers are handed one.

>>> import io
>>> reduction, file = Reduction(), io.BytesIO()
>>> with SeriesWriter(file) as writer:
...     for step in range(3):
...         writer.add("loss", step, 1732400000000 + step, 0.5 / (step + 1))
...         reduction.add("loss", 0.5 / (step + 1), 1732400000000 + step, step)
>>> [point.step for point in read_series(io.BytesIO(file.getvalue()))]
[0, 1, 2]
>>> reduction.summaries()["loss"].min_step, reduction.whole
(2, True)
"""

from __future__ import annotations

from runfolio._lazy import lazy_names
from runfolio._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.formats.series.history import SeriesWriter, read_series
    from runfolio.formats.series.preview import MAX_BYTES, Series, decode_series, encode_series
    from runfolio.formats.series.reduction import Reduction

__all__ = ["MAX_BYTES", "Reduction", "Series", "SeriesWriter", "decode_series", "encode_series", "read_series"]

__getattr__ = lazy_names(
    __name__,
    {
        "history": ("SeriesWriter", "read_series"),
        "preview": ("MAX_BYTES", "Series", "decode_series", "encode_series"),
        "reduction": ("Reduction",),
    },
)
