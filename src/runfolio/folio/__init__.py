"""The open store: the only room that takes the lock and makes a commit.

A :class:`Folio` is one place in one git repository. It joins what lies below: journals of live runs, committed records, objects
and the index. Writing goes one way: journal → seal → records and objects → one commit → work tree. Reading joins the
committed records with the journals, so that a run is seen from its first event on.

Files are split by what a folio does: ``opening`` (find, make), ``folding`` (journals to commits), ``experiments``, ``lookup`` (find
runs), ``series`` (metric histories), ``recovery``, ``syncing``, ``collecting``, ``migration``, ``checking``, ``health``.
"""

from __future__ import annotations

from runfolio._lazy import lazy_names
from runfolio._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.folio.folio import Folio
    from runfolio.folio.opening import initialise, open_folio

__all__ = ["Folio", "initialise", "open_folio"]

__getattr__ = lazy_names(__name__, {"folio": ("Folio",), "opening": ("initialise", "open_folio")})
