"""Bytes to records and back, canonically. Pure: no file is opened here.

Machine-written records are JSON in one canonical spelling, and a record is valid only if its bytes equal the canonical
serialisation of their own parse (:mod:`runfolio.formats.canonical`). What people edit is YAML, read by a loader without
tags, aliases or duplicate keys (:mod:`runfolio.formats.yaml`). Files are split by noun: ``runs``, ``series``,
``experiments``, ``settings``, ``paths``. ``docs/format.md`` describes every field.
"""
