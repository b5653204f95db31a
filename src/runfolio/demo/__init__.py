"""The demonstration: the main job on real data, as a user would do it.

``files`` holds the two training scripts. They are copied into a new repository, committed there as the user's code, and run as
programs of their own; nothing in the package imports them.
"""
