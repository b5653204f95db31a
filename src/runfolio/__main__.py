"""``python -m runfolio``: the command line."""

from runfolio.cli.entry import main

if __name__ == "__main__":
    raise SystemExit(main())
