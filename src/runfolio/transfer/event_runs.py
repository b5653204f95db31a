"""What the event files of one run say: scalars on disk, hyperparameters, and where images, texts, histograms … lie, to be fetched later.

A restart is handled as TensorBoard does (``plugin_event_accumulator``): where a writer says that its session starts at a step (PyTorch's
``purge_step``), what was written before with that step or a later one is dropped. Without such a word all points are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, NamedTuple

from runfolio._dataclass import dataclass
from runfolio.errors import missing_package
from runfolio.transfer.event_records import records
from runfolio.transfer.held import stepped_image
from runfolio.transfer.points import PointSpool
from runfolio.transfer.source import Point

GRAPHS = {"graph_def": "graph.pb", "meta_graph_def": "meta_graph.pb"}
_STATUS = {1: "FINISHED", 2: "FAILED", 3: "RUNNING"}
_LINES = {"text": "text", "histograms": "histograms", "pr_curves": "pr_curves"}


class Ref(NamedTuple):
    """Where something lies: number of the file, byte of its record, number of the value in the event, and of the item in the value."""

    step: int
    file: int
    at: int
    value: int
    item: int


@dataclass(slots=True)
class Part:
    """What becomes a file of the run.

    Parameters
    ----------
    kind : str
        ``image``, ``audio``, ``graph`` (bytes as they are); ``text``, ``histograms``, ``pr_curves``, ``tensors`` (a line for each step).
    tag : str
    refs : list of Ref
    size : int
        Bytes that they have in the event files.
    """

    kind: str
    tag: str
    refs: list[Ref] = field(default_factory=list)
    size: int = 0


class EventFile(NamedTuple):
    """A file of a run, and what goes before its tags: the way from the run's folder to the file's."""

    path: Path
    prefix: str


def protos() -> Any:
    """Return TensorBoard's definition of an event; TensorFlow is not loaded.

    Raises
    ------
    MissingPackageError
        If the package tensorboard is not installed.
    """
    try:
        from tensorboard.compat.proto import event_pb2
    except ImportError as error:
        raise missing_package("tensorboard", "tensorboard", "read event files") from error
    return event_pb2


def events(file: Path, problem: Callable[[str], None] = lambda said: None) -> Iterator[tuple[int, Any]]:
    """Yield where each event of a file lies, and the event; `problem` is told what is broken."""
    from google.protobuf.message import DecodeError

    make = protos().Event.FromString
    for at, data in records(file, problem):
        try:
            yield at, make(data)
        except DecodeError:
            problem(f"the record at byte {at:,} is no event; it was passed over")


class RunEvents:
    """The events of one run.

    Parameters
    ----------
    files : sequence of EventFile
        In the order in which they are to be read.
    problem : callable
        Told which file, and what is broken in it.
    """

    def __init__(self, files: Sequence[EventFile], problem: Callable[[Path, str], None]) -> None:
        self.files = files
        self.points, self.params, self.tags = PointSpool(), dict[str, str](), dict[str, str]()
        self.parts: dict[str, Part] = {}
        self.status, self.end, self.hparams = "FINISHED", 0, list[Any]()
        self._plugins: dict[str, str] = {}
        self._problem = problem
        for number, file in enumerate(files):
            for at, event in events(file.path, lambda said, path=file.path: problem(path, said)):  # type: ignore[misc]
                self._event(number, file, at, event)
        self.metrics = self.points.last()

    @property
    def empty(self) -> bool:
        """Whether nothing was written but headers."""
        return not (self.metrics or self.parts or self.params or self.hparams)

    def close(self) -> None:
        """Let the points go."""
        self.points.close()

    def _event(self, number: int, file: EventFile, at: int, event: Any) -> None:
        self.end = max(self.end, round(event.wall_time * 1000))
        what = event.WhichOneof("what")
        if what == "summary":
            for index, value in enumerate(event.summary.value):
                self._value(file, Ref(event.step, number, at, index, 0), event, value)
        elif what == "session_log" and event.session_log.status == 1:  # START
            self._cut(event.step)
        elif what in GRAPHS:
            data = getattr(event, what)
            self._add(
                f"graph/{file.prefix}{GRAPHS[what]}", "graph", what, Ref(event.step, number, at, -1, 0), len(data), once=True
            )
        elif what == "tagged_run_metadata":
            tag = event.tagged_run_metadata.tag
            size = len(event.tagged_run_metadata.run_metadata)
            self._add(f"graph/{file.prefix}{tag}.pb", "graph", what, Ref(event.step, number, at, -1, 0), size, once=True)

    def _cut(self, step: int) -> None:
        self.points.cut(step)
        for path, part in list(self.parts.items()):
            part.refs = [ref for ref in part.refs if ref.step < step]
            if not part.refs:
                del self.parts[path]

    def _value(self, file: EventFile, ref: Ref, event: Any, value: Any) -> None:
        tag, kind = file.prefix + value.tag, value.WhichOneof("value")
        plugin = self._plugins.setdefault(tag, value.metadata.plugin_data.plugin_name) or value.metadata.plugin_data.plugin_name
        if plugin == "hparams":
            self._hparams(file, value)
        elif kind == "simple_value":
            self.points.add(tag, Point(value.simple_value, round(event.wall_time * 1000), event.step))
        elif kind == "tensor":
            self._tensor(tag, plugin, ref, event, value)
        elif kind == "image":
            self._image(tag, ref, event, value.image.encoded_image_string)
        elif kind == "audio":
            self._add(f"audio/{tag}/{event.step}.wav", "audio", tag, ref, len(value.audio.encoded_audio_string))
        elif kind == "histo":
            self._add(f"histograms/{tag}.jsonl", "histograms", tag, ref, value.ByteSize())
        elif kind is not None:
            self._add(f"tensors/{tag}.jsonl", "tensors", tag, ref, value.ByteSize())

    def _tensor(self, tag: str, plugin: str, ref: Ref, event: Any, value: Any) -> None:
        tensor = value.tensor
        if plugin == "scalars" or (value.metadata.data_class == 1 and tensor.dtype != 7):  # DATA_CLASS_SCALAR, DT_STRING
            number = tensor.float_val[0] if len(tensor.float_val) == 1 else array_of(tensor).item()
            self.points.add(tag, Point(float(number), round(event.wall_time * 1000), event.step))
        elif plugin == "images":
            # The first two are the width and the height, in digits.
            for item, data in enumerate(_strings(tensor)[2:], 2):
                self._image(tag, ref._replace(item=item), event, data)
        elif plugin == "audio":
            # Each clip stands beside a label in files of older writers.
            beside = tensor.tensor_shape.dim[1].size if len(tensor.tensor_shape.dim) > 1 else 1
            clips = _strings(tensor)
            for item in range(0, len(clips), beside):
                name = event.step if len(clips) == beside else f"{event.step}-{item // beside}"
                self._add(f"audio/{tag}/{name}.wav", "audio", tag, ref._replace(item=item), len(clips[item]))
        else:
            kind = _LINES.get(plugin, "tensors")
            self._add(f"{kind}/{tag}.jsonl", kind, tag, ref, value.ByteSize())

    def _image(self, tag: str, ref: Ref, event: Any, data: bytes) -> None:
        origin, at = f"{ref.file}-{ref.at}-{ref.value}-{ref.item}", round(event.wall_time * 1000)
        self._add(stepped_image(tag, event.step, at, origin, _ending(data)), "image", tag, ref, len(data))
        self._add(stepped_image(tag, event.step, at, origin, "%compressed.webp"), "small image", tag, ref, 0)

    def _add(self, path: str, kind: str, tag: str, ref: Ref, size: int, *, once: bool = False) -> None:
        part = self.parts.get(path)
        if part is None or once:
            part = self.parts[path] = Part(kind, tag)
        part.refs.append(ref)
        part.size += size

    def _hparams(self, file: EventFile, value: Any) -> None:
        from tensorboard.plugins.hparams import plugin_data_pb2

        data = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
        self.hparams.append(data)
        kind = data.WhichOneof("data")
        if kind == "session_start_info":
            started = data.session_start_info
            for key, given in started.hparams.items():
                text = _plain(given)
                if self.params.get(key, text) != text:
                    self._problem(
                        file.path, f"hyperparameter {key} is {text} here, and was {self.params[key]} before: the later one holds"
                    )
                self.params[key] = text
            for name in ("group_name", "model_uri", "monitor_url"):
                if getattr(started, name):
                    self.tags[f"tensorboard.{name}"] = getattr(started, name)
        elif kind == "session_end_info":
            self.status = _STATUS.get(data.session_end_info.status, self.status)


def _plain(value: Any) -> str:
    """Return a hyperparameter as text; numbers are doubles there, so that whole ones are spelled as whole numbers."""
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        number = value.number_value
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    if kind == "bool_value":
        return str(value.bool_value)
    if kind == "list_value":
        return "[" + ", ".join(_plain(item) for item in value.list_value.values) + "]"
    return str(value.string_value) if kind == "string_value" else ""


def _ending(data: bytes) -> str:
    if data.startswith(b"\xff\xd8"):
        return ".jpg"
    if data.startswith(b"GIF8"):
        return ".gif"
    return ".webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ".png"


def _strings(tensor: Any) -> list[bytes]:
    return list(tensor.string_val)


def array_of(tensor: Any) -> Any:
    """Return a tensor as an array of numpy."""
    from tensorboard.util import tensor_util

    return tensor_util.make_ndarray(tensor)
