"""Policies: which promotions may be merged. A change in, findings out; pure.

What a policy is made of is :mod:`runfolio.policy.rules`, how it is written :mod:`runfolio.policy.decoding`, what it looks at
:class:`~runfolio.policy.verdict.Facts`, and the one function that judges, locally and in CI, :func:`~runfolio.policy.judging.judge`.
"""

from runfolio.policy.decoding import decode_policy
from runfolio.policy.examples import ExampleResult, run_examples
from runfolio.policy.judging import judge, waive
from runfolio.policy.rules import Gate, Policy
from runfolio.policy.verdict import Facts, GateResult, Verdict

__all__ = ["ExampleResult", "Facts", "Gate", "GateResult", "Policy", "Verdict", "decode_policy", "judge", "run_examples", "waive"]
