"""One build, from the open folio to the finished folder."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path

from runfolio._version import __version__
from runfolio.errors import StateError, StorageError
from runfolio.folio import Folio
from runfolio.folio.past import commit_at
from runfolio.site.assets import asset_files, templates_digest
from runfolio.site.datasets import dataset_state
from runfolio.site.gather import Site
from runfolio.site.options import BuildOptions, BuildReport, Progress
from runfolio.site.output import Output, canonical, digest_of
from runfolio.site.plan import Page
from runfolio.site.unchanged import FORMAT, Asked, asked_of, optional_packages, remember, templates_then, warnings_then


def build_site(
    folio: Folio, out: Path, options: BuildOptions | None = None, progress: Progress = lambda step, done, total: None
) -> BuildReport:
    """Build the site of a folio.

    Parameters
    ----------
    folio : Folio
    out : Path
        The site's folder: new, empty, or made by an earlier build.
    options : BuildOptions, optional
    progress : callable, optional
        Called with the name of a step, how many of its files are made, and of how many.

    Returns
    -------
    BuildReport

    Raises
    ------
    NotFoundError
        If there is no commit, or no such revision.
    StateError
        If `out` holds something else.
    StorageError
        If `out` cannot be written.
    UsageError
        If a template or a declared chart of the team's is wrong.
    """
    options = options or BuildOptions()
    # Rows and records hold no cycles, and a build makes millions of them: looking through them again and again is a fifth of its time.
    collects = gc.isenabled()
    gc.disable()
    try:
        return _build(folio, out, options, progress)
    except OSError as error:
        raise StorageError(f"{error.filename or out}: the site could not be written: {error.strerror}. Free some space or give "
                           "another folder: runfolio site build -o DIR") from error  # fmt: skip
    finally:
        if collects:
            gc.enable()


def is_current(folio: Folio, out: Path, options: BuildOptions | None = None) -> bool:
    """Tell whether a build would change nothing.

    Parameters
    ----------
    folio : Folio
    out : Path
    options : BuildOptions, optional
    """
    site, state, _ = _opened(folio, out, options or BuildOptions(), None)
    return site.output.is_current(state)


def _opened(folio: Folio, out: Path, options: BuildOptions, asked: Asked | None) -> tuple[Site, str, str]:
    """Return the material, a digest of all that the site depends on, and one of the templates."""
    commit = _commit(folio, options.at)
    output = Output(out, options.jobs, options.force)
    output.open()
    site = Site(folio, options, commit, output)
    settings = (folio.settings.site, options.public, options.base_url, options.python_charts, optional_packages(), options.diff)
    templates = templates_then(folio.place, out, asked) or templates_digest()
    parts = (str(FORMAT), __version__, templates, repr(settings), site.title, canonical(site.overrides))
    data = dataset_state(site)
    output.salt = digest_of(part.encode() for part in (*parts, "data" if data else ""))
    return site, digest_of((output.salt.encode(), commit.encode(), data.encode())), templates


def _build(folio: Folio, out: Path, options: BuildOptions, progress: Progress) -> BuildReport:
    asked = asked_of(folio.place, options)
    site, state, templates = _opened(folio, out, options, asked)
    output = site.output
    if output.is_current(state):
        output.keep_all()
        site.warnings += warnings_then(folio.place, out, state)
        remember(folio.place, out, asked, site.commit, state, templates, site.warnings)
        return _report(site, 0, output.told)
    # What makes pages takes longer to load than it takes to see that none is stale.
    from runfolio.site import api, charts, data, feeds, pages
    from runfolio.site.data.runs import private_warning

    output.begin()
    output.write(asset_files(site.overrides))
    for step in chain(data.steps(site), charts.steps(site)):
        if step.total:
            progress(step.name, step.done, step.total)
            output.write(step.files)
        else:
            output.write(step.files, partial(progress, step.name))
    output.write([*pages.all_pages(site), *_extra(site)], partial(progress, "pages"))
    output.write(list(api.files(site)), partial(progress, "API"))
    output.write(list(feeds.files(site)), partial(progress, "feeds"))
    if options.public:
        from runfolio.site import canary

        progress("looking for private texts", 0, 0)
        canary.check_public(site)
    else:
        site.warnings += private_warning(site)
    told = {"runs": len(site.rows), "experiments": len(site.experiments)}
    removed = output.finish(state, told)
    remember(folio.place, out, asked, site.commit, state, templates, site.warnings)
    return _report(site, removed, told)


def _commit(folio: Folio, at: str | None) -> str:
    if at is None:
        tip = folio.place.tip()
        if tip is None:
            raise StateError("The folio has no commit yet, so there is nothing to show. Log a run, or commit the settings.")
        return tip
    return commit_at(folio.place, at)


def _extra(site: Site) -> Iterator[Page]:
    """Yield the team's own pages: templates in ``pages/`` of its templates."""
    shown = [{"name": item.name, "slug": item.slug, "runs": len(item.rows)} for item in site.experiments]
    for path, template in site.renderer.extra_pages().items():
        yield Page(path, canonical([path, shown]), partial(site.html, template, path, page="extra", experiments=shown))


def _report(site: Site, removed: int, told: Mapping[str, int]) -> BuildReport:
    output = site.output
    return BuildReport(
        out=output.folder,
        rendered=output.rendered,
        kept=output.kept,
        removed=removed,
        bytes=output.total(),
        runs=told["runs"],
        experiments=told["experiments"],
        commit=site.commit,
        warnings=tuple(site.warnings),
        made=output.made.values(),
    )
