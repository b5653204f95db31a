"""The sections of a report, one module an idea: from a change to blocks of lines, without a thought of how they will look."""
