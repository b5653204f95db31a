"""Python environments made of lists of requirements, kept in the user's cache and made once.

>>> from runfolio.environments import Wanted, make_environment
>>> made = make_environment(Wanted(("six==1.17.0",)), "virtualenv")   # doctest: +SKIP
>>> made.python                                                       # doctest: +SKIP
PosixPath('/home/ada/.cache/runfolio/environments/3f…/bin/python')

Invariants:

- An environment is used only when it is whole: the file that says so (``environment.json``) is the last that is written. What a killed
  process left is removed by the next one that wants the same environment.
- Processes that want the same one wait for each other; one makes it, and the installer that a killed process left behind is waited for.
- The second use starts no installer.
- runfolio in it is this very one, so that what runs inside writes the records that this one reads.

What it does *not* do: choose versions (a list of requirements is taken as it is), or look into what is installed.
"""

from runfolio.environments.cache import Kept, cache_folder, kept_environments, remove_environment
from runfolio.environments.environment import Environment
from runfolio.environments.making import make_environment
from runfolio.environments.missing import EnvironmentFailedError, Missing
from runfolio.environments.wanted import CONDA, LOCAL, MANAGERS, UV, VIRTUALENV, Wanted

__all__ = [
    "CONDA",
    "LOCAL",
    "MANAGERS",
    "UV",
    "VIRTUALENV",
    "Environment",
    "EnvironmentFailedError",
    "Kept",
    "Missing",
    "Wanted",
    "cache_folder",
    "kept_environments",
    "make_environment",
    "remove_environment",
]
