"""Images, sound, texts, histograms and other tensors of event files, as files of a run."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

from runfolio.errors import storage_errors
from runfolio.tracking.media import small_copy
from runfolio.transfer.event_records import record_at
from runfolio.transfer.event_runs import Part, Ref, RunEvents, array_of, protos


def write_part(run: RunEvents, part: Part, place: Path) -> None:
    """Write what a part says into a file.

    Images, sound and graphs are the bytes that were logged. The others are JSON, a line for each step: ``step``, ``timestamp``
    (milliseconds since the epoch, UTC), and ``text``; ``buckets``, each ``[left, right, count]``; or ``tensor``, with its ``shape``.

    Raises
    ------
    StorageError
        If `place` cannot be written.
    DamagedError
        If an event file cannot be read any more.
    UsageError
        If an image cannot be read, of which a small copy was asked for.
    """
    with storage_errors("write a file of the run"), open(place, "wb") as output:
        for ref in part.refs:
            event = protos().Event.FromString(record_at(run.files[ref.file].path, ref.at))
            output.write(_bytes(part, ref, event))


def write_hparams(run: RunEvents, place: Path) -> None:
    """Write what TensorBoard's page of hyperparameters is told, whole, as JSON."""
    from google.protobuf.json_format import MessageToDict

    said = [MessageToDict(item, preserving_proto_field_name=True) for item in run.hparams]
    with storage_errors("write a file of the run"):
        place.write_text(json.dumps(said, indent=1, ensure_ascii=False), "utf-8")


def _bytes(part: Part, ref: Ref, event: Any) -> bytes:
    if part.kind == "graph":
        found = event.tagged_run_metadata.run_metadata if part.tag == "tagged_run_metadata" else getattr(event, part.tag)
        return bytes(found)
    value = event.summary.value[ref.value]
    if part.kind in ("image", "small image", "audio"):
        data = _blob(value, ref.item)
        return small_copy(data, part.tag) if part.kind == "small image" else data
    line = {"step": event.step, "timestamp": round(event.wall_time * 1000), **_said(part.kind, value)}
    return json.dumps(line, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _blob(value: Any, item: int) -> bytes:
    kind = value.WhichOneof("value")
    if kind == "image":
        return bytes(value.image.encoded_image_string)
    if kind == "audio":
        return bytes(value.audio.encoded_audio_string)
    return bytes(value.tensor.string_val[item])


def _said(kind: str, value: Any) -> dict[str, Any]:
    if value.WhichOneof("value") == "histo":
        return {"buckets": _finite(_buckets(value.histo))}
    if value.WhichOneof("value") != "tensor":
        raw = value.obsolete_old_style_histogram
        return {"tensor": base64.b64encode(raw).decode(), "shape": [], "plugin": "histogram of an old style, base64"}
    array = array_of(value.tensor)
    if array.dtype.kind in "OSU":
        texts = [_text(item) for item in array.reshape(-1).tolist()]
        if kind == "text" and array.size == 1:
            return {"text": texts[0]}
        return {"text" if kind == "text" else "tensor": texts, "shape": list(array.shape)}
    if kind == "histograms":
        return {"buckets": _finite(array.tolist())}
    return {"tensor": _finite(array.tolist()), "shape": list(array.shape)}


def _buckets(histogram: Any) -> list[list[float]]:
    """Return the buckets between the first and the last that hold something; the outermost edges are the least and the largest value."""
    counts = list(histogram.bucket)
    filled = [number for number, count in enumerate(counts) if count > 0]
    if not filled:
        return []
    inner = list(histogram.bucket_limit)[filled[0] : filled[-1]]
    triples = zip([histogram.min, *inner], [*inner, histogram.max], counts[filled[0] : filled[-1] + 1], strict=True)
    return [list(triple) for triple in triples]


def _text(data: Any) -> str:
    if isinstance(data, str):
        return data
    try:
        return str(data.decode())
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(data).decode()


def _finite(value: Any) -> Any:
    """Spell what JSON has no number for as text: ``"NaN"``, ``"Infinity"``."""
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return str(value) if isinstance(value, complex) else value
