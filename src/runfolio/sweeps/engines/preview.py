"""What a sweep would submit to a batch system: the script or manifest of its first round, for ``--dry-run``.

Nothing is asked of the system, and nothing is put into the store: zeros stand for the digest of the plans.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio.folio.mailboxes import place_of
from runfolio.records import new_run_id
from runfolio.sweeps.engines.batch import ROUND, BatchEngine
from runfolio.sweeps.engines.choosing import engine_of
from runfolio.sweeps.settings import SweepSettings
from runfolio.tracking.session import session


def preview(settings: SweepSettings, arguments: Mapping[str, Any]) -> str | None:
    """Return the text of the first round; None for an engine that submits none.

    Parameters
    ----------
    settings : SweepSettings
    arguments : Mapping
        Of :func:`runfolio.sweep`: engine, address, engine_config, n_jobs.

    Raises
    ------
    UsageError
        If the engine cannot be made of these settings.
    """
    asked = {key: arguments.get(key) for key in ("address", "n_jobs")}
    engine = engine_of(str(arguments["engine"]), config=arguments.get("engine_config"), **asked)
    if not isinstance(engine, BatchEngine):
        return None
    folio = session().folio
    runs = (settings.trials or ROUND) * settings.repeats
    return engine.preview(new_run_id(), runs, place_of(folio.store, folio.artifacts_place))
