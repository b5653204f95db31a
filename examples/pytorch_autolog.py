"""The guide's PyTorch training loop with its import changed: a small CNN on the handwritten digits that scikit-learn ships.

CIFAR-10 would be a download of 170 MB; these are 1,797 pictures of 8 × 8 pixels in one channel, and that is all that is different below.
A loop of one's own logs by itself, as with MLflow: autologging sees what Lightning's Trainer and TensorBoard's writer do.
"""

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

import runfolio as mlflow

torch.manual_seed(42)

# The guide's set_tracking_uri('http://localhost:5000') is left out: the folio of the current folder takes the runs.
mlflow.set_experiment("pytorch-digits")

# Turn on PyTorch autologging
mlflow.pytorch.autolog()


def train_model(epochs, lr, batch_size):
    with mlflow.start_run():
        mlflow.log_param("epochs", epochs)
        mlflow.log_param("learning_rate", lr)
        mlflow.log_param("batch_size", batch_size)

        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        mlflow.log_param("device", str(device))

        # Data loading
        images, digits = load_digits(return_X_y=True)
        pixels = (torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16 - 0.5) / 0.5
        train_ds = TensorDataset(pixels, torch.tensor(digits))
        train_loader = DataLoader(train_ds, batch_size=batch_size, shuffle=True)

        # Simple CNN model
        model = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64 * 2 * 2, 128), nn.ReLU(),
            nn.Linear(128, 10),
        ).to(device)  # fmt: skip
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        criterion = nn.CrossEntropyLoss()

        # Training loop
        model.train()
        for epoch in range(epochs):
            total_loss = 0
            for data, target in train_loader:
                data, target = data.to(device), target.to(device)
                optimizer.zero_grad()
                output = model(data)
                loss = criterion(output, target)
                loss.backward()
                optimizer.step()
                total_loss += loss.item()
            avg_loss = total_loss / len(train_loader)
            mlflow.log_metric("train_loss", avg_loss, step=epoch)
            print(f"Epoch {epoch}: loss={avg_loss:.4f}")

        # Log final model
        mlflow.pytorch.log_model(model, "model")


if __name__ == "__main__":
    train_model(epochs=5, lr=0.001, batch_size=64)
