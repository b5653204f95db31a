"""The how-to's project is the example's."""

from __future__ import annotations

from tests.docs.pages import DOCS, marked


def test_the_file_that_the_page_shows_is_the_examples() -> None:
    assert marked("how-to/projects.md", "example", "mlproject") == [
        (DOCS.parent / "examples/mlproject/MLproject").read_text("utf-8")
    ]
