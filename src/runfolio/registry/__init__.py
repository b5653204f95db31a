"""The registry: what a model version is made of, which one a URI means, who promoted it and when.

It reads the open folio and makes one proposed change a verb: on the branch at hand, or on a new one ready for a pull request.
It evaluates policies and gathers the facts that they look at; what a policy says is the room ``policy``'s.

A version is the manifest of its files: the object that its ``digest`` names lists each file with digest and size. So two versions
with one digest are the same bytes, and a version is loaded by its own record alone, whatever became of the run that made it.
"""

from runfolio.registry.registering import register, version_of
from runfolio.registry.uris import ModelUri, parse_model_uri, resolve
from runfolio.registry.versions import files_of

__all__ = ["ModelUri", "files_of", "parse_model_uri", "register", "resolve", "version_of"]
