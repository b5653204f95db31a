"""The pages of runs: a bounded number written ahead, and one that shows any other from its data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from runfolio.formats import paths
from runfolio.gitstore.repo import Repo
from runfolio.site.data.environments import list_path
from runfolio.site.documents import shown_evaluation, shown_pipeline, shown_sweep, steps_named, trials_named
from runfolio.site.gather import ExperimentData, Site
from runfolio.site.links import baseline_of, experiment_page, page_of_input, run_page, version_page
from runfolio.site.output import canonical
from runfolio.site.plan import Page
from runfolio.site.publishing import read_body
from runfolio.site.reproductions import badge, shown_reproduction
from runfolio.site.run_facts import again_lines, dataset_facts, metric_rows, origin_facts, param_rows, reproduce_lines
from runfolio.site.step_images import is_small_copy, logged_image

if TYPE_CHECKING:
    from runfolio.gitstore.codediff import CodeDiff

SHELL = "r/run.html"
STATIC_CURVES, SCRIPT_CURVES, SPARKLINES, BODIES = 24, 400, 200, 24
"""What a page holds of a run that has more: curves as SVG and as data, courses in the table, artifacts drawn without scripts."""


def pages(site: Site) -> Iterator[Page]:
    """Yield the pages of the runs that are written ahead, and the one for all others."""
    parents = {child: parent for parent, child in site.index.parents()}
    prepared = site.prepared
    for item in site.experiments:
        # Spelled once: two hundred pages of an experiment depend on it.
        same = canonical(
            {
                "experiment": _experiment(site, item), "points": site.points_a_run, "records": _records(site),
                "datasets": site.dataset_slugs,
            }
        )  # fmt: skip
        for row in item.rows:
            if row.run_id in prepared:
                yield _page(site, item, row.run_id, parents.get(row.run_id), same)
    shared = {
        "details": site.output.path("data/r/index"),
        "environments": site.output.path("data/env/index"),
        "records": _records(site),
        "datasets": site.dataset_slugs,
        "experiments": {item.slug: _experiment(site, item) for item in site.experiments},
    }
    yield Page(SHELL, canonical(shared), lambda: site.html("run_shell.html", SHELL, page="run", data={"shell": True, **shared}))


def _experiment(site: Site, item: ExperimentData) -> dict[str, Any]:
    objective = item.objective
    return {
        "slug": item.slug,
        "name": item.name,
        "baseline": baseline_of(site, item),
        "objective": objective and {"metric": objective.metric, "direction": objective.direction},
    }


def _records(site: Site) -> dict[str, str]:
    """Return where records lie: their folder's prefix and their branch."""
    place = site.folio.place
    branch = (place.ledger or "").removeprefix("refs/heads/")
    return {"prefix": place.prefix, "branch": branch or "HEAD"}


def _page(site: Site, item: ExperimentData, run_id: str, parent: str | None, same: str) -> Page:
    row, path = site.by_id[run_id], run_page(site, run_id)
    baseline = baseline_of(site, item)
    shown = site.digest([row, *([site.by_id[baseline]] if baseline else [])])
    family = [*site.children.get(run_id, ()), *filter(None, (baseline, parent))]
    facts = {
        "previews": site.previews.get(run_id),
        "family": [(other, site.by_id[other].name, other in site.prepared) for other in family if other in site.by_id],
        "registered": _registered(site, run_id),
        "proof": shown_reproduction(site, run_id),
        "pipeline": steps_named(site, run_id),
        "sweep": trials_named(site, run_id),
    }
    return Page(path, same + canonical(facts) + shown, partial(_html, site, item, run_id, path))


def _html(site: Site, item: ExperimentData, run_id: str, path: str) -> bytes:
    detail = site.details([site.by_id[run_id]])[0]
    baseline = baseline_of(site, item)
    against = site.records([site.by_id[baseline]])[0] if baseline and baseline != run_id else None
    objective = item.objective
    metrics = metric_rows(detail["metrics"], against and against.get("metrics", {}), objective.metric if objective else "")
    drawn, curves = _curves(metrics, detail["series"])
    return site.html(
        "run.html", path, page="run",
        detail=detail, experiment=_experiment(site, item), experiment_href=experiment_page(item.slug),
        name=detail["name"] or run_id[:12], note=detail["tags"].get("mlflow.note.content", ""),
        tags={key: value for key, value in sorted(detail["tags"].items()) if key != "mlflow.note.content"},
        client_tags=[key for key in sorted(detail["tags"]) if key.startswith("mlflow.") and key != "mlflow.note.content"],
        params=param_rows(detail["params"], against and against.get("params", {})), metrics=metrics,
        goal=next((row for row in metrics if objective and row["key"] == objective.metric), None),
        registered=_registered(site, run_id), baseline=_link(site, baseline), is_baseline=baseline == run_id,
        curves=curves,
        more_curves=max(0, len(drawn) - STATIC_CURVES), most_curves=SCRIPT_CURVES, curve_count=len(drawn),
        artifacts=[{"artifact": entry, "body": read_body(site, entry) if at < BODIES else None}
                   for at, entry in enumerate(_pictures_first(detail["artifacts"]))],
        datasets=[{**dataset_facts(found), "href": page_of_input(site, found)} for found in detail["inputs"]],
        changes=_code_changes(site, detail), **_origin(site, detail),
        parent=_link(site, detail["parent"]), children=[link for child in detail["children"] if (link := _link(site, child))],
        sweep=shown_sweep(site, run_id, "../" * path.count("/")),
        evaluation=shown_evaluation(site, run_id), proof=shown_reproduction(site, run_id), badge=badge(site, run_id),
        pipeline=shown_pipeline(site, run_id, "../" * path.count("/")),
        record=site.folio.place.full(paths.run_path(item.slug, run_id, detail["start"])),
        data={"run": _told(detail, drawn[:SCRIPT_CURVES]), "experiment": _experiment(site, item)},
    )  # fmt: skip


