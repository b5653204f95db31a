"""Runs of Neptune, from the Parquet files that its official ``neptune-exporter`` wrote before the service ended."""

from runfolio.transfer.neptune.source import open_neptune

__all__ = ["open_neptune"]
