"""Runs made again, and judged."""
