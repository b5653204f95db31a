"""Models over HTTP: MLflow's scoring protocol, spoken by processes of our own; and predictions in batches.

Who does what::

    beginning    fetches the model, binds the socket, and becomes the supervisor
    supervisor   starts workers, watches the stage, replaces what dies
    worker       knows the model: loads one folder, answers requests until it is told to end
    http         bytes of HTTP/1.1 to requests and back, with a limit on everything that a client may take
    app          a request's path to its answer
    payloads     a body to data, by MLflow's rules (tables, tensors);  arrays: the same for numbers, straight to an array
    prediction   data to an answer;  lanes: threads that do it, jobs that wait
    counters     what happened, in memory that all workers share;  metrics: the same for Prometheus

Invariants: a model's code runs in workers only, never in the supervisor; a client never sees a stack trace; whatever a client
sends or a model does, the server goes on answering. A new version is loaded by new workers beside the old ones, which end only
when the new ones answer: a bad model never replaces a good one. Not here: TLS and rate limits (a proxy's business).
"""
