"""Trailers of the commits that runfolio makes: a line of the message each, ``NAME: VALUE``."""

GATES_TRAILER = "Runfolio-Gates"
"""Of a promotion: how many gates passed, and which did not."""
GATE_TRAILER = "Runfolio-Gate"
"""Of a promotion, one for each gate: its state, its name, and why."""
