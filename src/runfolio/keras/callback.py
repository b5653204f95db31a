"""Callbacks of Keras, under the name that MLflow's scripts import: ``mlflow.keras.callback``."""


def __getattr__(name: str) -> object:
    # Made when they are asked for, since Keras takes seconds to import.
    from runfolio import keras

    return getattr(keras, name)
