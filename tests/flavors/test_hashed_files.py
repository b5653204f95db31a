"""flavors/hashed_files.py: a digest is told only of the very file that this thread wrote since it last forgot."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

import runfolio
from runfolio.flavors.hashed_files import BLOCK_BYTES, HashedFile, digest_when_written, forget_written, write_hashed
from runfolio.flavors.model import Model
from runfolio.tracking.model_logging import log_folder


def true_digest(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_digest_is_known_until_the_file_changes_or_all_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "a"
    write_hashed(file, b"weights" * 1000)
    moved = file.rename(tmp_path / "b")
    assert digest_when_written(moved) == true_digest(moved)
    forget_written()
    assert digest_when_written(moved) is None
    write_hashed(tmp_path / "c", b"x")
    (tmp_path / "c").write_bytes(b"longer")
    assert digest_when_written(tmp_path / "c") is None


@pytest.mark.parametrize(
    "sizes", [(), (0,), (BLOCK_BYTES,), (5, BLOCK_BYTES, 7), (BLOCK_BYTES - 5, 5, 1), (3, 3 * BLOCK_BYTES + 1, 2, 2)]
)
def test_pieces_of_any_size_are_the_file(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    pieces = [bytes([at + 1]) * size for at, size in enumerate(sizes)]
    with HashedFile(tmp_path / "a", pieces=True) as file:
        for piece in pieces:
            assert file.write(piece) == len(piece)
    assert (tmp_path / "a").read_bytes() == b"".join(pieces)
    assert digest_when_written(tmp_path / "a") == true_digest(tmp_path / "a")
    assert [len(each) if isinstance(each, bytes) else each for each in file.pieces] == list(sizes)


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the calls of a process are counted by Linux")
def test_many_small_pieces_are_few_writes(tmp_path: Path) -> None:
    with HashedFile(tmp_path / "a") as file:
        before = calls()
        for _ in range(400):
            file.write(b"x" * 40_000)
    assert calls() - before < 40
    assert (tmp_path / "a").stat().st_size == 16_000_000


def calls() -> int:
    """Return how often this process has written."""
    return int(dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())["syscw"])


def test_other_threads_know_nothing_of_it(tmp_path: Path) -> None:
    file, said = tmp_path / "a", []
    write_hashed(file, b"weights")
    thread = threading.Thread(target=lambda: said.append(digest_when_written(file)))
    thread.start()
    thread.join()
    assert said == [None]


def test_logged_file_that_looks_like_one_written_before_has_its_own_digest(
    folio_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A removed file and a new one of the same inode, size and time, as they come on clocks of milliseconds: here, one file written again.
    monkeypatch.chdir(folio_dir)
    old = folio_dir.parent / "old"
    write_hashed(old, b"x" * 900)
    before = old.stat()
    old.write_bytes(b"y" * 900)
    os.utime(old, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert digest_when_written(old) != true_digest(old)

    def save(folder: Path, model: Model) -> None:
        model.add_flavor("python_function", loader_module="nowhere")
        model.save(folder / "MLmodel")
        os.link(old, folder / "data.bin")

    with runfolio.start_run() as run:
        log_folder(save, "model", None, None)
    fetched = Path(runfolio.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="model/data.bin"))
    assert fetched.read_bytes() == b"y" * 900
