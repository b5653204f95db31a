"""Runs and models that lie in another tool's store, taken into a folio whole.

Invariants:

- Ids are kept: an experiment's, a run's, a version's number. So taking the same store in again adds only what is new.
- A run is written whole beside the folio before it is committed; a process that is killed leaves nothing half, and the next one goes on.
- Nothing is passed over in silence: whatever could not be taken, or had to be changed, is a finding with its name and its reason.
- What was taken is read back from the folio and compared with what the other store said.

Worked example::

    runfolio import mlflow sqlite:///mlflow.db --dry-run
    runfolio import mlflow sqlite:///mlflow.db

What it does *not* do: change or delete anything in the other store.
"""

from runfolio.transfer.findings import Finding, Imported

__all__ = ["Finding", "Imported"]
