"""The tables, and why they look so.

``runs`` is slim (columns that a search looks at) because a search reads many of its rows; the records' bytes lie in ``bodies``
and are read for the rows of one page only. ``briefs`` has what a table shows of a run and ``runs`` has not: as JSON its parent, its
metrics' names and its params in one text, its tags in another, and the last
values of the metrics as doubles (to write one as text and read it again takes 10,000 instructions).

Values
------
Metrics are in ``numbers``, params and tags (with those that follow from fields) in ``texts``, each twice: by run, to test a clause
on one run, and by value, to walk runs in the order of a key. NaN is a row whose value is NULL; a missing metric has no row. They are half
of the work of a full load, and a list of the newest runs asks for none of them: so they are filled, from ``briefs``, for the first question
that does, and kept up from then on (``valued`` in ``meta``).

A value's row has the number ``run << KEY_BITS | key``: the table is the index by run, filled from its one end to the other.

``runs.state`` has two bits. 1: SQLite cannot hold a value of this record as Python has it (an unpaired surrogate, a number over
64 bits), so the record is tested in Python. 2: another path holds the same run id and comes first; the record is a fault.

``inputs.content`` is the digest of the recorded dataset's content that an input names, where it names one.

``outlines`` has what a site asks of every run, as one value: to read a value of a row takes 1,000 instructions, and nine of each of
ten thousand runs were a tenth of publishing one more. Triggers write down in ``touched`` which rows are other ones since.

Indexes are made after the rows of a full load, which takes half of the time of keeping them up.
"""

from __future__ import annotations

SCHEMA = 6
"""Raised with every change of the tables or of what is read from a record; another number means: build again."""

KEY_BITS = 28
"""Of the 63 bits of a value's number those for its key: 268 million keys, in 34 thousand million runs."""

TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE keys (id INTEGER PRIMARY KEY, entity TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (entity, name));
CREATE TABLE runs (
    pk INTEGER PRIMARY KEY, path TEXT NOT NULL, run_id TEXT NOT NULL, slug TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER,
    status TEXT NOT NULL, name TEXT, user TEXT, lifecycle TEXT NOT NULL, state INTEGER NOT NULL, oid BLOB NOT NULL,
    has_artifacts INTEGER NOT NULL
);
CREATE TABLE bodies (pk INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE briefs (pk INTEGER PRIMARY KEY, facts TEXT NOT NULL, numbers BLOB NOT NULL, tags TEXT NOT NULL);
CREATE TABLE numbers (id INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, value REAL);
CREATE TABLE texts (id INTEGER PRIMARY KEY, key_id INTEGER NOT NULL, value TEXT NOT NULL);
CREATE TABLE inputs (
    run_pk INTEGER, place INTEGER, name TEXT NOT NULL, digest TEXT NOT NULL, context TEXT, content TEXT,
    PRIMARY KEY (run_pk, place)
) WITHOUT ROWID;
CREATE TABLE experiments (path TEXT PRIMARY KEY, fields TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE outlines (columns BLOB NOT NULL);
CREATE TABLE touched (pk INTEGER PRIMARY KEY);
CREATE TABLE faults (path TEXT PRIMARY KEY, message TEXT NOT NULL) WITHOUT ROWID;
"""

INDEXES = """
CREATE UNIQUE INDEX runs_by_path ON runs (path);
CREATE INDEX runs_by_id ON runs (run_id);
CREATE INDEX runs_by_start ON runs (start DESC, run_id);
CREATE INDEX runs_by_slug ON runs (slug, start DESC, run_id);
CREATE INDEX runs_odd ON runs (state) WHERE state <> 0;
CREATE INDEX inputs_by_content ON inputs (content) WHERE content IS NOT NULL;
CREATE TRIGGER run_added AFTER INSERT ON runs BEGIN INSERT OR IGNORE INTO touched VALUES (new.pk); END;
CREATE TRIGGER run_changed AFTER UPDATE ON runs BEGIN INSERT OR IGNORE INTO touched VALUES (new.pk); END;
CREATE TRIGGER run_dropped AFTER DELETE ON runs BEGIN INSERT OR IGNORE INTO touched VALUES (old.pk); END;
"""

VALUE_INDEXES = """
CREATE INDEX numbers_by_value ON numbers (key_id, value);
CREATE INDEX texts_by_value ON texts (key_id, value);
"""
"""Made when the values are filled; the number of a row, and so its run, ends each entry by itself."""


def statements(script: str) -> list[str]:
    """Return the statements of one of the scripts above; ``executescript`` would commit the transaction that they belong to."""
    return [statement for statement in script.split(";\n") if statement.strip()]
