"""What the first page, and the head of an experiment's page, say of runs in few words."""

from __future__ import annotations

from runfolio.folio import Folio
from runfolio.site import BuildOptions, build_site
from tests.site.folios import committed


def test_the_first_page_tells_a_result_of_runs_without_an_objective(folio_dir, tmp_path) -> None:
    import runfolio

    runfolio.set_tracking_uri(str(folio_dir))
    runfolio.set_experiment("unjudged")
    with runfolio.start_run(run_name="both"):
        runfolio.log_metrics({"batch": 3.0, "loss": 0.25})
    with runfolio.start_run(run_name="neither"):
        runfolio.log_param("lr", 1)
    folio: Folio = committed(folio_dir)
    build_site(folio, tmp_path / "out", BuildOptions())
    text = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert '0.2500 <span class="muted small">loss</span>' in text
    assert text.count('<span class="faint">–</span>') == 1


def test_killed_runs_are_not_counted_among_the_failed_ones(folio_dir, tmp_path) -> None:
    import runfolio

    runfolio.set_tracking_uri(str(folio_dir))
    runfolio.set_experiment("ends")
    for status in ("FINISHED", "FAILED", "KILLED", "KILLED"):
        runfolio.start_run()
        runfolio.end_run(status)
    folio: Folio = committed(folio_dir)
    build_site(folio, tmp_path / "out", BuildOptions())
    assert "4 runs, 1 failed, 2 killed" in (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "1 failed, 2 killed" in (tmp_path / "out" / "e" / "ends" / "index.html").read_text("utf-8")
