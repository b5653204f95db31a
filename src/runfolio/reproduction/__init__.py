"""A run made again, and judged; and whether it could be.

>>> from runfolio.reproduction import reproduce, verify                      # doctest: +SKIP
>>> verify(folio, "models:/wine/Production").whole                            # doctest: +SKIP
True
>>> reproduce(folio, "models:/wine/Production", manager="virtualenv").verdict.words   # doctest: +SKIP
'reproduced, bit for bit'

The recorded code runs in the recorded environment, on the recorded data, with the recorded arguments, in a scratch folio of its own;
what it logs is compared with the record. Invariants:

- Nothing in the user's repository changes but for the one record of the verdict: no run, no ref, no file of the work tree.
- A run never counts as reproduced unless every metric of it was compared.
- What could not be had (a package, data, a secret) is named; nothing is made up in its place.

What it does *not* do: keep the code that runs from reaching the network or writing outside its folder. It is the user's own code.
"""

from typing import TYPE_CHECKING

from runfolio._lazy import lazy_names

if TYPE_CHECKING:
    from runfolio.reproduction.asking import Asked, asked_for
    from runfolio.reproduction.facts import Fact
    from runfolio.reproduction.reproducing import Made, ReproduceOptions, reproduce
    from runfolio.reproduction.verifying import Verified, verify

__all__ = ["Asked", "Fact", "Made", "ReproduceOptions", "Verified", "asked_for", "reproduce", "verify"]

__getattr__ = lazy_names(
    __name__,
    {
        "asking": ("Asked", "asked_for"),
        "reproducing": ("Made", "ReproduceOptions", "reproduce"),
        "facts": ("Fact",),
        "verifying": ("Verified", "verify"),
    },
)
