"""Prompts among registered models: how they are told apart, loaded and shown."""

from __future__ import annotations

import subprocess
from pathlib import Path

import runfolio
from runfolio.registry.prompts import how_to_load
from runfolio.site.calling import uses_of
from runfolio.tracking.client import RunfolioClient
from tests.conftest import git

TAGS = {"mlflow.prompt.is_prompt": "true", "mlflow.prompt.text": "Which wine?"}


def test_a_site_says_how_a_prompt_is_loaded_and_not_how_it_is_served() -> None:
    uses = dict(uses_of("sommelier", "sommelier", "@live", "@live", '{"inputs": []}', TAGS))
    assert set(uses) == {"Python", "CLI", "MLflow client"}
    assert 'text = runfolio.artifacts.load_text("models:/sommelier@live/prompt.txt")' in uses["Python"]
    assert 'prompt = mlflow.genai.load_prompt("prompts:/sommelier@live")  # MLflow 2: mlflow.load_prompt' in uses["MLflow client"]
    served = dict(uses_of("Red wine", "Red-wine", "/Production", "Production", "{}", {"team": "red"}))
    assert list(served) == ["Python", "CLI", "Serve", "REST", "Docker", "MLflow client"]
    assert served["Docker"] == [
        "runfolio models build-docker -m 'models:/Red wine/Production' -n red-wine:production",
        "docker run -p 5000:8080 red-wine:production",
    ]


def test_a_chat_has_another_file() -> None:
    assert how_to_load("chat", "/2", {**TAGS, "_mlflow_prompt_type": "chat"}).endswith("load_text('models:/chat/2/prompt.json')")


def test_what_the_command_says_loads_the_text(folio_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "prompt"
    folder.mkdir()
    (folder / "prompt.txt").write_text("Which wine?")
    client = RunfolioClient(str(folio_dir))
    client.create_registered_model("sommelier", {"mlflow.prompt.is_prompt": "true"})
    client.create_model_version("sommelier", str(folder), tags=TAGS)
    client.set_registered_model_alias("sommelier", "live", "1")
    for words in (("sommelier",), ("sommelier", "1")):
        shown = subprocess.run(["runfolio", "models", "show", *words], cwd=folio_dir, capture_output=True, text=True, check=True)
        which = "@live" if len(words) == 1 else "/1"
        assert f"Load it: runfolio.artifacts.load_text('models:/sommelier{which}/prompt.txt')" in shown.stdout
    card = subprocess.run(
        ["runfolio", "models", "card", "sommelier", "1", "--write"], cwd=folio_dir, capture_output=True, text=True, check=True
    )
    assert "load_text" in (folio_dir / "models/sommelier/cards/1.md").read_text(), card.stderr
    runfolio.set_tracking_uri(folio_dir)
    assert runfolio.artifacts.load_text("models:/sommelier@live/prompt.txt") == "Which wine?"
    assert git(folio_dir, "status", "--porcelain") == ""
