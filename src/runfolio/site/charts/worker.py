"""The process in which a team's Python draws a chart: asked on standard input, answers on standard output.

It is a process of its own so that what the function prints, imports, changes or breaks stays there; see
:mod:`runfolio.site.charts.running` for what it is given. It is *not* a sandbox: the code is the team's, of a commit of theirs.
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Run one function over one frame, and write the chart's specification."""
    asked = json.load(sys.stdin)
    out, sys.stdout = sys.stdout, sys.stderr
    import altair
    import pandas

    frame = pandas.DataFrame(asked["columns"])
    for name in ("start_time", "end_time"):
        if name in frame:
            frame[name] = pandas.to_datetime(frame[name], unit="ms", utc=True)
    names: dict[str, object] = {"__name__": "charts", "__file__": asked["path"]}
    exec(compile(asked["source"], asked["path"], "exec"), names)  # noqa: S102 - running it is what the team asks for
    function = names.get(asked["function"])
    if not callable(function):
        raise LookupError(f"{asked['path']} has no function {asked['function']}")
    chart = function(frame)
    if not isinstance(chart, altair.TopLevelMixin):
        raise TypeError(f"{asked['function']} returned {type(chart).__name__}; an Altair chart is expected")
    # The limit of rows is the site's own, and told in its words.
    with altair.data_transformers.enable("default", max_rows=None):
        json.dump(chart.to_dict(), out)


if __name__ == "__main__":
    main()
