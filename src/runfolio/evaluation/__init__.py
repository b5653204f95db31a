"""Models on data whose answers are known: metrics with intervals, slices, a baseline beside it, thresholds, and pictures.

The one verb is :func:`runfolio.evaluate`, with the arguments, metrics and result of MLflow's. What lies beyond: how sure each number is
(:mod:`~runfolio.evaluation.intervals`), parts of the rows (:mod:`~runfolio.evaluation.slices`), another model on the same rows
(:mod:`~runfolio.evaluation.comparing`), and one small document from which the site draws (:mod:`~runfolio.evaluation.document`).

Invariants: all is computed before anything is logged; what is not defined is left out and said, never logged as a number that it is not;
a fixed seed gives the same intervals every time.

This room does *not* compute explanations (SHAP), call endpoints, or ask language models to judge.
"""
