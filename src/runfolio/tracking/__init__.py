"""The fluent API: the active run and everything that is logged to it.

Third-party packages (pandas, numpy, pillow, matplotlib, plotly, psutil) are imported inside the functions that need them,
so that ``import runfolio`` and the logging path load none of them. Tracking never reads the index.
"""
