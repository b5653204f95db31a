"""Charts declared in Python: runs the function of a commit over the runs of an experiment, in a process of its own.

Invariants: the code is of the commit that is shown, one file; it gets no variable of the environment that could hold a token, an empty
folder to stand in, a fixed hash seed and time zone; it is stopped after `TIMEOUT_S`. Nothing runs with ``--no-python-charts``.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

from runfolio.errors import UsageError, missing_package
from runfolio.site.charts.declared import Declared
from runfolio.site.charts.rows import Columns
from runfolio.site.charts.specs import clean_spec

TIMEOUT_S = 600
_PASSED = ("HOME", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "VIRTUAL_ENV")


def run_python(chart: Declared, columns: Columns) -> dict[str, Any]:
    """Return the specification that a declared function makes of some runs.

    Parameters
    ----------
    chart : Declared
    columns : dict
        See :mod:`runfolio.site.charts.rows`.

    Raises
    ------
    UsageError
        If the function fails, returns no Altair chart, or one that no page may draw.
    MissingPackageError
        If Altair or pandas is not installed.
    """
    import subprocess  # few sites have such charts, and every build loads this module
    import tempfile

    asked = {"source": chart.source, "path": chart.path, "function": chart.function, "columns": columns}
    environment = {key: os.environ[key] for key in _PASSED if key in os.environ}
    environment |= {"PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8", "TZ": "UTC"}
    with tempfile.TemporaryDirectory(prefix="runfolio-chart-") as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "runfolio.site.charts.worker"],
                input=json.dumps(asked).encode(), capture_output=True, cwd=folder, env=environment, timeout=TIMEOUT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"{chart.where}: the function was stopped after {TIMEOUT_S} s.") from error
    if done.returncode != 0:
        raise _explained(chart, done.stderr.decode("utf-8", "replace"))
    return clean_spec(json.loads(done.stdout), chart.where)


def _explained(chart: Declared, said: str) -> Exception:
    lines = [line for line in said.splitlines() if line.strip()]
    last = lines[-1] if lines else "no message"
    missing = re.match(r"ModuleNotFoundError: No module named '(altair|pandas)'", last)
    if missing:
        return missing_package(missing[1], "", "draw charts that are declared in Python")
    places = re.findall(rf'File "{re.escape(chart.path)}", line (\d+)', said)
    place = f"line {places[-1]}: " if places else ""
    return UsageError(f"{chart.where}: {place}{last}. Correct the function, or build with --no-python-charts.")
