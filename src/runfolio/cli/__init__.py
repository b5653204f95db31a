"""Words to verbs: the command line ``runfolio``.

A command parses, calls one function of a room below, and prints. Results go to standard output, talk to standard error; every
reader has ``--json``, every table ``--csv``. :mod:`.main` knows all commands by name, so that ``runfolio --help`` loads none of
them; each group is a file of its own, loaded when it is used.

It decides nothing: what a filter, a delete or a commit means is for the rooms below.
"""
