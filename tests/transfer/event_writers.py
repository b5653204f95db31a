"""Event files as their real writers make them: ``python event_writers.py WRITER FOLDER``."""

import sys

import numpy


def torch(folder):
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(f"{folder}/one") as writer:
        for step in range(5):
            writer.add_scalar("loss/train", 1 / (step + 1), step, walltime=1.7e9 + step)
        writer.add_image("samples/digit", numpy.full((3, 8, 8), 0.5, dtype="float32"), 3)
        writer.add_images("batch", numpy.zeros((2, 3, 4, 4), dtype="float32"), 0)
        writer.add_text("notes", "**first**", 0)
        writer.add_text("notes", "đường second", 1)
        writer.add_histogram("weights", numpy.arange(100.0), 2)
        writer.add_audio("beep", numpy.sin(numpy.arange(800) / 5)[None], 1, sample_rate=8000)
        writer.add_pr_curve("pr", numpy.array([0, 1, 1, 0]), numpy.array([0.1, 0.9, 0.6, 0.4]), 0)
        writer.add_embedding(numpy.eye(3), metadata=["a", "b", "c"], tag="words", global_step=4)
        writer.add_hparams({"lr": 0.1, "batch": 32, "net": "resnet", "bias": True}, {"hparam/accuracy": 0.75})
    with SummaryWriter(f"{folder}/two") as writer:
        writer.add_scalar("nan", float("nan"), 0)
        writer.add_scalar("inf", float("inf"), 0)
    with SummaryWriter(f"{folder}/two/inner") as writer:
        writer.add_scalar("loss", 0.5, -1)


def tensorboardx(folder):
    from tensorboardX import SummaryWriter

    with SummaryWriter(f"{folder}/x") as writer:
        for step in range(3):
            writer.add_scalar("acc", step / 2, step)
        writer.add_text("about", "hello", 0)
        writer.add_image("picture", numpy.zeros((3, 4, 4), dtype="uint8"), 1)


def keras(folder):
    import keras
    import tensorflow as tf
    from tensorboard.plugins.hparams import api as hp

    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = numpy.random.rand(16, 4), numpy.random.rand(16)
    callbacks = [
        keras.callbacks.TensorBoard(f"{folder}/fit", histogram_freq=1),
        hp.KerasCallback(f"{folder}/fit", {"units": 1, "optimizer": "sgd"}),
    ]
    history = model.fit(x, y, epochs=3, validation_data=(x, y), callbacks=callbacks, verbose=0)
    print([float(value) for value in history.history["val_loss"]])
    with tf.summary.create_file_writer(f"{folder}/v2").as_default():
        tf.summary.scalar("double", numpy.float64(1 / 3), step=7)
        tf.summary.image("grid", numpy.zeros((2, 4, 4, 3), dtype="float32"), step=1, max_outputs=2)
        tf.summary.text("words", ["one", "two"], step=1)
        tf.summary.audio("tone", numpy.zeros((2, 100, 1), dtype="float32"), 8000, step=1, max_outputs=2)
        tf.summary.histogram("values", [1.0, 2.0, 2.0, 5.0], step=1)
        tf.summary.write("raw", tf.constant([[1, 2], [3, 4]]), step=1)


if __name__ == "__main__":
    {"torch": torch, "tensorboardx": tensorboardx, "keras": keras}[sys.argv[1]](sys.argv[2])
