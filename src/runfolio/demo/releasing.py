"""The registry of the demonstration: the wine model goes through Staging to Production past real gates, and a weaker one is refused."""

from __future__ import annotations

import time
from dataclasses import replace

from runfolio._dataclass import dataclass
from runfolio.folio import Folio
from runfolio.gitstore.commits import configured_ident
from runfolio.policy import Verdict
from runfolio.records.models import RegisteredModel, Waiver
from runfolio.records.reproductions import Reproduction
from runfolio.registry import register
from runfolio.registry.cards import render_card, write_card
from runfolio.registry.gates import judge_at_tip
from runfolio.registry.promotion import Promotion, promote

MODEL = "wine-cultivar"
POLICY = b"""\
# What a promotion needs. Judged before the commit by `runfolio models promote`, and in CI by `runfolio policy check BASE..HEAD`.
schema: 1
promotions:
  - to: [Staging, Production]
    require: [signature, input_example, verified_artifacts]
  - to: Production
    require:
      - where: metrics.accuracy >= 0.95
      - not_worse: {metric: accuracy, by: noise}
        because: a forest that is worse beyond the noise of its seeds is no progress
      - card: [intended_use, limits]
      - recoverable_code
      - no_code: true
        because: a pickle runs code when it is loaded

examples:
  - name: a weak forest is refused
    to: Production
    version: {metrics: {accuracy: 0.9}, signature: true, input_example: true}
    expect: refused
  - name: a pickle needs a waiver
    to: Production
    version: {metrics: {accuracy: 0.97}, runs_code: [model.pkl], waivers: [no-code]}
    expect: {where-accuracy: passed, no-code: waived}
"""
INTENDED = "Telling three cultivars of one region apart by a chemical analysis of the wine. A demonstration: not for a cellar."
LIMITS = (
    "Trained on 53 wines of one region and year. It has never seen another cultivar, and names one of the three for any input."
)
PROMPTS = {"## Intended use\n": INTENDED, "## Limits\n": LIMITS}
VERSIONS = (
    ("forest-20-seed2", "The first that was good enough."),
    ("forest-200-seed2", "Ten times the trees, and no bound on their depth."),
    ("forest-10-seed2", "Half the trees of the first: fast, but is it good enough?"),
)
"""The runs whose models are registered, and what is said of each."""
WAIVED = "made by train_wine.py in this very repository, and loaded by its digest"
WAIVED_MS = 90 * 86_400_000


@dataclass(frozen=True, slots=True)
class Released:
    """What the registry of the demonstration says.

    Parameters
    ----------
    live : int
        The version in Production.
    refused : Verdict
        Of the version that did not get there.
    proof : Reproduction or None
        What came of making the run behind the live version again.
    """

    live: int
    refused: Verdict
    proof: Reproduction | None = None


def release(folio: Folio) -> Released:
    """Register three wine models and promote them as far as the policy lets them.

    Parameters
    ----------
    folio : Folio
        Of the demonstration, its runs committed.
    """
    verdicts = [_released(folio, run, words) for run, words in VERSIONS]
    _alias(folio, "challenger", verdicts[-1].version)
    return Released(folio.models.find(MODEL).stages["Production"][-1], verdicts[-1])


def _released(folio: Folio, run: str, words: str) -> Verdict:
    verdict = registered_and_promoted(folio, run, words)
    if verdict.accepted:
        _alias(folio, "champion", verdict.version)
    return verdict


def registered_and_promoted(folio: Folio, run: str, words: str) -> Verdict:
    """Register a run's model, write its card, and take it to Staging and on to Production.

    Parameters
    ----------
    folio : Folio
    run : str
        Name of the run.
    words : str
        What is said of the version.
    """
    number = register(folio, f"runs:/{folio.runs.resolve(run)}/model", MODEL, description=words).version
    if number == 1:
        folio.models.edit(MODEL, f"describe {MODEL}", _described)
    _card(folio, number)
    _promoted(folio, Promotion(MODEL, number, "Staging"))
    return _promoted(folio, Promotion(MODEL, number, "Production"))


def _alias(folio: Folio, alias: str, number: int) -> None:
    def edit(model: RegisteredModel) -> RegisteredModel:
        return replace(model, aliases={**model.aliases, alias: number})

    folio.models.edit(MODEL, f"alias {MODEL} {number} {alias}", edit)


def _described(model: RegisteredModel) -> RegisteredModel:
    return replace(model, description="Which of three cultivars a wine is of, by its chemistry.", tags={"owner": "demo"})


def _promoted(folio: Folio, promotion: Promotion) -> Verdict:
    """Promote a version if the policy lets it, the pickle waived; the verdict says whether."""
    now = time.time_ns() // 1_000_000
    ident = configured_ident(folio.repo)
    waiver = Waiver("no-code", promotion.stage, WAIVED, f"{ident.name} <{ident.mail}>", now + WAIVED_MS)
    waivers = (waiver,) if promotion.stage == "Production" else ()
    verdict = judge_at_tip(folio, promotion, waivers, now=now)
    if verdict.accepted:
        promote(folio, promotion, waivers=waivers, body=verdict.trailers)
    return verdict


def _card(folio: Folio, number: int) -> None:
    model = folio.models.find(MODEL)
    version = folio.models.version(model, number)
    text = render_card(model, version, folio.runs.committed(version.run_id) if version.run_id else None)
    for heading, words in PROMPTS.items():
        text = text.replace(heading, f"{heading}\n{words}\n")
    write_card(folio, model, version, text)
