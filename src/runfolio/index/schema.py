"""The tables, and why they look so.

``runs`` is slim (columns that a search looks at) because a search reads many of its rows; the records' bytes lie in ``bodies``
and are read for the rows of one page only. Metrics are in ``numbers``, params and tags (with those that follow from fields) in
``texts``, each twice: by run, to test a clause on one run, and by value, to walk runs in the order of a key. NaN is a row whose
value is NULL; a missing metric has no row.

``runs.state`` has two bits. 1: SQLite cannot hold a value of this record as Python has it (an unpaired surrogate, a number over
64 bits), so the record is tested in Python. 2: another path holds the same run id and comes first; the record is a fault.

``inputs.content`` is the digest of the recorded dataset's content that an input names, where it names one.

Indexes are made after the rows of a full load, which takes half of the time of keeping them up.
"""

from __future__ import annotations

SCHEMA = 4
"""Raised with every change of the tables or of what is read from a record; another number means: build again."""

TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE keys (id INTEGER PRIMARY KEY, entity TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (entity, name));
CREATE TABLE runs (
    pk INTEGER PRIMARY KEY, path TEXT NOT NULL, run_id TEXT NOT NULL, slug TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER,
    status TEXT NOT NULL, name TEXT, user TEXT, lifecycle TEXT NOT NULL, state INTEGER NOT NULL, oid BLOB NOT NULL,
    has_artifacts INTEGER NOT NULL
);
CREATE TABLE bodies (pk INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE numbers (run_pk INTEGER, key_id INTEGER, value REAL, PRIMARY KEY (run_pk, key_id)) WITHOUT ROWID;
CREATE TABLE texts (run_pk INTEGER, key_id INTEGER, value TEXT NOT NULL, PRIMARY KEY (run_pk, key_id)) WITHOUT ROWID;
CREATE TABLE inputs (
    run_pk INTEGER, place INTEGER, name TEXT NOT NULL, digest TEXT NOT NULL, context TEXT, content TEXT,
    PRIMARY KEY (run_pk, place)
) WITHOUT ROWID;
CREATE TABLE experiments (path TEXT PRIMARY KEY, fields TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE faults (path TEXT PRIMARY KEY, message TEXT NOT NULL) WITHOUT ROWID;
"""

INDEXES = """
CREATE UNIQUE INDEX runs_by_path ON runs (path);
CREATE INDEX runs_by_id ON runs (run_id);
CREATE INDEX runs_by_start ON runs (start DESC, run_id);
CREATE INDEX runs_by_slug ON runs (slug, start DESC, run_id);
CREATE INDEX runs_odd ON runs (state) WHERE state <> 0;
CREATE INDEX numbers_by_value ON numbers (key_id, value, run_pk);
CREATE INDEX inputs_by_content ON inputs (content) WHERE content IS NOT NULL;
CREATE INDEX texts_by_value ON texts (key_id, value, run_pk);
"""

RUN_TABLES = ("bodies", "numbers", "texts", "inputs")
"""Tables whose rows belong to a run, by its number (``pk`` in the first, ``run_pk`` in the others)."""
