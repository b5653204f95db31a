"""Training that logs itself: what a framework is asked to fit is written into a run, as MLflow's autologging does.

One leaf a framework (:mod:`~runfolio.autologging.scikit_learn`, …) says which of its functions are patched and what a call of them
logs; all else stands here once: :mod:`~runfolio.autologging.switches` turns frameworks on and off, :mod:`~runfolio.autologging.patching`
replaces functions and puts them back, :mod:`~runfolio.autologging.importing` waits for imports,
:mod:`~runfolio.autologging.sessions` tells a training from a part of one, :mod:`~runfolio.autologging.training` brackets a call with a
run, :mod:`~runfolio.autologging.run_log` writes.

Invariants: training never dies of logging (:mod:`~runfolio.autologging.guarding`: what went wrong stands in the run); a framework
that is not imported is neither imported nor patched; ``disable=True`` puts every function back; a patched function has the signature,
name and documentation of the original. The room is not called ``autolog``, since ``runfolio.autolog`` is a function.
"""

from __future__ import annotations