def _registered(site: Site, run_id: str) -> list[dict[str, Any]]:
    """Return the versions of registered models that a run made."""
    return [
        {"name": f"{item.model.name} {found.number}", "href": version_page(item.slug, found.number), "stage": found.stage}
        for item in site.models
        for found in item.versions
        if found.version.run_id == run_id
    ]


def _origin(site: Site, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a run came from, and how to run it again."""
    lock = str(detail["environment"].get("lock", ""))
    file = list_path(site, lock) if lock else None
    path = site.folio.place.full(paths.environment_path(lock)) if file else ""
    again = reproduce_lines(detail, path, _records(site)["branch"])
    return {"origin": origin_facts(detail), "lock": path, "lock_file": file, "reproduce": again, "again": again_lines(detail)}


def _told(detail: Mapping[str, Any], drawn: list[str]) -> dict[str, Any]:
    """Return what the page's script draws: curves, and pictures that were logged over steps."""
    return {
        **{key: detail[key] for key in ("run_id", "name", "start")},
        "metrics": {key: detail["metrics"][key] for key in drawn},
        "series": {key: detail["series"][key] for key in drawn},
        "artifacts": [
            {key: entry[key] for key in ("path", "preview")}
            for entry in detail["artifacts"]
            if entry["preview"] and entry["preview"]["kind"] == "image" and any(letter.isdigit() for letter in entry["path"])
        ],
    }


_RANKS = {"image": 0, "audio": 0, "chart": 1, "table": 1, "markdown": 1}


def _pictures_first(artifacts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return artifacts in the order of a page: pictures, charts and tables, texts, the files of models, what cannot be looked at.

    Pictures of one key follow each other by their step; small copies of them are left out.
    """
    all_paths = {each["path"] for each in artifacts}
    models = tuple(path.removesuffix("MLmodel") for path in all_paths if path.endswith("/MLmodel"))

    def rank(item: Mapping[str, Any]) -> tuple[int, str, int]:
        path, found = item["path"], logged_image(item["path"])
        place = (f"images/{found.key}", found.step) if found else (path, 0)
        if not item["preview"]:
            return (4, *place)
        return (3 if path.startswith(models) else _RANKS.get(item["preview"]["kind"], 2), *place)

    return sorted((each for each in artifacts if not is_small_copy(each["path"], all_paths)), key=rank)


def _curves(metrics: list[dict[str, Any]], series: Mapping[str, Any]) -> tuple[list[str], list[dict[str, Any]]]:
    """Put its course beside each metric; return the keys of those that have a curve, and the first curves."""
    if not series:
        for row in metrics[:SPARKLINES]:
            row["spark"] = ""
        return [], []
    from runfolio.site.svg.curve import Line, curve
    from runfolio.site.svg.sparkline import sparkline

    for row in metrics[:SPARKLINES]:
        row["spark"] = sparkline(series[row["key"]]["value"]) if row["key"] in series else ""
    drawn = [row["key"] for row in metrics if row["key"] in series and len(series[row["key"]]["value"]) > 1]
    lines = {key: Line(series[key]["step"], series[key]["value"]) for key in drawn[:STATIC_CURVES]}
    return drawn, [{"key": key, "svg": curve([line], key)} for key, line in lines.items()]


def _link(site: Site, run_id: str | None) -> dict[str, Any] | None:
    if run_id is None:
        return None
    row = site.by_id.get(run_id)
    if row is None:
        return {"run_id": run_id, "name": run_id[:12], "href": None, "status": ""}
    return {"run_id": run_id, "name": row.name or run_id[:12], "href": run_page(site, run_id), "status": row.status}


def _code_changes(site: Site, detail: Mapping[str, Any]) -> CodeDiff | None:
    """Return what was not committed when the run started; nothing in a site for everybody."""
    code, place = detail["code"], site.folio.place
    if site.options.public or not (code.get("dirty") and code.get("tree") and code.get("commit")):
        return None
    kept_out = tuple(place.full(name) for name in (*paths.OURS, paths.SETTINGS))
    return _cached_diff(site.folio.repo, str(code["commit"]), str(code["tree"]), kept_out)


@lru_cache(maxsize=64)
def _cached_diff(repo: Repo, commit: str, tree: str, without: tuple[str, ...]) -> CodeDiff | None:
    from runfolio.gitstore.codediff import code_diff

    # The runs of a sweep share their code; each look costs three processes of git.
    return code_diff(repo, commit, tree, without)
