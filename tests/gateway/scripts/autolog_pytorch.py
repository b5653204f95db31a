"""PyTorch: a plain loop that logs its model, and Lightning's trainer under ``mlflow.pytorch.autolog()``."""

import lightning
import mlflow
import numpy
import torch

mlflow.set_experiment("autolog pytorch")
torch.manual_seed(0)
torch.set_num_threads(1)
x = torch.linspace(-1, 1, 32).reshape(-1, 1)
y = 3 * x + 1

with mlflow.start_run(run_name="plain loop") as plain:
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(5):
        loss = torch.nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mlflow.log_metric("loss", float(loss), step=epoch)
    mlflow.pytorch.log_model(model, "model", input_example=x[:2].numpy())


class Line(lightning.LightningModule):
    """A line, fitted."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch, _):
        loss = torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


mlflow.pytorch.autolog()
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=16)
with mlflow.start_run(run_name="lightning"):
    trainer = lightning.Trainer(
        max_epochs=3, accelerator="cpu", enable_progress_bar=False, enable_model_summary=False, logger=False
    )
    trainer.fit(Line(), loader)

loaded = mlflow.pyfunc.load_model(f"runs:/{plain.info.run_id}/model")
assert numpy.allclose(loaded.predict(x.numpy()), model(x).detach().numpy())
