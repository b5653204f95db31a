"""What the other browser tests lean on."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser


def test_a_request_to_elsewhere_and_a_console_error_are_faults(open_page, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<link rel="icon" href="data:,"><img src="http://127.0.0.1:9/x.png"><script>console.error("told")</script>')
    opened = open_page(page)
    opened.wait_for_load_state("load")
    assert any("a request to elsewhere" in fault for fault in open_page.faults)
    assert any("told" in fault for fault in open_page.faults)
    open_page.faults.clear()


def test_the_sites_scripts_load_under_its_policy(scripts_page) -> None:
    assert scripts_page.evaluate("typeof window.rf") == "object"


def test_a_folder_is_served_under_a_sub_path_only(open_page, serve, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<link rel="icon" href="data:,"><h1>Here</h1>')
    url = serve(tmp_path)
    assert open_page(url + "index.html").text_content("h1") == "Here"
