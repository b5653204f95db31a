"""The CI of a user's repository: workflows that check, report, publish and collect, and who must approve what.

Templates are files beside this module. What they need to know of a folio is :class:`~runfolio.workflows.facts.Facts`;
:func:`~runfolio.workflows.rendering.render` makes text of both, :mod:`runfolio.workflows.writing` brings it into a work tree without
overwriting what a person wrote, :mod:`runfolio.workflows.fetching` brings into a CI job's clone what its checkout left out, and
:mod:`runfolio.workflows.owners` tells a git host who approves.

Invariants of everything that is generated: actions are pinned by commit; the top of a workflow grants nothing; what a person
or a fork wrote reaches a shell through the environment only; no job that holds a token that can write runs what a pull request brings.
"""

from runfolio.workflows.facts import Facts, facts_of
from runfolio.workflows.rendering import HOSTS, render
from runfolio.workflows.writing import Planned, plan, write

__all__ = ["HOSTS", "Facts", "Planned", "facts_of", "plan", "render", "write"]
