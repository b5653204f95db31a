"""What ``check`` looks at, one module a subject. Nothing here changes anything.

===============  ==========================================================================================
module           subject
===============  ==========================================================================================
``listing``      the files of the record folders: names, modes, letters that differ in case only
``blobs``        their bytes, compared with the ids that git gave them
``faults``       errors of the formats, told field by field
``documents``    settings, experiments and package lists
``runs``         one run's record by itself, and its metric histories beside it
``references``   what records say of one another
``datasets``     datasets, and the facts of their contents
``objects``      artifacts and full histories in the object store, code in git
``history``      records that were changed or removed other than by runfolio
``local``        journals, the pending note, locks and the work tree of this clone
===============  ==========================================================================================

Every function adds to a list of findings and goes on: one bad record never hides another.
"""
