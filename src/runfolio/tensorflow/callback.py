"""Callbacks of Keras, under the name that MLflow's scripts import: ``mlflow.tensorflow.callback``."""


def __getattr__(name: str) -> object:
    # Made when they are asked for, since Keras takes seconds to import.
    from runfolio import tensorflow

    return getattr(tensorflow, name)
