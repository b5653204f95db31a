"""Bring what was trained to review: the gates judged, the branch pushed, the pull request opened. Nothing of the repository's is run."""

from __future__ import annotations

import os
import time

from runfolio._dataclass import dataclass
from runfolio.errors import RemoteError
from runfolio.folio.folio import Folio
from runfolio.folio.syncing import sync
from runfolio.policy import Verdict
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.records.visible import visible
from runfolio.registry import promotion as promoting
from runfolio.registry.gates import judge_at_tip
from runfolio.registry.promotion import Promotion, branch_of
from runfolio.registry.proposals import Proposal, proposal_text, propose, verdict_markdown
from runfolio.training.carrying_out import Trained, read_note


@dataclass(frozen=True, slots=True)
class Proposed:
    """What was brought to review.

    Parameters
    ----------
    text : str
        One sentence for people.
    address : str
        Of the pull request; empty where there is none.
    base, branch : str
        Of the pull request.
    verdict : Verdict or None
        Of the gates; None where no model is proposed.
    """

    text: str
    address: str
    base: str
    branch: str
    verdict: Verdict | None = None

    @property
    def number(self) -> int:
        """Of the pull request; 0 where there is none."""
        last = self.address.rstrip("/").rpartition("/")[2]
        return int(last) if last.isdigit() else 0


def propose_training(folio: Folio) -> Proposed:
    """Push what was trained last, and open its pull request.

    Parameters
    ----------
    folio : Folio

    Raises
    ------
    StateError
        If nothing was trained.
    RemoteError
        If the remote or the host refuses, or there is no way to open a pull request; what was pushed stays there.
    """
    trained = read_note(folio)
    verdict, branch = None, trained.branch
    if trained.version:
        verdict, branch = _promoted(folio, trained)
    # The branch of a training is new to the remote; what it stands on is there, on the branch that it began from.
    sync(folio, with_code=not folio.place.ledger)
    if folio.place.ledger and branch == trained.branch:
        return Proposed(_sentence(trained, verdict), "", trained.base, branch, verdict)
    proposal = _proposal(folio, trained, verdict)
    address = propose(folio, branch, trained.base, proposal)
    if address is None:
        raise RemoteError(
            f"The branch {branch} is pushed as far as it could be, and no pull request was opened: there is no token (GITHUB_TOKEN, "
            "GITLAB_TOKEN, GITEA_TOKEN) and no gh. Give the job one."
        )
    return Proposed(_sentence(trained, verdict), address, trained.base, branch, verdict)


def _promotion(folio: Folio, trained: Trained) -> Promotion:
    return Promotion(trained.model, trained.version, folio.settings.training.stage)


def _promoted(folio: Folio, trained: Trained) -> tuple[Verdict, str]:
    """Judge the version, and commit its promotion where no gate refuses it; return the branch that proposes it."""
    promotion = _promotion(folio, trained)
    verdict = judge_at_tip(folio, promotion, (), now=time.time_ns() // 1_000_000, pending=True)
    if not verdict.accepted:
        return verdict, trained.branch
    body = verdict.trailers
    if not folio.place.ledger:
        promoting.promote(folio, promotion, body=body)
        return verdict, trained.branch
    branch = branch_of(promotion, folio.models.find(trained.model).slug)
    promoting.promote(folio, promotion, body=body, branch=branch)
    return verdict, branch


def _sentence(trained: Trained, verdict: Verdict | None) -> str:
    runs = f"{len(trained.runs)} run{'s' * (len(trained.runs) != 1)}"
    if not trained.version:
        return f"Trained: {runs}."
    name = f"{visible(trained.model)} {trained.version}"
    if verdict is not None and not verdict.accepted:
        failed = ", ".join(visible(gate.id) for gate in verdict.gates if gate.state == "failed")
        return f"Trained {name} ({runs}). It is not proposed: {failed} failed."
    return f"Trained {name} ({runs}). It waits for review."


def _proposal(folio: Folio, trained: Trained, verdict: Verdict | None) -> Proposal:
    note = _job_note(trained)
    if trained.version and verdict is not None:
        model, version = _version(folio, trained)
        if verdict.accepted:
            base = folio.repo.resolve(f"refs/heads/{trained.base}")
            live = _live(folio, trained, base)
            return proposal_text(model, _promotion(folio, trained), version, live, note, verdict_markdown(verdict))
        gates = verdict_markdown(verdict)
        return Proposal(
            f"Training: {visible(model.name)} {version.version}, not promoted",
            f"{note}\n\nA gate refuses the promotion.\n\n{gates}\n",
        )
    return Proposal(f"Training: {len(trained.runs)} run{'s' * (len(trained.runs) != 1)}", f"{note}\n")


def _version(folio: Folio, trained: Trained) -> tuple[RegisteredModel, ModelVersion]:
    model = folio.models.find(trained.model)
    return model, folio.models.version(model, trained.version)


def _live(folio: Folio, trained: Trained, base: str | None) -> ModelVersion | None:
    """Return what is in the stage on the branch that is merged into."""
    from runfolio.errors import NotFoundError

    try:
        before = folio.models.find(trained.model, base)
    except NotFoundError:
        return None
    there = before.stages.get(folio.settings.training.stage, ())
    return folio.models.version(before, there[-1], base) if there else None


def _job_note(trained: Trained) -> str:
    runs = ", ".join(f"`{run_id[:12]}`" for run_id in trained.runs[:10]) + (" …" if len(trained.runs) > 10 else "")
    env = os.environ
    job = ""
    if env.get("GITHUB_RUN_ID") and env.get("GITHUB_SERVER_URL") and env.get("GITHUB_REPOSITORY"):
        job = f" by [this job]({env['GITHUB_SERVER_URL']}/{env['GITHUB_REPOSITORY']}/actions/runs/{env['GITHUB_RUN_ID']})"
    elif env.get("CI_JOB_URL"):
        job = f" by [this job]({env['CI_JOB_URL']})"
    return f"Trained in CI{job}. Runs: {runs or 'none'}."
