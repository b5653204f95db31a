"""Runs of Aim, from its repository ``.aim``: RocksDB read by Aim's own package, names and tags by SQLite. Nothing in it is changed."""

from runfolio.transfer.aim.source import open_aim

__all__ = ["open_aim"]
