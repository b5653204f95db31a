"""What ``runfolio models serve`` becomes once it has its model: ``python -m runfolio.cli.models_serving DESCRIPTOR``.

It loads neither click nor a command. Where it ends in an error, the command line's own words for it are loaded then.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Literal

from runfolio.serving.beginning import supervised, taken_over
from runfolio.serving.logs import start_logging
from runfolio.serving.options import ServeOptions


class _Ending:
    """The guard around the whole program, as :class:`runfolio.cli.ending.Ending`, which is loaded when there is an error."""

    code = 0

    def __enter__(self) -> _Ending:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[True]:
        if error is not None:
            from runfolio.cli.ending import Ending

            ending = Ending(["models", "serve"])
            ending.__exit__(kind, error, trace)
            self.code = ending.code
        return True


def main() -> int:
    """Serve until the end; return the exit code."""
    ending = _Ending()
    with ending:
        beginning = taken_over(int(sys.argv[1]))
        start_logging(_log_format(beginning.options))
        ending.code = supervised(beginning).run()
    return ending.code


def _log_format(options: str) -> str:
    import json

    return ServeOptions.from_fields(json.loads(options)).log_format


if __name__ == "__main__":
    sys.exit(main())
