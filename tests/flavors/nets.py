"""Modules of PyTorch that another process can import."""

from __future__ import annotations

import torch


class Net(torch.nn.Module):
    """Two layers."""

    def __init__(self, hidden: int = 3) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Linear(4, hidden), torch.nn.Linear(hidden, 2)

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu(self.first(data)))


class Tied(torch.nn.Module):
    """Two layers that are one, and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(4, 4)
        self.second = self.first
        self.register_buffer("mean", torch.arange(4.0))

    def forward(self, data: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(data - self.mean))
