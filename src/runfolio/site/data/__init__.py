"""The site's data files: what its scripts, and other programs, read."""

from runfolio.site.data.steps import steps

__all__ = ["steps"]
