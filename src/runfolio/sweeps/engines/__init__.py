"""Who runs the trials of a sweep: one interface, one file an implementation."""
