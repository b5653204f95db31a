"""Media types by the ending of a file's name: one table, the same on every machine.

The standard library's ``mimetypes`` reads the system's tables, so the same file would be another type elsewhere.
"""

from __future__ import annotations

DEFAULT = "application/octet-stream"

_TYPES = {
    "text/plain": "txt log out err cfg ini conf toml",
    "text/x-python": "py pyi",
    "text/x-shellscript": "sh bash",
    "text/x-r": "r",
    "text/markdown": "md markdown",
    "text/html": "html htm",
    "text/css": "css",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "text/javascript": "js mjs",
    "application/json": "json ipynb",
    "application/jsonl": "jsonl ndjson",
    "application/geo+json": "geojson",
    "application/yaml": "yaml yml",
    "application/xml": "xml pmml",
    "application/pdf": "pdf",
    "application/zip": "zip npz keras",
    "application/gzip": "gz tgz",
    "application/x-tar": "tar",
    "application/zstd": "zst",
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.apache.arrow.file": "arrow feather",
    "application/vnd.sqlite3": "sqlite db",
    "application/x-hdf5": "h5 hdf5",
    "application/x-npy": "npy",
    "application/x-pickle": "pkl pickle joblib",
    "application/x-pytorch": "pt pth ckpt",
    "application/x-safetensors": "safetensors",
    "application/x-onnx": "onnx",
    "image/png": "png",
    "image/jpeg": "jpg jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/tiff": "tif tiff",
    "image/svg+xml": "svg",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "video/mp4": "mp4",
    "video/webm": "webm",
}
_BY_ENDING = {ending: kind for kind, endings in _TYPES.items() for ending in endings.split()}


def media_type_of(path: str) -> str:
    """Return the media type that a path's ending says.

    Parameters
    ----------
    path : str

    Returns
    -------
    str
        ``application/octet-stream`` where the ending says nothing.

    Examples
    --------
    >>> media_type_of("plots/ROC.PNG")
    'image/png'
    """
    name = path.rpartition("/")[2]
    if name == "MLmodel":
        return "application/yaml"
    stem, dot, ending = name.rpartition(".")
    return _BY_ENDING.get(ending.lower(), DEFAULT) if dot and stem else DEFAULT
