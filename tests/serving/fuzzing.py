"""Requests that no honest client sends, made from a seed; and what a server may answer to them.

The whole loop: ``python -m tests.serving.fuzzing 10000`` at the project's root.
"""

from __future__ import annotations

import json
import random
import re
import socket
import sys
from collections import Counter
from typing import Any

ALLOWED = {200, 307, 400, 401, 403, 404, 405, 408, 413, 415, 431, 500, 501, 503, 504}
NEVER = (b"Traceback", b'File "', b"stack_trace", b'.py", line')
_MEDIA = [
    "application/json", "text/csv", "application/vnd.apache.parquet", "application/json; charset=utf-8", "text/xml", "", "a;b;c=d",
    "application/json; charset=utf-16", "application/x-parquet", "multipart/form-data; boundary=x",
]  # fmt: skip


class Fuzzer:
    """Requests for a model of some columns."""

    def __init__(self, seed: int, columns: list[str], row: list[float]) -> None:
        self._random = random.Random(seed)
        self._columns, self._row = columns, row

    def value(self, depth: int = 0) -> Any:
        """Return any value that JSON holds."""
        pick = self._random.randrange(16 if depth < 4 else 10)
        if pick >= 13:
            return {self.text(): self.value(depth + 1) for _ in range(self._random.randrange(4))}
        if pick >= 10:
            return [self.value(depth + 1) for _ in range(self._random.randrange(5))]
        return [
            None, True, 0, -1, 10**self._random.randrange(1, 400), self._random.random() * 10.0 ** self._random.randrange(-300, 300),
            float("nan"), float("-inf"), self.text(), "",
        ][pick]  # fmt: skip

    def text(self) -> str:
        """Return some text."""
        known = [
            "dataframe_split",
            "dataframe_records",
            "inputs",
            "instances",
            "params",
            "columns",
            "data",
            "index",
            "messages",
            *self._columns,
        ]
        if self._random.random() < 0.5:
            return self._random.choice(known)
        return "".join(
            chr(self._random.choice([0, 9, 10, 34, 65, 92, 127, 233, 0x202E, 0xD800, 0x1F600]))
            for _ in range(self._random.randrange(8))
        )

    def row(self) -> list[Any]:
        """Return a row, perhaps with something wrong in it."""
        row: list[Any] = list(self._row)
        for _ in range(self._random.randrange(3)):
            row[self._random.randrange(len(row))] = self.value(2)
        if self._random.random() < 0.2:
            row = row[: self._random.randrange(len(row))]
        return row

    def payload(self) -> Any:
        """Return a body before it is JSON."""
        rows = [self.row() for _ in range(self._random.randrange(4))]
        columns: list[Any] = list(self._columns)
        if self._random.random() < 0.3:
            self._random.shuffle(columns)
        if self._random.random() < 0.2:
            columns[self._random.randrange(len(columns))] = self.value(3)
        forms: list[Any] = [
            {"dataframe_split": {"columns": columns, "data": rows}},
            {"dataframe_split": {"columns": columns, "data": rows, "index": self.value()}},
            {"dataframe_records": [dict(zip(map(str, columns), row, strict=False)) for row in rows]},
            {"inputs": {str(name): [row[at] if at < len(row) else None for row in rows] for at, name in enumerate(columns)}},
            {"instances": rows},
            {"inputs": self.value()},
            {"instances": self.value(), "params": self.value()},
            {self.text(): self.value(), self.text(): self.value()},
            self.value(),
        ]
        return self._random.choice(forms)

    def body(self) -> bytes:
        """Return a body."""
        pick = self._random.random()
        if pick < 0.1:
            return self._random.randbytes(self._random.randrange(300))
        if pick < 0.2:
            lines = [",".join(map(str, self._columns)), *(",".join(map(str, self.row())) for _ in range(3))]
            return "\n".join(lines).encode("utf-8", "surrogatepass")
        made = json.dumps(self.payload(), ensure_ascii=self._random.random() < 0.5).encode("utf-8", "surrogatepass")
        if self._random.random() < 0.15 and made:
            at = self._random.randrange(len(made))
            made = (
                made[:at]
                + self._random.choice([b"", b"\x00", b"[" * 2000, b"1e999", b"\xff"])
                + made[at + self._random.randrange(3) :]
            )
        return made

    def request(self) -> bytes:
        """Return a whole request, perhaps not one at all."""
        pick = self._random.random()
        if pick < 0.04:
            return self._random.randbytes(self._random.randrange(1, 200))
        body = self.body()
        method = "POST" if pick < 0.9 else self._random.choice(["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"])
        path = (
            "/invocations"
            if pick < 0.92
            else self._random.choice(["/", "/docs", "/metrics", "/%00", "/../etc/passwd", "*", "/invocations?x=%ff"])
        )
        length = len(body) if self._random.random() < 0.97 else self._random.choice([-1, 0, len(body) // 2, "x", 10**30])
        head = [f"{method} {path} HTTP/1.1", "host: localhost", f"content-length: {length}", "connection: close"]
        media = self._random.choice(_MEDIA) if self._random.random() < 0.25 else "application/json"
        if media:
            head.append(f"content-type: {media}")
        if self._random.random() < 0.05:
            head.append(
                self._random.choice(
                    [
                        "content-encoding: gzip",
                        "transfer-encoding: chunked",
                        "expect: 100-continue",
                        "x" * 1000,
                        "a: \x01",
                        "host: other",
                    ]
                )
            )
        return "\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n" + body


def ask(port: int, data: bytes) -> bytes:
    """Send bytes, half-close, and return the answer; empty where the server just ended the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        got = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                got += part
        except (ConnectionResetError, BrokenPipeError):
            pass
    return got


def fuzz(port: int, count: int, columns: list[str], row: list[float], seed: int = 1) -> tuple[Counter[int], list[bytes]]:
    """Send requests; return how often each status came (0 for none), and the answers that are faults."""
    fuzzer = Fuzzer(seed, columns, row)
    seen: Counter[int] = Counter()
    faults = []
    for _ in range(count):
        got = ask(port, fuzzer.request())
        said = re.findall(rb"HTTP/1\.1 (\d{3}) ", got)
        status = int(said[-1]) if said else 0
        seen[status] += 1
        if (status and status not in ALLOWED) or any(word in got for word in NEVER) or status == 500:
            faults.append(got)
    return seen, faults


def main() -> None:
    """Serve a forest of the wine data and fuzz it."""
    import tempfile
    from pathlib import Path

    from sklearn.datasets import load_wine
    from sklearn.ensemble import RandomForestClassifier

    import runfolio.sklearn
    from runfolio.models import infer_signature
    from tests.serving.conftest import Server

    frame, wanted = load_wine(return_X_y=True, as_frame=True)
    forest = RandomForestClassifier(10, random_state=0).fit(frame, wanted)
    with tempfile.TemporaryDirectory() as folder:
        runfolio.sklearn.save_model(
            forest, Path(folder) / "m", signature=infer_signature(frame, forest.predict(frame)), input_example=frame[:3]
        )
        server = Server(["models", "serve", "-m", f"{folder}/m", "--trust"], Path(folder))
        try:
            seen, faults = fuzz(server.port, int(sys.argv[1]), list(frame.columns), frame.iloc[0].tolist())
            details = server.get("/health?details").json
        finally:
            code = server.end()
    print(
        f"answers by status: {dict(sorted(seen.items()))}; faults: {len(faults)}; restarts: {details['restarts']}; exit code {code}"
    )
    for fault in faults[:5]:
        print(fault[:600])
    ours = [line for line in server.log if "fault of runfolio" in line]
    print(f"faults of runfolio in the log: {len(ours)}")


if __name__ == "__main__":
    main()
