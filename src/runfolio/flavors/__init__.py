"""Models as folders that MLflow reads and writes too: ``MLmodel``, the model's bytes, what it needs, what it takes and gives.

One leaf module a framework (:mod:`~runfolio.flavors.scikit_learn`, :mod:`~runfolio.flavors.python_function`), each with ``save_model``
and ``load_folder``. Invariants: what is saved here loads in MLflow 2.22 without change and the other way round; a model that runs
code when it is loaded is loaded only when :mod:`~runfolio.flavors.trust` says so. This room knows folders on a disk only: fetching by
URI and logging to runs is :mod:`runfolio.tracking`'s, registering :mod:`runfolio.registry`'s.
"""

from __future__ import annotations
