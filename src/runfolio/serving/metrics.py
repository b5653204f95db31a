"""The page ``/metrics``: Prometheus' text format, version 0.0.4, of all workers together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runfolio.serving.counters import ENDED, PATHS, SECONDS, STATUSES

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "runfolio_serving_"


def exposition(sums: Mapping[tuple[str, ...], float], state: Mapping[str, Any]) -> str:
    """Return the page.

    Parameters
    ----------
    sums : dict
        Of :func:`runfolio.serving.counters.summed`.
    state : dict
        What the supervisor says: ``model``, ``reloads``, ``failed_reloads``, ``restarts``, ``workers``.
    """
    return "\n".join([*_requests(sums), *_work(sums), *_state(state), ""])


def _family(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {_PREFIX}{name} {text}"
    yield f"# TYPE {_PREFIX}{name} {kind}"


def _requests(sums: Mapping[tuple[str, ...], float]) -> Iterator[str]:
    yield from _family("requests_total", "counter", "Requests answered, by path and status.")
    for path in PATHS:
        for status in STATUSES:
            count = sums["request", path, str(status)]
            if count:
                yield f'{_PREFIX}requests_total{{path="{path}",status="{status}"}} {_number(count)}'
    yield from _family("invocation_seconds", "histogram", "From the last byte of a request for a prediction to its answer.")
    total = 0.0
    for at, limit in enumerate((*SECONDS, "+Inf")):
        total += sums["bucket", str(at)]
        yield f'{_PREFIX}invocation_seconds_bucket{{le="{limit}"}} {_number(total)}'
    yield f"{_PREFIX}invocation_seconds_sum {_number(sums['seconds',])}"
    yield f"{_PREFIX}invocation_seconds_count {_number(total)}"
    yield from _family("connections_ended_total", "counter", "Connections that the server ended, by reason.")
    for kind in ENDED:
        yield f'{_PREFIX}connections_ended_total{{reason="{kind}"}} {_number(sums["ended", kind])}'


def _work(sums: Mapping[tuple[str, ...], float]) -> Iterator[str]:
    for name, key, kind, text in (
        ("rows_total", "rows", "counter", "Rows given to the model."),
        ("batches_total", "batches", "counter", "Turns of the threads that predict."),
        ("batch_requests_total", "batch_requests", "counter", "Requests that those turns answered."),
        ("batch_seconds_total", "batch_seconds", "counter", "Seconds that those turns took."),
        ("refused_busy_total", "busy_refusals", "counter", "Requests refused because too many were waiting."),
        ("requests_in_flight", "in_flight", "gauge", "Requests that wait for their prediction."),
        ("connections", "connections", "gauge", "Open connections."),
        ("stuck_predictions", "stuck", "gauge", "Threads that a prediction never gave back."),
        ("resident_memory_bytes", "resident_bytes", "gauge", "Resident memory of all workers."),
    ):
        yield from _family(name, kind, text)
        yield f"{_PREFIX}{name} {_number(sums[key,])}"


def _state(state: Mapping[str, Any]) -> Iterator[str]:
    model = state.get("model") or {}
    yield from _family("model_info", "gauge", "The model that is served; always 1.")
    labels = ",".join(f'{key}="{_escaped(str(model.get(key) or ""))}"' for key in ("name", "version", "digest", "uri", "engine"))
    yield f"{_PREFIX}model_info{{{labels}}} 1"
    yield from _family("model_loaded_timestamp_seconds", "gauge", "When workers began to serve it.")
    yield f"{_PREFIX}model_loaded_timestamp_seconds {_number(float(model.get('since') or 0))}"
    yield from _family("reloads_total", "counter", "New versions, by what became of them.")
    yield f'{_PREFIX}reloads_total{{result="served"}} {_number(state.get("reloads") or 0)}'
    yield f'{_PREFIX}reloads_total{{result="refused"}} {_number(state.get("failed_reloads") or 0)}'
    yield from _family("reload_failing", "gauge", "1 while the newest version could not be served and an older one is.")
    yield f"{_PREFIX}reload_failing {1 if state.get('refused') else 0}"
    yield from _family("worker_restarts_total", "counter", "Workers that died or were replaced.")
    yield f"{_PREFIX}worker_restarts_total {_number(state.get('restarts') or 0)}"
    yield from _family("workers", "gauge", "Workers that serve.")
    yield f"{_PREFIX}workers {_number(state.get('workers') or 0)}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
