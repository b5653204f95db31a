"""Runs of Weights & Biases, from the folders that its client leaves on disk, and from what was exported.

The package ``wandb`` is not needed: who left W&B need not install it again. Its transaction log is LevelDB's log format around protocol
buffers, whose field numbers are fixed by their own rule (a number is never reused); :mod:`.log` reads both in a hundred lines.
"""

from runfolio.transfer.wandb.source import open_wandb

__all__ = ["open_wandb"]
