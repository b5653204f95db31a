"""Loggers that users give to a library themselves, in the form that the library asks for: a callback, a logger, a tracker.

One leaf a library; the run that they write to is :mod:`~runfolio.autologging.loggers.joining`'s affair: the active run, or one that is
started for the training and ends with it. What users import lies at ``runfolio.xgboost``, ``runfolio.keras``, …

Invariants: those of :mod:`runfolio.autologging`. Nothing is patched here; a library's class is subclassed when somebody asks for ours.
"""

from __future__ import annotations
