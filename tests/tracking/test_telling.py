"""The user sees what was redacted or cut, when it is logged, once."""

from __future__ import annotations

from pathlib import Path

import pytest

import runfolio
from runfolio.errors import DamagedError

TOKEN = "ghp_" + "a" * 36


def test_what_is_redacted_or_cut_is_told_once(folio_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runfolio.set_tracking_uri(folio_dir)
    for _ in range(2):
        with runfolio.start_run() as run:
            runfolio.log_param("api", TOKEN)
            runfolio.log_params({"note": "x" * 7000, "plain": "1"})
            runfolio.set_tag("place", f"{Path.home()}/data")
    client = runfolio.RunfolioClient()
    client.set_tag(run.info.run_id, "later", TOKEN)
    told = capsys.readouterr().err
    for line in ("param api: a secret or home path was redacted", "param note: cut from 7000 to 6000 characters",
                 "tag place: a secret or home path was redacted", "tag later: a secret or home path was redacted"):  # fmt: skip
        assert told.count(line) == 1
    assert TOKEN not in told and "plain" not in told
    assert client.get_run(run.info.run_id).data.params["api"] == "***"


def test_what_is_no_image_is_an_error_of_ours(folio_dir: Path) -> None:
    pytest.importorskip("PIL")
    runfolio.set_tracking_uri(folio_dir)
    with runfolio.start_run() as run:
        runfolio.log_text("no picture", "a.png")
    with pytest.raises(DamagedError, match=r"a\.png is no image that Pillow can read"):
        runfolio.artifacts.load_image(f"runs:/{run.info.run_id}/a.png")
