"""MLflow's plug-in interface, translated to our verbs: unmodified MLflow clients log to a folio.

With MLflow installed beside runfolio, ``mlflow.set_tracking_uri("runfolio:///path/to/folio")`` is all that a script needs: MLflow
finds the classes of this room by entry points (``mlflow.tracking_store``, ``mlflow.model_registry_store``,
``mlflow.artifact_repository``, ``mlflow.run_context_provider``). MLflow 2.22 and the newest 3.x are tested.

Invariants:

- **No second format.** A run logged through MLflow is a run like any other: the same journal, the same record, artifacts by digest.
  What MLflow knows beyond that (MLflow 3's logged models, a run's model inputs and outputs) is one document among the run's
  artifacts, :mod:`runfolio.gateway.model_facts`.
- Errors carry MLflow's codes; a fault of ours never looks like a fault of the script.
- Reading a run starts no git process: a script asks for its run some twenty times.

Worked example::

    import mlflow
    mlflow.set_tracking_uri("runfolio:///home/ada/wine")
    with mlflow.start_run():
        mlflow.log_metric("accuracy", 0.98)

What it does *not* do: keep traces, prompts' evaluation, review queues, scorers. They are refused, in words.
"""
