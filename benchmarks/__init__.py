"""Measurements beside the peers, in one run, as ratios: ``python -m benchmarks``.

A ratio of one run holds where an absolute time does not: the machine's speed drifts, both sides drift with it. Each row says what
both sides promise. Peers live in environments of their own (``peers.py``), so that neither side's dependencies bind the other.
"""
