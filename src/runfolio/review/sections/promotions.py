"""Which models go where, and everything else that changed in the registry."""

from __future__ import annotations

from runfolio.review.change import Change, Promotion
from runfolio.review.options import ReportOptions
from runfolio.review.parts import WARN, Block, Items, Line, Name, Paragraph, Says, Section, State, Strong, table
from runfolio.review.words import other_changes
from runfolio.site.words import pair_words, signed_words

DIGITS = 8
"""Of a digest, where it only has to be told from another."""


def promotions(change: Change, options: ReportOptions) -> Section | None:
    """Show each promotion with what it replaces, the metrics beside what is live, and the other changes of registered models."""
    blocks: list[Block] = []
    if change.promotions:
        heads = ("Model", "Version", "Stage", "Replaces", "Files", "Inputs and outputs")
        blocks.append(table(heads, [_row(item) for item in change.promotions], "promotion").cut(options.rows))
    metrics = [_metric_row(item, *found) for item in change.promotions for found in item.metrics]
    if metrics:
        blocks.append(Paragraph((Strong("Recorded metrics of the version that is live, and of the one that takes its place"),)))
        blocks.append(
            table(("Model", "Metric", "Live now", "After the merge", "Difference"), metrics, "metric", (2, 3, 4)).cut(
                options.rows
            )
        )
    others = tuple((Name(item.model), ": ", Says(item.text)) for item in other_changes(change))
    if others:
        if change.promotions:
            blocks.append(Paragraph((Strong("Other changes of registered models"),)))
        blocks.append(Items(others, "change").cut(options.rows))
    if not blocks:
        return None
    return Section("promotions", _title(change), tuple(blocks))


def _title(change: Change) -> str:
    if change.promotions:
        return "Promotions"
    return "Runs made again" if all(item.kind == "reproduced" for item in change.registry) else "Registered models"


def short_digest(digest: str) -> str:
    """Return the digits of a digest that tell it from another."""
    return digest.removeprefix("sha256:")[:DIGITS]


def _row(item: Promotion) -> tuple[Line, ...]:
    start: Line = (Name(item.stage_from), " → ") if item.stage_from not in ("", "None") else ("→ ",)
    return (
        (Name(item.model),),
        (f"{item.version}",),
        (*start, Name(item.stage)),
        (f"version {item.replaces}",) if item.replaces is not None else ("nothing",),
        _digests(item),
        _signature(item),
    )


def _digests(item: Promotion) -> Line:
    if not item.digest:
        return ("unknown",)
    new: Line = (Name(short_digest(item.digest)),)
    if not item.live_digest:
        return new
    if item.live_digest == item.digest:
        return (*new, ", the same as now")
    return (*new, ", now ", Name(short_digest(item.live_digest)))


def _signature(item: Promotion) -> Line:
    if item.signature_changed is None:
        return ("nothing to compare",)
    return (State("changed", WARN),) if item.signature_changed else ("unchanged",)


def _metric_row(item: Promotion, metric: str, live: float | None, new: float | None) -> tuple[Line, ...]:
    gap = "–" if live is None or new is None else "the same" if live == new else signed_words(new - live)
    before, after = pair_words(live, new)
    return ((Name(item.model), f" {item.version}"), (Name(metric),), (before,), (after,), (gap,))
