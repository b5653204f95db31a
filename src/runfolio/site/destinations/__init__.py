"""From a built site to where people see it: a folder, a branch, a bucket.

Whatever the destination, a publish that is killed leaves the old site whole, one that changes nothing sends nothing, and what
lies beside the site (a preview, a ``CNAME``) is kept. What was published is listed in the destination itself, in
:data:`~runfolio.site.destinations.contents.LIST`, by path and digest: the next publish, from whatever machine, sends the
difference and removes only what an earlier one had sent.

>>> publish_to_folder(read_built(Path("site")), Path("/var/www/folio"))                    # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runfolio._lazy import lazy_names

if TYPE_CHECKING:
    from runfolio.site.destinations.branch import publish_to_branch, unpublish_from_branch
    from runfolio.site.destinations.bucket import publish_to_bucket, unpublish_from_bucket
    from runfolio.site.destinations.contents import Built, Published, Unpublished, built_of, read_built
    from runfolio.site.destinations.folder import publish_to_folder, unpublish_from_folder

__all__ = [
    "Built",
    "Published",
    "Unpublished",
    "built_of",
    "publish_to_branch",
    "publish_to_bucket",
    "publish_to_folder",
    "read_built",
    "unpublish_from_branch",
    "unpublish_from_bucket",
    "unpublish_from_folder",
]

__getattr__ = lazy_names(
    __name__,
    {
        "branch": ("publish_to_branch", "unpublish_from_branch"),
        "bucket": ("publish_to_bucket", "unpublish_from_bucket"),
        "contents": ("Built", "Published", "Unpublished", "built_of", "read_built"),
        "folder": ("publish_to_folder", "unpublish_from_folder"),
    },
)
