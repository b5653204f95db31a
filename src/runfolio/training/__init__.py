"""Training in CI: ``runfolio ci train``, and ``runfolio ci propose`` after it.

The first runs what ``runfolio.yaml`` says (``training``), as a run, on a branch of its own, and registers the model; it needs no token. The
second judges the gates, pushes and opens the pull request; it runs nothing of the repository's. So the step that runs the team's code, and
that of all packages which it imports, never sees a token that may write.

Invariants: the branch that is merged into is never pushed to; what is live changes by a merge alone; a model that a gate refuses is
registered and not proposed, and its runs are kept.

What it does *not* do: choose machines. The job runs where the workflow says.
"""
