"""Everything that is written from a change that was gathered from a real repository agrees, and holds what it promises."""

from __future__ import annotations

import json
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from runfolio.review.annotations import findings_of, lines_in
from runfolio.review.document import change_document
from runfolio.review.fitting import render_bodies
from runfolio.review.openmetrics import openmetrics
from runfolio.review.options import ReportOptions
from runfolio.review.page import change_page
from runfolio.review.summary import job_summary
from runfolio.review.text import report_text
from tests.conftest import git
from tests.review.folios import LARGE, branch, commit_all, log_runs
from tests.review.hosts_markdown import read
from tests.review.test_document import VALIDATOR
from tests.review.test_gathering import review

NAME = "@team | `x` </details> #1"


def test_a_gain_and_an_edited_result_are_told_alike_in_every_form(base_dir: Path) -> None:
    branch(base_dir, "deeper")
    log_runs(base_dir, "wine", {"depth": NAME}, LARGE)
    old = next(path for path in sorted(base_dir.glob("runs/**/*.json")) if b"0.912" in path.read_bytes())
    old.write_bytes(old.read_bytes().replace(b"0.912", b"0.999"))
    commit_all(base_dir, "tidy up")
    change = review(base_dir)
    document = change_document(change)
    VALIDATOR.validate(json.loads(json.dumps(document)))
    (body, *_) = render_bodies(change, ReportOptions())
    seen = read(body)
    assert seen.links == seen.strange == seen.unbalanced == []
    assert "@" not in seen.outside_text
    gain = document["experiments"][0]["verdict"]["difference"]
    forms = (
        body,
        job_summary(change, ReportOptions()),
        report_text(change, ReportOptions(), 400),
        change_page(change, ReportOptions()),
    )
    for form in forms:
        assert f"improved by {gain:.4f}" in form
        assert "0.999" in form
        assert "Do not merge yet: " in form
    families = {family.name: family for family in text_string_to_metric_families(openmetrics(change))}
    assert families["runfolio_objective_difference"].samples[0].value == gain
    edited = next(item for item in findings_of(change) if item.rule == "review.result-edited")
    line = lines_in(change, lambda path: git(base_dir, "show", f"HEAD:{path}").encode())(edited)
    assert b"0.999" in old.read_bytes().splitlines()[line - 1]
